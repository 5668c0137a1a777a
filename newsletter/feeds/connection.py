"""Connections that never reach a private address.

The check is made on the address the socket is about to connect to, so that a redirect, a second
answer from DNS (rebinding) or an odd spelling (`http://0x7f.1/`) changes nothing.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.utils.translation import gettext as _
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError, NewConnectionError

from newsletter import conf
from newsletter.exceptions import FeedRefused

_TLS_LOCK = threading.Lock()
_LONGEST_LINE = 65_537  # with its end: what http.client allows a header
# Well-known prefix of NAT64 (RFC 6052): the last 32 bits are an IPv4 address.
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody on the Internet could reach this address, whatever wraps it."""
    if isinstance(address, IPv6Address):
        wrapped: list[IPv4Address] = []
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address.sixtofour:
            wrapped.append(address.sixtofour)
        if address.teredo:
            wrapped.extend(address.teredo)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.is_site_local or not all(is_public(inner) for inner in wrapped):
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_unspecified
        and not address.is_loopback
        and not address.is_link_local
    )


def is_allowed(host: str, address: str, allowed: Iterable[str]) -> bool:
    """Whether the site lets `host`, connected at `address`, be fetched."""
    found = ip_address(address.partition("%")[0])
    names = {str(name).strip().lower().strip("[]") for name in allowed}
    return is_public(found) or host.strip("[]").rstrip(".").lower() in names or str(found) in names


def _private(host: str, address: str) -> str:
    if host.strip("[]") == address:
        return _(
            "%(address)s is a private address. If that is your own server, "
            "add it to ALLOW_PRIVATE_FEED_HOSTS."
        ) % {"address": address}
    return _(
        "%(host)s is at %(address)s, a private address. If that is your own server, "
        "add it to ALLOW_PRIVATE_FEED_HOSTS."
    ) % {"host": host, "address": address}


def _connect(connection: HTTPConnection, host: str, seconds: float) -> socket.socket:
    try:
        candidates = socket.getaddrinfo(host.strip("[]"), connection.port, 0, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(host, connection, reason) from error
    until = time.monotonic() + seconds
    failure: OSError = OSError("no address")
    for family, kind, protocol, _name, address in candidates:
        if not is_allowed(host, str(address[0]), conf.get("ALLOW_PRIVATE_FEED_HOSTS")):
            raise FeedRefused(
                "private_address",
                _private(host, str(address[0])),
            )
        made = socket.socket(family, kind, protocol)
        try:
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.settimeout(max(until - time.monotonic(), 0.001))
            made.connect(address)
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    if isinstance(failure, TimeoutError):
        raise failure
    raise NewConnectionError(connection, str(failure)) from failure


class Hostile(http.client.HTTPException):
    """An answer made to keep us busy."""


class _Reader(io.BufferedReader):
    """Reads lines of a limited length, for a limited time of the processor's.

    Headers may not end, "100 Continue" may come without end, a body in chunks of one byte, or
    trailers: all that a server dictates line by line passes here.
    """

    def __init__(self, raw: io.RawIOBase, cpu_until: float) -> None:
        super().__init__(raw)
        self._until = cpu_until

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(_LONGEST_LINE if size is None or size < 0 else size)
        if len(line) >= _LONGEST_LINE or time.thread_time() > self._until:
            raise Hostile
        return line

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:  # a chunk of "-1" bytes would be all that ever comes
            raise Hostile
        return super().read(size)


class _Answer(http.client.HTTPResponse):
    def __init__(self, *args: Any, cpu_until: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp = _Reader(self.fp.detach(), cpu_until)


class GuardedHTTPConnection(HTTPConnection):
    seconds: float = 20.0

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host, self.seconds)


class GuardedHTTPSConnection(HTTPSConnection):
    """The certificate is checked against the host's name; only the route is pinned."""

    seconds: float = 20.0

    def _new_conn(self) -> socket.socket:
        return _connect(self, self._dns_host, self.seconds)


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """What certificates are checked against: the system's CAs, or those of SSL_CERT_FILE."""
    # One per process: loading the certificates costs about 27 ms each time.
    return ssl.create_default_context()


def connection_to(
    scheme: str, host: str, port: int | None, *, seconds: float, cpu_until: float
) -> HTTPConnection:
    """A connection not yet opened, whose every wait is at most `seconds` long.

    Reading the answer raises Hostile when this thread has used the processor until `cpu_until`.
    """
    made: GuardedHTTPConnection | GuardedHTTPSConnection
    if scheme == "https":
        with _TLS_LOCK:  # threads that start together would each make one
            context = tls_context()
        made = GuardedHTTPSConnection(host, port, timeout=seconds, ssl_context=context)
    else:
        made = GuardedHTTPConnection(host, port, timeout=seconds)
    made.seconds = seconds
    made.response_class = partial(_Answer, cpu_until=cpu_until)  # type: ignore[assignment]
    return made
