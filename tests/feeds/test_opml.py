from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from newsletter.exceptions import FeedInvalid
from newsletter.feeds.models import Feed
from newsletter.feeds.opml import (
    LARGEST_FILE,
    MOST_FEEDS,
    export_opml,
    import_opml,
    read_opml,
    sort_out,
)
from tests.builders import NOW, make_feed

pytestmark = pytest.mark.django_db
FILE = """<?xml version="1.0" encoding="UTF-8"?><opml version="1.0"><head/><body>
<outline text="Sindacati"><outline type="rss" text="Salari &amp; pensioni"
 xmlUrl="https://a.example/feed/" htmlUrl="https://a.example/"/></outline>
<outline text="B" xmlurl="https://b.example/rss"/>
<outline text="B due volte" xmlUrl="https://b.example/rss"/>
<outline text="Cattivo" xmlUrl="file:///etc/passwd"/><outline text="Vuoto"/></body></opml>"""


def test_feeds_of_all_folders_are_added_once() -> None:
    make_feed("https://b.example/rss")
    result = import_opml(FILE.encode(), now=NOW)
    assert [len(result.added), len(result.known), len(result.refused)] == [1, 1, 1]
    feed = Feed.objects.get(url="https://a.example/feed/")
    assert (feed.title, feed.site_url) == ("Salari & pensioni", "https://a.example/")
    assert feed in Feed.objects.due(NOW)


def test_dry_run_says_what_would_be_added_and_adds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "feeds.opml"
    file.write_text(FILE)
    said = io.StringIO()
    call_command("import_opml", str(file), dry_run=True, stdout=said)
    assert "2 would be added" in said.getvalue()
    assert not Feed.objects.exists()


def test_what_is_exported_can_be_imported_again() -> None:
    make_feed("https://a.example/feed/?a=1&b=2", title="Perché <no>", site_url="")
    said = io.StringIO()
    call_command("export_opml", stdout=said)
    (outline,) = read_opml(said.getvalue().encode())
    assert (outline.url, outline.title) == ("https://a.example/feed/?a=1&b=2", "Perché <no>")
    assert read_opml(export_opml([], title="Vuoto")) == []


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\x00\x01", b"{}"])
def test_other_files_are_refused_in_plain_words(body: bytes) -> None:
    with pytest.raises(FeedInvalid, match="OPML"):
        read_opml(body)


def listing(*urls: str) -> bytes:
    outlines = "".join(f'<outline text="x" xmlUrl="{url}"/>' for url in urls)
    return f'<opml version="2.0"><body>{outlines}</body></opml>'.encode()


def test_what_cannot_be_added_is_named_with_the_reason() -> None:
    found = sort_out(
        read_opml(
            listing(
                "http://10.0.0.1/feed/",
                "http://[::1]/feed/",
                "https://blog.example/comments/feed/",
                "ftp://blog.example/feed/",
                f"https://blog.example/{'x' * 1000}/",
                "https://blog.example/feed/",
            )
        )
    )
    assert [refusal.reason for refusal in found.refused] == [
        "a private address",
        "a private address",
        "a feed of comments",
        "not a web address",
        "the address is too long",
    ]
    assert [outline.url for outline in found.added] == ["https://blog.example/feed/"]


def test_a_feed_that_is_there_under_http_or_without_its_slash_is_known() -> None:
    make_feed("https://a.example/feed/")
    found = sort_out(read_opml(listing("http://a.example/feed", "https://a.example/feed/")))
    assert (len(found.added), len(found.known)) == (0, 1)


def test_a_file_that_would_fill_the_memory_is_refused_before_it_is_read() -> None:
    bomb = '<!ENTITY a0 "lol">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    body = f'<!DOCTYPE opml [{bomb}]><opml><body><outline xmlUrl="http://a/&a9;"/></body></opml>'
    with pytest.raises(FeedInvalid, match="entities"):
        read_opml(body.encode())
    with pytest.raises(FeedInvalid, match="larger than 5 MB"):
        read_opml(b" " * (LARGEST_FILE + 1))


def test_a_title_without_an_end_is_cut() -> None:
    body = f'<opml><body><outline text="{"x" * 9_000}" xmlUrl="https://a.example/"/></body></opml>'
    assert len(read_opml(body.encode())[0].title) == 255


def test_a_file_of_ten_thousand_feeds_is_refused_with_the_number_it_lists() -> None:
    addresses = [f"https://blog{n}.example/feed/" for n in range(10_000)]
    with pytest.raises(FeedInvalid, match="10000 feeds"):
        read_opml(listing(*addresses))
    assert len(read_opml(listing(*addresses[:MOST_FEEDS]))) == MOST_FEEDS
