from __future__ import annotations

import gzip
import socket
import time
from typing import Any

import pytest

from newsletter.exceptions import (
    FeedError,
    FeedGone,
    FeedInvalid,
    FeedRefused,
    FeedTooLarge,
    FeedUnreachable,
)
from newsletter.feeds.fetch import fetch
from tests.servers import Answer, FeedServer, RawServer, Request


def limits(settings: Any, **changes: Any) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | changes


def test_body_and_validators_come_back_byte_for_byte(feed_server: FeedServer) -> None:
    url = feed_server.serve(
        "/feed", b"<rss/>", headers={"ETag": 'W/"é,1"', "Last-Modified": "yesterday at noon"}
    )
    fetched = fetch(url)
    assert fetched.body == b"<rss/>"
    assert fetched.last_modified == "yesterday at noon"

    fetch(url, etag=fetched.etag, last_modified=fetched.last_modified)
    asked = feed_server.requests[-1].headers
    assert asked["if-none-match"] == fetched.etag
    assert asked["if-modified-since"] == "yesterday at noon"


def test_nothing_is_asked_conditionally_without_validators(feed_server: FeedServer) -> None:
    fetch(feed_server.serve("/feed", b"x"))
    asked = feed_server.requests[-1].headers
    assert "if-modified-since" not in asked
    assert "if-none-match" not in asked


def test_unchanged_feed_is_reported_as_such(feed_server: FeedServer) -> None:
    assert fetch(feed_server.serve("/feed", status=304), etag='"1"').not_modified


def test_leading_permanent_redirects_give_the_new_address(feed_server: FeedServer) -> None:
    new = feed_server.serve("/new", b"x")
    feed_server.serve("/moved", status=308, headers={"Location": "/new"})
    old = feed_server.serve("/old", status=301, headers={"Location": "/moved"})
    fetched = fetch(old)
    assert (fetched.url, fetched.permanent_url) == (new, new)


def test_temporary_redirect_ends_the_permanent_run(feed_server: FeedServer) -> None:
    feed_server.serve("/new", b"x")
    middle = feed_server.serve("/middle", status=302, headers={"Location": "/new"})
    old = feed_server.serve("/old", status=301, headers={"Location": "/middle"})
    assert fetch(old).permanent_url == middle
    assert fetch(middle).permanent_url is None


def test_redirects_in_circles_end_with_a_clear_error(feed_server: FeedServer) -> None:
    feed_server.serve("/a", status=302, headers={"Location": "/b"})
    url = feed_server.serve("/b", status=302, headers={"Location": "/a"})
    with pytest.raises(FeedUnreachable, match="circles"):
        fetch(url)


def test_a_long_chain_of_redirects_ends(feed_server: FeedServer) -> None:
    for number in range(10):
        feed_server.serve(f"/{number}", status=302, headers={"Location": f"/{number + 1}"})
    with pytest.raises(FeedUnreachable) as caught:
        fetch(feed_server.url + "/0")
    assert caught.value.code == "too_many_redirects"
    assert len(feed_server.requests) == 6


@pytest.mark.parametrize(
    "address",
    [
        "http://10.0.0.1/feed",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fd00::1]/",
        "http://0x7f.1/",
        "http://2130706434/",
        "http://224.0.0.1/",
    ],
)
def test_private_addresses_are_refused_before_connecting(settings: Any, address: str) -> None:
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=[])
    with pytest.raises(FeedRefused) as caught:
        fetch(address)
    assert caught.value.code == "private_address"
    assert "ALLOW_PRIVATE_FEED_HOSTS" in str(caught.value)


def test_loopback_is_refused_unless_the_site_allows_it(
    settings: Any, feed_server: FeedServer
) -> None:
    url = feed_server.serve("/feed", b"x")
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=[])
    with pytest.raises(FeedRefused):
        fetch(url)
    assert feed_server.requests == []


def test_redirect_to_a_private_address_is_refused(settings: Any, feed_server: FeedServer) -> None:
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=["localhost"])
    port = feed_server.port
    feed_server.serve("/out", status=302, headers={"Location": f"http://127.0.0.1:{port}/in"})
    feed_server.serve("/in", b"secret")
    with pytest.raises(FeedRefused):
        fetch(f"http://localhost:{port}/out")
    assert [request.path for request in feed_server.requests] == ["/out"]


