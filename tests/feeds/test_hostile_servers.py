"""Servers that lie, drip or never end: a second of CPU, 100 MB and a clear word, each."""

from __future__ import annotations

import gzip
import socket
import zlib
from typing import Any

import pytest

from newsletter.exceptions import FeedError, FeedRefused
from newsletter.feeds.fetch import fetch
from tests.measured import HOSTILE_SECONDS, cost
from tests.servers import Answer, FeedServer, RawServer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sends(start: bytes, endless: bytes = b"") -> Any:
    def script(connection: socket.socket) -> None:
        connection.sendall(start)
        piece = endless * max(65_536 // max(len(endless), 1), 1)
        while endless:
            connection.sendall(piece)

    return script


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (sends(OK, b"X-More: yes\r\n"), "bad_http"),
        (sends(OK + b"X-Long: ", b"x"), "hostile_answer"),
        (sends(b"HTTP/1.1 200 ", b"x"), "hostile_answer"),
        (sends(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "hostile_answer"),
        (sends(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), "http_103"),
        (sends(CHUNKED, b"1\r\nx\r\n"), "hostile_answer"),
        (sends(CHUNKED, b"1;" + b"x" * 200 + b"\r\nx\r\n"), "hostile_answer"),
        (sends(CHUNKED, b"9" * 1_000), "hostile_answer"),
        (sends(CHUNKED + b"0\r\n", b"X-More: yes\r\n"), "hostile_answer"),
        (sends(CHUNKED + b"-1\r\n", b"x"), "hostile_answer"),
        (sends(CHUNKED + b"ffffffffff\r\n", b"x"), "too_large"),
        (sends(CHUNKED + b"ffffffffff\r\nx"), "connection"),
        (sends(CHUNKED + b"rss\r\n<rss/>\r\n0\r\n\r\n"), "bad_http"),
        (sends(CHUNKED + b"5\r\n<rss/>"), "connection"),
        (sends(OK + b"Content-Length: 99999999999\r\n\r\n", b"x"), "too_large"),
        (sends(OK + b"Content-Length: 1000\r\n\r\nshort"), "connection"),
        (sends(OK + b"Content-Length: -5\r\n\r\n", b"x"), "too_large"),
        (sends(OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n12345"), "bad_http"),
        (sends(OK + b"\r\n", b"x"), "too_large"),
        (sends(b"", b"\x00\xff"), "hostile_answer"),
        (sends(b"SSH-2.0-OpenSSH_9.9\r\n"), "bad_http"),
        (sends(b"HTTP/1.1 404 Not Found\r\n\r\n", b"x"), "http_404"),
    ],
    ids=["headers", "header", "status line", "100 Continue", "early hints", "chunks of a byte",
         "chunk extensions", "chunk size", "trailers", "negative chunk", "huge chunk",
         "chunk cut off", "chunk size no number", "chunk too long", "length too long",
         "length cut off", "length negative", "two lengths", "body", "noise", "ssh",
         "error page"],
)  # fmt: skip
def test_a_hostile_answer_costs_little_and_is_named(
    raw_server: RawServer, settings: Any, script: Any, code: str
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"FETCH_TIMEOUT": 10.0}
    raw_server.script = script
    with cost() as spent, pytest.raises(FeedError) as caught:
        fetch(raw_server.url)
    assert caught.value.code == code
    assert spent.cpu < HOSTILE_SECONDS
    assert spent.mb < 100
    assert "127.0.0.1" in str(caught.value)


def test_what_follows_the_announced_length_is_not_read(raw_server: RawServer) -> None:
    raw_server.script = sends(OK + b"Content-Length: 6\r\n\r\n<rss/>", b"x")
    assert fetch(raw_server.url).body == b"<rss/>"


BOMB = b"\0" * 200_000_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(BOMB, compresslevel=9)),
        ("x-gzip", gzip.compress(b"\0" * 100_000, compresslevel=9) * 2_000),
        ("deflate", zlib.compress(BOMB, 9)),
        ("deflate", zlib.compressobj(9, zlib.DEFLATED, -15).compress(BOMB)),
    ],
    ids=["gzip", "gzip in members", "deflate", "raw deflate"],
)
def test_bombs_are_not_opened_to_the_end(
    feed_server: FeedServer, encoding: str, body: bytes
) -> None:
    url = feed_server.serve("/feed", body, headers={"Content-Encoding": encoding})
    with cost() as spent, pytest.raises(FeedError) as caught:
        fetch(url)
    assert caught.value.code == "too_large"
    assert spent.cpu < HOSTILE_SECONDS
    assert spent.mb < 100


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, br", "exi"])
def test_compression_we_did_not_ask_for_is_named(feed_server: FeedServer, encoding: str) -> None:
    url = feed_server.serve("/feed", b"x" * 100, headers={"Content-Encoding": encoding})
    with pytest.raises(FeedError, match=encoding) as caught:
        fetch(url)
    assert caught.value.code == "unknown_encoding"
    assert feed_server.requests[-1].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compression_that_is_none_is_named(feed_server: FeedServer, encoding: str) -> None:
    url = feed_server.serve("/feed", b"<rss/>" * 100, headers={"Content-Encoding": encoding})
    with pytest.raises(FeedError) as caught:
        fetch(url)
    assert caught.value.code == "bad_http"


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://blog.example/feed", "data:text/xml,<rss/>", "javascript:1",
     "gopher://127.0.0.1:70/", "http://[::1", "https://blog.example:99999/"],
)  # fmt: skip
def test_redirects_lead_to_web_addresses_only(feed_server: FeedServer, target: str) -> None:
    url = feed_server.serve("/feed", status=302, headers={"Location": target})
    with pytest.raises(FeedRefused) as caught:
        fetch(url)
    assert caught.value.code == "bad_address"


