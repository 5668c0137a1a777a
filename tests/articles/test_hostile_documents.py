"""Documents made to hurt: each a second of the processor's time, 100 MB, a clear word in the
feed's history, and the feed beside it polled as ever.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from newsletter.articles import poller
from newsletter.articles.models import Article
from newsletter.feeds.models import Feed, FetchRecord
from tests.articles.conftest import post, rss
from tests.builders import make_feed
from tests.conftest import Named
from tests.measured import HOSTILE_SECONDS, cost
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db(transaction=True)


def doctype(subset: str, document: str) -> str:
    declaration, _, rest = document.partition("?>")
    return f"{declaration}?><!DOCTYPE rss [{subset}]>{rest}"


def entry(**fields: str) -> str:
    return rss(post(1, **fields))


def json_feed(items: str) -> str:
    return f'{{"version":"https://jsonfeed.org/version/1.1","title":"B","items":{items}}}'


LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghij")
)
DOCUMENTS: dict[str, bytes | str] = {
    "billion laughs": doctype(LAUGHS, entry(text="&j;")).replace("&j;", "]]>&j;<![CDATA["),
    "quadratic blow-up": doctype(
        f'<!ENTITY a "{"a" * 100_000}">', rss(f"<item><title>{'&a;' * 50_000}</title></item>")
    ),
    "parameter entities": doctype(
        '<!ENTITY % a "<!ENTITY &#37; b \'x\'>">%a;' * 10_000, entry(text="x")
    ),
    "external entity": doctype('<!ENTITY e SYSTEM "file:///etc/passwd">', entry(extra="&e;")),
    "100,000 items": rss("<item><title>x</title></item>" * 100_000),
    "100,000 posts": rss(
        *(f"<item><link>https://b.example/{n}</link></item>" for n in range(100_000))
    ),
    "comments": entry(text="<!-- " * 50_000),
    "comments as XML": rss("<!-- " * 50_000),
    "comments, closed": entry(text="<!-- -->" * 60_000),
    "divs": entry(text="<div>" * 100_000),
    "divs as XML": rss(f"<item><description>{'<div>' * 100_000}</description></item>"),
    "divs as XML, closed": rss(
        f"<item><description>{'<div>' * 50_000}{'</div>' * 50_000}</description></item>"
    ),
    "spans around blocks": entry(text="<span><p>" * 40_000),
    "lists": entry(text="<ul><li>" * 60_000),
    "tables": entry(text="<table><tr><td>" * 30_000),
    "quotes": entry(text="<blockquote>" * 40_000),
    "links": entry(text="<a href='//x'>" * 30_000),
    "breaks": entry(text="<br>" * 120_000),
    "breaks with words": entry(text="a<br><br>" * 50_000),
    "images": entry(text="<img src='/a.jpg'>" * 25_000),
    "attributes": entry(text="<p " + " ".join(f"a{n}='1'" for n in range(50_000)) + ">x</p>"),
    "a long attribute": entry(text=f"<p class='{'a ' * 240_000}'>x</p>"),
    "classes like share bars": entry(text=f"<p class='{'share-' * 80_000}'>x</p>"),
    "an unclosed tag": entry(text="<p>a" + "<a href='" * 60_000),
    "ampersands": entry(text="&" * 490_000),
    "references": entry(text="&#" + "9" * 490_000),
    "short codes": entry(text="[caption " * 55_000),
    "brackets": entry(text="[" * 490_000),
    "dots": entry(text="." * 490_000),
    "white space": entry(text="x" + " " * 490_000 + "x"),
    "no break": entry(text="x" * 490_000),
    "sentences": entry(text="A. " * 160_000),
    "dates": entry(text="1 maggio 2025 " * 30_000),
    "sources": entry(text="(Fonte) " * 60_000),
    "dashes": entry(text="(Fonte) " + "–" * 490_000),
    "addresses": entry(text="http://" * 60_000),
    "an address of data": entry(text=f"<img src='data:image/png;base64,{'A' * 480_000}'>"),
    "a huge title": rss(post(1, "parola " * 700_000)),
    "a huge title of tags": rss(post(1, "<b>" * 700_000)),
    "a huge guid": rss(post(1, guid="g" * 3_000_000)),
    "a huge link": rss(post(1, link="https://blog.example/" + "a/../" * 500_000)),
    "a link of parameters": rss(post(1, link="https://blog.example/?" + "a=1&" * 500_000)),
    "a huge date": rss(post(1, date="1 " * 1_000_000)),
    "categories": rss(post(1, extra="<category>a</category>" * 100_000)),
    "control characters": rss(post(1, text="\x01\x02\x0b\x0c\x1f" * 100_000)),
    "null bytes": entry(text="x").replace("Blog", "B\0l\0o\0g") * 3,
    "nothing but nulls": b"\0" * 5_000_000,
    "UTF-7": b"+ADw-rss+AD4-" * 100_000,
    "UTF-16 that is none": b"\xff\xfe" + b"<\0r\0s\0s\0>\0" + b"\xd8" * 1_000_000,
    "Latin-1 called UTF-8": entry(text="perch\xe9 " * 50_000).encode("latin-1"),
    "bytes of no encoding": b'<?xml version="1.0" encoding="utf-8"?><rss>'
    + b"\xfe\xff\x80" * 900_000,
    "deep JSON": json_feed('[{"id":"1","x":' + "[" * 500_000 + "]" * 500_000 + "}]"),
    "deep JSON objects": json_feed('{"a":' * 300_000),
    "huge numbers": json_feed(f'[{{"id":{"9" * 2_000_000}}}]'),
    "huge exponents": json_feed('[{"id":1e999999999,"url":-1e99999}]'),
    "JSON of 100,000 items": json_feed("[" + ",".join(['{"id":"1"}'] * 100_000) + "]"),
    "JSON of other things": json_feed('[[],7,null,"x",{"id":{"a":1},"tags":7,"authors":{"a":0}}]'),
    "namespaces": rss("".join(f'<a{n}:b xmlns:a{n}="u{n}"/>' for n in range(30_000))),
    "CDATA without end": rss("<item><title><![CDATA[" + "x]] >" * 500_000),
    "instructions": rss("<?php echo 1 ?>" * 100_000),
    "nested items": rss("<item>" * 100_000),
    "a web page": "<!doctype html><html>" + "<div>" * 200_000,
}  # fmt: skip
# What is left of these is no feed at all, and that is what the history says.
REFUSED = {"not_a_feed", "empty", "web_page"}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_costs_little_and_holds_nobody_up(
    named: Named, feed_server: FeedServer, name: str
) -> None:
    body = DOCUMENTS[name]
    hostile = make_feed(named("hostile.example/hostile/"))
    feed_server.serve("/hostile/", body)
    feed_server.serve("/feed/", rss(post(7, "Una buona notizia")))
    make_feed(named("good.example/feed/"))
    with cost() as spent:
        poller.poll_due(clock=lambda: datetime.now(UTC), budget=timedelta(minutes=1))
    hostile.refresh_from_db()
    assert hostile.error_code in REFUSED | {""}
    record = FetchRecord.objects.get(feed=hostile)
    assert bool(record.error) == (record.outcome == FetchRecord.Outcome.FAILED)
    assert Article.objects.filter(title="Una buona notizia").exists()
    assert Article.objects.filter(feed=hostile).count() <= 1_000
    assert not Feed.objects.filter(claimed_until__isnull=False).exists()
    assert spent.cpu < HOSTILE_SECONDS, f"{spent.cpu:.2f} s"
    assert spent.mb < 100, f"{spent.mb:.0f} MB"
