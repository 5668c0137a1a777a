"""The fast reader says what feedparser says, or leaves the feed to it."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from newsletter.feeds import everyday
from newsletter.feeds.parse import ParsedFeed, parse

URL = "https://blog.example/feed/"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0"'
)
# Elements of an item, each as blogs write it and as they get it wrong.
ITEM_PARTS = (
    "<title>L&#8217;assemblea &amp; il “contratto”</title>",
    "<title><![CDATA[Un <b>titolo</b> &#8211; forte]]></title>",
    "<title></title>",
    "<title> Perch\u00c3\u00a9 no </title>",
    "<dc:title>Un altro titolo</dc:title>",
    "<link>https://blog.example/1/</link>",
    "<link>/relativo/2?a=1&amp;b=2</link>",
    "<link></link>",
    "<link>https://blog.example/3/?x=1&amp;amp;y=2</link>",
    '<atom:link rel="alternate" href="/dall-atom/"/>',
    '<atom:link rel="replies" type="application/rss+xml" href="/commenti/"/>',
    "<guid isPermaLink='false'>https://blog.example/?p=1</guid>",
    "<guid>https://blog.example/guid/</guid>",
    "<guid>41</guid>",
    "<guid isPermaLink='false'>41</guid>",
    "<title>L&#146;accento di Windows</title>",
    "<guid>tag:blog.example,2026:41</guid>",
    "<dc:creator><![CDATA[redazione]]></dc:creator>",
    "<author>anna@blog.example (Anna Rossi)</author>",
    "<author>Anna &lt;anna@blog.example&gt;</author>",
    "<itunes:author>Radio</itunes:author>",
    "<pubDate>Mon, 18 Aug 2025 07:30:12 +0000</pubDate>",
    "<pubDate>lun, 18 ago 2025 07:30:12 CEST</pubDate>",
    "<pubDate>ieri</pubDate>",
    "<dc:date>2025-08-18T07:30:12+02:00</dc:date>",
    "<category>Pensioni</category>",
    '<category domain="tag"><![CDATA[Salari & contratti]]></category>',
    "<category/>",
    "<dc:subject>Salari</dc:subject>",
    "<description>Breve &lt;b&gt;testo&lt;/b&gt; [&amp;#8230;]</description>",
    "<description><![CDATA[<p>Breve con &lt;codice&gt; \u201cvero»</p>]]></description>",
    "<description/>",
    "<content:encoded><![CDATA[<p>Il testo intero perch\u00e9\u00bb</p>]]></content:encoded>",
    "<content:encoded><![CDATA[<p>Un secondo testo, molto pi\u00f9 lungo</p>]]></content:encoded>",
    "<content:encoded><p>Senza escape</p></content:encoded>",
    '<enclosure url="https://blog.example/a.jpg" type="image/jpeg" length="1"/>',
    '<enclosure url="https://blog.example/a.mp3" type="audio/mpeg" length="1"/>',
    '<media:content url="https://blog.example/m.jpg" medium="image"><media:title>Anna'
    "</media:title></media:content>",
    '<media:content url="https://0.gravatar.com/avatar/1" medium="image"/>',
    '<media:group><media:content url="/g.png" type="image/png"/></media:group>',
    '<media:thumbnail url="https://blog.example/t.jpg"/>',
    "<media:description>Una foto</media:description>",
    "<media:title>Titolo della foto</media:title>",
    '<itunes:image href="https://blog.example/i.jpg"/>',
    "<itunes:summary>Riassunto</itunes:summary>",
    "<feedburner:origLink>https://blog.example/originale/</feedburner:origLink>",
    "<source url='https://altro.example/feed/'>Altro blog</source>",
    "<dc:language>en</dc:language>",
    "<slash:comments>4</slash:comments>",
    "<comments>https://blog.example/1/#comments</comments>",
    "<image><url>https://blog.example/x.png</url><title>Una foto</title></image>",
    "<strano>mai visto</strano>",
    "<!-- un commento --><?istruzione?>",
)
CHANNEL_PARTS = (
    "<title>Il blog</title>", "<title>L&#8217;altro <![CDATA[& solo]]></title>",
    "<link>https://blog.example/</link>", "<link>/</link>",
    '<atom:link href="https://blog.example/feed/" rel="self" type="application/rss+xml"/>',
    '<atom:link rel="hub" href="https://hub.example/"/>',
    "<language>it-IT</language>", "<dc:language>en</dc:language>", "<ttl>60</ttl>",
    "<sy:updatePeriod>\n hourly </sy:updatePeriod>", "<sy:updateFrequency>2</sy:updateFrequency>",
    "<image><url>https://blog.example/l.png</url><title>Logo</title>"
    "<link>https://altrove.example/</link></image>",
    "<description>Di che parla</description>", "<generator>WordPress</generator>",
    "<itunes:image href='/i.png'/>", "<managingEditor>anna@blog.example</managingEditor>",
    "<lastBuildDate>Mon, 18 Aug 2025 07:30:12 +0000</lastBuildDate>",
)  # fmt: skip
ENTRY_PARTS = (
    "<title>Un titolo</title>",
    '<title type="html">Un &lt;i&gt;titolo&lt;/i&gt; &amp;amp; via</title>',
    '<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">X</div></title>',
    '<title xml:lang="de">Ein Titel &lt;b&gt;</title>',
    '<link href="https://blog.example/a/"/>', '<link rel="alternate" type="text/html" href="/b/"/>',
    '<link rel="alternate" type="application/json" href="/b.json"/>',
    '<link rel="enclosure" type="image/png" href="/e.png"/>', '<link rel="self" href="/s.atom"/>',
    "<id>tag:blog.example,2026:1</id>", "<id>https://blog.example/?p=1</id>", "<id>17</id>",
    "<updated>2025-08-18T07:30:12Z</updated>", "<published>2025-08-17T07:30:12+02:00</published>",
    "<author><name>Anna Rossi</name><email>a@blog.example</email><uri>/anna</uri></author>",
    "<author><name>Bruno</name></author>", "<author><email>a@blog.example</email></author>",
    '<category term="Pensioni" label="Le pensioni"/>', '<category term="Salari"/>',
    "<summary>Breve &lt;b&gt;</summary>", '<summary type="html">&lt;p&gt;Breve&lt;/p&gt;</summary>',
    '<content type="html">&lt;p&gt;Lungo&lt;/p&gt;</content>', "<content>Solo\n\ntesto</content>",
    '<content type="html" xml:base="/altrove/"><![CDATA[<a href="x">x</a>]]></content>',
    '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>X</p></div></content>',
    '<content type="image/png">aGVsbG8=</content>', '<content src="/altrove"/>',
    '<media:thumbnail url="/t.png"/>', "<rights>Nessuno</rights>",
    "<source><title>Altro</title><id>urn:x</id></source>",
    "<contributor><name>Carla</name></contributor>",
)  # fmt: skip


def rss(rng: random.Random) -> str:
    channel = rng.sample(CHANNEL_PARTS, rng.randint(1, 7))
    items = ["<item>" + "".join(rng.sample(ITEM_PARTS, rng.randint(1, 9))) + "</item>"
             for _ in range(rng.randint(1, 3))]  # fmt: skip
    tongue = rng.choice(["", ' xml:lang="it"'])
    inside = "".join(channel + items)
    return f'<rss version="2.0" {NAMESPACES}{tongue}><channel>{inside}</channel></rss>'


def atom(rng: random.Random) -> str:
    parts = (
        "<title>Il blog</title>", '<link href="https://blog.example/"/>', "<id>urn:blog</id>",
        '<link rel="self" href="/feed/atom/"/>', "<updated>2025-08-18T07:30:12Z</updated>",
        "<subtitle>Di che parla</subtitle>", "<author><name>Chi</name></author>",
    )  # fmt: skip
    feed = rng.sample(parts, rng.randint(1, 6))
    entries = ["<entry>" + "".join(rng.sample(ENTRY_PARTS, rng.randint(1, 7))) + "</entry>"
               for _ in range(rng.randint(1, 3))]  # fmt: skip
    more = rng.choice(["", ' xml:lang="it-IT"', ' xml:base="https://blog.example/dir/"'])
    return (
        f'<feed xmlns="http://www.w3.org/2005/Atom" {NAMESPACES}{more}>'
        f"{''.join(feed + entries)}</feed>"
    )


def by_feedparser(document: str, monkeypatch: pytest.MonkeyPatch) -> ParsedFeed:
    with monkeypatch.context() as patched:
        patched.setattr(everyday, "read", lambda data, url: None)
        return parse(document.encode(), url=URL)


@pytest.mark.parametrize("build", [rss, atom])
def test_says_what_feedparser_says(
    build: Callable[[random.Random], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(5)
    read = 0
    for _ in range(400):
        document = build(rng)
        mine = everyday.read(document.encode(), URL)
        if mine is not None:
            read += 1
            assert parse(document.encode(), url=URL) == by_feedparser(document, monkeypatch), (
                document
            )
    assert read > 40


@pytest.mark.parametrize("part", ITEM_PARTS)
def test_says_of_each_element_what_feedparser_says(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before, after in (
        ("", ""),
        ("<title>Uno</title><guid>1</guid>", ""),
        ("", "<title>Uno</title>"),
    ):
        document = (
            f'<rss version="2.0" {NAMESPACES}><channel><title>B</title><item>{before}'
            f"{part}{after}"
            "<link>https://blog.example/1/</link></item></channel></rss>"
        )
        assert parse(document.encode(), url=URL) == by_feedparser(document, monkeypatch)


def test_wordpress_feed_needs_no_feedparser() -> None:
    document = (
        f'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" {NAMESPACES}><channel>'
        + "".join(part for part in CHANNEL_PARTS if "altro" not in part)
        + f"<item>{ITEM_PARTS[0]}<link>https://blog.example/1/</link><dc:creator>x</dc:creator>"
        "<pubDate>Mon, 18 Aug 2025 07:30:12 +0000</pubDate><category>Pensioni</category>"
        "<guid isPermaLink='false'>https://blog.example/?p=1</guid><description>Breve</description>"
        "<content:encoded><![CDATA[<p>Testo perch\u00e9\u00bb</p>]]></content:encoded>"
        "<slash:comments>0</slash:comments></item></channel></rss>"
    ).replace('<?xml version="1.0" encoding="UTF-8"?>', "")
    assert everyday.read(document.encode(), URL) is not None
