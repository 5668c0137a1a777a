"""What the mailbox looks like: plain pages in the bulletin's colours, without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Protocol
from urllib.parse import urlencode

# The demo runs without Django's catalogues: the two languages of its mails, here.
WORDS = {
    "en": {
        "mailbox": "Mailbox",
        "no_subject": "No subject",
        "to_from": "to {to} from {sender}, {moment}",
        "only_to": "Only to {to}",
        "all": "All mails",
        "empty": "Nothing has come yet. The page looks again by itself.",
        "one": "1 mail",
        "many": "{total} mails",
        "frame": "The mail as HTML",
        "as_text": "The same mail as plain text",
        "source": "Source",
        "full_width": "Full width",
        "not_here": "Not here",
        "missing": "There is no such mail.",
    },
    "it": {
        "mailbox": "Casella di posta",
        "no_subject": "Senza oggetto",
        "to_from": "a {to} da {sender}, {moment}",
        "only_to": "Solo a {to}",
        "all": "Tutti i messaggi",
        "empty": "Non è ancora arrivato niente. La pagina si aggiorna da sola.",
        "one": "1 messaggio",
        "many": "{total} messaggi",
        "frame": "Il messaggio in HTML",
        "as_text": "Lo stesso messaggio come solo testo",
        "source": "Sorgente",
        "full_width": "A tutta larghezza",
        "not_here": "Non è qui",
        "missing": "Questo messaggio non c’è.",
    },
}

SHOWN_HEADERS = ("From", "To", "Subject", "Date", "List-Unsubscribe", "List-Id", "Message-ID")

STYLE = """
:root { color-scheme: light dark; --paper: #FAF6EE; --ink: #1B1A17; --muted: #5C564C;
  --red: #B21F1F; --petrol: #0B5D5E; --rule: #D9D0BE; }
@media (prefers-color-scheme: dark) { :root { --paper: #16140F; --ink: #EFE9DC; --muted: #B4AC9C;
  --red: #FF8A7A; --petrol: #7CC7C8; --rule: #3B362C; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 62rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
header { border-top: 6px solid var(--ink); border-bottom: 1px solid var(--ink);
  padding: .6rem 0; margin-bottom: 1rem; display: flex; flex-wrap: wrap; gap: 0 1rem;
  align-items: baseline; justify-content: space-between; }
h1 { margin: 0; font: 700 1.6rem/1.2 Georgia, serif; }
h1 a { color: inherit; text-decoration: none; }
header p { margin: 0; color: var(--muted); }
a { color: var(--petrol); }
a:focus-visible { outline: 3px solid var(--red); outline-offset: 2px; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-bottom: 1px solid var(--rule); padding: .7rem 0; }
li a.subject { font: 700 1.15rem/1.3 Georgia, serif; color: var(--ink); }
li a.subject:hover { color: var(--red); }
li p { margin: .15rem 0 0; color: var(--muted); font-size: .95rem; }
h2 { font: 700 1.4rem/1.25 Georgia, serif; margin: 0 0 .6rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem;
  margin: 0 0 1rem; font-size: .9rem; }
dt { color: var(--muted); } dd { margin: 0; }
@media (max-width: 30rem) { dl { display: block; } dd { margin-bottom: .4rem; } }
nav { display: flex; gap: 1rem; flex-wrap: wrap; margin-bottom: 1rem; }
iframe { width: 100%; height: 75vh; border: 1px solid var(--ink); background: #FAF6EE; }
pre { white-space: pre-wrap; border-left: 4px solid var(--rule); padding-left: 1rem;
  font: .9rem/1.5 ui-monospace, monospace; }
details { margin-top: 1rem; } summary { cursor: pointer; color: var(--petrol); }
"""


class Shown(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def to(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def received(self) -> float: ...
    @property
    def html(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def message(self) -> object: ...


def policy_for(path: str) -> str:
    """A mail is others' HTML: no script, nothing fetched from outside, links in a new tab."""
    if path.endswith("/html"):
        return (
            "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
            "style-src 'unsafe-inline'; img-src data: http://127.0.0.1:*"
        )
    return "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'"


def language_for(accepted: str) -> str:
    """Of WORDS, the first that a browser's Accept-Language names; else English."""
    names = (part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))
    return next((name for name in names if name in WORDS), "en")


def listing(mails: Iterable[Shown], *, to: str, total: int, language: str) -> str:
    words = WORDS[language]
    rows = "".join(_row(mail, words) for mail in mails)
    only = f"<nav><span>{words['only_to'].format(to=escape(to))}</span> {_all(words)}</nav>"
    lead = only if to else ""
    content = f"{lead}<ol>{rows}</ol>" if rows else f"{lead}<p>{words['empty']}</p>"
    count = words["one"] if total == 1 else words["many"].format(total=total)
    refresh = '<meta http-equiv="refresh" content="10">'
    content = f"<main>{content}</main>"
    return _page(words["mailbox"], content, note=count, head=refresh, language=language)


def _row(mail: Shown, words: dict[str, str]) -> str:
    to = f'<a href="/?{escape(urlencode({"to": mail.to}))}">{escape(mail.to)}</a>'
    told = words["to_from"].format(to=to, sender=escape(mail.sender), moment=_moment(mail.received))
    return (
        f'<li><a class="subject" href="/mail/{mail.name}">'
        f"{escape(mail.subject or words['no_subject'])}</a><p>{told}</p></li>"
    )


def _all(words: dict[str, str]) -> str:
    return f'<a href="/">{words["all"]}</a>'


def reading(mail: Shown, *, language: str) -> str:
    name, words = mail.name, WORDS[language]
    headers = "".join(
        f"<dt>{header}</dt><dd>{escape(str(mail.message[header]))}</dd>"  # type: ignore[index]
        for header in SHOWN_HEADERS
        if mail.message[header]  # type: ignore[index]
    )
    body = (
        f'<iframe src="/mail/{name}/html" title="{words["frame"]}"></iframe>' if mail.html else ""
    )
    text = f"<pre>{escape(mail.text)}</pre>"
    if mail.html and mail.text:
        text = f"<details><summary>{words['as_text']}</summary>{text}</details>"
    links = f'{_all(words)} <a href="/mail/{name}/raw">{words["source"]}</a>'
    if mail.html:
        links += f' <a href="/mail/{name}/html">{words["full_width"]}</a>'
    # The mail speaks its own language, whatever the page around it does.
    content = f'<h2 lang="">{escape(mail.subject)}</h2><dl>{headers}</dl>{body}{text}'
    content = f"<nav>{links}</nav><main>{content}</main>"
    return _page(mail.subject, content, note=_moment(mail.received), language=language)


def in_frame(html: str) -> str:
    """The mail's own HTML, its links opening beside the mailbox instead of inside the frame."""
    base = '<base target="_blank">'
    changed, found = re.subn(r"(<head\b[^>]*>)", rf"\1{base}", html, count=1, flags=re.IGNORECASE)
    return changed if found else base + html


def missing(*, language: str) -> str:
    words = WORDS[language]
    content = f"<main><p>{words['missing']} {_all(words)}</p></main>"
    return _page(words["not_here"], content, language=language)


def _page(title: str, content: str, *, language: str, note: str = "", head: str = "") -> str:
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{head}<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<header><h1><a href="/">{WORDS[language]["mailbox"]}</a></h1>'
        f"<p>{escape(note)}</p></header>{content}</body></html>"
    )


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%d/%m/%Y %H:%M:%S")
