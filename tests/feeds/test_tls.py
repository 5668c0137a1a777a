"""Real certificates on a real TLS server: who is believed, and what is said of the others."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.exceptions import FeedUnreachable
from newsletter.feeds import connection
from newsletter.feeds.fetch import fetch
from tests.conftest import Named
from tests.servers import FeedServer

CERTIFICATES = Path(__file__).parents[1] / "certificates"


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The tests' own CA is one of those that this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "ca.pem"))
    connection.tls_context.cache_clear()
    yield
    connection.tls_context.cache_clear()


def secured(server: FeedServer, certificate: str, names: Named) -> str:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATES / f"{certificate}.pem", CERTIFICATES / "server.key")
    server.secure(context)
    server.serve("/feed/", b"<rss/>")
    return names("notizie.blog.example/feed/").replace("http:", "https:")


def test_a_certificate_of_a_known_ca_is_believed(
    trusting: None, feed_server: FeedServer, named: Named
) -> None:
    assert fetch(secured(feed_server, "good", named)).body == b"<rss/>"


@pytest.mark.parametrize(
    ("certificate", "said"),
    [
        ("self-signed", "signed by nobody we know"),
        ("expired", "has expired"),
        ("wrong-host", "is another site's"),
    ],
)
def test_a_bad_certificate_is_refused_in_plain_words(
    trusting: None, feed_server: FeedServer, named: Named, certificate: str, said: str
) -> None:
    with pytest.raises(FeedUnreachable, match=said) as caught:
        fetch(secured(feed_server, certificate, named))
    assert caught.value.code == "tls"
    assert "notizie.blog.example" in str(caught.value)
    assert feed_server.requests == []


def test_a_ca_that_this_machine_does_not_trust_is_not_believed(
    feed_server: FeedServer, named: Named
) -> None:
    with pytest.raises(FeedUnreachable, match="signed by nobody we know"):
        fetch(secured(feed_server, "good", named))


def test_a_server_that_speaks_no_tls_is_told_apart(feed_server: FeedServer, named: Named) -> None:
    feed_server.serve("/feed/", b"<rss/>")
    with pytest.raises(FeedUnreachable, match="No secure connection") as caught:
        fetch(named("blog.example/feed/").replace("http:", "https:"))
    assert caught.value.code == "tls"


def test_a_redirect_from_https_is_checked_as_well(
    trusting: None, feed_server: FeedServer, named: Named
) -> None:
    url = secured(feed_server, "good", named)
    elsewhere = named("altro.example/feed/").replace("http:", "https:")
    feed_server.serve("/feed/", status=302, headers={"Location": elsewhere})
    with pytest.raises(FeedUnreachable) as caught:
        fetch(url)
    assert caught.value.code == "tls"
    assert len(feed_server.requests) == 1
