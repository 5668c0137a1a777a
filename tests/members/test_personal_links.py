"""Every page behind a mailed link."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.apps import apps
from django.core import serializers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter.delivery.models import Delivery
from newsletter.digests.models import Digest, Newsletter
from newsletter.exceptions import InvalidMember
from newsletter.members.confirmation import send_confirmations
from newsletter.members.models import (
    AddressChange,
    Consent,
    Lifting,
    Member,
    Subscription,
    Suppression,
)
from newsletter.members.rights import erase
from newsletter.members.signup import add_member
from newsletter.members.subscriptions import selection_for
from newsletter.members.suppression import lift, suppress
from newsletter.members.tokens import ADDRESS, SUBSCRIPTION, make_confirmation, make_token
from newsletter.themes.models import Theme
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter, make_theme
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db
State = Subscription.State

PERSONAL = [
    "",
    "unsubscribe/",
    "unsubscribe/ogni-settimana/",
    "pause/",
    "pause/ogni-settimana/",
    "address/",
    "export.json",
    "export.csv",
    "erase/",
]


def everything() -> str:
    """The plugin's whole database, to see that nothing changed."""
    rows = [
        row
        for model in apps.get_app_config("newsletter").get_models()
        for row in model._base_manager.order_by("pk")
    ]
    return serializers.serialize("json", rows)


def links(member: Member) -> list[str]:
    change = AddressChange.objects.create(
        member=member, email="altra@posta.example", created_at=timezone.now()
    )
    now = timezone.now()
    return [
        *(f"/newsletter/m/{make_token(member.uid)}/{end}" for end in PERSONAL),
        f"/newsletter/confirm/{make_confirmation(member.uid, SUBSCRIPTION, now=now)}/",
        f"/newsletter/address/{make_confirmation(change.uid, ADDRESS, now=now)}/",
        "/newsletter/subscribe/",
        "/newsletter/subscribe/sent/",
    ]


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("pending", [False, True], ids=["active", "pending"])
def test_opening_a_mailed_link_changes_nothing(
    client: Client, member: Member, method: str, pending: bool
) -> None:
    if pending:
        member.subscriptions.update(state=State.PENDING)
    paths = links(member)
    before = everything()
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            answer = getattr(client, method)(path)
        assert answer.status_code == 200, path
        assert not answer.cookies, path
        writes = ("INSERT", "UPDATE", "DELETE", "REPLACE")
        assert not [q["sql"] for q in queries if q["sql"].upper().startswith(writes)], path
    assert everything() == before


@pytest.mark.parametrize("end", PERSONAL)
def test_personal_pages_are_not_cached_indexed_or_told_to_others(
    client: Client, token: str, end: str
) -> None:
    answer = client.get(f"/newsletter/m/{token}/{end}")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert "no-store" in answer.headers["Cache-Control"]
    if not end.startswith("export"):
        assert "anna.verdi" not in answer.content.decode().lower()


