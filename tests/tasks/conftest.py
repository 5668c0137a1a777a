from __future__ import annotations

from collections.abc import Iterator

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
def bells_lost() -> Iterator[list[str]]:
    """Every task that is rung is lost, as when the broker is flushed; the names of those rung."""
    rung: list[str] = []

    def lose(sender: str | None = None, **kwargs: object) -> None:
        rung.append(str(sender))

    from celery.signals import before_task_publish

    before = app.conf.broker_url
    app.conf.broker_url = "memory://"
    app.pool.force_close_all()
    app.__dict__.pop("pool", None)
    app._pool = None
    before_task_publish.connect(lose, weak=False)
    yield rung
    before_task_publish.disconnect(lose)
    app.conf.broker_url = before
    app._pool = None
