"""Reading and storing feeds, against feedparser's own sanitiser and against one-by-one saves."""

from __future__ import annotations

import argparse
import io
import time

import harness

harness.start(migrate=True)

import feedparser  # noqa: E402
from django.utils import timezone  # noqa: E402

from newsletter.articles.drafting import content_hash, draft  # noqa: E402
from newsletter.articles.ingest import ingest  # noqa: E402
from newsletter.articles.models import Article  # noqa: E402
from newsletter.feeds.models import Feed  # noqa: E402
from newsletter.feeds.parse import ParsedEntry, ParsedFeed, parse  # noqa: E402

SENTENCE = (
    "L’accordo firmato dalla <strong>rappresentanza sindacale</strong> prevede più ore di "
    '<a href="https://blog.example/lavoro-agile/?utm_source=rss">lavoro agile</a> e un premio per '
    "chi lavora di notte, come chiesto dall’assemblea del <em>3 maggio</em>. "
)


def post(number: int, paragraphs: int) -> str:
    link = f"https://blog.example/2026/07/{number}-accordo/"
    body = "".join(
        f'<p style="text-align:left" class="wp-block-paragraph">{SENTENCE * 3}</p>\n'
        for _ in range(paragraphs)
    )
    picture = (
        f'<figure class="wp-block-image"><img src="/uploads/{number}.jpg" alt="Una foto" '
        'width="800" height="600" srcset="/a.jpg 300w, /b.jpg 1024w"></figure>'
    )
    footer = (
        f'<p>L\'articolo <a href="{link}">Accordo {number}</a> proviene da '
        '<a href="https://blog.example">Il Blog</a>.</p>'
    )
    return (
        f"<item><title>Accordo {number}</title><link>{link}</link><dc:creator>redazione"
        f"</dc:creator><pubDate>Mon, 13 Jul 2026 07:30:12 +0000</pubDate><category>Contratti"
        f"</category><guid isPermaLink='false'>https://blog.example/?p={number}</guid>"
        f"<description><![CDATA[<p>Breve [&#8230;]</p>{footer}]]></description>"
        f"<content:encoded><![CDATA[{picture}{body}{footer}]]></content:encoded></item>"
    )


def feed_of(posts: int, paragraphs: int) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Il Blog</title>'
        "<link>https://blog.example/</link><language>it-IT</language>"
        f"{''.join(post(number, paragraphs) for number in range(posts))}</channel></rss>"
    ).encode()


URL = "https://blog.example/feed/"


def ours(body: bytes) -> None:
    for entry in parse(body, url=URL).entries:
        draft(entry, feed_url=URL, site_url="https://blog.example/", language="it")


def theirs(body: bytes) -> None:
    feedparser.parse(io.BytesIO(body), response_headers={"content-location": URL})


def entries(count: int, first: int) -> ParsedFeed:
    made = tuple(
        ParsedEntry(
            guid=f"https://blog.example/?p={number}",
            url=f"https://blog.example/{number}/",
            title=f"Accordo numero {number}",
            summary_html="",
            content_html=f"<p>Le parole della notizia {number}, brevi.</p>",
            author="",
            categories=(),
            published=timezone.now(),
            updated=None,
            language="it",
            image_url="",
            image_alt="",
        )
        for number in range(first, first + count)
    )
    return ParsedFeed("Il Blog", "https://blog.example/", "it", URL, None, made, ())


def store_in_bulk(feed: Feed, count: int) -> None:
    for first in range(0, count, 1_000):
        size = min(1_000, count - first)
        ingest(feed, entries(size, first), now=timezone.now())


def save_one_by_one(feed: Feed, count: int) -> None:
    now = timezone.now()
    for number in range(count):
        Article.objects.create(
            feed=feed,
            url=f"https://blog.example/uno/{number}/",
            title=f"Accordo numero {number}",
            body_html=f"<p>Le parole della notizia {number}, brevi.</p>",
            body_text=f"Le parole della notizia {number}, brevi.",
            arrived_at=now,
            changed_at=now,
            listed_at=now,
            content_hash=content_hash("Accordo", str(number)),
        )


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--articles", type=int, default=5_000, help="how many to store in bulk")
    options.add_argument("--saves", type=int, default=100, help="how many to save one by one")
    options.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    chosen = options.parse_args()

    for name, body, bar in (
        ("large feed: parse + clean", feed_of(100, 60), 3.0),
        ("WordPress feed: parse + clean", feed_of(10, 10), 2.0),
    ):
        reference, subject = (
            harness.measure(who, lambda fn=fn, b=body: fn(b), 5, clock=time.process_time)
            for who, fn in (("feedparser with its own sanitiser", theirs), (name, ours))
        )
        harness.ratio(name, subject, reference, bar)

    feed = Feed.objects.create(url=URL)
    bulk = harness.measure(
        "bulk", lambda: store_in_bulk(feed, chosen.articles), repeat=1, units=chosen.articles
    )
    saves = harness.measure(
        f"saves one by one, {chosen.articles} articles there",
        lambda: save_one_by_one(feed, chosen.saves),
        repeat=1,
        units=chosen.saves,
    )
    # The bar of 50 is for 100,000 articles (--articles 100000): a save's cost grows with the index.
    bar = 50.0 if chosen.articles >= 100_000 else None
    harness.ratio("store: clean, identities, index", bulk, saves, bar)
    harness.finish()


if __name__ == "__main__":
    main()
