"""Brings the database up to date before anything looks into it."""

from __future__ import annotations

from pathlib import Path

from django.core.management import call_command
from django.db import connection


def migrate() -> None:
    """Safe to interrupt at any moment: the next start goes on, or begins again.

    Django commits a migration's tables before it notes the migration as applied; killed between
    the two, it fails for ever with "table already exists". An upgrade has a short such moment, but
    a new SQLite database would spend seconds in it: it is made aside and put in its place whole.
    """
    place = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or place.exists():
        _migrate()
        return
    aside = place.with_name(f"{place.name}.new")
    for left_over in place.parent.glob(f"{aside.name}*"):
        left_over.unlink()
    connection.close()
    connection.settings_dict["NAME"] = str(aside)
    try:
        _migrate()
    finally:
        # Closing the last connection folds the write-ahead log into the file.
        connection.close()
        connection.settings_dict["NAME"] = str(place)
    aside.rename(place)


def _migrate() -> None:
    call_command("migrate", interactive=False, verbosity=0)
