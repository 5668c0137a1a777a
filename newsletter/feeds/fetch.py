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
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidChunkLength,
    InvalidHeader,
    LocationParseError,
    NameResolutionError,
)
from urllib3.util import Url, make_headers, parse_url

from newsletter import conf
from newsletter.exceptions import (
    FeedGone,
    FeedInvalid,
    FeedRefused,
    FeedTooLarge,
    FeedUnreachable,
)
from newsletter.feeds.connection import Hostile, connection_to

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"  # to accept, where no feed is wanted
_REDIRECTS = {301, 302, 303, 307, 308}
_PERMANENT = {301, 308}
# 206 is a part of what we asked for in whole (RFC 9110, 15.3.7).
_WHOLE = {200, 201, 202, 203, 204, 205, 226}
# Of the processor's time, for all that comes: a feed of 10 MB needs a tenth of it.
_CPU_SECONDS = 0.8
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
    began, cpu_until = time.monotonic(), time.thread_time() + _CPU_SECONDS
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
        exchange = _Exchange(
            current, until=began + seconds, cpu_until=cpu_until, max_bytes=max_bytes
        )
        answer = exchange.ask("GET", headers)
        if answer.status not in _REDIRECTS or not answer.location:
            return _judged(url, current, answer, permanent, began, asked=headers)
        target = _parsed(_joined(current.url, answer.location))
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

    def __init__(
        self, target: Url, *, until: float, cpu_until: float = 0, max_bytes: int = 0
    ) -> None:
        self.target = target
        self.cpu_until = cpu_until or time.thread_time() + _CPU_SECONDS
        self.max_bytes = max_bytes or int(conf.get("FETCH_MAX_BYTES"))
        self.seconds = until - time.monotonic()
        self.expired = False

    def ask(self, method: str, headers: dict[str, str], body: bytes | None = None) -> _Answer:
        if self.seconds <= 0:
            self._fail_slow()
        target = self.target
        connection = connection_to(
            target.scheme or "http",
            target.host or "",
            target.port,
            seconds=self.seconds,
            cpu_until=self.cpu_until,
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
            # Only a feed is worth reading: what an error page says is of no use to us.
            said = self._read(response) if response.status in _WHOLE else b""
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
            if time.thread_time() > self.cpu_until:
                raise Hostile
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
        if self.expired or isinstance(error, TimeoutError) or "timed out" in str(error):
            self._fail_slow()
        if isinstance(error, NameResolutionError):
            raise FeedUnreachable(
                "no_such_host",
                _("No server is called %(host)s. Check the address for typing errors.") % said,
            ) from error
        if insecure := _among(error, ssl.SSLError):
            raise FeedUnreachable("tls", _tls_message(insecure) % said) from error
        if isinstance(error, ConnectionRefusedError) or "refused" in str(error):
            raise FeedUnreachable(
                "refused_connection",
                _("%(host)s refuses connections: its server is down or moved.") % said,
            ) from error
        if _among(error, Hostile):
            raise FeedInvalid(
                "hostile_answer",
                _("%(host)s answers without an end, so we stopped reading. It is no proper feed.")
                % said,
            ) from error
        no_answer = _among(error, http.client.RemoteDisconnected)
        too_many_headers = type(error) is http.client.HTTPException
        if too_many_headers or (_among(error, *_BAD_HTTP) and not no_answer):
            raise FeedInvalid(
                "bad_http",
                _("%(host)s answers in a way that is no HTTP. Tell whoever runs the site.") % said,
            ) from error
        raise FeedUnreachable(
            "connection", _("The connection to %(host)s broke. We try again later.") % said
        ) from error


_BAD_HTTP = (
    http.client.BadStatusLine,
    http.client.LineTooLong,
    http.client.UnknownProtocol,
    DecodeError,
    InvalidChunkLength,
    InvalidHeader,
)


def _among(error: BaseException, *kinds: type[Exception]) -> Exception | None:
    """`error`, or what it wraps, when it is one of these kinds."""
    return next((e for e in (error, error.__cause__, *error.args) if isinstance(e, kinds)), None)


def _judged(
    url: str,
    final: Url,
    answer: _Answer,
    permanent: str | None,
    began: float,
    *,
    asked: dict[str, str],
) -> Fetched:
    retry_after = _seconds_until(answer.headers.get("Retry-After", ""))
    status = answer.status
    if status == 410:
        raise FeedGone(
            "gone", _("%(url)s was removed for good by its publisher.") % {"url": url},
            http_status=status,
        )  # fmt: skip
    # "Not modified" says nothing to one who has never seen it.
    unchanged = status == 304 and bool(asked.keys() & {"If-None-Match", "If-Modified-Since"})
    if status not in _WHOLE and not unchanged:
        raise FeedUnreachable(
            f"http_{status}",
            _status_message(status) % {"url": url, "host": final.host, "status": status},
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
        not_modified=unchanged,
        duration_ms=round((time.monotonic() - began) * 1000),
        retry_after=retry_after,
        max_age=_freshness(headers),
        headers=headers,
    )


def _tls_message(error: Exception) -> str:
    # The numbers are OpenSSL's (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/).
    code = getattr(error, "verify_code", 0)
    if code == 10:
        return _("The certificate of %(host)s has expired. Tell whoever runs the site.")
    if code in {62, 64}:
        return _("The certificate of %(host)s is another site's. Check the address.")
    if code in {18, 19, 20, 21}:
        return _(
            "The certificate of %(host)s is signed by nobody we know. Tell whoever runs the site."
        )
    return _("No secure connection to %(host)s can be made. Tell whoever runs the site.")


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


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:  # "http://[::1"
        return location


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
