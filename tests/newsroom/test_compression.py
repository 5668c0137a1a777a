"""What the small server compresses itself."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(settings) -> Client:
    settings.MIDDLEWARE = ["newsroom.compression.GzipStaticMiddleware", *settings.MIDDLEWARE]
    return Client(headers={"accept-encoding": "gzip"})


def test_a_stylesheet_is_sent_compressed_and_whole(reader: Client) -> None:
    answer = reader.get("/static/newsletter/bulletin.css")
    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    sent = b"".join(answer.streaming_content)
    answer.close()
    whole = Path(str(finders.find("newsletter/bulletin.css"))).read_bytes()
    assert gzip.decompress(sent) == whole
    assert len(sent) < len(whole) / 2


@pytest.mark.parametrize("path", ["/static/newsletter/fonts/besley.woff2", "/admin/login/"])
def test_fonts_and_pages_with_a_token_are_sent_as_they_are(reader: Client, path: str) -> None:
    answer = reader.get(path, follow=True)
    answer.close()
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
