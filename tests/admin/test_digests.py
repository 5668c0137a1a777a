"""Editing, approving and sending a digest from the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.models import WorkflowState
from wagtail.test.utils.form_data import inline_formset, nested_form_data, streamfield

from newsletter.articles.models import Article
from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest, DigestItem, Newsletter
from newsletter.digests.schedule import next_slot
from newsletter.exceptions import DigestNotReady
from tests.admin.conftest import client_for
from tests.builders import make_article, make_digest, make_member, make_newsletter, make_theme
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def digest() -> Digest:
    newsletter = make_newsletter()
    make_member("lettrice@posta.example", newsletter=newsletter)
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=[make_article("Il contratto è firmato")], slot=slot)


def url(name: str, digest: Digest, *more: Any) -> str:
    return reverse(f"newsletter_digests:{name}", args=[digest.pk, *more])


def form_data(digest: Digest, *, subject: str = "Oggetto nuovo", **more: Any) -> dict[str, Any]:
    draft = Digest.objects.get(pk=digest.pk).get_latest_revision_as_object()
    items = [
        {
            "id": item.pk,
            "article": item.article_id,
            "is_lead": item.is_lead,
            "pinned": item.pinned,
            "deferred": item.deferred,
            "theme": item.theme_id or "",
            "title": item.title,
            "excerpt": item.excerpt,
            "note": item.note,
        }
        for item in draft.items.all()
    ]
    return (
        nested_form_data(
            {
                "subject": subject,
                "preheader": "",
                "introduction": "",
                "opening": streamfield([]),
                "closing": streamfield([]),
                "slot": timezone.localtime(draft.slot).strftime("%Y-%m-%d %H:%M:%S"),
                "items": inline_formset(items, initial=len(items)),
            }
        )
        | more
    )


def approve(client: Client, digest: Digest) -> str:
    response = client.post(url("action", digest, "approve"), follow=True)
    digest.refresh_from_db()
    return response.content.decode()


def test_editor_changes_the_draft_and_only_a_moderator_sees_the_approve_button(
    editor: Client, moderator: Client, digest: Digest
) -> None:
    page = editor.get(url("edit", digest)).content.decode()
    assert "action-publish" not in page
    assert "Submit to Moderators approval" in page
    assert "Approve for sending" in moderator.get(url("edit", digest)).content.decode()
    response = editor.post(url("edit", digest), form_data(digest))
    assert response.status_code == 302
    digest.refresh_from_db()
    assert digest.get_latest_revision_as_object().subject == "Oggetto nuovo"
    assert digest.status == Digest.Status.DRAFT


def test_publishing_from_the_editor_approves_what_was_just_written(
    moderator: Client, digest: Digest
) -> None:
    response = moderator.post(
        url("edit", digest), form_data(digest, **{"action-publish": "1"}), follow=True
    )
    digest.refresh_from_db()
    assert response.redirect_chain[-1][0] == url("overview", digest)
    assert digest.status == Digest.Status.APPROVED
    assert digest.content["subject"] == "Oggetto nuovo"
    assert digest.approved_by == get_user_model().objects.get(username="moderator")
    assert digest.live
    assert Delivery.objects.filter(digest=digest, state=Delivery.State.PENDING).count() == 1


def test_editor_cannot_publish_by_sending_the_buttons_name(editor: Client, digest: Digest) -> None:
    editor.post(url("edit", digest), form_data(digest, **{"action-publish": "1"}))
    digest.refresh_from_db()
    assert (digest.status, digest.live) == (Digest.Status.DRAFT, False)


def test_editor_proposes_and_the_moderators_approval_freezes_the_digest(
    editor: Client, moderator: Client, digest: Digest
) -> None:
    editor.post(url("edit", digest), form_data(digest, **{"action-submit": "1"}))
    state = WorkflowState.objects.get()
    assert state.status == WorkflowState.STATUS_IN_PROGRESS
    menu = moderator.get(url("edit", digest)).content.decode()
    assert menu.count("Approve for sending") == 1
    assert "and Publish" not in menu
    moderator.post(url("workflow_action", digest, "approve", state.current_task_state.pk))
    digest.refresh_from_db()
    state.refresh_from_db()
    assert state.status == WorkflowState.STATUS_APPROVED
    assert digest.status == Digest.Status.APPROVED
    assert digest.approved_by == get_user_model().objects.get(username="moderator")


@pytest.mark.parametrize("way", ["edit", "workflow", "page"])
def test_a_digest_that_cannot_be_approved_says_why_and_does_not_look_published(
    way: str, editor: Client, moderator: Client, digest: Digest
) -> None:
    draft = digest.get_latest_revision_as_object()
    draft.items = []
    draft.save_revision()
    if way == "edit":
        response = moderator.post(
            url("edit", digest), form_data(digest, **{"action-publish": "1"}), follow=True
        )
    elif way == "page":
        response = moderator.post(url("action", digest, "approve"), follow=True)
    else:
        editor.post(url("edit", digest), form_data(digest, **{"action-submit": "1"}))
        task = WorkflowState.objects.get().current_task_state
        response = moderator.post(url("workflow_action", digest, "approve", task.pk), follow=True)
        state = WorkflowState.objects.get()
        assert state.status == WorkflowState.STATUS_IN_PROGRESS
    assert "has no articles" in response.content.decode()
    digest.refresh_from_db()
    assert (digest.live, digest.live_revision, digest.is_frozen) == (False, None, False)
    assert digest.status == Digest.Status.DRAFT


def test_publishing_by_a_script_leaves_no_published_looking_digest_either(digest: Digest) -> None:
    digest.items = []
    digest.save()
    revision = digest.save_revision()
    with pytest.raises(DigestNotReady):
        revision.publish()
    digest.refresh_from_db()
    assert (digest.live, digest.is_frozen) == (False, False)


def test_an_approved_digest_can_no_longer_be_edited(moderator: Client, digest: Digest) -> None:
    page = approve(moderator, digest)
    assert "Approved, for 1 reader." in page
    frozen = digest.content
    assert moderator.get(url("edit", digest)).status_code == 302
    page = moderator.post(url("edit", digest), form_data(digest), follow=True).content.decode()
    assert "its content can no longer change" in page
    autosave = moderator.post(
        url("edit", digest), form_data(digest), headers={"accept": "application/json"}
    )
    assert autosave.status_code == 400
    digest.refresh_from_db()
    assert digest.content == frozen
    assert digest.get_latest_revision_as_object().subject == "Le notizie della settimana"


def test_a_save_that_began_before_the_approval_does_not_undo_it(
    editor: Client, moderator: Client, digest: Digest
) -> None:
    """Wagtail runs this hook when the editor's request has read the draft and not yet saved."""

    def approved_in_between(request: Any, instance: Any) -> None:
        approve(moderator, digest)

    with hooks.register_temporarily("before_edit_snippet", approved_in_between):
        page = editor.post(url("edit", digest), form_data(digest, subject="Troppo tardi"))
    digest.refresh_from_db()
    assert "its content can no longer change" in page.content.decode()
    assert digest.status == Digest.Status.APPROVED
    assert digest.subject == "Le notizie della settimana"


