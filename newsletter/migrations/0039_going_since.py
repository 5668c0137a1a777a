"""When an issue was last set going, apart from when it first went out."""

from django.db import migrations, models
from django.db.models import F
from django.db.models.functions import Coalesce


def take_over(apps, schema_editor):
    """Of what is being sent: a retry began at its `sent_at`, all else at its `sending_at`."""
    digests = apps.get_model("newsletter", "Digest").objects
    digests.filter(status__in=["sending", "held"]).update(
        going_since=Coalesce(F("sent_at"), F("sending_at"))
    )
    # Left by a pause that came with the very last mail.
    digests.filter(status="sent").update(paused_at=None)


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0038_called_off_retries"),
    ]

    operations = [
        migrations.AddField(
            model_name="digest",
            name="going_since",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="digest",
            name="rested_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.RunPython(take_over, migrations.RunPython.noop),
    ]
