"""The demo's blogs and their posts, read from the files under posts/.

A post is one file, posts/<blog>/<slug>.html: lines of `key: value`, an empty line, then the text.
README.md in that folder explains the keys and what may stand in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

POSTS_DIR = Path(__file__).parent / "posts"
IMAGES_DIR = Path(__file__).parent / "images"
EDIT_MARK = "=== edited ==="


@dataclass(frozen=True)
class Blog:
    key: str
    name: str
    tagline: str
    prefix: str
    """Where the blog lives on the demo server: "" or "/rete"."""
    home: str
    """The address its guids are made of, which is not where it is served."""
    language: str
    footer: str
    own: bool
    texturised: bool = False
    """Whether apostrophes and quotes leave as numeric entities, as on many WordPress sites."""


BLOGS: dict[str, Blog] = {
    blog.key: blog
    for blog in (
        Blog(
            key="meridiana",
            name="Lavoratrici e Lavoratori di Meridiana Servizi",
            tagline="Il blog di chi lavora a Meridiana Servizi",
            prefix="",
            home="https://blog.meridiana.example",
            language="it-IT",
            footer="articolo",
            own=True,
        ),
        Blog(
            key="rete",
            name="Rete Lavoro Digitale",
            tagline="Notizie dal lavoro che passa per uno schermo",
            prefix="/rete",
            home="https://retelavoro.example",
            language="it-IT",
            footer="primo",
            own=False,
            texturised=True,
        ),
        Blog(
            key="notes",
            name="Workplace Notes",
            tagline="Meridiana Servizi workers, in English",
            prefix="/en",
            home="https://notes.meridiana.example",
            language="en-GB",
            footer="appeared",
            own=True,
        ),
    )
}


@dataclass(frozen=True)
class Post:
    blog: Blog
    slug: str
    number: int
    title: str
    age: timedelta
    """How long before the base moment it was published; negative means it appears later."""
    author: str
    categories: tuple[str, ...]
    footer: str
    traits: frozenset[str]
    body: str
    edited_body: str = ""

    @property
    def guid(self) -> str:
        return f"{self.blog.home}/?p={self.number}"


def category_slug(name: str) -> str:
    """`Salute e sicurezza` → `salute-e-sicurezza`, as in the address of its feed."""
    return re.sub(
        r"[^a-z0-9]+", "-", name.lower().translate(str.maketrans("àèéìòù", "aeeiou"))
    ).strip("-")


def read_posts() -> list[Post]:
    """Every post of every blog, newest first."""
    posts = [
        read_post(path, blog)
        for blog in BLOGS.values()
        for path in sorted((POSTS_DIR / blog.key).glob("*.html"))
    ]
    return sorted(posts, key=lambda post: post.age)


def read_post(path: Path, blog: Blog) -> Post:
    """Raises ValueError naming the file when a key is missing or not understood."""
    head, _, text = path.read_text(encoding="utf-8").partition("\n\n")
    fields = {
        key.strip(): value.strip()
        for key, _, value in (line.partition(":") for line in head.splitlines())
    }
    body, _, edited_body = text.partition(EDIT_MARK)
    try:
        post = Post(
            blog=blog,
            slug=path.stem,
            number=int(fields.pop("id")),
            title=fields.pop("title"),
            age=_age(fields.pop("age")),
            author=fields.pop("author", "redazione"),
            categories=_listed(fields.pop("categories", "Senza categoria")),
            footer=fields.pop("footer", blog.footer),
            traits=frozenset(_listed(fields.pop("traits", ""))),
            body=body.strip(),
            edited_body=edited_body.strip(),
        )
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error
    if fields:
        raise ValueError(f"{path}: unknown keys {sorted(fields)}")
    return post


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _age(value: str) -> timedelta:
    """`3d 4h`, `20m`, or with a minus in front for a post that appears later."""
    found = re.fullmatch(r"(-?)(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?", value)
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"age {value!r} is not like '3d 4h'")
    days, hours, minutes = (int(part or 0) for part in found.groups()[1:])
    age = timedelta(days=days, hours=hours, minutes=minutes)
    return -age if found[1] else age
