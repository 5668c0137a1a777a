"""Fixtures that every part shares: real servers on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import FeedServer, Mailbox

# Playwright's synchronous API runs an event loop in the test's thread, which Django takes for
# asynchronous code (https://docs.djangoproject.com/en/5.2/topics/async/#async-safety).
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        yield server


@pytest.fixture(autouse=True)
def media_in_a_temporary_folder(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")  # type: ignore[attr-defined]
