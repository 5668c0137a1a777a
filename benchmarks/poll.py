"""One poller, a thousand feeds, 90 % unchanged, each server a second away (TLS, on loopback)."""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import harness

ROOT = Path(__file__).resolve().parents[1]
MINUTE = 60.0
# A quarter of two cores.
CPU_OF_A_MINUTE = 0.25 * 2 * MINUTE


def peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def poll(feeds: int, latency: float) -> dict[str, Any]:
    """Runs in a process of its own, so that its memory is its own."""
    os.environ["SSL_CERT_FILE"] = str(ROOT / "tests" / "certificates" / "ca.pem")
    harness.start(migrate=True)
    from newsletter.articles import poller
    from newsletter.articles.models import Article
    from newsletter.feeds.connection import tls_context
    from newsletter.feeds.models import Feed, FetchRecord

    blogs = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "slow_blogs.py"), str(latency)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert blogs.stdin
    assert blogs.stdout
    port = int(blogs.stdout.readline())
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **named: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith(".example") else host, *rest, **named)

    socket.getaddrinfo = resolve  # every blog's name leads to loopback
    now = datetime.now(UTC)
    for number in range(feeds):
        Feed.objects.create(
            url=f"https://b{number}.blog.example:{port}/{number}/feed/",
            title=f"Blog {number}",
            etag='"1"',
            next_poll_at=now,
        )
    began, cpu = time.perf_counter(), time.process_time()
    polled = poller.poll_due(clock=lambda: datetime.now(UTC), budget=timedelta(minutes=10))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    blogs.stdin.write("\n")
    blogs.stdin.flush()
    most = int(blogs.stdout.readline())
    blogs.kill()
    blogs.wait()
    assert polled.failed == 0, list(Feed.objects.values_list("error", flat=True).distinct())
    unchanged = FetchRecord.objects.filter(http_status=304).count()
    assert (polled.feeds, unchanged) == (feeds, feeds - feeds // 10)
    return {
        "seconds": seconds,
        "cpu": cpu,
        "in_flight": most,
        "mb": peak_mb(),
        "articles": Article.objects.count(),
        "tls_contexts": tls_context.cache_info().misses,
    }


def measured(feeds: int, latency: float) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, __file__, f"--latency={latency}", f"--only={feeds}"],
        stdout=subprocess.PIPE,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    print(
        f"{feeds} feeds: {told['seconds']:.1f} s, {told['cpu']:.1f} s of CPU "
        f"({told['cpu'] / told['seconds'] / 2:.0%} of two cores), {told['in_flight']} in flight, "
        f"{told['mb']:.0f} MB at the most, {told['articles']} new articles, "
        f"{told['tls_contexts']} TLS context",
        flush=True,
    )
    return told


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--feeds", type=int, default=1_000, help="how many (1000)")
    options.add_argument("--latency", type=float, default=1.0, help="seconds to an answer (1)")
    options.add_argument("--only", type=int, help=argparse.SUPPRESS)
    options.add_argument("--strict", action="store_true", help="exit 1 when a bar is missed")
    chosen = options.parse_args()
    if chosen.only:
        print(json.dumps(poll(chosen.only, chosen.latency)))
        return
    few = measured(max(chosen.feeds // 10, 10), chosen.latency)
    many = measured(chosen.feeds, chosen.latency)
    share = chosen.feeds / 1_000
    for name, cost, allowed, bar in (
        ("time", many["seconds"], ("a minute for 1,000 feeds", MINUTE * share), 1.0),
        ("CPU", many["cpu"], ("a quarter of two cores", CPU_OF_A_MINUTE * share), 1.0),
        ("in flight", 17.0, ("17 requests", many["in_flight"]), 1.0),
        ("TLS contexts", many["tls_contexts"], ("one", 1.0), 1.0),
        # A tenth: what SQLite keeps of its pages, and what the parser's caches hold.
        ("memory with 10 × the feeds", many["mb"], ("the memory with few", few["mb"]), 0.9),
    ):
        harness.ratio(name, harness.Measured(name, cost), harness.Measured(*allowed), bar)
    harness.finish()


if __name__ == "__main__":
    main()
