from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from newsroom.celery import app


@pytest.fixture
def bells_answered_at_once() -> Iterator[None]:
    """A task that is rung runs here and now; its errors reach the test."""
    before = app.conf.task_always_eager, app.conf.task_eager_propagates
    app.conf.task_always_eager = app.conf.task_eager_propagates = True
    yield
    app.conf.task_always_eager, app.conf.task_eager_propagates = before


@pytest.fixture
def bells(tmp_path: Path) -> Iterator[Callable[[], list[str]]]:
    """A broker of the test's own that nobody listens to; called, it names what was rung so far."""
    before = {name: app.conf[name] for name in ("broker_url", "broker_transport_options")}
    app.conf.broker_url = "filesystem://localhost"
    app.conf.broker_transport_options = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path),
    }
    forget_connections()

    def rung() -> list[str]:
        messages = [json.loads(path.read_text()) for path in tmp_path.glob("*.msg")]
        return sorted(message["headers"]["task"] for message in messages)

    yield rung
    app.conf.update(before)
    forget_connections()


def forget_connections() -> None:
    app._pool = app.amqp._producer_pool = None
