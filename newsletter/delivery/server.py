"""Which mail server, and how to talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from newsletter import conf

Tls = Literal["none", "starttls", "implicit"]


@dataclass(frozen=True)
class Server:
    """`str()` of it never shows the password."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    # "starttls" means: or not at all. There is no fall-back to plain text.
    tls: Tls = "none"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_on_this_machine(self) -> bool:
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_url(url: str) -> Server:
    """`smtp://user:password@host:587?tls=starttls`, `smtps://host:465`."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise ImproperlyConfigured(f"SMTP_URL names no valid port: {error}") from error
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    tls = options.pop("tls", "implicit" if parts.scheme == "smtps" else "none")
    if (
        parts.scheme not in ("smtp", "smtps")
        or not parts.hostname
        or parts.path not in ("", "/")
        or options
        or tls not in ("none", "starttls", "implicit")
        or (parts.scheme == "smtps" and tls != "implicit")
    ):
        raise ImproperlyConfigured(
            "SMTP_URL looks like smtp://user:password@host:587?tls=starttls or smtps://host:465"
        )
    return Server(
        host=parts.hostname,
        port=port or {"implicit": 465, "starttls": 587, "none": 25}[tls],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,  # type: ignore[arg-type]
    )


def configured_server() -> Server:
    """What SMTP_URL names; without it, what Django itself sends by."""
    url = str(conf.get("SMTP_URL"))
    if url:
        return parse_url(url)
    mailers: dict[str, Any] | None = getattr(settings, "MAILERS", None)
    if mailers:
        # Django 6.1 replaced the EMAIL_* settings by these.
        options = mailers.get("default", {}).get("OPTIONS", {})
    else:
        options = {
            "host": settings.EMAIL_HOST,
            "port": settings.EMAIL_PORT,
            "username": settings.EMAIL_HOST_USER,
            "password": settings.EMAIL_HOST_PASSWORD,
            "use_tls": settings.EMAIL_USE_TLS,
            "use_ssl": settings.EMAIL_USE_SSL,
        }
    tls: Tls = "none"
    if options.get("use_ssl"):
        tls = "implicit"
    elif options.get("use_tls"):
        tls = "starttls"
    return Server(
        host=options.get("host") or "localhost",
        port=int(options.get("port") or 25),
        user=options.get("username") or "",
        password=options.get("password") or "",
        tls=tls,
    )
