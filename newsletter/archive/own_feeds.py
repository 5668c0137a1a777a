"""Addresses of this very archive: as a source, it would give its issues back as articles."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from wagtail.models import Site

from newsletter import conf
from newsletter.archive.links import find_links

# What the archive answers for below its page. Another blog may live on the same host.
_OWN = re.compile(
    r"(?:(?:archivio|articoli|articolo|cerca|feed|fonte|numero|tema|temi)(?:/.*)?)?", re.DOTALL
)
_USUAL_PORTS = (80, 443)


def against_own_feeds() -> Callable[[str], str]:
    """Gives the reason why an address cannot be a source if it is the archive's, else nothing.

    Where the archive stands is asked once, however many addresses are looked at.
    """
    links = find_links()
    if links is None:
        return lambda address: ""
    root = links.root.strip("/")
    hosts = {_host(conf.site_url())}
    hosts |= {(site.hostname.lower(), _port(site.port)) for site in Site.objects.all()}

    def reason(address: str) -> str:
        if _host(address) not in hosts or not _below(root, address):
            return ""
        return _(
            "This is the archive of this very site: its issues would come back as articles."
            " Add the blogs that they are made of."
        )

    return reason


def _below(root: str, address: str) -> bool:
    path = re.sub("/+", "/", urlsplit(address.strip()).path).strip("/")
    if not root:
        return bool(_OWN.fullmatch(path))
    return path == root or (
        path.startswith(f"{root}/") and bool(_OWN.fullmatch(path.removeprefix(f"{root}/")))
    )


def _host(address: str) -> tuple[str, int]:
    """The name and the port, as far as it is none of the usual ones; nothing for no address."""
    try:
        parts = urlsplit(address.strip())
        return (parts.hostname or "", _port(parts.port))
    except ValueError:
        return ("", 0)


def _port(port: int | None) -> int:
    return 0 if port in _USUAL_PORTS else port or 0
