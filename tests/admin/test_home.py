"""The first page: one thing to do, what comes next, what is wrong and what to do about it."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.models import Delivery
from newsletter.digests.editors import EditorMail
from newsletter.digests.models import Digest, Variant
from tests.admin.conftest import client_for
from tests.admin.test_digests import approve, form_data, url
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db
HOME = reverse("wagtailadmin_home")
HOUR = timedelta(hours=1)


def card(client: Client) -> str:
    """What the first page says of ours: the next step, and how things stand."""
    html = client.get(HOME).content.decode()
    ours = r'<li class="desk-next">.*?</li>|<div class="desk-card">.*?</section>'
    found = " ".join(re.findall(ours, html, re.DOTALL))
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


def button(client: Client) -> str:
    html = client.get(HOME).content.decode()
    found = re.search(r'<a class="button" href="([^"]+)"', html)
    return found[1] if found else ""


def make_draft(after: timedelta, **fields: Any) -> Digest:
    digest = make_digest(make_newsletter(), articles=[make_article()], slot=timezone.now() + after)
    Digest.objects.filter(pk=digest.pk).update(**fields)
    return digest


def test_first_what_waits_then_the_draft(moderator: Client) -> None:
    digest = make_draft(30 * HOUR)
    article = make_article(accepted=False)
    assert "1 article waits for a yes or a no" in card(moderator)
    assert button(moderator).endswith("?state=new")
    article.delete()
    assert "is composed and should go out on" in card(moderator)
    assert button(moderator) == reverse("newsletter_digests:edit", args=[digest.pk])


def test_the_next_step_stands_before_wagtails_own_numbers_and_search(moderator: Client) -> None:
    make_article(accepted=False)
    html = moderator.get(HOME).content.decode()
    assert html.index('class="desk-next"') < html.index('role="search"')
    assert html.index('class="desk-next"') < html.index('href="/admin/pages/')


def test_a_draft_whose_time_is_near_comes_first(moderator: Client) -> None:
    make_article(accepted=False)
    digest = make_draft(5 * HOUR)
    assert button(moderator) == reverse("newsletter_digests:edit", args=[digest.pk])


def test_a_held_one_says_why(moderator: Client) -> None:
    make_draft(-HOUR, status="held", status_reason="Nobody approved it in time.")
    assert "is held. Nobody approved it in time." in card(moderator)


def test_what_was_proposed_says_so_and_waits_for_the_moderators_alone(
    editor: Client, moderator: Client
) -> None:
    digest = make_draft(30 * HOUR)
    make_member(newsletter=digest.newsletter)
    edit = url("edit", digest)
    assert button(editor) == edit
    editor.post(edit, form_data(digest, **{"action-submit": "1"}))
    for page in (edit, url("overview", digest)):
        said = editor.get(page).content.decode()
        assert "It was proposed: a moderator has to approve it." in said
    assert button(editor) == ""
    assert button(moderator) == edit
    approve(moderator, digest)
    assert "It was proposed" not in editor.get(url("overview", digest)).content.decode()


def test_the_next_send_counts_down_also_before_there_is_a_draft(editor: Client) -> None:
    make_newsletter("Ogni mattina", frequency="daily")
    said = card(editor)
    assert "Nothing to do: what comes next composes itself" in said
    assert re.search(r"\bin (a moment|\d+ (hours?|minutes?|day)).* Ogni mattina,", said)
    make_draft(50 * HOUR + timedelta(minutes=1))
    said = card(editor)
    assert "in 2 days and 2 hours Ogni settimana N. 1," in said
    assert "not approved yet" in said


def test_sending_that_went_wrong_says_what_to_do(moderator: Client) -> None:
    late = make_draft(-HOUR, status="approved", approved_at=timezone.now())
    assert "Ogni settimana N. 1 should have gone out" in card(moderator)
    assert "whether the worker is running" in card(moderator)
    Digest.objects.filter(pk=late.pk).update(paused_at=timezone.now())
    assert "Resume it on its page" in card(moderator)
    Digest.objects.filter(pk=late.pk).update(paused_at=None, status="sent")
    assert "Ogni settimana N. 1 " not in card(moderator)
    variant = Variant.objects.create(
        digest=late, key="k", language="it", subject="S", html="", text=""
    )
    for state in (Delivery.State.UNCERTAIN, Delivery.State.FAILED):
        Delivery.objects.create(
            digest=late, member=make_member(), variant=variant, state=state, changed_at=NOW
        )
    assert "1 delivery is uncertain" in card(moderator)
    assert "1 mail failed for good" in card(moderator)


def test_who_may_not_look_sees_no_card() -> None:
    assert card(client_for("nobody")) == ""


def test_mails_are_switched_off_in_the_account(editor: Client) -> None:
    account = reverse("wagtailadmin_account")
    page = editor.get(account).content.decode()
    assert "newsletter_mail-draft_ready" in page
    assert "newsletter_mail-slot_near" not in page  # only who may approve is reminded
    form = editor.get(account).context
    assert form is not None
    data = {
        name: value
        for name, value in re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page)
        if not name.startswith(("password", "newsletter_mail", "csrf"))
    }
    data |= {"name_email-first_name": "A", "name_email-last_name": "B",
             "name_email-email": "a@union.example", "locale-preferred_language": "",
             "locale-current_time_zone": "", "theme-theme": "system",
             "theme-contrast": "system", "theme-density": "default"}  # fmt: skip
    editor.post(account, data)
    assert EditorMail.objects.get().draft_ready is False
