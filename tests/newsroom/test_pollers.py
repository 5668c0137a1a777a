"""Pollers as processes of their own, on one SQLite file as `make run` has it."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.articles.conftest import post, rss
from tests.servers import Answer, FeedServer, Request

pytestmark = pytest.mark.processes
HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "newsroom.settings.test",
    }


def poller(tmp_path: Path) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, str(HERE / "poll_here.py")],
        env=environment(tmp_path),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout
    assert started.stdout.readline() == "ready\n"
    return started


def begin(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def test_pollers_share_the_feeds_and_a_killed_one_loses_none(
    tmp_path: Path, feed_server: FeedServer
) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        cwd=ROOT,
        env=environment(tmp_path),
        check=True,
    )
    hosts: Counter[str] = Counter()

    def answer(request: Request) -> Answer:
        hosts[request.headers["host"]] += 1
        time.sleep(1)
        return Answer(200, rss(post(1)).encode())

    feed_server.respond("/feed/", answer)
    database = tmp_path / "bollettino.sqlite3"
    count = 90
    with sqlite3.connect(database) as rows:
        names = [row[1] for row in rows.execute("PRAGMA table_info(newsletter_feed)") if row[3]]
        for number in range(count):
            values = dict.fromkeys(names, "") | {
                "id": number + 1,
                "url": f"http://b{number}.example:{feed_server.port}/feed/",
                "host": f"b{number}.example",
                "state": "active",
                "next_poll_at": "2026-01-01 00:00:00",
                "created_at": "2026-01-01 00:00:00",
                "rights": "excerpt",
                "auto_accept": 0,
                "moved_seen": 0,
                "failures": 0,
            }
            marks = ", ".join("?" * len(values))
            rows.execute(
                f"INSERT INTO newsletter_feed ({', '.join(values)}) VALUES ({marks})",
                list(values.values()),
            )
    first, second = poller(tmp_path), poller(tmp_path)
    begin(first)
    begin(second)
    while sum(hosts.values()) < 40:  # more than one of them has places for: both are at it
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    survivor = second.communicate(timeout=60)[0]
    assert second.returncode == 0
    with sqlite3.connect(database) as rows:
        left = rows.execute("SELECT count(*) FROM newsletter_feed WHERE claimed_until > ''")
        in_hand = left.fetchone()[0]
        assert 0 < in_hand < count
        # Its claims end by themselves; here at once.
        rows.execute("UPDATE newsletter_feed SET claimed_until = '2026-01-01 00:00:00'"
                     " WHERE claimed_until > ''")  # fmt: skip
    last = poller(tmp_path)
    begin(last)
    assert last.communicate(timeout=60)[0] == f"{in_hand} 0\n"
    with sqlite3.connect(database) as rows:
        records = rows.execute("SELECT feed_id, count(*) FROM newsletter_fetchrecord GROUP BY 1")
        assert sorted(records.fetchall()) == [(number + 1, 1) for number in range(count)]
    polled, failed = map(int, survivor.split())
    # The killed one may have done with a few by then.
    assert 0 < polled <= count - in_hand
    assert failed == 0
    assert len(hosts) == count
