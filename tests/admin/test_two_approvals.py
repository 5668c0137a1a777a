"""Nobody's, one or two people's word, as the newsletter asks; an urgent notice always wants two."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import WorkflowState

from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.unapproved import drafts_to_send_unapproved, hold_unapproved
from tests.admin.conftest import client_for
from tests.admin.test_digests import approve, form_data, url
from tests.admin.test_settings_screens import NEWSLETTER
from tests.builders import make_article, make_digest, make_member, make_newsletter, make_theme
from tests.digests.blocks import put, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def urgent() -> Digest:
    newsletter = make_newsletter(kind="urgent", frequency="manual")
    make_member(newsletter=newsletter)
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=[make_article("Sciopero venerdì")], slot=slot)


def test_it_is_approved_by_the_second_person_not_by_the_first_twice(
    moderator: Client, urgent: Digest
) -> None:
    assert "a second person has to give theirs" in approve(moderator, urgent)
    assert "Approved by moderator: a second person" in approve(moderator, urgent)
    assert not urgent.is_frozen
    approve(client_for("superuser"), urgent)
    assert urgent.is_frozen
    history = moderator.get(reverse("newsletter_digests:history", args=[urgent.pk]))
    assert "Approved it first, of two people" in history.content.decode()


def test_who_approved_first_is_led_on_and_the_second_is_told_who_it_was(
    moderator: Client, urgent: Digest
) -> None:
    home = reverse("wagtailadmin_home")
    approve(moderator, urgent)
    assert "Check and approve" not in moderator.get(home).content.decode()
    overview = moderator.get(url("overview", urgent)).content.decode()
    assert "Approve for sending" not in overview
    second = client_for("superuser")
    said = second.get(home).content.decode()
    assert "moderator approved Ogni settimana N. 1. A second person has to approve it" in said
    assert "Check and approve" in said
    assert "Approve for sending" in second.get(url("overview", urgent)).content.decode()


def test_a_new_notice_is_empty_until_somebody_writes_it(moderator: Client) -> None:
    make_article("Di ieri")
    newsletter = make_newsletter("Avvisi urgenti", kind="urgent", frequency="manual")
    make_member(newsletter=newsletter)
    moderator.post(reverse("newsletter_digests:add"), {"newsletter": newsletter.pk})
    notice = Digest.objects.get()
    page = moderator.get(url("overview", notice)).content.decode()
    assert "Nothing is in it yet: write what has happened." in page
    assert "say what has happened" in page
    moderator.post(url("action", notice, "approve"))
    notice.refresh_from_db()
    assert notice.first_approved_by is None
    put(notice, text("<p>Lo sciopero è revocato.</p>"))
    assert (
        "everybody gets what you wrote" in moderator.get(url("overview", notice)).content.decode()
    )


def test_a_change_between_the_two_asks_for_both_again(
    editor: Client, moderator: Client, urgent: Digest
) -> None:
    approve(moderator, urgent)
    editor.post(url("edit", urgent), form_data(urgent, subject="Sciopero revocato"))
    page = moderator.get(url("overview", urgent)).content.decode()
    assert "Changed since moderator approved it" in page
    second = client_for("superuser")
    approve(second, urgent)
    assert not urgent.is_frozen
    approve(moderator, urgent)
    assert urgent.is_frozen


def test_other_addressees_ask_for_both_again_and_stand_in_the_history(
    editor: Client, moderator: Client, urgent: Digest
) -> None:
    make_member(newsletter=urgent.newsletter, themes=["Clima"])
    theme = make_theme("Pensioni")
    approve(moderator, urgent)
    assert "Only who chose one of these themes" in editor.get(url("edit", urgent)).content.decode()
    same = form_data(urgent, subject=urgent.subject)
    editor.post(url("edit", urgent), same | {"to_themes": [theme.pk]})
    page = moderator.get(url("overview", urgent)).content.decode()
    assert "Changed since moderator approved it" in page
    assert "addressed to 1 of 2 subscribed readers: those who chose Pensioni" in page
    approve(client_for("superuser"), urgent)
    assert not urgent.is_frozen
    approve(moderator, urgent)
    assert urgent.content["addressees"]["theme_names"] == ["Pensioni"]
    assert (
        "Addressed only to those who chose Pensioni"
        in moderator.get(url("overview", urgent)).content.decode()
    )
    history = moderator.get(reverse("newsletter_digests:history", args=[urgent.pk]))
    assert "Changed whom it is addressed to" in history.content.decode()


def test_from_the_editor_the_first_word_keeps_what_was_typed(
    moderator: Client, urgent: Digest
) -> None:
    typed = form_data(urgent, subject="Sciopero confermato", **{"action-publish": "1"})
    moderator.post(url("edit", urgent), typed)
    urgent.refresh_from_db()
    assert (urgent.live, urgent.is_frozen) == (False, False)
    assert urgent.get_latest_revision_as_object().subject == "Sciopero confermato"
    second = client_for("superuser")
    second.post(url("edit", urgent), typed)
    urgent.refresh_from_db()
    assert urgent.is_frozen
    assert urgent.content["subject"] == "Sciopero confermato"


def test_the_workflow_waits_for_the_second_person(
    editor: Client, moderator: Client, urgent: Digest
) -> None:
    editor.post(url("edit", urgent), form_data(urgent, **{"action-submit": "1"}))
    state = WorkflowState.objects.get()
    address = url("workflow_action", urgent, "approve", state.current_task_state.pk)
    moderator.post(address)
    urgent.refresh_from_db()
    state.refresh_from_db()
    assert state.status == WorkflowState.STATUS_IN_PROGRESS
    assert not urgent.is_frozen
    second = client_for("superuser")
    second.post(address)
    urgent.refresh_from_db()
    assert urgent.is_frozen


def test_the_operator_at_the_server_alone_is_not_enough(urgent: Digest) -> None:
    with pytest.raises(CommandError, match="two people"):
        call_command("approve_digest", str(urgent.pk))
    urgent.refresh_from_db()
    assert not urgent.is_frozen


def test_the_operator_may_be_the_second_of_the_same_content(
    moderator: Client, editor: Client, urgent: Digest
) -> None:
    approve(moderator, urgent)
    editor.post(url("edit", urgent), form_data(urgent, subject="Sciopero revocato"))
    with pytest.raises(CommandError, match="two people"):
        call_command("approve_digest", str(urgent.pk))
    approve(moderator, urgent)
    call_command("approve_digest", str(urgent.pk))
    urgent.refresh_from_db()
    assert urgent.is_frozen


def issue(**fields: Any) -> Digest:
    newsletter = make_newsletter(**fields)
    make_member(newsletter=newsletter)
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=[make_article("Uno")], slot=slot)


def test_one_person_is_enough_where_nothing_else_was_chosen(moderator: Client) -> None:
    digest = issue()
    approve(moderator, digest)
    assert digest.is_frozen


def test_any_newsletter_may_ask_two_different_people(moderator: Client) -> None:
    digest = issue(approvals=2)
    assert (
        "Two people have to approve it." in moderator.get(url("overview", digest)).content.decode()
    )
    approve(moderator, digest)
    approve(moderator, digest)
    assert not digest.is_frozen
    approve(client_for("superuser"), digest)
    assert digest.is_frozen


def test_what_wants_two_people_never_goes_by_the_clock(moderator: Client) -> None:
    digest = issue(approvals=2, when_unapproved="send")
    assert drafts_to_send_unapproved(now=digest.slot) == []
    assert hold_unapproved(now=digest.slot) == [digest]


@pytest.mark.parametrize("way", ["page", "edit"])
def test_where_nobody_is_asked_an_editor_schedules_at_once(editor: Client, way: str) -> None:
    digest = issue(approvals=0)
    page = editor.get(url("edit", digest)).content.decode()
    assert "Schedule it" in page
    assert "Submit to" not in page
    if way == "page":
        approve(editor, digest)
    else:
        editor.post(url("edit", digest), form_data(digest, **{"action-publish": "1"}))
    digest.refresh_from_db()
    assert (digest.status, digest.live) == (Digest.Status.APPROVED, True)
    assert digest.approved_by is not None
    assert digest.approved_by.username == "editor"
    editor.post(url("action", digest, "unschedule"))
    digest.refresh_from_db()
    assert digest.status == Digest.Status.DRAFT


def test_an_urgent_notice_asks_two_whatever_was_chosen(editor: Client, moderator: Client) -> None:
    digest = issue(kind="urgent", approvals=0)
    approve(editor, digest)
    approve(moderator, digest)
    assert not digest.is_frozen


def test_two_people_and_sending_unapproved_are_not_chosen_together() -> None:
    superuser = client_for("superuser")
    address = reverse("newsletter_newsletters:add")
    page = superuser.post(address, NEWSLETTER | {"approvals": "2", "when_unapproved": "send"})
    assert "nothing goes without them" in page.content.decode()
    superuser.post(address, NEWSLETTER | {"approvals": "0", "kind": "urgent"})
    assert Newsletter.objects.get().approvals == 2


def test_on_an_italian_site_the_workflow_has_an_italian_name(settings: Any) -> None:
    names = import_module("newsletter.migrations.0025_workflow_names")
    settings.LANGUAGE_CODE = "it"
    names.name_in_the_sites_language(apps, connection.schema_editor())
    workflow = Digest.get_default_workflow()
    assert workflow.name == "Approvazione dei moderatori"
    assert [task.name for task in workflow.tasks] == ["Approvazione dei moderatori"]
