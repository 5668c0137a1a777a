"""One HTTP request and its answer, within limits of time, work and size."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from django.utils.translation import gettext as _
from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidChunkLength,
    InvalidHeader,
    NameResolutionError,
)
from urllib3.util import Url, make_headers

from newsletter import conf
from newsletter.exceptions import FeedInvalid, FeedTooLarge, FeedUnreachable
from newsletter.feeds.connection import Hostile, connection_to
from newsletter.feeds.memory import LARGE, Place

REDIRECTS = {301, 302, 303, 307, 308}
# 206 is a part of what we asked for in whole (RFC 9110, 15.3.7).
WHOLE = {200, 201, 202, 203, 204, 205, 226}
# Of the processor's time, for all that comes: a feed of 10 MB needs a tenth of it.
CPU_SECONDS = 0.8


@dataclass(frozen=True)
class Answer:
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


class Exchange:
    """One request and its answer, ended by force when its time is up.

    A socket's own time-out starts anew with each byte, so a server that drips could hold us for
    ever: a timer shuts the socket down instead.
    """

    def __init__(
        self,
        target: Url,
        *,
        until: float,
        cpu_until: float = 0,
        max_bytes: int = 0,
        place: Place | None = None,
    ) -> None:
        self.target = target
        self.until = until
        self.place = place
        self.cpu_until = cpu_until or time.thread_time() + CPU_SECONDS
        self.max_bytes = max_bytes or int(conf.get("FETCH_MAX_BYTES"))
        self.seconds = until - time.monotonic()
        self.expired = False

    def ask(self, method: str, headers: dict[str, str], body: bytes | None = None) -> Answer:
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
            said = self._read(response) if response.status in WHOLE else b""
            if self.expired:
                self._fail_slow()
            return Answer(response.status, response.headers, said)
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
            if size > LARGE and self.place and not self.place.take(self.until - time.monotonic()):
                self._fail_slow()
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
