"""What can be wrong with a mail as it is compiled: its links, and words left from a template."""

from __future__ import annotations

import re
from html.parser import HTMLParser
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


class _Mail(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag == "style"
        if tag == "a":
            self.links.append((dict(attrs).get("href") or "").strip())

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def links_and_words(html: str) -> tuple[list[str], str]:
    """The address of every link, and the text a reader sees."""
    mail = _Mail()
    mail.feed(html)
    mail.close()
    return mail.links, " ".join(" ".join(mail.words).split())


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
