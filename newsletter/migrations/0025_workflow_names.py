"""The moderators' workflow in the site's language: its name stands on editors' buttons."""

from typing import Any

from django.apps.registry import Apps
from django.conf import settings
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

# As Wagtail and 0002 call workflow and task where nobody chose another name.
ENGLISH = "Moderators approval"
ITALIAN = "Approvazione dei moderatori"


def name_in_the_sites_language(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if not settings.LANGUAGE_CODE.startswith("it"):
        return
    alias = schema_editor.connection.alias

    def rows(model: str) -> Any:
        return apps.get_model("wagtailcore", model).objects.using(alias)

    ours = rows("WorkflowContentType").filter(
        content_type__app_label="newsletter", content_type__model="digest"
    )
    workflows = list(ours.values_list("workflow_id", flat=True))
    tasks = rows("WorkflowTask").filter(workflow__in=workflows).values_list("task_id", flat=True)
    rows("Task").filter(pk__in=list(tasks), name=ENGLISH).update(name=ITALIAN)
    rows("Workflow").filter(pk__in=workflows, name=ENGLISH).update(name=ITALIAN)


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0024_approvals"),
    ]

    operations = [migrations.RunPython(name_in_the_sites_language, migrations.RunPython.noop)]
