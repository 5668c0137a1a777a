"""The links of a mail as it is compiled, with the words that a reader taps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser

from newsletter.digests.links import web_view_url
from newsletter.digests.slots import TOKEN_SLOT


@dataclass(frozen=True)
class Link:
    url: str
    words: str


class _Mail(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, list[str]]] = []
        self.words: list[str] = []
        self._hidden = 0
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag == "style"
        if tag == "a":
            self.links.append(((dict(attrs).get("href") or "").strip(), []))
            self._inside = True
        elif tag == "img" and self._inside:
            self.links[-1][1].append(dict(attrs).get("alt") or "")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag == "style"
        if tag == "a":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.words.append(data)
        if self._inside:
            self.links[-1][1].append(data)


def links_and_words(html: str) -> tuple[list[Link], str]:
    """Every link, and the text a reader sees."""
    mail = _Mail()
    mail.feed(html)
    mail.close()
    links = [Link(url, _joined(words)) for url, words in mail.links]
    return links, _joined(mail.words)


def to_follow(links: Iterable[Link], digest_uid: str) -> dict[str, str]:
    """Addresses on the web, each with its words; never a member's own, nor the issue's pages.

    A member's link is a person's: to open it would be to speak for them. The issue's own pages do
    not answer before it is approved.
    """
    own = web_view_url(digest_uid)
    return {
        link.url: link.words
        for link in reversed(list(links))  # of several, the first one's words
        if link.url.lower().startswith(("http://", "https://"))
        and TOKEN_SLOT not in link.url
        and not link.url.startswith(own)
    }


def _joined(words: list[str]) -> str:
    return " ".join(" ".join(words).split())
