from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command

from newsletter.exceptions import FeedInvalid
from newsletter.feeds.models import Feed
from newsletter.feeds.opml import export_opml, import_opml, read_opml
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
