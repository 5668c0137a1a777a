"""What can be wrong with a mail as it is compiled: its links, and words left from a template."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

# Mail filters distrust what hides where it leads, and so do readers.
SHORTENERS = frozenset(
    {
        "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy",
        "rebrand.ly", "s.id", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "tr.im",
        "v.gd",
    }
)  # fmt: skip
_LEFTOVER = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\*\|.*?\|\*|%%\w+%%|\blorem ipsum\b|\b(?:TODO|FIXME|XXX+)\b"
    r"|\[(?:inserire|inserisci|insert|da completare|titolo|nome|name|link)\b[^\]]*\]",
    re.IGNORECASE,
)


def broken_links(links: list[str]) -> list[str]:
    """Those that lead nowhere from a mailbox: relative, empty, or of no kind a mail knows."""
    return [
        link
        for link in dict.fromkeys(links)
        if not (
            link.lower().startswith(("mailto:", "tel:"))
            or (link.lower().startswith(("http://", "https://")) and _host(link))
        )
    ]


def shortened_links(links: list[str]) -> list[str]:
    return [link for link in dict.fromkeys(links) if _host(link).removeprefix("www.") in SHORTENERS]


def leftovers(words: str) -> list[str]:
    """ "{{ name }}", "[inserire il luogo]", "lorem ipsum": what somebody meant to replace."""
    return list(dict.fromkeys(_LEFTOVER.findall(words)))


def _host(link: str) -> str:
    try:
        return urlsplit(link).hostname or ""
    except ValueError:  # an address such as "https://[oops"
        return ""
