"""The embedded broker: a folder that several processes write into while others read."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection

from newsroom.celery import app

MESSAGES = 300


def connection(folder: Path) -> Connection:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
    }
    (folder / "control").mkdir(exist_ok=True)
    # Through the site's own application, so that its transport is the one in use.
    return app.connection(hostname="filesystem://localhost", transport_options=options)


def put_many(folder: Path) -> None:
    with connection(folder) as broker, broker.SimpleQueue("bells") as queue:
        for number in range(MESSAGES):
            queue.put({"number": number, "padding": "x" * 20_000})


def test_a_reader_never_meets_half_a_message(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=put_many, args=[tmp_path]) for _ in range(2)]
    with connection(tmp_path) as broker, broker.SimpleQueue("bells") as queue:
        for writer in writers:
            writer.start()
        numbers = []
        for _message in range(2 * MESSAGES):
            message = queue.get(timeout=60)
            numbers.append(message.payload["number"])
            message.ack()
        for writer in writers:
            writer.join()
        with pytest.raises(Empty):
            queue.get(timeout=0.2)
    assert sorted(numbers) == sorted(2 * list(range(MESSAGES)))


def test_a_damaged_message_is_dropped_and_the_next_one_read(tmp_path: Path) -> None:
    with connection(tmp_path) as broker, broker.SimpleQueue("alarms") as queue:
        (tmp_path / "0_damaged.alarms.msg").write_bytes(b"")
        queue.put({"number": 1})
        message = queue.get(timeout=10)
        assert message.payload == {"number": 1}
        message.ack()
    assert not list(tmp_path.glob("*.msg"))
