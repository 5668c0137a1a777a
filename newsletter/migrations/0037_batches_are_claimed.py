from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models


def settle_what_was_in_hand(apps: Any, _schema_editor: Any) -> None:
    """Rows of a claimed batch are pending now; of those once noted as begun nobody knows.

    What was pending in one already was not its sender's, and must not be taken for it.
    """
    deliveries = apps.get_model("newsletter", "Delivery").objects
    batches = apps.get_model("newsletter", "Batch").objects
    for batch in batches.filter(state="claimed"):
        deliveries.filter(
            digest=batch.digest_id, pk__range=(batch.first_id, batch.last_id), state="pending"
        ).update(state="deferred", next_attempt_at=models.F("changed_at"))
    deliveries.filter(state="claimed").update(state="pending")
    deliveries.filter(state="data").update(state="uncertain", reason="vanished")


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("newsletter", "0036_wanted_in_the_background"),
    ]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="delivery",
            name="state",
            field=models.CharField(
                choices=[
                    ("pending", "Waiting"),
                    ("sent", "Sent"),
                    ("deferred", "To be tried again"),
                    ("failed", "Refused"),
                    ("uncertain", "Uncertain"),
                    ("skipped", "Not sent"),
                ],
                default="pending",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.RunPython(settle_what_was_in_hand, migrations.RunPython.noop),
    ]
