from __future__ import annotations

import resource
import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest

from newsletter.exceptions import FeedInvalid
from newsletter.feeds.parse import ParsedFeed, parse

URL = "https://blog.example/feed/"
ITEM = "<item><title>Uno</title><link>https://blog.example/1/</link></item>"


def rss(items: str, channel: str = "") -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:media="http://search.yahoo.com/mrss/" '
        'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">'
        f"<channel><title>Blog</title><link>https://blog.example/</link>{channel}{items}"
        "</channel></rss>"
    ).encode()


def read(body: bytes | str, content_type: str = "") -> ParsedFeed:
    body = body.encode() if isinstance(body, str) else body
    return parse(body, url=URL, content_type=content_type)


def item(inside: str) -> str:
    return f"<item><link>https://blog.example/1/</link>{inside}</item>"


def test_rss_item_is_read() -> None:
    feed = read(
        rss(
            item(
                "<title>L&#8217;assemblea</title><dc:creator>Anna Rossi</dc:creator>"
                "<guid isPermaLink='false'>https://blog.example/?p=1</guid>"
                "<pubDate>Mon, 18 Aug 2025 07:30:12 +0200</pubDate>"
                "<category>Pensioni</category><category>Senza categoria</category>"
                "<description>Breve</description>"
                "<content:encoded><![CDATA[<p>Lungo</p>]]></content:encoded>"
            ),
            "<language>it-IT</language><sy:updatePeriod>hourly</sy:updatePeriod>"
            "<sy:updateFrequency>2</sy:updateFrequency>",
        )
    )
    entry = feed.entries[0]
    assert entry.title == "L’assemblea"
    assert entry.author == "Anna Rossi"
    assert entry.guid == "https://blog.example/?p=1"
    assert entry.published == datetime(2025, 8, 18, 5, 30, 12, tzinfo=UTC)
    assert entry.categories == ("Pensioni",)
    assert (entry.summary_html, entry.content_html) == ("Breve", "<p>Lungo</p>")
    assert (feed.title, feed.language, feed.update_minutes) == ("Blog", "it-IT", 30)


def test_atom_entry_is_read() -> None:
    feed = read(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="it"><title>Blog</title>'
        '<link href="https://blog.example/"/><entry><title type="text">Usare &lt;div&gt;</title>'
        '<id>tag:blog.example,2025:1</id><link rel="alternate" href="/uno"/>'
        "<updated>2025-08-18T09:00:00+02:00</updated>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Ciao</p></div>'
        "</content></entry></feed>"
    )
    entry = feed.entries[0]
    assert entry.title == "Usare <div>"
    assert entry.url == "https://blog.example/uno"
    assert entry.updated == datetime(2025, 8, 18, 7, 0, tzinfo=UTC)
    assert entry.published is None
    assert "<p>Ciao</p>" in entry.content_html


def test_json_feed_is_read() -> None:
    feed = read(
        '{"version": "https://jsonfeed.org/version/1.1", "title": "Blog", "items": ['
        '{"id": "1", "url": "https://blog.example/1", "title": "A < B", "content_text": "x < y",'
        ' "date_published": "2025-08-18T07:00:00Z", "authors": [{"name": "Anna"}]}, 7]}'
    )
    entry = feed.entries[0]
    assert (entry.title, entry.author, entry.content_html) == ("A < B", "Anna", "<p>x &lt; y</p>")
    assert len(feed.entries) == 1


def test_title_with_line_breaks_and_control_characters_is_one_line() -> None:
    body = rss(item("<title>Prima\r\nBcc: a@b.example\tseconda\u202e\u2028terza</title>"))
    body = body.replace(b"seconda", b"sec\x0conda\x00")
    assert read(body).entries[0].title == "Prima Bcc: a@b.example seconda terza"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("<![CDATA[Contratti &#038; salari]]>", "Contratti & salari"),
        ("L&amp;#8217;accordo", "L’accordo"),
        ("<![CDATA[<b>Sciopero</b>]]>", "Sciopero"),
        ("Q&A sulle pensioni", "Q&A sulle pensioni"),
        ("Perch&eacute; no?", "Perché no?"),
        ("Prima <br> dopo", "Prima dopo"),
        ("", ""),
    ],
)
def test_titles_are_plain_text(written: str, title: str) -> None:
    assert read(rss(item(f"<title>{written}</title>"))).entries[0].title == title


