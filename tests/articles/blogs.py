"""A made-up blog in every form in which real ones are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

from tests.builders import NOW

HOME = "https://blog.example/"


@dataclass(frozen=True)
class Post:
    number: int
    title: str
    published: datetime

    @property
    def link(self) -> str:
        return f"{HOME}2026/07/{self.number}-notizia/"

    @property
    def short(self) -> str:
        return f"{HOME}?p={self.number}"

    @property
    def text(self) -> str:
        return f"Il testo della notizia {self.number}, che racconta un’assemblea. " * 4


def posts(count: int) -> list[Post]:
    """The latest first; two share a title, as the press review of two days does."""
    return [
        Post(
            number,
            "Rassegna stampa" if number in {2, 5} else f"Notizia numero {number}",
            NOW - timedelta(days=count - number),
        )
        for number in range(count, 0, -1)
    ]


def rss(
    some: list[Post],
    *,
    link: Callable[[Post], str] = lambda post: post.link,
    guid: Callable[[Post], str] = lambda post: post.short,
    permalink: str = "false",
    excerpts: bool = False,
    dated: bool = True,
    extra: Callable[[Post], str] = lambda post: "",
    home: str = HOME,
) -> str:
    items = ""
    for post in some:
        items += f"<item><title>{escape(post.title)}</title>"
        items += f"<link>{escape(link(post))}</link>" if link(post) else ""
        if guid(post):
            items += f'<guid isPermaLink="{permalink}">{escape(guid(post))}</guid>'
        if dated:
            items += f"<pubDate>{format_datetime(post.published)}</pubDate>"
        text = f"<p>{post.text}</p>"
        if excerpts:
            items += f"<description>{escape(text[:60])} [&amp;#8230;]</description>"
        else:
            items += f"<content:encoded><![CDATA[{text}]]></content:encoded>"
        items += f"{extra(post)}</item>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0">'
        f"<channel><title>Blog</title><link>{home}</link>{items}</channel></rss>"
    )


def rdf(some: list[Post]) -> str:
    items = "".join(
        f'<item rdf:about="{post.link}"><title>{escape(post.title)}</title>'
        f"<link>{post.link}</link><dc:date>{post.published.isoformat()}</dc:date>"
        f"<description>{escape(post.text)}</description></item>"
        for post in some
    )
    return (
        '<?xml version="1.0"?><rdf:RDF xmlns="http://purl.org/rss/1.0/" '
        'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<channel rdf:about="{HOME}"><title>Blog</title><link>{HOME}</link></channel>'
        f"{items}</rdf:RDF>"
    )


def atom(
    some: list[Post],
    *,
    identifier: Callable[[Post], str] = lambda post: post.short,
    link: Callable[[Post], str] = lambda post: post.link,
) -> str:
    entries = "".join(
        f"<entry><title>{escape(post.title)}</title><id>{escape(identifier(post))}</id>"
        f'<link rel="alternate" type="text/html" href="{escape(link(post))}"/>'
        f"<published>{post.published.isoformat()}</published>"
        f"<updated>{(post.published + timedelta(hours=3)).isoformat()}</updated>"
        f'<content type="html">{escape(f"<p>{post.text}</p>")}</content></entry>'
        for post in some
    )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>Blog</title>'
        f'<link href="{HOME}"/><id>{HOME}</id><updated>{NOW.isoformat()}</updated>{entries}</feed>'
    )


def json_feed(some: list[Post]) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "Blog",
            "home_page_url": HOME,
            "items": [
                {
                    "id": post.link,
                    "url": post.link,
                    "title": post.title,
                    "content_html": f"<p>{post.text}</p>",
                    "date_published": post.published.isoformat(),
                }
                for post in some
            ],
        }
    )


def every_form(some: list[Post]) -> dict[str, str]:
    """The same posts as the many feeds of one blog carry them."""
    return {
        "main": rss(some),
        "excerpts": rss(some, excerpts=True),
        "plain http": rss(some, link=lambda p: p.link.replace("https:", "http:")),
        "www": rss(some, link=lambda p: p.link.replace("//", "//www.")),
        "no slash": rss(some, link=lambda p: p.link.rstrip("/"), guid=lambda p: ""),
        "tracked": rss(
            some, link=lambda p: f"{p.link}?utm_source=rss&utm_medium=rss&utm_campaign=x"
        ),
        "guid over http": rss(some, guid=lambda p: p.short.replace("https:", "http:")),
        "guid is the link": rss(some, guid=lambda p: p.link, permalink="true"),
        "short links": rss(some, link=lambda p: p.short, guid=lambda p: p.link),
        "guid alone": rss(some, link=lambda p: "", guid=lambda p: p.link, permalink="true"),
        "guid on another host": rss(some, guid=lambda p: f"http://copia.example/?p={p.number}"),
        "counters": rss(some, guid=lambda p: str(p.number)),
        "Drupal": rss(some, guid=lambda p: f"{p.number} at http://blog.example"),
        "undated": rss(some, dated=False),
        "RDF": rdf(some),
        "Atom": atom(some),
        "Atom with tags": atom(some, identifier=lambda p: f"tag:blog.example,2026:post-{p.number}"),
        "Atom with UUIDs": atom(
            some, identifier=lambda p: f"urn:uuid:1225c695-cfb8-4ebb-aaaa-{p.number:012}"
        ),
        "JSON": json_feed(some),
        "FeedBurner": rss(
            some,
            link=lambda p: f"http://feedproxy.google.com/~r/blog/~3/x{p.number}/",
            extra=lambda p: f"<feedburner:origLink>{p.link}</feedburner:origLink>",
        ),
        "FeedBurner without the link": rss(
            some,
            link=lambda p: f"http://feedproxy.google.com/~r/blog/~3/x{p.number}/",
            guid=lambda p: p.link,
        ),
        "AMP": rss(some, link=lambda p: f"{p.link}amp/", guid=lambda p: ""),
        "telephones": rss(
            some, link=lambda p: p.link.replace("//", "//m."), guid=lambda p: p.short
        ),
        "of a category": rss(some, home=f"{HOME}category/pensioni/"),
    }
