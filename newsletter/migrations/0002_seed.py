"""Who may do what, and the workflow by which editors propose a digest.

Permissions are made here, not left to `post_migrate`: that runs after the last migration, and
the groups need them now. Django finds them by codename and adds nothing twice.
"""

from typing import Any

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

EDITORS = {
    "article": ["view", "change", "triage"],
    "feed": ["view"],
    "theme": ["view"],
    "newsletter": ["view"],
    "digest": ["view", "add", "change", "send_test"],
    "delivery": ["view"],
}
MODERATORS = {
    "article": ["view", "change", "triage"],
    "feed": ["view", "add", "change", "delete"],
    "theme": ["view", "add", "change", "delete"],
    "newsletter": ["view", "add", "change"],
    "digest": ["view", "add", "change", "send_test", "publish", "approve", "lock", "unlock"],
    "delivery": ["view", "change"],
    "member": ["view"],
    "suppression": ["view", "add", "delete"],
}
GROUPS = {"Editors": EDITORS, "Moderators": MODERATORS}


def permissions_for(apps: Apps, alias: str, granted: dict[str, list[str]]) -> list[Any]:
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
    permissions = apps.get_model("auth", "Permission").objects.using(alias)
    found = []
    for model, actions in granted.items():
        content_type, _ = content_types.get_or_create(app_label="newsletter", model=model)
        for action in actions:
            permission, _ = permissions.get_or_create(
                content_type=content_type,
                codename=f"{action}_{model}",
                defaults={"name": f"Can {action.replace('_', ' ')} {model}"},
            )
            found.append(permission)
    return found


def seed(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    alias = schema_editor.connection.alias
    for name, granted in GROUPS.items():
        group, _ = apps.get_model("auth", "Group").objects.using(alias).get_or_create(name=name)
        group.permissions.add(*permissions_for(apps, alias, granted))
        # A site that deleted Wagtail's own groups gets them back able to enter the admin.
        group.permissions.add(
            *apps.get_model("auth", "Permission")
            .objects.using(alias)
            .filter(content_type__app_label="wagtailadmin", codename="access_admin")
        )
    propose_by_workflow(apps, alias)


def propose_by_workflow(apps: Apps, alias: str) -> None:
    """Links digests to the workflow that ends at the moderators; makes one if the site has none.

    A snippet has no workflow until a WorkflowContentType row says which.
    """
    content_type, _ = (
        apps.get_model("contenttypes", "ContentType")
        .objects.using(alias)
        .get_or_create(app_label="newsletter", model="digest")
    )
    links = apps.get_model("wagtailcore", "WorkflowContentType").objects.using(alias)
    if links.filter(content_type=content_type).exists():
        return
    workflows = apps.get_model("wagtailcore", "Workflow").objects.using(alias)
    tasks = apps.get_model("wagtailcore", "GroupApprovalTask").objects.using(alias)
    moderators = apps.get_model("auth", "Group").objects.using(alias).get(name="Moderators")
    # By its task, not its name: Wagtail names the workflow in the language of the site.
    task = tasks.filter(active=True, groups=moderators).order_by("pk").first()
    workflow = (
        workflows.filter(active=True, workflow_tasks__task_id=task.pk).order_by("pk").first()
        if task
        else None
    )
    if workflow is None:
        if task is None:
            task_type, _ = (
                apps.get_model("contenttypes", "ContentType")
                .objects.using(alias)
                .get_or_create(app_label="wagtailcore", model="groupapprovaltask")
            )
            task = tasks.create(name="Moderators approval", active=True, content_type=task_type)
            task.groups.add(moderators)
        workflow = workflows.create(name="Moderators approval", active=True)
        apps.get_model("wagtailcore", "WorkflowTask").objects.using(alias).create(
            workflow=workflow, task_id=task.pk, sort_order=0
        )
    links.create(content_type=content_type, workflow=workflow)


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0001_initial"),
        ("wagtailadmin", "0001_create_admin_access_permissions"),
        ("wagtailcore", "0083_workflowcontenttype"),
    ]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