@pytest.mark.parametrize(
    ("creator", "author"),
    [
        ("anna@posta.example (Anna Rossi)", "Anna Rossi"),
        ("Anna Rossi &lt;anna@posta.example&gt;", "Anna Rossi"),
        ("anna@posta.example", ""),
        ("redazione", "redazione"),
    ],
)
def test_addresses_of_authors_are_never_kept(creator: str, author: str) -> None:
    for tag in ("author", "dc:creator"):
        assert read(rss(item(f"<{tag}>{creator}</{tag}>"))).entries[0].author == author


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("lun, 05 mag 2025 10:00:00 +0200", datetime(2025, 5, 5, 8, tzinfo=UTC)),
        ("Mon, 05 May 2025 10:00:00 CEST", datetime(2025, 5, 5, 8, tzinfo=UTC)),
        ("Mon, 05 May 2025 10:00:00 EST", datetime(2025, 5, 5, 15, tzinfo=UTC)),
        ("2025-05-05T10:00:00.123+02:00", datetime(2025, 5, 5, 8, tzinfo=UTC)),
        ("20250505T101112Z", datetime(2025, 5, 5, 10, 11, 12, tzinfo=UTC)),
        ("1° maggio 2025", datetime(2025, 5, 1, tzinfo=UTC)),
        ("13. August 2025 08:00", datetime(2025, 8, 13, 8, tzinfo=UTC)),
        ("May 5, 2025 3:04 pm", datetime(2025, 5, 5, 15, 4, tzinfo=UTC)),
        ("05/06/2025 10:30", datetime(2025, 6, 5, 10, 30, tzinfo=UTC)),
        ("Mon, 30 Nov -0001 00:00:00 +0000", None),
        ("0000-00-00 00:00:00", None),
        ("Thu, 01 Jan 1970 00:00:00 +0000", None),
        ("31 febbraio 2025", None),
        ("domani", None),
        ("", None),
    ],
)
def test_dates(written: str, moment: datetime | None) -> None:
    assert read(rss(item(f"<pubDate>{written}</pubDate>"))).entries[0].published == moment


def test_undated_entry_has_no_date() -> None:
    entry = read(rss(ITEM)).entries[0]
    assert (entry.published, entry.updated) == (None, None)


def test_portrait_of_the_author_is_not_the_image() -> None:
    media = (
        '<media:content url="https://1.gravatar.com/avatar/x" medium="image"/>'
        '<media:content url="https://blog.example/foto.jpg" medium="image"/>'
    )
    assert read(rss(item(media))).entries[0].image_url == "https://blog.example/foto.jpg"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<!DOCTYPE html><html><body>Ciao</body></html>", "web_page"),
        (b"", "empty"),
        (b"  \n ", "empty"),
        (b"ciao", "not_a_feed"),
        (b'{"a": 1}', "not_a_feed"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "not_a_feed"),
        (b'<?xml version="1.0"?><opml><body/></opml>', "not_a_feed"),
    ],
)
def test_what_is_not_a_feed_is_said_to_be_none(body: bytes, code: str) -> None:
    with pytest.raises(FeedInvalid) as caught:
        read(body)
    assert caught.value.code == code
    assert URL in str(caught.value)


def test_comment_feeds_are_refused() -> None:
    comments = "".join(
        f"<item><title>Di: Uno</title><link>https://blog.example/1/#comment-{n}</link></item>"
        for n in range(3)
    )
    with pytest.raises(FeedInvalid) as caught:
        read(rss(comments))
    assert caught.value.code == "comment_feed"


def test_feed_without_entries_is_a_feed() -> None:
    assert read(rss("")).entries == ()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (rss(ITEM.replace("Uno", "Perché")), "text/xml; charset=iso-8859-1"),
        (rss(ITEM).replace(b"Uno", "Perché".encode("latin-1")), "text/xml"),
        (rss(ITEM).replace(b"UTF-8", b"iso-8859-1").replace(b"Uno", b"Perch\xe9"), ""),
        (rss(ITEM.replace("Uno", "Perché")).replace(b"UTF-8", b"windows-1252"), ""),
        (b"\xef\xbb\xbf" + rss(ITEM.replace("Uno", "Perché")), ""),
        (rss(ITEM.replace("Uno", "Perché")).decode().encode("utf-16"), ""),
        (b"\r\n \n" + rss(ITEM.replace("Uno", "Perché")), ""),
        (rss(ITEM.replace("Uno", "Perché")).replace(b"UTF-8", b"klingon"), ""),
    ],
    ids=["header lies", "declaration lies", "latin-1", "utf-8 called 1252", "bom", "utf-16",
         "leading blanks", "unknown"],
)  # fmt: skip
def test_encodings(body: bytes, content_type: str) -> None:
    assert read(body, content_type).entries[0].title == "Perché"


