"""Sending with the ledger on, beside Postfix's load generator and what Django and Celery offer.

Everybody talks to one `smtp-sink` (Debian: postfix, redis-server). Messages of 40 KB HTML and 6 KB
text, each copy personal. `--members N` (default 20,000), `--senders N` (default 2); `--postgresql`
starts a PostgreSQL of its own, DATABASE_URL names one; otherwise SQLite. `--dkim rsa` or `--dkim
ed25519` signs every copy, on the journal. Below each way stands what it cost: the senders'
processor time, their statements, their largest memory, and the room that deliveries take in the
database.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import harness

SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")
SOURCE = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")
WORDS = "Il contratto è firmato: ecco che cosa cambia da gennaio per chi lavora a distanza. "


# A way of noting what is begun: its name, JOURNAL_DIR, IN_FLIGHT, and the bar beside smtp-source
# for two senders, on PostgreSQL and on SQLite.
WAYS = (
    ("journal", "journal", 1, 0.85, 0.80),
    ("a commit for each mail", "", 1, 0.60, None),
    ("50 in flight", "", 50, None, None),
)
# With the journal, two senders.
DKIM_BARS = {"rsa": 0.45, "ed25519": 0.60}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=20_000)
    parser.add_argument("--senders", type=int, default=2)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--dkim", choices=sorted(DKIM_BARS))
    parser.add_argument("--strict", action="store_true")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    if not SINK or not SOURCE:
        sys.exit("smtp-sink and smtp-source are needed (Debian: apt-get install postfix).")
    with ExitStack() as stack:
        if options.postgresql:
            sys.path.insert(0, str(harness.ROOT))
            from tests.private_servers import postgres

            os.environ["DATABASE_URL"] = stack.enter_context(postgres())
        compare(options.members, options.senders, options.dkim)
    harness.finish()


def compare(members: int, most_senders: int, dkim: str | None) -> None:
    harness.start(migrate=True)
    from django.db import connection

    on_postgresql = connection.vendor == "postgresql"
    if dkim:
        make_key(dkim)
    with sink() as port:
        digest_id = approved_digest(members)
        best = min(
            (smtp_source(port, sessions, members) for sessions in (8, 16)),
            key=lambda measured: measured.seconds,
        )
        print(f"{best.name}: {1 / best.seconds:,.0f} messages/s (an absolute figure, for scale)")
        django = send_messages(port, 500)
        tasks = task_for_each(digest_id, port, 500, most_senders)
        for senders in sorted({1, most_senders}):
            ways = [(f"journal and {dkim}", "journal", 1, *2 * [DKIM_BARS[dkim]])] if dkim else WAYS
            for way, journal, window, on_big, on_small in ways:
                ours = send_batches(digest_id, port, senders, window, journal, members)
                name = f"{way}, {senders} sender(s)"
                print(f"{name}: {1 / ours.seconds:,.0f} messages/s")
                bar = (on_big if on_postgresql else on_small) if senders > 1 else None
                harness.ratio(name, ours, best, bar=bar)
                harness.ratio(name, ours, django, bar=6.0 if bar and not dkim else None)
                harness.ratio(name, ours, tasks, bar=8.0 if bar and not dkim else None)


def make_key(kind: str) -> None:
    """A key in a file, which the senders find by their environment."""
    from django.core.management import call_command

    file = Path(os.environ["DATA_DIR"], "dkim.pem")
    call_command("dkim_key", file, type=kind, domain="union.example", stdout=StringIO())
    os.environ["DKIM_KEYS"] = f"bench:{file}"


@contextmanager
def sink() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    assert SINK
    command = [SINK, "-u", "nobody"] if os.geteuid() == 0 else [SINK]
    process = subprocess.Popen([*command, f"127.0.0.1:{port}", "1000"], cwd="/")
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


def texts() -> tuple[str, str]:
    from newsletter.digests.slots import TOKEN_SLOT

    link = f"https://bollettino.example/newsletter/m/{TOKEN_SLOT}/"
    html = f"<html><body><p>{WORDS * 480}</p><p><a href='{link}'>Preferenze</a></p></body></html>"
    return html, f"{WORDS * 72}\n\nPreferenze: {link}\n"


def approved_digest(members: int) -> int:
    """A digest on its way, its one variant as large as a real one."""
    from django.utils import timezone

    from newsletter.articles.models import Article
    from newsletter.delivery.freeze import approve
    from newsletter.digests.models import Digest, DigestItem, Newsletter, Variant
    from newsletter.members.models import Member, Subscription
    from newsletter.members.subscriptions import selection_for

    now = timezone.now()
    newsletter = Newsletter.objects.create(
        name="Ogni settimana",
        slug="ogni-settimana",
        sender_name="Il Bollettino",
        sender_email="bollettino@union.example",
    )
    people = Member.objects.bulk_create(
        [
            Member(
                email=f"persona{number}@posta.example",
                address=f"persona{number}@posta.example",
                address_hash=f"{number:064x}",
                created_at=now,
                confirmed_at=now,
            )
            for number in range(members)
        ],
        batch_size=1000,
    )
    everything = selection_for([])
    Subscription.objects.bulk_create(
        [
            Subscription(
                member=member,
                newsletter=newsletter,
                selection=everything,
                state=Subscription.State.ACTIVE,
                created_at=now,
            )
            for member in people
        ],
        batch_size=1000,
    )
    article = Article.objects.create(
        url="https://blog.example/1/", title="Il contratto", body_html="<p>x</p>", body_text="x",
        excerpt="x", language="it", arrived_at=now, changed_at=now, listed_at=now,
        content_hash="0" * 64, state=Article.State.ACCEPTED,
    )  # fmt: skip
    digest = Digest(
        newsletter=newsletter, number=1, slot=now, subject="Le notizie", window_end=now, live=False
    )
    digest.items = [DigestItem(article=article, sort_order=0)]
    digest.save()
    digest.save_revision()
    approve(digest.pk, now=now)
    html, text = texts()
    Variant.objects.update(html=html, text=text)
    return int(digest.pk)


def smtp_source(port: int, sessions: int, messages: int) -> harness.Measured:
    """The same size, nothing personal, no ledger: what the wire and the sink allow."""
    assert SOURCE
    html, text = texts()
    # Quoted-printable makes them about a tenth longer; measured on one of our own.
    size = str(int(len((html + text).encode()) * 1.1))
    command = [SOURCE, "-s", str(sessions), "-m", str(messages), "-l", size, "-d"]
    command += ["-f", "a@union.example", "-t", "b@posta.example", f"127.0.0.1:{port}"]
    best = float("inf")
    for _ in range(2):
        began = time.perf_counter()
        subprocess.run(command, check=True)
        best = min(best, time.perf_counter() - began)
    return harness.Measured(f"smtp-source, {sessions} sessions", best / messages)


def send_messages(port: int, messages: int) -> harness.Measured:
    """What Django does out of the box: one connection, a message built for each recipient."""
    from django.core.mail import EmailMultiAlternatives
    from django.core.mail.backends.smtp import EmailBackend

    from newsletter.digests.slots import TOKEN_SLOT

    html, text = texts()

    def send() -> None:
        backend = EmailBackend(host="127.0.0.1", port=port, use_tls=False, use_ssl=False)
        mails = []
        for number in range(messages):
            token = f"{number:032d}"
            mail = EmailMultiAlternatives(
                "Le notizie",
                text.replace(TOKEN_SLOT, token),
                "bollettino@union.example",
                [f"persona{number}@posta.example"],
            )
            mail.attach_alternative(html.replace(TOKEN_SLOT, token), "text/html")
            mails.append(mail)
        backend.send_messages(mails)

    return harness.measure("Django's send_messages", send, repeat=2, units=messages)


def task_for_each(digest_id: int, port: int, messages: int, workers: int) -> harness.Measured:
    """See task_for_each.py; with Redis, and as many processes as senders."""
    from newsletter.delivery.models import Delivery
    from tests.private_servers import redis

    started = Delivery.objects.filter(digest_id=digest_id).order_by("pk")
    ids = list(started.values_list("pk", flat=True)[:messages])
    with redis() as url:
        os.environ["BROKER_URL"] = url
        celery = [sys.executable, "-W", "ignore", "-m", "celery"]
        command = [*celery, "-A", "task_for_each", "worker"]
        command += ["--concurrency", str(workers), "--loglevel", "ERROR", "--without-gossip"]
        worker = subprocess.Popen(
            command, cwd=harness.ROOT / "benchmarks", stdout=subprocess.DEVNULL, env=os.environ
        )
        try:
            from task_for_each import send_one

            send_one.delay(ids[0], port)
            wait_until_sent(ids[:1])  # it has started
            began = time.perf_counter()
            for delivery_id in ids[1:]:
                send_one.delay(delivery_id, port)
            wait_until_sent(ids)
            seconds = time.perf_counter() - began
        finally:
            worker.terminate()
            worker.wait()
            del os.environ["BROKER_URL"]
    return harness.Measured("a task for each", seconds / (messages - 1))


def wait_until_sent(ids: list[int]) -> None:
    from newsletter.delivery.models import Delivery

    waiting = Delivery.objects.filter(pk__in=ids).exclude(state=Delivery.State.SENT)
    while waiting.exists():
        time.sleep(0.02)


def send_batches(
    digest_id: int, port: int, senders: int, window: int, journal: str, members: int
) -> harness.Measured:
    """The whole path: claim, check, send, record; processes that are already started."""
    from django.utils import timezone

    from newsletter.delivery.models import Batch, Delivery
    from newsletter.digests.models import Digest

    Delivery.objects.update(state=Delivery.State.PENDING, attempts=0)
    Batch.objects.update(state=Batch.State.OPEN)
    Digest.objects.update(
        status=Digest.Status.SENDING, sending_at=timezone.now(), sent_at=None, status_reason=""
    )
    command = [sys.executable, __file__, "--worker", f"{digest_id} {port} {window} {journal}"]
    workers = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ, text=True
        )
        for _ in range(senders)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline().strip() == "ready"
    began = time.perf_counter()
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    costs = []
    for worker in workers:
        assert worker.stdout
        costs.append(json.loads(worker.stdout.readline()))
    # Before they end: a worker lives on, and Python takes .4 s to let go of all of Django.
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.communicate()
    sent = Delivery.objects.filter(state=Delivery.State.SENT).count()
    assert sent == members, f"{sent} of {members} sent"
    print(in_words(costs, members))
    return harness.Measured(f"{senders} senders", seconds / members)


def in_words(costs: list[dict[str, float]], members: int) -> str:
    seconds, statements = (
        sum(cost[name] for cost in costs) / members for name in ("seconds", "statements")
    )
    return (
        f"  for 1,000 mails: {seconds * 1_000_000:,.0f} ms of the senders' processor, "
        f"{statements * 1000:,.0f} statements; "
        f"largest sender {max(cost['memory'] for cost in costs):.1f} MB; "
        f"{ledger_bytes() / members:,.0f} bytes of ledger a mail"
    )


def ledger_bytes() -> int:
    """Of deliveries and batches with their indexes; SQLite's file holds more than these."""
    from django.db import connection

    from newsletter.delivery.models import Batch, Delivery

    tables = [model._meta.db_table for model in (Delivery, Batch)]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT sum(pg_total_relation_size(name::regclass)) "
                "FROM unnest(%s::text[]) AS name",
                [tables],
            )
        else:
            marks = ", ".join(["%s"] * len(tables))
            cursor.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name IN "
                f"(SELECT name FROM sqlite_master WHERE tbl_name IN ({marks}))",
                tables,
            )
        return int(cursor.fetchone()[0])


def work(order: str) -> None:
    """One sender process: set up, say so, wait for the word, send, tell what it cost."""
    numbers, journal = order.split()[:3], order.split()[3:]
    digest_id, port, window = (int(number) for number in numbers)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings.test")
    sys.path[:0] = [str(harness.ROOT), str(harness.ROOT / "site")]

    import django

    django.setup()
    from django.conf import settings

    from newsletter.delivery.send import send_batches

    settings.NEWSLETTER = settings.NEWSLETTER | {
        "SMTP_URL": f"smtp://127.0.0.1:{port}",
        "IN_FLIGHT": window,
        "JOURNAL_DIR": str(Path(os.environ["DATA_DIR"], *journal)) if journal else "",
    }
    from django.db import connection

    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    print("ready", flush=True)
    sys.stdin.readline()
    began = time.process_time()
    with connection.execute_wrapper(count):
        send_batches(digest_id, budget=timedelta(minutes=30))
    cost = {
        "seconds": time.process_time() - began,
        "statements": statements,
        "memory": harness.own_memory(),  # Python gives little back: as much as it ever was
    }
    print(json.dumps(cost), flush=True)


if __name__ == "__main__":
    main()