@pytest.mark.parametrize("end", PERSONAL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_we_did_not_make_leads_nowhere(
    client: Client, token: str, end: str, method: str
) -> None:
    forged = ("A" if token[0] != "A" else "B") + token[1:]
    answer = getattr(client, method)(f"/newsletter/m/{forged}/{end}")
    assert answer.status_code == 404
    assert "/newsletter/subscribe/" in answer.content.decode()


# --- leaving --------------------------------------------------------------------------------------


def test_one_click_from_a_mail_program(member: Member, token: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    path = f"/newsletter/m/{token}/unsubscribe/ogni-settimana/"
    for _ in range(2):  # mail programs repeat themselves
        answer = strict.post(path, {"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    body = "List-Unsubscribe=One-Click"
    assert strict.post(path, body, "application/x-www-form-urlencoded").status_code == 200
    subscription = member.subscriptions.get()
    assert subscription.state == State.ENDED
    assert subscription.ended_at
    assert Consent.objects.get(event="withdrawn").source == "one-click"


def test_page_and_one_button(client: Client, member: Member, token: str) -> None:
    path = f"/newsletter/m/{token}/unsubscribe/ogni-settimana/"
    assert "<button" in client.get(path).content.decode()
    assert "does not come any more" in _english(client, member, lambda: client.post(path))
    assert member.subscriptions.get().state == State.ENDED


def _english(client: Client, member: Member, act: Callable[[], object]) -> str:
    Member.objects.filter(pk=member.pk).update(language="en")
    return act().content.decode()  # type: ignore[attr-defined]


def test_other_newsletters_stay(client: Client, member: Member, token: str) -> None:
    monthly = make_newsletter("Ogni mese", frequency="monthly")
    member.subscriptions.create(
        newsletter=monthly,
        selection=member.subscriptions.get().selection,
        state=State.ACTIVE,
        created_at=NOW,
    )
    client.post(f"/newsletter/m/{token}/unsubscribe/ogni-settimana/")
    assert member.subscriptions.get(newsletter=monthly).state == State.ACTIVE
    client.post(f"/newsletter/m/{token}/unsubscribe/")
    assert not member.subscriptions.filter(state=State.ACTIVE).exists()


def test_less_mail_instead_of_none(client: Client, member: Member, token: str) -> None:
    monthly = make_newsletter("Ogni mese", frequency="monthly", weekdays=[])
    make_newsletter("Ogni giorno", frequency="daily")
    path = f"/newsletter/m/{token}/unsubscribe/ogni-settimana/"
    page = client.get(path).content.decode()
    assert "Ogni mese" in page
    assert "Ogni giorno" not in page
    themes = member.subscriptions.get().selection
    client.post(path, {"instead": monthly.slug})
    states = dict(member.subscriptions.values_list("newsletter__slug", "state"))
    assert states == {"ogni-settimana": State.ENDED, "ogni-mese": State.ACTIVE}
    assert member.subscriptions.get(newsletter=monthly).selection == themes


def test_an_unconfirmed_address_can_leave_too(client: Client, member: Member, token: str) -> None:
    Member.objects.update(confirmed_at=None)
    client.post(f"/newsletter/m/{token}/unsubscribe/ogni-settimana/")
    assert member.subscriptions.get().state == State.ENDED
    assert client.get(f"/newsletter/m/{token}/").status_code == 404


def test_an_unknown_newsletter_is_404(client: Client, token: str) -> None:
    assert client.get(f"/newsletter/m/{token}/unsubscribe/nessuna/").status_code == 404


# --- choosing -------------------------------------------------------------------------------------


def test_choices_are_said_in_a_sentence(client: Client, member: Member, token: str) -> None:
    page = _english(client, member, lambda: client.get(f"/newsletter/m/{token}/"))
    assert "You receive <b>Ogni settimana</b> every Thursday at 8:00, only about Pensioni." in page


def test_all_themes_ticked_are_saved_and_said_as_all(
    client: Client, member: Member, token: str
) -> None:
    themes = [make_theme("Pensioni").pk, make_theme("Scioperi").pk]
    weekly = member.subscriptions.get().newsletter_id
    choice = {"newsletters": [weekly], "themes": themes, "language": "en"}
    client.post(f"/newsletter/m/{token}/", choice)
    assert member.subscriptions.get().selection.theme_ids == set()
    make_theme("Salute")
    page = client.get(f"/newsletter/m/{token}/").content.decode()
    assert "every Thursday at 8:00, about all themes." in page


def test_who_has_all_of_todays_themes_one_by_one_is_not_read_a_list(
    client: Client, member: Member, token: str
) -> None:
    themes = [make_theme("Pensioni").pk, make_theme("Scioperi").pk]
    member.subscriptions.update(selection=selection_for(themes))
    page = _english(client, member, lambda: client.get(f"/newsletter/m/{token}/"))
    assert "every Thursday at 8:00, about all themes." in page


def test_choices_are_saved(client: Client, member: Member, token: str) -> None:
    monthly = make_newsletter("Ogni mese", frequency="monthly")
    strikes = make_theme("Scioperi")
    answer = client.post(
        f"/newsletter/m/{token}/",
        {"newsletters": [monthly.pk], "themes": [strikes.pk], "language": "en"},
    )
    assert answer.status_code == 303
    states = dict(member.subscriptions.values_list("newsletter__slug", "state"))
    assert states == {"ogni-settimana": State.ENDED, "ogni-mese": State.ACTIVE}
    assert member.subscriptions.get(newsletter=monthly).selection.theme_ids == {strikes.pk}
    member.refresh_from_db()
    assert member.language == "en"
    assert set(Consent.objects.values_list("event", flat=True)) == {"withdrawn", "confirmed"}


def test_changed_themes_leave_their_proof(
    client: Client, member: Member, token: str, weekly: Newsletter
) -> None:
    form = {"newsletters": [weekly.pk], "themes": [make_theme("Scioperi").pk], "language": "it"}
    for _ in range(2):
        client.post(f"/newsletter/m/{token}/", form)
    assert [c.theme_slugs for c in Consent.objects.filter(event="changed")] == [["scioperi"]]


def test_a_newsletter_not_offered_cannot_be_taken(
    client: Client, member: Member, token: str
) -> None:
    internal = make_newsletter("Solo interno", is_public=False)
    answer = client.post(
        f"/newsletter/m/{token}/", {"newsletters": [internal.pk], "language": "it"}
    )
    assert answer.status_code == 400
    assert member.subscriptions.get().state == State.ACTIVE


@pytest.mark.parametrize(("length", "days"), [("2w", 14), ("1m", 30)])
def test_a_pause(client: Client, member: Member, token: str, length: str, days: int) -> None:
    client.post(f"/newsletter/m/{token}/pause/ogni-settimana/", {"length": length})
    until = member.subscriptions.get().paused_until
    assert until
    assert abs(until - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)
    client.post(f"/newsletter/m/{token}/pause/", {"length": "resume"})
    assert member.subscriptions.get().paused_until is None


def test_a_pause_until_a_day(client: Client, member: Member, token: str) -> None:
    path = f"/newsletter/m/{token}/pause/"
    day = timezone.localdate() + timedelta(days=40)
    assert client.post(path, {"length": "until", "until": f"{day}"}).status_code == 303
    until = member.subscriptions.get().paused_until
    assert until
    assert timezone.localtime(until).date() == day
    for wrong in ("", "ieri", "2001-01-01"):
        answer = client.post(path, {"length": "until", "until": wrong})
        assert answer.status_code == 400
        assert "errorlist" in answer.content.decode()


def test_who_chose_only_a_theme_that_is_gone_is_told(
    client: Client, member: Member, token: str
) -> None:
    Theme.objects.all().delete()
    Member.objects.update(language="en")
    page = client.get(f"/newsletter/m/{token}/")
    assert "only about themes that are gone: choose again" in page.content.decode()


# --- another address ------------------------------------------------------------------------------


def test_the_address_changes_from_the_new_mailbox(
    client: Client, member: Member, token: str, real_mail: Mailbox
) -> None:
    client.post(f"/newsletter/m/{token}/address/", {"email": "Nuova@posta.example"})
    send_confirmations(now=timezone.now())
    member.refresh_from_db()
    assert member.email == "Anna.Verdi@posta.example"
    assert not real_mail.of("anna.verdi@posta.example")
    change = AddressChange.objects.get()
    link = f"/newsletter/address/{make_confirmation(change.uid, ADDRESS, now=timezone.now())}/"
    assert link[:30] in real_mail.of("nuova@posta.example")[0].text
    client.get(link)
    member.refresh_from_db()
    assert member.address == "anna.verdi@posta.example"
    assert client.post(link).status_code == 200
    member.refresh_from_db()
    assert member.address == "nuova@posta.example"
    assert client.post(link).status_code == 404, "a link works once"


def move(client: Client, member: Member, token: str) -> None:
    client.post(f"/newsletter/m/{token}/address/", {"email": "nuova@posta.example"})
    send_confirmations(now=timezone.now())
    change = AddressChange.objects.get()
    link = f"/newsletter/address/{make_confirmation(change.uid, ADDRESS, now=timezone.now())}/"
    assert client.post(link).status_code == 200


def test_the_old_mailbox_hears_that_mail_goes_elsewhere(
    client: Client, member: Member, token: str, real_mail: Mailbox
) -> None:
    Newsletter.objects.update(reply_to="redazione@union.example")
    move(client, member, token)
    assert send_confirmations(now=timezone.now()) == 1
    mail = real_mail.of("anna.verdi@posta.example")[-1]
    assert "niente" in mail.text or "nothing more is sent to this address" in mail.text
    assert mail.message["Reply-To"] == "redazione@union.example"
    whole = mail.message.as_string()
    assert "nuova@" not in whole
    assert token not in whole
    assert "http" not in mail.text
    assert send_confirmations(now=timezone.now()) == 0, "once"
    assert not AddressChange.objects.exists(), "the old address is not kept"


def test_an_old_address_that_must_be_left_alone_hears_nothing(
    client: Client, member: Member, token: str, real_mail: Mailbox
) -> None:
    Suppression.objects.create(
        address_hash=member.address_hash, reason="bounce", created_at=timezone.now()
    )
    move(client, member, token)
    assert send_confirmations(now=timezone.now()) == 0
    assert not AddressChange.objects.exists()


def test_one_change_of_address_a_day(
    client: Client, member: Member, token: str, real_mail: Mailbox
) -> None:
    path = f"/newsletter/m/{token}/address/"
    assert client.post(path, {"email": "una@posta.example"}).status_code == 303
    send_confirmations(now=timezone.now())
    assert client.post(path, {"email": "due@posta.example"}).status_code == 400
    send_confirmations(now=timezone.now())
    assert [mail.recipients for mail in real_mail.received] == [("una@posta.example",)]


def test_an_address_that_is_taken_is_told_only_to_its_owner(
    client: Client, member: Member, token: str
) -> None:
    make_member("occupata@posta.example")
    taken = client.post(f"/newsletter/m/{token}/address/", {"email": "occupata@posta.example"})
    assert taken.status_code == 303
    change = AddressChange.objects.get()
    link = f"/newsletter/address/{make_confirmation(change.uid, ADDRESS, now=timezone.now())}/"
    assert client.post(link).status_code == 409


# --- rights ---------------------------------------------------------------------------------------


def make_delivery(member: Member) -> Delivery:
    digest = make_digest(articles=[make_article()])
    variant = digest.variants.create(key="k", language="it", subject="s", html="h", text="t")
    return Delivery.objects.create(digest=digest, member=member, variant=variant, changed_at=NOW)


def test_a_copy_of_everything(client: Client, member: Member, token: str) -> None:
    make_delivery(member)
    client.post(f"/newsletter/m/{token}/unsubscribe/ogni-settimana/")
    data = json.loads(client.get(f"/newsletter/m/{token}/export.json").content)
    assert data["address"] == "Anna.Verdi@posta.example"
    assert data["subscriptions"][0]["newsletter"] == "Ogni settimana"
    assert data["subscriptions"][0]["themes"] == ["Pensioni"]
    assert data["consents"][0]["event"] == "withdrawn"
    assert data["records"]["delivery"][0]["state"] == "pending"
    table = client.get(f"/newsletter/m/{token}/export.csv")
    assert "attachment" in table.headers["Content-Disposition"]
    assert "address,Anna.Verdi@posta.example" in table.content.decode()


def test_a_spreadsheet_finds_no_formulas(client: Client, weekly: Newsletter) -> None:
    member = make_member("=cmd@posta.example", newsletter=weekly)
    table = client.get(f"/newsletter/m/{make_token(member.uid)}/export.csv").content.decode()
    assert "address,'=cmd@posta.example" in table


def test_erasure_leaves_only_a_hash(client: Client, member: Member, token: str) -> None:
    delivery = make_delivery(member)
    Delivery.objects.update(detail="5.1.1 <Anna.Verdi@posta.example> User unknown")
    client.post(f"/newsletter/m/{token}/pause/", {"length": "2w"})
    AddressChange.objects.create(member=member, email="altra.verdi@posta.example", created_at=NOW)
    assert client.post(f"/newsletter/m/{token}/erase/").status_code == 200
    left = everything().lower()
    assert "verdi" not in left
    assert str(member.uid) not in left
    suppression = Suppression.objects.get()
    assert (suppression.address_hash, suppression.reason) == (member.address_hash, "erased")
    delivery.refresh_from_db()
    assert delivery.member is None
    assert Digest.objects.exists()
    erased = Consent.objects.get(event="erased")
    assert (erased.member, erased.address_hash) == (None, member.address_hash)
    assert client.get(f"/newsletter/m/{token}/").status_code == 404
    one_click = client.post(
        f"/newsletter/m/{token}/unsubscribe/ogni-settimana/", {"List-Unsubscribe": "One-Click"}
    )
    assert one_click.status_code == 200


def test_an_import_does_not_bring_an_erased_address_back(
    client: Client, member: Member, token: str, weekly: Newsletter
) -> None:
    client.post(f"/newsletter/m/{token}/erase/")
    with pytest.raises(InvalidMember, match="must not be mailed"):
        add_member("ANNA.verdi@posta.example", [weekly], [], now=NOW)
    assert not Member.objects.exists()


def test_added_members_receive_at_once_and_it_is_recorded(weekly: Newsletter) -> None:
    theme = make_theme("Pensioni")
    for _ in range(2):
        member = add_member("socia@posta.example", [weekly], [theme.pk], now=NOW)
    assert member.confirmed_at == NOW
    assert member.subscriptions.get().state == State.ACTIVE
    assert member.consents.filter(event="imported", source="command").count() == 2


def test_proof_of_consent_is_never_changed_or_deleted(
    client: Client, member: Member, token: str
) -> None:
    client.post(f"/newsletter/m/{token}/unsubscribe/")
    proof = Consent.objects.get()
    proof.text = "altro"
    for act in (
        proof.save,
        proof.delete,
        Consent.objects.all().delete,
        lambda: Consent.objects.update(text="altro"),
        lambda: Consent.objects.bulk_update([proof], ["text"]),
    ):
        with pytest.raises(NotImplementedError):
            act()
    assert Consent.objects.get().text == ""


def test_a_member_is_a_number_in_logs(member: Member) -> None:
    assert "verdi" not in repr(member).lower() + str(member).lower()


@pytest.mark.parametrize(
    ("reason", "said", "may_sign_up"),
    [
        ("bounce", "our mails to this address came back", True),
        ("returned", "our mails to this address came back", True),
        ("complaint", "our mail was reported as spam", True),
        ("manual", "Write to us", False),
    ],
)
def test_who_gets_no_mail_although_they_receive_is_told_why(
    reason: str, said: str, may_sign_up: bool, client: Client, member: Member, token: str
) -> None:
    url = f"/newsletter/m/{token}/"
    Member.objects.filter(pk=member.pk).update(language="en")
    assert "Nothing is sent to you" not in client.get(url).content.decode()
    suppress(member.address_hash, Suppression.Reason(reason), now=NOW)
    shown = client.get(url).content.decode()
    assert said in shown
    assert ("Sign up again and press" in shown) is may_sign_up


def test_erasing_takes_away_what_a_person_wrote_about_a_suppression(
    member: Member, admin_user: object
) -> None:
    suppress(member.address_hash, Suppression.Reason.MANUAL, now=NOW)
    lift(Suppression.objects.get(), by=admin_user, why="Anna called", now=NOW)  # type: ignore[arg-type]
    erase(member, NOW)
    assert Lifting.objects.get().why == ""