def test_approval_twice_and_by_two_ways_freezes_once(moderator: Client, digest: Digest) -> None:
    approve(moderator, digest)
    at = digest.approved_at
    approve(moderator, digest)
    assert digest.approved_at == at
    assert Delivery.objects.count() == 1


def test_an_editor_cannot_approve_pause_or_cancel(editor: Client, digest: Digest) -> None:
    for action in ("approve", "pause", "cancel", "send-now", "resume"):
        editor.post(url("action", digest, action))
    digest.refresh_from_db()
    assert (digest.status, digest.paused_at) == (Digest.Status.DRAFT, None)


def test_a_digest_is_paused_resumed_and_cancelled(moderator: Client, digest: Digest) -> None:
    approve(moderator, digest)
    moderator.post(url("action", digest, "pause"))
    digest.refresh_from_db()
    assert digest.paused_at
    assert "Resume" in moderator.get(url("overview", digest)).content.decode()
    moderator.post(url("action", digest, "resume"))
    digest.refresh_from_db()
    assert digest.paused_at is None
    moderator.post(url("action", digest, "cancel"))
    digest.refresh_from_db()
    assert digest.status == Digest.Status.CANCELLED


def test_the_page_tells_who_gets_it_and_who_does_not(moderator: Client, digest: Digest) -> None:
    make_member(newsletter=digest.newsletter, themes=["Pensioni"])
    approve(moderator, digest)
    page = moderator.get(url("overview", digest)).content.decode()
    assert "Waiting" in page
    assert "2 subscribed readers" in page
    mail = moderator.get(url("mail", digest) + f"?variant={digest.variants.first().pk}")
    assert "Il contratto è firmato" in mail.content.decode()
    assert "script-src 'none'" in mail["Content-Security-Policy"]
    assert "@posta.example" not in page


