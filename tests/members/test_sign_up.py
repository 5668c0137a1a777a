"""From the form to the first subscription, through a real mail server."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.digests.models import Newsletter
from newsletter.members.cleanup import delete_unconfirmed
from newsletter.members.confirmation import send_confirmations
from newsletter.members.models import (
    Consent,
    Lifting,
    Member,
    SignupAttempt,
    Subscription,
    Suppression,
)
from newsletter.members.signup import sign_up
from tests.builders import make_member, make_newsletter, make_theme
from tests.django_mail import NOBODY_LISTENS, SMTP, send_through
from tests.servers import Mailbox

pytestmark = pytest.mark.django_db
FORM = "/newsletter/subscribe/"
ADDRESS = "nuova@posta.example"
State = Subscription.State


def ask(client: Client, newsletter: Newsletter, email: str = ADDRESS, **fields: object) -> object:
    return client.post(FORM, {"email": email, "newsletters": [newsletter.pk]} | fields)


def link_in(mailbox: Mailbox, address: str = ADDRESS) -> str:
    links = re.findall(r"http://testserver(\S+)", mailbox.of(address)[-1].text)
    assert len(links) == 1
    return links[0]


def test_the_whole_way(client: Client, weekly: Newsletter, real_mail: Mailbox) -> None:
    theme = make_theme("Pensioni")
    answer = ask(client, weekly, themes=[theme.pk])
    assert answer.status_code == 303
    assert send_confirmations(now=timezone.now()) == 1
    mail = real_mail.of(ADDRESS)[0]
    assert "Ogni settimana" in mail.text
    assert mail.message["Auto-Submitted"] == "auto-generated"

    page = client.get(link_in(real_mail))
    assert "Ogni settimana" in page.content.decode()
    member = Member.objects.get()
    assert member.confirmed_at is None, "opening a link confirms nothing"
    assert member.subscriptions.get().state == State.PENDING

    client.post(link_in(real_mail))
    member.refresh_from_db()
    subscription = member.subscriptions.get()
    assert member.confirmed_at
    assert subscription.state == State.ACTIVE
    assert subscription.selection.theme_ids == {theme.pk}


def test_the_proof_of_consent_has_the_words_and_no_whole_address(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_theme("Pensioni")
    ask(client, weekly, themes=[make_theme("Pensioni").pk])
    send_confirmations(now=timezone.now())
    client.post(link_in(real_mail))
    confirmed, requested = Consent.objects.all()
    assert (requested.event, confirmed.event) == ("requested", "confirmed")
    assert requested.newsletter_slugs == ["ogni-settimana"]
    assert requested.theme_slugs == ["pensioni"]
    assert requested.text in client.get(FORM).content.decode()
    assert requested.text_version
    assert requested.form_url == "http://testserver/newsletter/subscribe/"
    assert requested.ip_prefix == "127.0.0.0/24"


def test_the_page_with_the_button_says_which_themes_were_asked_for(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_theme("Sicurezza")
    ask(client, weekly, themes=[make_theme("Pensioni").pk])
    send_confirmations(now=timezone.now())
    for page in (client.get(link_in(real_mail)), client.post(link_in(real_mail))):
        assert "only about Pensioni</li>" in page.content.decode()


def test_all_themes_ticked_means_everything_also_what_is_added_later(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    themes = [make_theme(name).pk for name in ("Pensioni", "Sicurezza", "Salute")]
    ask(client, weekly, themes=themes)
    assert Subscription.objects.get().selection.theme_ids == set()
    assert Consent.objects.get().theme_slugs == []
    send_confirmations(now=timezone.now())
    make_theme("Scioperi")
    assert "about all themes</li>" in client.get(link_in(real_mail)).content.decode()


def test_the_only_theme_of_a_site_is_a_choice(client: Client, weekly: Newsletter) -> None:
    only = make_theme("Pensioni").pk
    ask(client, weekly, themes=[only])
    assert Subscription.objects.get().selection.theme_ids == {only}


@pytest.mark.parametrize(
    ("language", "chosen", "said"),
    [
        (
            "it",
            ["Salute", "Pensioni"],
            "Ogni settimana, ogni giovedì alle 8:00, solo su Pensioni, Salute",
        ),
        ("it", [], "Ogni settimana, ogni giovedì alle 8:00, su tutti i temi"),
        ("en", ["Salute"], "Ogni settimana, every Thursday at 8:00, only about Salute"),
        ("en", [], "Ogni settimana, every Thursday at 8:00, about all themes"),
    ],
)
def test_the_mail_with_the_link_says_what_was_asked_for(
    weekly: Newsletter,
    client: Client,
    real_mail: Mailbox,
    language: str,
    chosen: list[str],
    said: str,
) -> None:
    themes = {name: make_theme(name).pk for name in ("Pensioni", "Salute", "Scioperi")}
    ask(client, weekly, themes=[themes[name] for name in chosen])
    Member.objects.update(language=language)
    send_confirmations(now=timezone.now())
    (mail,) = real_mail.received
    assert f"- {said}\n" in mail.text.replace("\r\n", "\n")
    assert said in re.sub(r"<[^>]+>", "", mail.html)


def test_who_does_nothing_is_told_what_then_becomes_of_the_address(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    known = "nota@posta.example"
    make_member(known, newsletter=make_newsletter("Ogni mese", frequency="monthly"))
    for address in (ADDRESS, known):
        ask(client, weekly, address)
    Member.objects.update(language="en")
    send_confirmations(now=timezone.now())
    forgotten, unchanged = "address is deleted", "nothing changes"
    for address, said, unsaid in ((ADDRESS, forgotten, unchanged), (known, unchanged, forgotten)):
        mail = real_mail.of(address)[0]
        for body in (mail.text, mail.html):
            assert said in body
            assert unsaid not in body
    page = client.get(link_in(real_mail, known)).content.decode()
    assert unchanged in page
    assert "Ogni mese" not in page, "it was not asked for, it is there already"


def test_who_signs_up_once_more_is_told_what_they_have_already(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_theme("Salute")
    make_member(ADDRESS, newsletter=weekly, themes=["Pensioni"])
    ask(client, weekly)
    send_confirmations(now=timezone.now())
    (mail,) = real_mail.received
    said = "Ogni settimana, ogni giovedì alle 8:00, solo su Pensioni"
    assert f"- {said}\n" in mail.text.replace("\r\n", "\n")
    assert said in re.sub(r"<[^>]+>", "", mail.html)


def test_confirming_twice_is_no_error(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    ask(client, weekly)
    send_confirmations(now=timezone.now())
    for _ in range(2):
        assert client.post(link_in(real_mail)).status_code == 200
    assert Consent.objects.filter(event="confirmed").count() == 1


def test_the_answer_is_the_same_for_a_known_and_an_unknown_address(
    client: Client, weekly: Newsletter
) -> None:
    make_member("nota@posta.example", newsletter=weekly)
    unknown = ask(client, weekly)
    known = ask(client, weekly, "nota@posta.example")
    bot = ask(client, weekly, "bot@posta.example", website="https://spam.example")
    for other in (known, bot):
        assert (other.status_code, other.headers, other.content) == (
            unknown.status_code,
            unknown.headers,
            unknown.content,
        )
    assert not Member.objects.filter(email="bot@posta.example").exists()


def test_a_known_member_keeps_what_they_have_and_confirms_what_is_new(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    member = make_member(ADDRESS, newsletter=weekly, themes=["Pensioni"])
    monthly = make_newsletter("Ogni mese", frequency="monthly")
    ask(client, weekly, themes=[make_theme("Scioperi").pk])
    client.post(FORM, {"email": ADDRESS, "newsletters": [weekly.pk, monthly.pk]})
    old, new = (member.subscriptions.get(newsletter=one) for one in (weekly, monthly))
    assert (old.state, old.selection.theme_ids) == (State.ACTIVE, {make_theme("Pensioni").pk})
    assert new.state == State.PENDING
    send_confirmations(now=timezone.now())
    assert "Ogni mese" in real_mail.of(ADDRESS)[0].text
    assert "Ogni settimana" not in real_mail.of(ADDRESS)[0].text
    client.post(link_in(real_mail))
    assert member.subscriptions.get(newsletter=monthly).state == State.ACTIVE


def test_who_has_it_all_gets_the_way_to_their_choices(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_member(ADDRESS, newsletter=weekly)
    ask(client, weekly)
    send_confirmations(now=timezone.now())
    assert client.get(link_in(real_mail)).status_code == 200
    assert "/newsletter/m/" in link_in(real_mail)


def test_one_mail_a_day_for_an_address(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    now = timezone.now() + timedelta(minutes=1)
    for hours, total in [(0, 1), (1, 1), (23, 1), (25, 2)]:
        ask(client, weekly)
        send_confirmations(now=now + timedelta(hours=hours))
        assert len(real_mail.of(ADDRESS)) == total


def test_a_mail_waits_for_a_server_that_is_away(
    client: Client, weekly: Newsletter, real_mail: Mailbox, settings: object
) -> None:
    ask(client, weekly)
    send_through(settings, SMTP, port=NOBODY_LISTENS)
    assert send_confirmations(now=timezone.now()) == 0
    send_through(settings, SMTP, port=real_mail.port)
    assert send_confirmations(now=timezone.now()) == 1


def test_a_refused_address_does_not_stop_the_next(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    async def refuse(server: object, session: object, envelope: object, address: str, _o: object):
        if address.startswith("nessuno"):
            return "550 5.1.1 No such user"
        if address.startswith("dopo"):
            return "450 4.2.0 Greylisted"
        envelope.rcpt_tos.append(address)  # type: ignore[attr-defined]
        return "250 Ok"

    real_mail.handle_RCPT = refuse  # type: ignore[attr-defined]
    now = timezone.now()
    for name in ("nessuno", "dopo", "anna"):
        ask(client, weekly, f"{name}@posta.example")
    assert send_confirmations(now=timezone.now()) == 1
    del real_mail.handle_RCPT  # type: ignore[attr-defined]
    assert send_confirmations(now=now + timedelta(hours=1)) == 1
    assert [mail.recipients for mail in real_mail.received] == [
        ("anna@posta.example",),
        ("dopo@posta.example",),
    ]


@pytest.mark.parametrize("reason", ["bounce", "returned", "erased"])
def test_who_signs_up_again_and_confirms_is_mailed_again(
    reason: str, client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    ask(client, weekly)
    suppress_for(reason)
    assert send_confirmations(now=timezone.now()) == 1
    client.get(link_in(real_mail))
    assert Suppression.objects.exists(), "opening a link lifts nothing"
    client.post(link_in(real_mail))
    assert not Suppression.objects.exists()
    lifting = Lifting.objects.get()
    assert (lifting.reason, lifting.by) == (reason, None)


def test_a_member_whose_mails_came_back_confirms_although_they_have_it_all(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_member(ADDRESS, newsletter=weekly)
    suppress_for("bounce")
    ask(client, weekly)
    assert send_confirmations(now=timezone.now()) == 1
    assert "- Ogni settimana, " in real_mail.of(ADDRESS)[0].text
    client.post(link_in(real_mail))
    assert not Suppression.objects.exists()


def test_a_report_of_spam_is_taken_back_in_so_many_words(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    make_member(ADDRESS, newsletter=weekly)
    suppress_for("complaint")
    ask(client, weekly)
    assert send_confirmations(now=timezone.now()) == 1
    link = link_in(real_mail)
    assert 'name="again"' in client.get(link).content.decode()
    page = client.post(link).content.decode()
    assert 'role="alert"' in page
    assert Suppression.objects.exists()
    client.post(link, {"again": "on"})
    assert not Suppression.objects.exists()


def test_addresses_suppressed_by_hand_are_left_alone(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    ask(client, weekly)
    suppress_for("manual")
    assert send_confirmations(now=timezone.now()) == 0


def suppress_for(reason: str) -> None:
    Suppression.objects.create(
        address_hash=Member.objects.get().address_hash, reason=reason, created_at=timezone.now()
    )


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("anna@posta.example\nBcc: altri@posta.example", "line break"),
        ("anna", "missing"),
        ("", "required"),
    ],
)
def test_a_wrong_address_is_said_on_the_form(
    client: Client, weekly: Newsletter, email: str, said: str
) -> None:
    answer = ask(client, weekly, email)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    assert not Member.objects.exists()


def test_an_unknown_newsletter_is_said_on_the_form(client: Client, weekly: Newsletter) -> None:
    hidden = make_newsletter("Solo interno", is_public=False)
    for pk in (hidden.pk, 999_999, "x"):
        answer = client.post(FORM, {"email": ADDRESS, "newsletters": [pk]})
        assert answer.status_code == 400
        assert "errorlist" in answer.content.decode()
    assert not Member.objects.exists()


def test_a_few_an_hour_from_one_place(client: Client, weekly: Newsletter) -> None:
    answers = [ask(client, weekly, f"p{n}@posta.example").status_code for n in range(6)]
    assert answers == [303] * 5 + [429]
    elsewhere = client.post(
        FORM, {"email": ADDRESS, "newsletters": [weekly.pk]}, REMOTE_ADDR="192.0.2.7"
    )
    assert elsewhere.status_code == 303
    SignupAttempt.objects.update(at=timezone.now() - timedelta(minutes=61))
    assert ask(client, weekly, "p9@posta.example").status_code == 303


def test_a_cap_for_the_whole_site(client: Client, weekly: Newsletter, settings: object) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"SIGNUPS_PER_HOUR": 2}  # type: ignore[attr-defined]
    answers = [
        client.post(
            FORM,
            {"email": f"p{n}@posta.example", "newsletters": [weekly.pk]},
            REMOTE_ADDR=f"192.0.2.{n}",
        ).status_code
        for n in range(3)
    ]
    assert answers == [303, 303, 429]


@pytest.mark.parametrize(("proxies", "counted_together"), [(0, True), (1, False)])
def test_proxies_are_believed_only_when_they_are_ours(
    client: Client, weekly: Newsletter, settings: object, proxies: int, counted_together: bool
) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"TRUSTED_PROXIES": proxies}  # type: ignore[attr-defined]
    for n in range(2):
        client.post(
            FORM,
            {"email": f"p{n}@posta.example", "newsletters": [weekly.pk]},
            HTTP_X_FORWARDED_FOR=f"10.9.9.9, 192.0.2.{n}",
        )
    places = set(SignupAttempt.objects.values_list("ip_hash", flat=True))
    assert len(places) == (1 if counted_together else 2)


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://altrove.example"}, {"Origin": "null"}],
)
def test_another_sites_page_cannot_sign_people_up(
    client: Client, weekly: Newsletter, headers: dict[str, str]
) -> None:
    answer = client.post(FORM, {"email": ADDRESS, "newsletters": [weekly.pk]}, headers=headers)
    assert answer.status_code == 403
    assert not Member.objects.exists()


def test_the_form_works_under_csrf_checks_and_sets_no_cookie(weekly: Newsletter) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(FORM)
    assert not page.cookies
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    answer = strict.post(FORM, {"email": ADDRESS, "newsletters": [weekly.pk]}, headers=own)
    assert answer.status_code == 303
    assert not answer.cookies


def test_unconfirmed_addresses_are_gone_after_seven_days(weekly: Newsletter) -> None:
    now = timezone.now()
    choice = {"newsletters": [weekly], "theme_ids": [], "language": "it", "form_url": "", "ip": ""}
    sign_up(ADDRESS, now=now, **choice)
    kept = make_member("attiva@posta.example", newsletter=weekly)
    assert delete_unconfirmed(now=now + timedelta(days=6, hours=23)) == 0
    assert delete_unconfirmed(now=now + timedelta(days=7, minutes=1)) == 1
    assert list(Member.objects.all()) == [kept]
    assert not SignupAttempt.objects.exists()
    assert Consent.objects.get().member is None


def test_a_wish_that_a_member_never_confirmed_ends(weekly: Newsletter) -> None:
    now = timezone.now()
    member = make_member(ADDRESS)
    choice = {"newsletters": [weekly], "theme_ids": [], "language": "it", "form_url": "", "ip": ""}
    sign_up(ADDRESS, now=now, **choice)
    delete_unconfirmed(now=now + timedelta(days=8))
    assert member.subscriptions.get().state == State.ENDED


def test_an_old_link_says_what_to_do(client: Client) -> None:
    answer = client.get("/newsletter/confirm/abcdef/")
    assert answer.status_code == 404
    assert FORM in answer.content.decode()


def test_italian_members_get_an_italian_mail_and_page(
    client: Client, weekly: Newsletter, real_mail: Mailbox
) -> None:
    client.post(
        FORM,
        {"email": ADDRESS, "newsletters": [weekly.pk]},
        headers={"Accept-Language": "it"},
    )
    assert Member.objects.get().language == "it"
    send_confirmations(now=timezone.now())
    assert '<html lang="it">' in real_mail.of(ADDRESS)[0].html
    page = client.get(link_in(real_mail), headers={"Accept-Language": "en"})
    assert page.headers["Content-Language"] == "it"
