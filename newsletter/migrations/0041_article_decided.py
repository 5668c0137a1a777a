"""A decision is found by its moment, to undo it."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0040_changes_are_announced"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name="article",
            index=models.Index(
                condition=models.Q(("triaged_at__isnull", False)),
                fields=["triaged_at"],
                name="article_decided",
            ),
        ),
    ]
