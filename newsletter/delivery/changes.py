"""Whether anything changed that must keep a mail back, asked before each of them.

To look at the digest, the member and the batch for each mail costs more than the mail. So a sender
looks at a batch of them at once, and then asks only whether anything changed since: SQLite counts
the commits of others (`PRAGMA data_version`) and the rows that we changed, and on PostgreSQL
triggers announce the changes that matter (`NOTIFY`, migration 0040).
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, connection, connections

from newsletter.delivery.ledger import is_pooled

_CHANNEL = "newsletter_changes"
# PostgreSQL has an announcement under way before the change's author hears that it is saved; it is
# here when the server's process for this connection gets its turn. On a busy machine that may take
# a while, but the answer to any question brings all that was announced before it was asked.
_ASK_SECONDS = 0.005


class Changes:
    """What one sender hears of; it belongs to one thread, as a connection does."""

    def __init__(self) -> None:
        self._database: Any = connections[DEFAULT_DB_ALIAS]  # looked up once: asked for each mail
        self._watched: Any = None  # the connection that was told to listen, on PostgreSQL
        self._heard = 0  # announcements
        self._asked_at = 0.0
        self._own = 0  # rows
        self._seen: object | None = None

    def watch(self) -> None:
        """Before a look: `is_quiet` tells what changed since."""
        self._seen = self._version(asks=False)

    def is_quiet(self) -> bool:
        """Nothing changed since `watch`; False also where that cannot be told."""
        return self._seen is not None and self._seen == self._version(asks=True)

    def made(self, rows: int) -> None:
        """So many were changed by this sender a moment ago, which is no news to it."""
        self._own += rows
        self._asked_at = time.monotonic()  # the answer brought what was announced before

    def end(self) -> None:
        """Nobody listens any more."""
        if self._watched is not None and self._watched is connection.connection:
            self._watched.remove_notify_handler(self._hear)
            # A connection that is broken listens no more.
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute(f"UNLISTEN {_CHANNEL}")
        self._watched = None

    def _version(self, *, asks: bool) -> object | None:
        """None where it cannot be told, so that each mail is looked at by itself."""
        database = self._database
        if database.connection is None:
            database.ensure_connection()
        if database.vendor == "sqlite":
            raw = database.connection
            by_others = raw.execute("PRAGMA data_version").fetchone()[0]
            return by_others, raw.total_changes - self._own
        # In a transaction nothing is announced, and a pooler gives the connection that listens to
        # somebody else.
        if database.vendor != "postgresql" or database.in_atomic_block or is_pooled(database):
            return None
        if self._watched is not database.connection:
            if asks:
                return None  # a new connection has missed what was announced before
            self._listen(database)
        return self._announcements(asks=asks)

    def _listen(self, database: Any) -> None:
        with database.cursor() as cursor:
            cursor.execute(f"LISTEN {_CHANNEL}")
        self._watched = database.connection
        self._watched.add_notify_handler(self._hear)

    def _announcements(self, *, asks: bool) -> int | None:
        """How many there were; asked of libpq itself, for a tenth of what a cursor costs."""
        import psycopg  # nobody on SQLite needs it

        wire = self._watched.pgconn
        try:
            if asks and time.monotonic() - self._asked_at > _ASK_SECONDS:
                self._asked_at = time.monotonic()
                if not wire.exec_(b"SELECT 1").ntuples:
                    return None
            wire.consume_input()
        except psycopg.Error:
            return None  # whoever looks at the mail itself meets the same error, and tells
        while wire.notifies() is not None:
            self._heard += 1
        return self._heard

    def _hear(self, _announcement: Any) -> None:
        """What psycopg found on its own way through an answer."""
        self._heard += 1
