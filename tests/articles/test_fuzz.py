"""Parse and clean on damaged documents: whatever comes, no crash, no script, no second lost.

A short, repeatable run; `FUZZ_ROUNDS=100000 pytest tests/articles/test_fuzz.py` runs longer.
"""

from __future__ import annotations

import os
import random
import re
import time
from pathlib import Path

import lxml.html

from newsletter.articles.drafting import draft
from newsletter.exceptions import FeedInvalid
from newsletter.feeds.parse import parse
from tests.articles.conftest import post, rss

URL = "https://blog.example/feed/"
SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.html"))
TOKENS = (
    "<", ">", "&", "]]>", "<![CDATA[", "<!--", "-->", "&#0;", "&#x110000;", "&nbsp;", "\x00",
    "\x0c",
    "<script>alert(1)</script>", '<img src=x onerror="alert(1)">',
    "<a href='javascript:x'>",
    "<svg>", "<style>", "<template>", "<math><mtext>", "</p>", "<table>", "<div>" * 50,
    "</item>", "<item>",
    "\ufeff", "\u202e", "\ud7ff", "<noscript>", "<iframe srcdoc='<script>'>", "[caption",
    "<br><br>", "Fonte: ", "<?xml?>", "<!DOCTYPE x [", "é", "“", "<p><p>",
    "xml:base='x:'", "<textarea>",
)  # fmt: skip
UNSAFE = {"script", "style", "iframe", "svg", "template", "textarea", "object", "form"}


def is_safe(markup: str) -> bool:
    """Read as a browser would: no element that acts, no handler, no address that is a script."""
    for element in lxml.html.fragment_fromstring(markup, create_parent="div").iter():
        addresses = [element.get("href", "https:"), element.get("src", "https:")]
        if (
            element.tag in UNSAFE
            or any(name.startswith("on") for name in element.attrib)
            or not all(re.match("(https?|mailto|tel):", address) for address in addresses)
        ):
            return False
    return True


def damaged(text: str, rng: random.Random) -> str:
    for _ in range(rng.randint(1, 8)):
        at, end = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        match rng.randrange(4):
            case 0:
                text = text[:at] + rng.choice(TOKENS) + text[at:]
            case 1:
                text = text[:at] + text[min(end, at + 40) :]
            case 2:
                text = text + text[at : min(end, at + 500)]
            case _:
                text = text[:at] + chr(rng.randrange(1, 0xD7FF)) + text[at:]
    return text


def test_damaged_documents_neither_crash_nor_harm() -> None:
    rng = random.Random(20260715)
    for _ in range(int(os.environ.get("FUZZ_ROUNDS", "150"))):
        html = damaged(rng.choice(SAMPLES).read_text(), rng)
        document = rss(post(1, text=html.replace("]]>", "")), post(2))
        if rng.random() < 0.5:
            document = damaged(document, rng)
        began = time.process_time()
        try:
            parsed = parse(document.encode("utf-8", "replace"), url=URL)
        except FeedInvalid:
            continue
        for entry in parsed.entries:
            made = draft(entry, feed_url=URL, site_url="https://blog.example/", language="it")
            assert is_safe(made.body_html), document
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", made.body_html + made.title)
        assert time.process_time() - began < 1, document
