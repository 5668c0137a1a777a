from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

# What a sender must hear of before its next mail: the model, and when.
WATCHED = (
    ("Member", "AFTER UPDATE OR DELETE", "STATEMENT", ""),
    ("Subscription", "AFTER UPDATE OR DELETE", "STATEMENT", ""),
    ("Suppression", "AFTER INSERT OR UPDATE OR DELETE", "STATEMENT", ""),
    ("Digest", "AFTER UPDATE OF status, paused_at, called_off_at", "STATEMENT", ""),
    # A batch taken back from its sender.
    ("Batch", "AFTER UPDATE OF fence", "ROW", "WHEN (OLD.state = 'claimed')"),
)


def announce_changes(apps: Any, schema_editor: Any) -> None:
    """SQLite keeps count of changes itself."""
    if schema_editor.connection.vendor != "postgresql":
        return
    # `%` stands in no statement: a schema editor hands them over as they are.
    schema_editor.execute(
        """
        CREATE OR REPLACE FUNCTION newsletter_announce_change() RETURNS trigger
        LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_notify('newsletter_changes', ''); RETURN NULL; END $$
        """
    )
    for name, when, each, only in WATCHED:
        table = apps.get_model("newsletter", name)._meta.db_table
        schema_editor.execute(
            f"CREATE TRIGGER newsletter_announce_change {when} ON {table} "
            f"FOR EACH {each} {only} EXECUTE FUNCTION newsletter_announce_change()"
        )


def be_silent(_apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION IF EXISTS newsletter_announce_change() CASCADE")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("newsletter", "0039_going_since"),
    ]

    operations: ClassVar = [migrations.RunPython(announce_changes, be_silent)]
