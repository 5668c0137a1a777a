"""An entry → the article it would be, not yet stored."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from newsletter.articles.canonical_url import without_tracking
from newsletter.articles.cleaning import Cleaned, clean
from newsletter.articles.excerpt import excerpt, is_truncated, without_ellipsis
from newsletter.articles.language import language_of
from newsletter.feeds.parse import ParsedEntry


@dataclass(frozen=True)
class Draft:
    url: str
    title: str
    excerpt: str
    body_html: str
    body_text: str
    language: str
    author: str
    categories: list[str]
    image_url: str
    image_alt: str
    original_author: str
    original_source: str
    original_date: date | None
    original_url: str
    attribution_title: str
    attribution_url: str
    published_at: datetime | None
    content_hash: str


def draft(entry: ParsedEntry, *, feed_url: str, site_url: str, language: str) -> Draft:
    """The entry with its text cleaned; an entry without a title is named by its first words."""

    def cleaned(html: str, *, text_only: bool = False) -> Cleaned:
        base = entry.base_url or entry.url or site_url or feed_url
        return clean(
            html,
            base_url=base,
            entry_url=entry.url,
            site_url=site_url,
            title=entry.title,
            text_only=text_only,
        )

    body = cleaned(entry.content_html)
    summary = None
    if entry.summary_html:
        summary = cleaned(entry.summary_html, text_only=bool(body.text))
        if not body.text and (summary.text or not entry.content_html):
            body = summary
    origin = body
    if summary and not (body.original_author or body.original_source or body.original_url):
        origin = summary
    footer = body if body.attribution_title or summary is None else summary
    html, text = body.html, body.text
    if is_truncated(text):
        text = f"{without_ellipsis(text).rstrip(' ,;:')}…"
        html = _TRUNCATED.sub("…", html)
    title = entry.title or excerpt(text, 100) or entry.url or entry.guid
    image = (entry.image_url, entry.image_alt)
    if not image[0]:
        picture = body if body.image_url or summary is None else summary
        image = (picture.image_url, picture.image_alt)
    return Draft(
        url=without_tracking(entry.url or site_url or feed_url)[:2000],
        title=_cut(title, 500),
        excerpt=_excerpt(summary, body),
        body_html=html,
        body_text=text,
        language=language_of(f"{title} {text}", entry.language or language),
        author=entry.author[:255],
        categories=list(entry.categories),
        image_url=without_tracking(image[0])[:2000],
        image_alt=image[1][:500],
        original_author=origin.original_author,
        original_source=origin.original_source,
        original_date=origin.original_date,
        original_url=origin.original_url,
        attribution_title=footer.attribution_title,
        attribution_url=footer.attribution_url,
        published_at=entry.published or entry.updated,
        content_hash=content_hash(title, text),
    )


def content_hash(title: str, text: str) -> str:
    """Changes when a reader would see a change: not for dates, markup or white space."""
    words = " ".join(f"{title}\n{text}".split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()


def listed_at(published: datetime | None, now: datetime) -> datetime:
    """The date to sort by: a post that is undated, or dated in the future, counts from arrival."""
    return now if published is None or published > now + timedelta(minutes=5) else published


_TRUNCATED = re.compile(r"\s*\[\s*(?:…|\.{3}|&hellip;)\s*\]")


def _excerpt(summary: Cleaned | None, body: Cleaned) -> str:
    """The publisher's own summary when it is whole, else the first sentences of the text."""
    if summary and summary.text and not is_truncated(summary.text):
        text = _running(summary.text)
        if len(text) >= 60 or not body.text:
            return excerpt(text)
    # The first sentences are enough; the end matters only in a text shorter than this.
    return excerpt(_running((body.text or (summary.text if summary else ""))[:2_000]))


def _running(text: str) -> str:
    """Lines → running text; a heading or list item without a full stop gets one."""
    lines = [line if re.search(r"[.!?:;,…]\W*$", line) else f"{line}." for line in text.split("\n")]
    joined = " ".join(line for line in lines if line.strip(". "))
    return joined if text.rstrip()[-1:] in ".!?:;,…]" else joined.removesuffix(".")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rsplit(" ", 1)[0] + "…"
