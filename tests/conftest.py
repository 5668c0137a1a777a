"""Fixtures that every part shares: real servers on loopback."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers import FeedServer, Mailbox

Named = Callable[..., str]

# Playwright's synchronous API runs an event loop in the test's thread, which Django takes for
# asynchronous code (https://docs.djangoproject.com/en/5.2/topics/async/#async-safety).
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


@pytest.fixture
def feed_server() -> Iterator[FeedServer]:
    with FeedServer() as server:
        yield server


@pytest.fixture
def named(feed_server: FeedServer, monkeypatch: pytest.MonkeyPatch) -> Named:
    """Addresses on any host below .example, all answered by the one server on loopback."""
    real = socket.getaddrinfo

    def resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    def address(name: str, port: int = feed_server.port) -> str:
        return f"http://{name.replace('/', f':{port}/', 1)}"

    return address


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        yield server


@pytest.fixture(autouse=True)
def media_in_a_temporary_folder(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def nothing_learned_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process keeps the models by their number, and a rolled back test gives numbers twice."""
    from newsletter.themes import tagging

    monkeypatch.setattr(tagging, "_models", tagging._Models())
