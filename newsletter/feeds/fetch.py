"""The HTTP exchange: limits, redirects, validators. What comes back is bytes, not yet a feed."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urlencode, urljoin

from django.utils.translation import gettext as _
from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError, LocationParseError, NameResolutionError
from urllib3.util import Url, make_headers, parse_url

from newsletter import conf
from newsletter.exceptions import (
    FeedGone,
    FeedInvalid,
    FeedRefused,
    FeedTooLarge,
    FeedUnreachable,
)
from newsletter.feeds.connection import connection_to

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"  # to accept, where no feed is wanted
_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
# A publisher may ask for patience, not for ever.
_LONGEST_WAIT = 7 * 24 * 3600.0
_LONGEST_REPLY = 100_000  # of a server that was told something


@dataclass(frozen=True)
class Fetched:
    url: str  # where the answer came from, after redirects
    permanent_url: str | None  # where the leading run of permanent redirects ends
    status: int
    body: bytes
    content_type: str
    etag: str
    last_modified: str
    body_hash: str
    not_modified: bool
    duration_ms: int
    retry_after: float | None
    max_age: float | None
    headers: HTTPHeaderDict = field(default_factory=HTTPHeaderDict)


def fetch(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    accept: str = ACCEPT,
    seconds: float = 0,
    max_bytes: int = 0,
) -> Fetched:
    """GET `url` within the limits of the settings.

    Raises a FeedError whose message tells an editor what happened and what to do. `seconds`
    bounds the whole exchange, redirects included; 0 means FETCH_TIMEOUT. `max_bytes` 0 means
    FETCH_MAX_BYTES.
    """
    began = time.monotonic()
    seconds = seconds or float(conf.get("FETCH_TIMEOUT"))
    headers = {"User-Agent": conf.user_agent(), "Accept": accept, "Accept-Encoding": "gzip"}
    # Byte for byte what the publisher sent, and both: WordPress answers 304 only when both match.
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    current = _parsed(url)
    permanent: str | None = None
    permanent_so_far = True
    seen = {current.url}
    for _hop in range(int(conf.get("FETCH_MAX_REDIRECTS")) + 1):
        exchange = _Exchange(current, until=began + seconds, max_bytes=max_bytes)
        answer = exchange.ask("GET", headers)
        if answer.status not in _REDIRECTS or not answer.location:
            return _judged(url, current, answer, permanent, began)
        target = _parsed(urljoin(current.url, answer.location))
        permanent_so_far = permanent_so_far and answer.status in _PERMANENT
        if permanent_so_far:
            permanent = target.url
        if target.url in seen:
            break
        seen.add(target.url)
        current = target
    raise FeedUnreachable(
        "too_many_redirects",
        _("%(url)s sends us round in circles. Open it in a browser and use the final address.")
        % {"url": url},
    )


def post_form(url: str, fields: dict[str, str], *, seconds: float = 0) -> int:
    """POST `fields` to `url`; the status of the answer, whose content is of no interest.

    Redirects are not followed: what is posted is meant for that address alone.
    """
    target = _parsed(url)
    until = time.monotonic() + (seconds or float(conf.get("FETCH_TIMEOUT")))
    headers = {
        "User-Agent": conf.user_agent(),
        "Accept-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    exchange = _Exchange(target, until=until, max_bytes=_LONGEST_REPLY)
    return exchange.ask("POST", headers, urlencode(fields).encode()).status


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: HTTPHeaderDict
    body: bytes

    @property
    def location(self) -> str:
        raw = self.headers.get("Location", "")
        # http.client reads header bytes as Latin-1; servers send UTF-8 (RFC 9110, 5.5).
        with suppress(UnicodeError):
            raw = raw.encode("latin-1").decode("utf-8")
        return re.sub(r"[\x00-\x20\x7f]+", lambda found: "%20" * found[0].count(" "), raw.strip())


class _Exchange:
    """One request and its answer, ended by force when its time is up.

    A socket's own time-out starts anew with each byte, so a server that drips could hold us for
    ever: a timer shuts the socket down instead.
    """

    def __init__(self, target: Url, *, until: float, max_bytes: int = 0) -> None:
        self.target = target
        self.max_bytes = max_bytes or int(conf.get("FETCH_MAX_BYTES"))
        self.seconds = until - time.monotonic()
        self.expired = False

    def ask(self, method: str, headers: dict[str, str], body: bytes | None = None) -> _Answer:
        if self.seconds <= 0:
            self._fail_slow()
        target = self.target
        connection = connection_to(
            target.scheme or "http", target.host or "", target.port, seconds=self.seconds
        )
        if target.auth:
            headers = headers | make_headers(basic_auth=target.auth)
        timer = threading.Timer(self.seconds, self._expire, [connection])
        timer.daemon = True
        timer.start()
        response: BaseHTTPResponse | None = None
        try:
            connection.request(
                method,
                target.request_uri,
                body=body,
                headers=headers,
                preload_content=False,
                decode_content=True,
            )
            response = connection.getresponse()
            said = b"" if response.status in _REDIRECTS else self._read(response)
            if self.expired:
                self._fail_slow()
            return _Answer(response.status, response.headers, said)
        except (HTTPError, http.client.HTTPException, OSError) as error:
            self._fail(error)
        finally:
            timer.cancel()
            if response is not None:
                response.close()
            connection.close()

    def _read(self, response: BaseHTTPResponse) -> bytes:
        limit = self.max_bytes
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            # We asked for gzip alone; nested encodings are a way to build bombs.
            raise FeedInvalid(
                "unknown_encoding",
                _("%(url)s answers in a compression we do not read (%(encoding)s).")
                % {"url": self.target.url, "encoding": encoding[:40]},
                http_status=response.status,
            )
        chunks: list[bytes] = []
        size = 0
        # Small pieces, so that a piece of a compression bomb stays small when opened.
        for chunk in response.stream(16_384, decode_content=True):
            size += len(chunk)
            if size > limit:
                raise FeedTooLarge(
                    "too_large",
                    _("%(url)s is larger than %(limit)d MB. Is it really a feed?")
                    % {"url": self.target.url, "limit": max(limit // 1_000_000, 1)},
                    http_status=response.status,
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _expire(self, connection: HTTPConnection) -> None:
        self.expired = True
        wire = connection.sock
        if wire is not None:
            with suppress(OSError):
                # Not SSLSocket.shutdown(): that pulls the TLS state from under the reader.
                socket.socket.shutdown(wire, socket.SHUT_RDWR)

    def _fail_slow(self) -> NoReturn:
        raise FeedUnreachable(
            "timeout",
            _("%(host)s took too long to answer. We try again later.") % {"host": self.target.host},
        )

    def _fail(self, error: Exception) -> NoReturn:
        said = {"host": self.target.host}
        cause = error.__cause__ or error
        if self.expired or isinstance(error, TimeoutError) or "timed out" in str(error):
            self._fail_slow()
        if isinstance(error, NameResolutionError):
            raise FeedUnreachable(
                "no_such_host",
                _("No server is called %(host)s. Check the address for typing errors.") % said,
            ) from error
        if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
            raise FeedUnreachable(
                "tls",
                _("The certificate of %(host)s is not valid. Tell whoever runs the site.") % said,
            ) from error
        if isinstance(error, ConnectionRefusedError) or "refused" in str(error):
            raise FeedUnreachable(
                "refused_connection",
                _("%(host)s refuses connections: its server is down or moved.") % said,
            ) from error
        raise FeedUnreachable(
            "connection", _("The connection to %(host)s broke. We try again later.") % said
        ) from error


def _judged(
    asked: str, final: Url, answer: _Answer, permanent: str | None, began: float
) -> Fetched:
    retry_after = _seconds_until(answer.headers.get("Retry-After", ""))
    status = answer.status
    if status == 410:
        raise FeedGone(
            "gone", _("%(url)s was removed for good by its publisher.") % {"url": asked},
            http_status=status,
        )  # fmt: skip
    if not (200 <= status < 300 or status == 304):
        raise FeedUnreachable(
            f"http_{status}",
            _status_message(status) % {"url": asked, "host": final.host, "status": status},
            http_status=status,
            retry_after=retry_after,
        )
    headers = answer.headers
    return Fetched(
        url=final.url,
        permanent_url=permanent,
        status=status,
        body=answer.body,
        content_type=headers.get("Content-Type", ""),
        etag=headers.get("ETag", ""),
        last_modified=headers.get("Last-Modified", ""),
        body_hash=hashlib.sha256(answer.body).hexdigest(),
        not_modified=status == 304,
        duration_ms=round((time.monotonic() - began) * 1000),
        retry_after=retry_after,
        max_age=_freshness(headers),
        headers=headers,
    )


def _status_message(status: int) -> str:
    if status in {401, 403}:
        return _("%(host)s does not let us read %(url)s (%(status)d). Ask its publisher.")
    if status == 404:
        return _("There is nothing at %(url)s (404). The blog may have moved.")
    if status == 429:
        return _("%(host)s asks us to come less often (429). We wait.")
    if status >= 500:
        return _("%(host)s has a problem of its own (%(status)d). We try again later.")
    return _("%(host)s answers %(status)d for %(url)s. Open the address in a browser to check it.")


def _parsed(url: str) -> Url:
    """`url` in its normal form: host in ASCII, path percent-encoded, no fragment."""
    text = url.strip()
    if text.lower().startswith("feed:"):
        rest = text[5:].lstrip("/")
        text = rest if re.match("https?:", rest, re.IGNORECASE) else f"http://{rest}"
    try:
        parsed = parse_url(text)
    except LocationParseError:
        parsed = Url()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FeedRefused(
            "bad_address",
            _("“%(url)s” is not a web address. It must start with https:// or http://.")
            % {"url": text[:200]},
        )
    return parsed._replace(fragment=None, path=parsed.path or "/")


def _seconds_until(value: str) -> float | None:
    """Retry-After in seconds, from seconds or from an HTTP date."""
    value = value.strip()
    if value.isdigit():
        return min(float(value[:12]), _LONGEST_WAIT)
    moment = _http_date(value)
    if moment is None:
        return None
    left = (moment - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _freshness(headers: HTTPHeaderDict) -> float | None:
    """How long the publisher calls this answer fresh (RFC 9111, 4.2.1)."""
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    if found := re.search(r"max-age\s*=\s*\"?(\d{1,10})", control):
        return min(float(found[1]), _LONGEST_WAIT)
    expires = _http_date(headers.get("Expires", ""))
    if expires is None:
        return None
    served = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((expires - served).total_seconds(), 0.0), _LONGEST_WAIT)