def test_redirect_to_itself_ends_at_once(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed", status=301, headers={"Location": "/feed#again"})
    with pytest.raises(FeedError, match="circles"):
        fetch(url)
    assert len(feed_server.requests) == 1


@pytest.mark.parametrize("status", [206, 304, 300, 305, 418, 599])
def test_an_answer_that_is_no_whole_feed_is_an_error(feed_server: FeedServer, status: int) -> None:
    with pytest.raises(FeedError) as caught:
        fetch(feed_server.serve("/feed", b"<rss/>", status=status))
    assert caught.value.code == f"http_{status}"
    assert caught.value.http_status == status


def test_not_modified_counts_only_for_what_was_asked(feed_server: FeedServer) -> None:
    url = feed_server.respond("/feed", lambda request: Answer(304))
    assert fetch(url, last_modified="yesterday").not_modified
    with pytest.raises(FeedError):
        fetch(url)


@pytest.mark.parametrize(
    "etag",
    ['"1"', 'W/"1"', "unquoted", '"with space"', "'1'", '""', 'W/"a","b"', '"\\"', '"1";gzip',
     '"é"'],
)  # fmt: skip
def test_validators_go_back_byte_for_byte(raw_server: RawServer, etag: str) -> None:
    seen: list[bytes] = []
    answer = f"HTTP/1.1 200 OK\r\nETag: {etag}\r\nContent-Length: 1\r\n\r\nx".encode()
    raw_server.script = lambda connection: connection.sendall(answer)
    raw_server.heard = seen.append
    kept = fetch(raw_server.url).etag
    fetch(raw_server.url, etag=kept)
    assert f"If-None-Match: {etag}\r\n".encode() in seen[-1]


def test_a_number_that_is_none_to_us_is_ignored(raw_server: RawServer) -> None:
    """ "²" is a digit to Python's str.isdigit, and none to int()."""
    answer = "HTTP/1.1 503 No\r\nRetry-After: ²\r\nContent-Length: 0\r\n\r\n".encode("latin-1")
    raw_server.script = sends(answer)
    with pytest.raises(FeedError) as caught:
        fetch(raw_server.url)
    assert (caught.value.code, caught.value.retry_after) == ("http_503", None)
