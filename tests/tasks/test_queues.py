"""Three kinds of work in three queues: each is heard by somebody, however the site is run."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command

from newsletter import tasks
from newsroom.celery import app

ROOT = Path(__file__).resolve().parents[2]
QUEUES = {"poll", "compile", "send"}
OURS = sorted(name for name in app.tasks if name.startswith("newsletter."))


def queue_of(task: str) -> str:
    return str(app.amqp.router.route({}, task)["queue"].name)


def test_every_task_waits_in_one_of_the_three() -> None:
    assert "newsletter.tick" in OURS
    assert {queue_of(task) for task in OURS} == QUEUES


def test_a_worker_that_is_told_nothing_hears_all_of_them() -> None:
    assert set(app.amqp.queues.consume_from) == QUEUES


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("newsletter.poll_due", "poll"),
        ("newsletter.poll_feed", "poll"),
        ("newsletter.errands", "poll"),
        ("newsletter.follow_digest_links", "poll"),
        ("newsletter.tick", "compile"),
        ("newsletter.compile_digest", "compile"),
        ("newsletter.send_digest", "send"),
        ("newsletter.send_confirmations", "send"),
    ],
)
def test_neither_a_slow_blog_nor_learning_holds_up_a_mail(task: str, queue: str) -> None:
    assert queue_of(task) == queue


def test_a_rung_bell_lies_in_its_queue(bells: Callable[[], list[str]], tmp_path: Path) -> None:
    tasks.send_confirmations.apply_async()
    tasks.tag_pending.apply_async()
    assert bells() == ["newsletter.send_confirmations", "newsletter.tag_pending"]
    found = sorted(path.name.split(".")[1] for path in tmp_path.glob("*.msg"))
    assert found == ["compile", "send"]


def test_the_workers_of_compose_hear_every_queue_between_them() -> None:
    services = yaml.safe_load((ROOT / "site/deploy/compose.yaml").read_text())["services"]
    heard: set[str] = set()
    for service in services.values():
        words = shlex.split(service.get("command") or "")
        if "worker" in words:
            heard |= set(words[words.index("--queues") + 1].split(","))
    assert heard == QUEUES


def test_a_queue_that_is_none_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(CommandError, match="no queue 'mail': choose from poll, compile, send"):
        call_command("worker", queues="send,mail")
