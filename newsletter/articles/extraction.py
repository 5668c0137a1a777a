"""A web page → the HTML of its main text, in a process of its own with a limit on its time.

Whatever a page does to the parsers, it does it there: the worker goes on. The process is this very
file, `python -m newsletter.articles.extraction`, which reads a page and writes its text; it needs
neither Django nor the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

SECONDS = 10  # of a processor; a long article takes a tenth of one, the start a third
_MEMORY = 1_500_000_000
_LONGEST = 1_500_000  # signs, without scripts and styles
_DEEPEST = 100
# What holds no text, and is most of many a page.
_DEAD = ("script", "style", "svg", "template", "noscript", "iframe")


class PageUnreadable(Exception):
    """The page broke or outlasted its reader."""


def main_text(page: str) -> str:
    """The HTML of the page's main text, not yet cleaned; "" when there is none."""
    # -P and an empty path: nothing that lies in the working directory is imported.
    paths = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "newsletter.articles.extraction"],
            input=page.encode("utf-8", "replace"),
            capture_output=True,
            timeout=3 * SECONDS,
            env={"PYTHONPATH": os.pathsep.join(paths)},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PageUnreadable from error
    if done.returncode != 0:
        raise PageUnreadable
    return done.stdout.decode("utf-8", "replace")


def without_dead_parts(page: str) -> str:
    """The page without scripts and the like, in one walk for each kind of them."""
    for name in _DEAD:
        lower = page.lower()
        if len(lower) != len(page):  # "İ" grows: positions would not agree
            return page
        pieces: list[str] = []
        position = 0
        while (start := lower.find(f"<{name}", position)) >= 0:
            pieces.append(page[position:start])
            end = lower.find(f"</{name}", start)
            end = lower.find(">", end) if end >= 0 else -1
            position = end + 1 if end >= 0 else len(page)
        page = "".join(pieces) + page[position:]
    return page


def _extract(page: str) -> str:
    import trafilatura

    from newsletter.articles.markup import read_tree

    body = read_tree(without_dead_parts(page), max_chars=_LONGEST, max_depth=_DEEPEST)
    root = body.getroottree().getroot()
    found = trafilatura.extract(
        root,
        output_format="html",
        include_formatting=True,
        include_links=True,
        include_images=True,
        include_tables=True,
        include_comments=False,
        with_metadata=False,
    )
    return found or ""


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows: there only the parent's time-out counts

        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    _limit()
    sys.stdout.buffer.write(
        _extract(sys.stdin.buffer.read().decode("utf-8", "replace")).encode("utf-8", "replace")
    )
