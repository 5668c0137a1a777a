"""Parse and clean on damaged documents: whatever comes, no crash, no script, no second lost.

A short, repeatable run. `FUZZ_ROUNDS=100000 FUZZ_SEED=7 pytest tests/articles/test_fuzz.py` runs
longer, and elsewhere; a failure names the seed and the round that make it again.
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
FEEDS = sorted((Path(__file__).parent / "samples" / "feeds").iterdir())
ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "20260715"))
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
        match rng.randrange(7):
            case 0:
                text = text[:at] + rng.choice(TOKENS) + text[at:]
            case 1:
                text = text[:at] + text[min(end, at + 40) :]
            case 2:
                text = text + text[at : min(end, at + 500)]
            case 3:
                text = text[:at] + chr(rng.randrange(1, 0xD7FF)) + text[at:]
            case 4:  # a tag that stands elsewhere in the document, or a piece of it many times
                tags = re.findall(r"<[^<>]{1,80}>", text) or ["<p>"]
                text = text[:at] + rng.choice(tags) * rng.choice((1, 1, 2, 200)) + text[at:]
            case 5:  # two pieces that change places
                middle = (at + end) // 2
                text = text[:at] + text[middle:end] + text[at:middle] + text[end:]
            case _:
                text = text[: max(at, len(text) - 300)]
    return text


def damaged_bytes(data: bytes, rng: random.Random) -> bytes:
    broken = bytearray(data)
    for _ in range(rng.randint(0, 4) if broken else 0):
        broken[rng.randrange(len(broken))] = rng.randrange(256)
    if rng.random() < 0.05:
        return bytes(broken).decode("utf-8", "replace").encode(rng.choice(("utf-16", "utf-32")))
    return bytes(broken)


def document(rng: random.Random) -> bytes:
    """A feed of the samples' texts, or one of the samples' feeds, hurt in some way."""
    if rng.random() < 0.5:
        text = damaged(rng.choice(FEEDS).read_text(), rng)
    else:
        html = damaged(rng.choice(SAMPLES).read_text(), rng)
        text = rss(post(1, text=html.replace("]]>", "")), post(2))
        if rng.random() < 0.5:
            text = damaged(text, rng)
    data = text.encode("utf-8", "replace")
    return damaged_bytes(data, rng) if rng.random() < 0.5 else data


def test_damaged_documents_neither_crash_nor_harm() -> None:
    read = 0
    for number in range(ROUNDS):
        data = document(random.Random(f"{SEED} {number}"))
        told = f"FUZZ_SEED={SEED}, round {number}: {data!r}"
        began = time.process_time()
        try:
            parsed = parse(data, url=URL)
        except FeedInvalid:
            assert time.process_time() - began < 1, told
            continue
        for entry in parsed.entries:
            made = draft(entry, feed_url=URL, site_url="https://blog.example/", language="it")
            assert is_safe(made.body_html), told
            assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", made.body_html + made.title), told
            assert "\n" not in made.title, told
        assert time.process_time() - began < 1, told
        read += bool(parsed.entries)
    # The damage must leave enough to read, or nothing was tested.
    assert read > ROUNDS / 3


def test_the_samples_are_read_when_nobody_damages_them() -> None:
    for sample in FEEDS:
        parsed = parse(sample.read_bytes(), url=URL)
        assert parsed.entries, sample.name
        made = draft(parsed.entries[0], feed_url=URL, site_url="", language="it")
        assert made.title, sample.name
        assert made.body_text, sample.name
