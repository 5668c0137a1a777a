"""A million looks at the one digest that the freeze holds anyway take longer than the rows."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0041_article_decided"),
    ]

    operations = [
        migrations.AlterField(
            model_name="exclusion",
            name="digest",
            field=models.ForeignKey(
                db_constraint=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exclusions",
                to="newsletter.digest",
            ),
        ),
    ]
