"""An urgent notice goes out on two people's word, whichever way they give it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.models import WorkflowState

from newsletter.digests.models import Digest
from tests.admin.conftest import client_for
from tests.admin.test_digests import approve, form_data, url
from tests.builders import make_article, make_digest, make_member, make_newsletter

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
    assert "a second person approves it too" in approve(moderator, urgent)
    assert "Approved by moderator: a second person" in approve(moderator, urgent)
    assert not urgent.is_frozen
    approve(client_for("superuser"), urgent)
    assert urgent.is_frozen
    history = moderator.get(reverse("newsletter_digests:history", args=[urgent.pk]))
    assert "Approved it first, of two people" in history.content.decode()


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


def test_the_operator_at_the_server_has_the_last_word(urgent: Digest) -> None:
    call_command("approve_digest", str(urgent.pk))
    urgent.refresh_from_db()
    assert urgent.is_frozen


def test_one_person_is_enough_for_any_other_issue(moderator: Client) -> None:
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    digest = make_digest(make_newsletter(), articles=[make_article("Uno")], slot=slot)
    approve(moderator, digest)
    assert digest.is_frozen
