"""Approving a digest for a million members, beside writing as many bare rows.

    .venv/bin/python benchmarks/freeze.py [--members N] [--postgresql] [--strict]

Eight themes, fifteen articles, two languages, every choice of themes that can be made; one member
in a hundred pauses. The reference is one INSERT … SELECT of the same number of rows into a table
without an index. The seconds and the memory that the approval adds are printed as well.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import combinations

import harness

THEMES = 8
ARTICLES = 15
BARS = {"postgresql": 0.03, "sqlite": 0.06}
MOST_MEMORY = 50  # MB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.postgresql:
            sys.path.insert(0, str(harness.ROOT))
            from tests.private_servers import postgres

            os.environ["DATABASE_URL"] = stack.enter_context(postgres())
        harness.start(migrate=True)
        compare(options.members)
    harness.finish()


def compare(members: int) -> None:
    from django.db import connection
    from django.utils import timezone

    from newsletter.delivery.freeze import approve

    digest_id = draft()
    make_members(members)
    bare = harness.measure("one bare row a member", lambda: write_bare_rows(members), units=members)
    began = time.perf_counter()
    with peak_memory() as peak:
        account = approve(digest_id, now=timezone.now())
    seconds = time.perf_counter() - began
    added = max(peak) - peak[0]
    assert account.candidates == members, account
    assert account.adds_up
    print(
        f"{account.deliveries:,} deliveries, {sum(account.exclusions.values()):,} exclusions and "
        f"{variants(digest_id)} variants in {seconds:.1f} s; {added:.0f} MB more memory"
        f"{'' if added <= MOST_MEMORY else f'  (at most {MOST_MEMORY})  MISSED'}"
    )
    frozen = harness.Measured("the approval", seconds / members)
    harness.ratio("approval", frozen, bare, bar=BARS[connection.vendor])


@contextmanager
def peak_memory() -> Iterator[list[float]]:
    """This process's own memory in MB, looked at again and again, without pages of mapped files.

    A database server's memory is not in it; SQLite's is.
    """
    seen = [harness.own_memory()]
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.01):
            seen.append(harness.own_memory())

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield seen
    finally:
        done.set()
        watch.join()
        seen.append(harness.own_memory())


def draft() -> int:
    from tests.builders import make_article, make_digest, make_newsletter, make_theme

    themes = [make_theme(f"Tema {number}") for number in range(THEMES)]
    articles = [
        make_article(f"Articolo {number}", themes=[themes[number % THEMES]])
        for number in range(ARTICLES)
    ]
    digest = make_digest(make_newsletter(), articles=articles)
    return int(digest.pk)


def make_members(members: int) -> None:
    """By one statement each: a million objects would count as memory of this process."""
    from django.db import connection, transaction

    from newsletter.digests.models import Newsletter
    from newsletter.members.subscriptions import selection_for
    from newsletter.themes.models import Theme

    themes = list(Theme.objects.values_list("pk", flat=True))
    choices = [
        selection_for(chosen).pk for size in range(THEMES) for chosen in combinations(themes, size)
    ]
    uid = {"postgresql": "lpad(to_hex(i), 32, '0')::uuid", "sqlite": "printf('%%032x', i)"}
    number = {"postgresql": "lpad(i::text, 64, '0')", "sqlite": "printf('%%064d', i)"}
    vendor = connection.vendor
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE one(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM one WHERE i < %s)
            INSERT INTO newsletter_member
                (uid, email, address, address_hash, language, created_at, confirmed_at)
            SELECT {uid[vendor]}, 'persona' || i || '@posta.example',
                'persona' || i || '@posta.example', {number[vendor]},
                CASE WHEN i %% 3 = 0 THEN 'en' ELSE 'it' END,
                CURRENT_TIMESTAMP, CURRENT_TIMESTAMP
            FROM one
            """,
            [members],
        )
        cursor.execute("CREATE TEMPORARY TABLE choice (position integer PRIMARY KEY, pk bigint)")
        cursor.executemany("INSERT INTO choice VALUES (%s, %s)", list(enumerate(choices)))
        cursor.execute(
            """
            INSERT INTO newsletter_subscription
                (member_id, newsletter_id, selection_id, state, created_at, paused_until)
            SELECT newsletter_member.id, %s, choice.pk, 'active', CURRENT_TIMESTAMP,
                CASE WHEN newsletter_member.id %% 100 = 0 THEN '2100-01-01 00:00:00'::timestamptz
                END
            FROM newsletter_member JOIN choice ON choice.position = newsletter_member.id %% %s
            """.replace("::timestamptz", "::timestamptz" if vendor == "postgresql" else ""),
            [Newsletter.objects.get().pk, len(choices)],
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def write_bare_rows(members: int) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bare")
        cursor.execute(
            "CREATE TABLE bare (digest_id bigint, member_id bigint, variant_id bigint,"
            " state varchar(12), reason varchar(12), attempts smallint, changed_at varchar(30))"
        )
        cursor.execute(
            """
            INSERT INTO bare SELECT 1, id, 1, 'pending', '', 0, '2026-01-01 00:00:00'
            FROM newsletter_member WHERE id <= %s
            """,
            [members],
        )


def variants(digest_id: int) -> int:
    from newsletter.digests.models import Variant

    return Variant.objects.filter(digest_id=digest_id).count()


if __name__ == "__main__":
    main()