def test_utf7_is_never_decoded() -> None:
    body = rss(ITEM.replace("Uno", "+ADw-script+AD4-")).replace(b"UTF-8", b"utf-7")
    assert read(body).entries[0].title == "+ADw-script+AD4-"


def test_one_broken_item_does_not_stop_the_others() -> None:
    broken = "<item><title>Rotto<description><b>x</title></item>"
    titles = [entry.title for entry in read(rss(ITEM + broken + ITEM)).entries]
    assert titles[0] == titles[-1] == "Uno"


def test_feed_cut_in_the_middle_gives_its_whole_items() -> None:
    body = rss(ITEM * 3)
    entries = read(body[: body.rindex(b"<link>")]).entries
    assert [entry.url for entry in entries[:2]] == ["https://blog.example/1/"] * 2


LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise("abcdefghi"))
    + "]>"
)  # fmt: skip
EXTERNAL = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


def test_external_entities_are_not_read() -> None:
    body = EXTERNAL + rss(item("<title>a&e;b</title>")).decode().partition("?>")[2]
    assert "root" not in read(body).entries[0].title


@pytest.mark.parametrize(
    "body",
    [
        LAUGHS + rss(item("<title>&i;</title>")).decode().partition("?>")[2],
        rss("<item><title>x</title></item>" * 100_000),
        rss(item("<description>" + "<!-- " * 50_000 + "</description>")),
        rss(item("<description><![CDATA[" + "<!-- " * 50_000 + "]]></description>")),
        rss(item("<description>" + "<div>" * 100_000 + "</description>")),
        rss("<item>" * 100_000),
        rss(item("<title>x</title>" + "<a/>" * 500_000)),
        rss("<item " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>"),
        rss(item("<title>" + "&" * 500_000 + "</title>")),
        rss(item("<title><![CDATA[" + "<a" * 500_000 + "]]></title>")),
        rss(item("<category>a</category>" * 100_000)),
        rss(item("<pubDate>" + "1 " * 500_000 + "</pubDate>")),
        "<rss>" + "<title>" * 100_000,
        "{" * 500_000,
        "<!DOCTYPE " + "[" * 500_000,
        rss("".join(f'<a{n}:b xmlns:a{n}="u{n}"/>' for n in range(30_000))),
        rss(("<c " + " ".join(f'a{n}="1"' for n in range(100)) + "/>") * 3_000),
    ],
    ids=["laughs", "items", "comments", "comments in cdata", "divs", "nested items", "elements",
         "attributes", "ampersands", "tags in title", "categories", "date", "titles", "braces",
         "doctype", "namespaces", "attributes in all"],
)  # fmt: skip
def test_hostile_documents_cost_at_most_a_second_and_100_mb(body: bytes | str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    try:
        feed = read(body)
    except FeedInvalid:
        pass
    else:
        assert len(feed.entries) <= 1_000
    assert time.process_time() - began < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_namespace_that_breaks_the_parser_is_said_to_be_no_feed() -> None:
    with pytest.raises(FeedInvalid):
        read('<rss version="2.0" xmlns="u\u2003v\u2003w"><channel><title>B</title></channel></rss>')


def test_a_ttl_that_is_no_number_is_ignored() -> None:
    assert read(rss(ITEM, "<ttl>²</ttl>")).update_minutes is None


@pytest.mark.parametrize(
    "title",
    ["Comments on: Lavoro agile", "Commenti a: Lavoro agile", "Kommentare zu: Arbeit",
     "Commentaires sur : Travail", "Comentarios en: Trabajo", "Reacties op: Werk"],
)  # fmt: skip
def test_feed_of_comments_is_known_by_its_title_even_when_it_is_empty(title: str) -> None:
    document = rss("").replace(b"<title>Blog</title>", f"<title>{title}</title>".encode())
    with pytest.raises(FeedInvalid) as caught:
        read(document)
    assert caught.value.code == "comment_feed"


@pytest.mark.parametrize(
    ("title", "link"),
    [("Di: Anna", "https://blog.example/1/"),
     ("Anna", "https://blog.example/1/#comment-12"),
     ("Anna", "https://x.blogspot.com/2026/a.html?showComment=1400000000000#c12345678")],
)  # fmt: skip
def test_feed_of_comments_is_known_by_its_entries(title: str, link: str) -> None:
    entry = f"<item><title>{title}</title><link>{link}</link></item>"
    document = rss(entry).replace(b"<title>Blog</title>", b"<title>Commenti a: Uno</title>")
    with pytest.raises(FeedInvalid, match="comments"):
        read(document)


def test_blog_about_comments_is_no_feed_of_comments() -> None:
    document = rss(ITEM).replace(b"<title>Blog</title>", b"<title>Commenti su tutto</title>")
    assert len(read(document).entries) == 1


@pytest.mark.parametrize(
    "address",
    ["https://blog.example/?feed=comments-rss2", "https://blog.example/?feed=rss2&withcomments=1",
     "https://x.blogspot.com/feeds/12/comments/default", "https://blog.example/comments/feed/atom/"],
)  # fmt: skip
def test_feed_of_comments_is_known_by_its_address(address: str) -> None:
    with pytest.raises(FeedInvalid, match="comments"):
        parse(rss(ITEM), url=address)


def test_prefixes_that_nobody_declared_break_no_feed() -> None:
    entry = read(
        '<rss version="2.0"><channel><title>Blog</title><item><title>Uno</title>'
        "<link>https://blog.example/1/</link><dc:creator>Anna</dc:creator>"
        "<media:thumbnail url='https://blog.example/t.jpg'/><strano:cosa>x</strano:cosa>"
        "<content:encoded><![CDATA[<p>Testo</p>]]></content:encoded></item></channel></rss>"
    ).entries[0]
    assert (entry.author, entry.content_html) == ("Anna", "<p>Testo</p>")
    assert entry.image_url == "https://blog.example/t.jpg"


def test_guid_that_is_no_address_makes_none() -> None:
    entries = read(
        rss("<item><title>Uno</title><guid>4711</guid></item>"
            "<item><title>Due</title><guid isPermaLink='true'>\n<![CDATA[a-b]]></guid></item>"
            "<item><title>Tre</title><guid>https://blog.example/3/</guid></item>")
    ).entries  # fmt: skip
    assert [entry.url for entry in entries] == ["", "", "https://blog.example/3/"]
    assert [entry.guid for entry in entries][:2] == ["4711", "a-b"]


def test_several_authors_are_all_named_and_no_address_is() -> None:
    several = item("<dc:creator>Anna</dc:creator><dc:creator>Bruno</dc:creator>"
                   "<dc:creator>c@blog.example</dc:creator>")  # fmt: skip
    assert read(rss(several)).entries[0].author == "Anna, Bruno"


@pytest.mark.parametrize(
    ("written", "title"),
    [("Il nostro &lt;b&gt;sciopero&lt;/b&gt;", "Il nostro sciopero"),
     ("&amp;lt;em&amp;gt;Oggi&amp;lt;/em&amp;gt; si vota", "Oggi si vota"),
     ("L&amp;amp;#8217;orario", "L’orario"), ("Q&amp;amp;A", "Q&A"), ("a &amp;lt; b", "a < b")],
)  # fmt: skip
def test_title_is_text_however_often_it_was_escaped(written: str, title: str) -> None:
    assert read(rss(item(f"<title>{written}</title>"))).entries[0].title == title


def test_plain_title_of_atom_loses_markup_only_in_pairs() -> None:
    def title(written: str) -> str:
        document = (
            f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>{written}</title>'
            "<id>urn:x</id></entry></feed>"
        )
        return read(document).entries[0].title

    assert title("Usare &lt;div&gt;") == "Usare <div>"
    assert title("&lt;b&gt;Oggi&lt;/b&gt; l&amp;#8217;orario") == "Oggi l’orario"


def test_text_is_relative_to_its_own_base() -> None:
    entry = read(
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>Uno</title><id>urn:x</id>'
        '<link href="https://blog.example/1/"/>'
        '<content type="html" xml:base="https://immagini.example/a/">x</content></entry></feed>'
    ).entries[0]
    assert entry.base_url == "https://immagini.example/a/"
    assert read(rss(item("<description>x</description>"))).entries[0].base_url == ""


def test_json_feed_of_plain_texts_is_read() -> None:
    entry = read(
        '{"version": "https://jsonfeed.org/version/1.1", "title": "Blog", "items": [{"id": 1,'
        '"url": "https://blog.example/1/", "content_text": "Uno & due.\\n\\nTre.",'
        '"authors": [{"name": "Anna"}, {"name": "Bruno"}], "attachments": [{"url":'
        '"https://blog.example/f.jpg", "mime_type": "image/jpeg"}]}]}'
    ).entries[0]
    assert entry.content_html == "<p>Uno &amp; due.</p><p>Tre.</p>"
    assert (entry.author, entry.guid) == ("Anna, Bruno", "1")
    assert entry.image_url == "https://blog.example/f.jpg"