@pytest.mark.parametrize(("word", "state"), [("sent", "sent"), ("resend", "pending")])
def test_an_uncertain_delivery_is_settled_by_a_person(
    word: str, state: str, editor: Client, moderator: Client, digest: Digest
) -> None:
    approve(moderator, digest)
    Digest.objects.update(status=Digest.Status.SENDING)
    delivery = Delivery.objects.get()
    Delivery.objects.update(state=Delivery.State.UNCERTAIN, reason=Delivery.Reason.SILENCE)
    assert "did they arrive" in moderator.get(url("overview", digest)).content.decode()
    editor.post(url("resolve", digest, delivery.pk), {"word": word})
    delivery.refresh_from_db()
    assert delivery.state == Delivery.State.UNCERTAIN
    moderator.post(url("resolve", digest, delivery.pk), {"word": word})
    delivery.refresh_from_db()
    assert delivery.state == state


def test_a_test_mail_arrives_and_is_marked(
    editor: Client, digest: Digest, mailbox: Mailbox, settings: Any
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SMTP_URL": mailbox.url}
    page = editor.post(
        url("overview", digest),
        {"addresses": "io@union.example, tu@union.example", "language": "it"},
        follow=True,
    ).content.decode()
    assert "2 tests sent." in page
    assert "Le notizie della settimana" in mailbox.of("io@union.example")[0].subject
    assert "Il contratto è firmato" in mailbox.of("tu@union.example")[0].text
    assert not Delivery.objects.exists()


def test_a_test_mail_without_a_server_or_with_a_bad_address_says_so(
    editor: Client, digest: Digest
) -> None:
    page = editor.post(
        url("overview", digest), {"addresses": "io@union.example", "language": "it"}, follow=True
    ).content.decode()
    assert "The test was not sent" in page
    answer = editor.post(
        url("overview", digest),
        {"addresses": "io@union.example\nBcc: x@y.example", "language": "it"},
    )
    assert answer.status_code == 422


def test_a_new_digest_is_composed_from_accepted_articles(editor: Client) -> None:
    newsletter = make_newsletter()
    now = timezone.now() - timedelta(minutes=1)
    make_article("Accettata", arrived_at=now, listed_at=now)
    make_article("Ancora da vedere", accepted=False, arrived_at=now, listed_at=now)
    response = editor.post(
        reverse("newsletter_digests:add"), {"newsletter": newsletter.pk, "slot": ""}
    )
    digest = Digest.objects.get()
    assert response["Location"] == url("edit", digest)
    assert [item.article.title for item in digest.items.all()] == ["Accettata"]
    page = editor.get(url("edit", digest)).content.decode()
    assert "Accettata" in page


def test_a_new_digest_is_offered_for_the_newsletter_that_is_next(editor: Client) -> None:
    make_newsletter("Avvisi urgenti", kind=Newsletter.Kind.URGENT, frequency="manual")
    today = timezone.now().weekday()
    later = make_newsletter("Fra quattro giorni", weekdays=[(today + 4) % 7])
    sooner = make_newsletter("Fra due giorni", weekdays=[(today + 2) % 7])

    def offered() -> int:
        page = editor.get(reverse("newsletter_digests:add"))
        return int(page.context["form"]["newsletter"].value())

    assert offered() == sooner.pk
    make_digest(sooner, slot=next_slot(sooner, timezone.now()))
    assert offered() == later.pk


def test_two_issues_of_a_newsletter_cannot_go_out_at_the_same_moment(
    editor: Client, digest: Digest
) -> None:
    other = make_digest(digest.newsletter, slot=digest.slot + timedelta(days=7))
    data = form_data(other, slot=timezone.localtime(digest.slot).strftime("%Y-%m-%d %H:%M:%S"))
    page = editor.post(url("edit", other), data).content.decode()
    assert "Another issue of this newsletter goes out at that moment." in page


def test_a_digest_that_went_out_cannot_be_deleted(digest: Digest) -> None:
    superuser = client_for("superuser")
    approve(superuser, digest)
    superuser.post(url("delete", digest))
    assert Digest.objects.filter(pk=digest.pk).exists()


@pytest.mark.parametrize("mode", ["mail", "text", "web"])
def test_the_preview_shows_the_real_mail_with_what_is_being_typed(
    mode: str, editor: Client, digest: Digest
) -> None:
    preview = url("preview_on_edit", digest)
    assert editor.post(preview, form_data(digest, subject="Appena scritto")).json()["is_valid"]
    shown = editor.get(f"{preview}?mode={mode}").content.decode()
    assert "Il contratto è firmato" in shown
    digest.refresh_from_db()
    assert digest.subject == "Le notizie della settimana"


def test_the_chooser_offers_accepted_articles_only(editor: Client) -> None:
    make_article("Accettata")
    make_article("Rifiutata", state="rejected")
    shown = editor.get(reverse("newsletter_article_chooser:choose_results")).content.decode()
    assert "Accettata" in shown
    assert "Rifiutata" not in shown


def test_any_accepted_article_is_found_by_a_word_of_its_text(editor: Client) -> None:
    make_article("Il contratto", body="Si parla di assorbimento del superminimo.")
    make_article("Le pensioni")
    address = reverse("newsletter_article_chooser:choose_results")
    shown = editor.get(address + "?q=superminimo").content.decode()
    assert "Il contratto" in shown
    assert "Le pensioni" not in shown


def test_history_tells_who_approved_and_who_cancelled(moderator: Client, digest: Digest) -> None:
    approve(moderator, digest)
    moderator.post(url("action", digest, "cancel"))
    history = moderator.get(url("history", digest)).content.decode()
    assert "Approved for sending" in history
    assert "Cancelled" in history


def test_an_article_added_by_hand_stands_under_its_strongest_theme(
    editor: Client, digest: Digest
) -> None:
    added = make_article("La pensione anticipata", themes=["Pensioni"])
    draft = digest.get_latest_revision_as_object()
    draft.items = [*draft.items.all(), DigestItem(article=added, sort_order=9)]
    draft.save_revision()
    mail = editor.get(url("mail", digest)).content.decode()
    assert mail.index("Pensioni") < mail.rindex("La pensione anticipata")


def test_the_section_an_editor_chose_stays(editor: Client, digest: Digest) -> None:
    added = make_article("La pensione anticipata", themes=["Pensioni"])
    draft = digest.get_latest_revision_as_object()
    chosen = make_theme("Formazione")
    draft.items = [DigestItem(article=added, theme=chosen, sort_order=0)]
    draft.save_revision()
    mail = editor.get(url("mail", digest)).content.decode()
    assert "Formazione" in mail
    assert "Pensioni" not in mail


def test_cancelling_for_good_asks_once_more(moderator: Client, digest: Digest) -> None:
    page = approve(moderator, digest)
    asked = page[page.index("desk-confirm") :]
    assert asked.index("Cancel for good") < asked.index("This cannot be undone.")
    assert asked.index("This cannot be undone.") < asked.index("Yes, cancel it")


def test_a_scheduled_issue_is_not_told_as_one_that_nobody_got(
    moderator: Client, digest: Digest
) -> None:
    make_member(newsletter=digest.newsletter)
    approve(moderator, digest)
    page = moderator.get(url("overview", digest)).content.decode()
    assert "Nothing went out yet: it is ready for 2 of 2 subscribed readers." in page
    assert "<progress" not in page
    assert "Who did not get it" not in page
    Digest.objects.update(status=Digest.Status.SENDING, sending_at=timezone.now())
    page = moderator.get(url("overview", digest)).content.decode()
    assert "0 sent, of 2 subscribed readers." in page
    assert "<progress" in page


def test_what_each_reader_gets_is_folded_when_it_is_long(moderator: Client) -> None:
    newsletter = make_newsletter()
    make_member("lettrice@posta.example", newsletter=newsletter)
    titles = [f"Notizia {number}" for number in range(5)]
    slot = timezone.now() + timedelta(hours=3)
    digest = make_digest(newsletter, articles=[make_article(one) for one in titles], slot=slot)
    page = approve(moderator, digest)
    table = page[page.index('desk-variants">') :]
    assert "<summary>5 articles</summary>" in table
    assert all(f"<li>{title}</li>" in table for title in titles)


def test_an_article_its_publisher_withdrew_is_named_as_left_out(moderator: Client) -> None:
    article = make_article("Comunicato ritirato")
    digest = make_digest(articles=[article, make_article("Rimane")])
    Article.objects.filter(pk=article.pk).update(state=Article.State.WITHDRAWN)
    page = moderator.get(url("overview", digest)).content.decode()
    assert "the publisher withdrew it: Comunicato ritirato" in page


def test_a_stopped_issue_asks_for_approval_again_and_says_so(
    editor: Client, moderator: Client, digest: Digest
) -> None:
    approve(moderator, digest)
    editor.post(url("action", digest, "unschedule"))
    digest.refresh_from_db()
    assert digest.is_frozen
    assert "Stop it: back to a draft" in moderator.get(url("overview", digest)).content.decode()
    moderator.post(url("action", digest, "unschedule"))
    editor.post(url("edit", digest), form_data(digest, subject="Corretto"))
    page = editor.get(url("edit", digest)).content.decode()
    assert "Taken back from sending: it has to be approved again." in page
    digest.refresh_from_db()
    assert not digest.is_frozen
    approve(moderator, digest)
    assert digest.content["subject"] == "Corretto"
    history = moderator.get(url("history", digest)).content.decode()
    assert "Stopped it: a draft again" in history