def test_the_address_connected_to_is_the_one_checked(
    settings: Any, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the first answer is public, a second one would be private."""
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=[], FETCH_TIMEOUT=0.5)
    feed_server.serve("/feed", b"secret")
    answers = iter(["192.0.2.1", "127.0.0.1", "127.0.0.1"])

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FeedError):
        fetch(f"http://rebinding.example:{feed_server.port}/feed")
    assert feed_server.requests == []


@pytest.mark.parametrize(
    "address", ["ftp://blog.example/", "file:///etc/passwd", "blog", "", "http://"]
)
def test_what_is_no_web_address_is_refused(address: str) -> None:
    with pytest.raises(FeedRefused) as caught:
        fetch(address)
    assert caught.value.code == "bad_address"


def test_feed_scheme_means_http(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed", b"x")
    assert fetch(url.replace("http:", "feed:")).body == b"x"


def test_unknown_host_is_named(settings: Any) -> None:
    with pytest.raises(FeedUnreachable, match=r"nowhere\.invalid") as caught:
        fetch("http://nowhere.invalid/feed")
    assert caught.value.code == "no_such_host"


def test_closed_port_says_that_the_server_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(FeedUnreachable) as caught:
        fetch(f"http://127.0.0.1:{port}/")
    assert caught.value.code == "refused_connection"


def test_a_hundred_megabytes_are_left_after_the_limit(raw_server: RawServer) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for _ in range(100):
            sent += connection.send(b"x" * 1_000_000)

    raw_server.script = flood
    with pytest.raises(FeedTooLarge, match="10 MB"):
        fetch(raw_server.url)
    assert sent < 30_000_000


def test_a_gzip_bomb_is_not_opened_to_the_end(settings: Any, feed_server: FeedServer) -> None:
    bomb = gzip.compress(b"\0" * 100_000_000, compresslevel=1)
    url = feed_server.serve("/feed", bomb, headers={"Content-Encoding": "gzip"})
    began = time.process_time()
    with pytest.raises(FeedTooLarge):
        fetch(url)
    assert time.process_time() - began < 1


def test_gzip_is_opened(feed_server: FeedServer) -> None:
    body = gzip.compress(b"<rss/>")
    url = feed_server.serve("/feed", body, headers={"Content-Encoding": "gzip"})
    assert fetch(url).body == b"<rss/>"


def test_encodings_within_encodings_are_refused(feed_server: FeedServer) -> None:
    url = feed_server.serve("/feed", b"x", headers={"Content-Encoding": "gzip, gzip, br"})
    with pytest.raises(FeedInvalid) as caught:
        fetch(url)
    assert caught.value.code == "unknown_encoding"


@pytest.mark.parametrize(
    "start",
    [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"],
    ids=["in the headers", "in the body"],
)
def test_a_server_that_drips_is_left_when_the_time_is_up(
    settings: Any, raw_server: RawServer, start: bytes
) -> None:
    limits(settings, FETCH_TIMEOUT=0.6)

    def drip(connection: socket.socket) -> None:
        connection.sendall(start)
        for _ in range(40):
            connection.sendall(b"x")
            time.sleep(0.1)

    raw_server.script = drip
    began = time.monotonic()
    with pytest.raises(FeedUnreachable) as caught:
        fetch(raw_server.url)
    assert caught.value.code == "timeout"
    assert time.monotonic() - began < 2


def test_a_connection_cut_in_the_middle_is_an_error_not_half_a_feed(raw_server: RawServer) -> None:
    raw_server.script = lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n<rss>"
    )
    with pytest.raises(FeedUnreachable):
        fetch(raw_server.url)


@pytest.mark.parametrize("noise", [b"", b"\x00\xff\x13 hello", b"HTTP/1.1 999999 \r\n\r\n"])
def test_what_is_no_http_is_an_error(raw_server: RawServer, noise: bytes) -> None:
    raw_server.script = lambda connection: connection.sendall(noise)
    with pytest.raises(FeedError):
        fetch(raw_server.url)


def test_gone_is_told_apart(feed_server: FeedServer) -> None:
    with pytest.raises(FeedGone):
        fetch(feed_server.serve("/feed", status=410))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept(feed_server: FeedServer, status: int) -> None:
    url = feed_server.serve("/feed", status=status, headers={"Retry-After": "7200"})
    with pytest.raises(FeedUnreachable) as caught:
        fetch(url)
    assert caught.value.retry_after == 7200
    assert caught.value.http_status == status


def test_retry_after_may_be_a_date(feed_server: FeedServer) -> None:
    def answer(request: Request) -> Answer:
        from email.utils import formatdate

        return Answer(503, b"", {"Retry-After": formatdate(time.time() + 3600, usegmt=True)})

    with pytest.raises(FeedUnreachable) as caught:
        fetch(feed_server.respond("/feed", answer))
    assert 3500 < (caught.value.retry_after or 0) <= 3600


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=900"}, 900),
        ({"Cache-Control": "no-cache, max-age=900"}, None),
        (
            {
                "Date": "Mon, 18 Aug 2025 07:00:00 GMT",
                "Expires": "Mon, 18 Aug 2025 08:00:00 GMT",
            },
            3600,
        ),
        ({"Expires": "0"}, None),
    ],
)
def test_freshness_is_read(
    raw_server: RawServer, headers: dict[str, str], seconds: float | None
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    raw_server.script = lambda connection: connection.sendall(
        f"HTTP/1.1 200 OK\r\n{lines}Content-Length: 1\r\n\r\nx".encode()
    )
    assert fetch(raw_server.url).max_age == seconds


def test_proxies_of_the_environment_are_ignored(
    feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    assert fetch(feed_server.serve("/feed", b"x")).body == b"x"


@pytest.mark.parametrize(
    "host",
    ["127.1", "0177.0.0.1", "0x7f000001", "017700000001", "127.0.0.1.", "localhost.", "[::]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]",
     "[fe80::1%25lo]", "[::1%25lo]", "①②⑦.⓪.⓪.①", "127。0。0。1", "LOCALHOST",
     "127.0.0.1%00.example",
     "public.example@127.0.0.1", "user:secret@127.0.0.1", "127.0.0.1\\@public.example",
     "10.0.0.1", "192.168.1.1", "172.16.0.1", "[fc00::1]", "[fec0::1]", "198.18.0.1",
     "255.255.255.255", "240.0.0.1", "0"],
)  # fmt: skip
def test_no_spelling_of_an_address_reaches_inside(
    settings: Any, feed_server: FeedServer, host: str
) -> None:
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=[], FETCH_TIMEOUT=2.0)
    feed_server.serve("/feed", b"secret")
    with pytest.raises(FeedError) as caught:
        fetch(f"http://{host}:{feed_server.port}/feed")
    assert feed_server.requests == []
    assert caught.value.code in {"private_address", "no_such_host", "bad_address"}


@pytest.mark.parametrize("order", [["192.0.2.1", "127.0.0.1"], ["127.0.0.1", "192.0.2.1"]])
def test_of_two_addresses_the_private_one_is_never_connected_to(
    settings: Any, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch, order: list[str]
) -> None:
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=[], FETCH_TIMEOUT=1.0)
    feed_server.serve("/feed", b"secret")

    def resolve(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (found, port)) for found in order]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(FeedRefused) as caught:
        fetch(f"http://two.example:{feed_server.port}/feed")
    assert caught.value.code == "private_address"
    assert feed_server.requests == []


def test_a_redirect_back_to_a_name_that_now_leads_inside_is_refused(
    settings: Any, feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding between two hops: each connection is checked anew."""
    limits(settings, ALLOW_PRIVATE_FEED_HOSTS=["outside.example"])
    feed_server.serve("/feed", b"secret")
    target = {"Location": f"http://inside.example:{feed_server.port}/feed"}
    feed_server.serve("/out", status=302, headers=target)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **kw: real("127.0.0.1", *more, **kw)
    )
    with pytest.raises(FeedRefused):
        fetch(f"http://outside.example:{feed_server.port}/out")
    assert [request.path for request in feed_server.requests] == ["/out"]
