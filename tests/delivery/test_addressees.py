"""An urgent notice for some of those who get its newsletter."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery, Exclusion
from newsletter.desk.audience import audience_of
from newsletter.desk.checklist import check
from newsletter.desk.undelivered import rows_of
from newsletter.digests.content import content_of
from newsletter.digests.models import Digest, Newsletter
from newsletter.exceptions import DigestNotReady
from newsletter.members.models import Member, Subscription
from newsletter.members.subscriptions import selection_for
from tests.builders import NOW, make_digest, make_member, make_newsletter, make_theme
from tests.digests.blocks import put, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def people() -> dict[str, Member]:
    notices = make_newsletter("Avvisi urgenti", kind="urgent", approvals=1)
    # Approvals are not what this is about; two people are, in tests/admin.
    Newsletter.objects.filter(pk=notices.pk).update(kind="regular")
    notices.refresh_from_db()
    daily = make_newsletter("Ogni giorno")
    found = {
        "everything": make_member(newsletter=notices),
        "health": make_member(newsletter=notices, themes=["Sanità"]),
        "pensions": make_member(newsletter=notices, themes=["Pensioni"]),
        "both": make_member(newsletter=notices, themes=["Pensioni", "Sanità"]),
        "english": make_member(newsletter=notices, themes=["Sanità"], language="en"),
        "paused": make_member(newsletter=notices, themes=["Sanità"]),
        "left": make_member(newsletter=notices, themes=["Sanità"]),
    }
    found["paused"].subscriptions.update(paused_until=NOW + timedelta(days=1))
    found["left"].subscriptions.update(state=Subscription.State.ENDED)
    for name, state in (("health", "active"), ("pensions", "active"), ("both", "ended")):
        Subscription.objects.create(
            member=found[name], newsletter=daily, selection=selection_for([]), state=state,
            created_at=NOW,
        )  # fmt: skip
    return found


def notice(**to: Any) -> Digest:
    newsletter = Newsletter.objects.get(slug="avvisi-urgenti")
    digest = make_digest(newsletter, **to)
    put(digest, text("<p>Venerdì si sciopera</p>"))
    return digest


def who_gets(digest: Digest, people: dict[str, Member]) -> set[str]:
    got = set(Delivery.objects.filter(digest=digest).values_list("member", flat=True))
    return {name for name, member in people.items() if member.pk in got}


def test_addressed_to_nobody_in_particular_it_goes_to_all_active_subscribers(
    people: dict[str, Member],
) -> None:
    digest = notice()
    approve(digest.pk, now=NOW)
    assert who_gets(digest, people) == set(people) - {"paused", "left"}


def test_a_theme_takes_who_chose_it_and_who_receives_everything(
    people: dict[str, Member],
) -> None:
    digest = notice(to_themes=[make_theme("Sanità").pk])
    account = approve(digest.pk, now=NOW)
    assert who_gets(digest, people) == {"everything", "health", "both", "english"}
    assert account.candidates == 6
    assert account.exclusions == {"unaddressed": 1, "paused": 1}


def test_another_newsletter_and_a_language_narrow_further(people: dict[str, Member]) -> None:
    daily = Newsletter.objects.get(slug="ogni-giorno")
    digest = notice(to_newsletters=[daily.pk], to_themes=[make_theme("Sanità").pk])
    approve(digest.pk, now=NOW)
    assert who_gets(digest, people) == {"health"}
    english = notice(to_language="en", slot=NOW + timedelta(days=1))
    approve(english.pk, now=NOW)
    assert who_gets(english, people) == {"english"}


def test_an_unsubscription_counts_whoever_is_addressed(people: dict[str, Member]) -> None:
    digest = notice(to_themes=[make_theme("Sanità").pk])
    approve(digest.pk, now=NOW)
    left = people["left"].pk
    assert not Delivery.objects.filter(member=left).exists()
    assert not Exclusion.objects.filter(member=left).exists()


def test_the_preview_counts_as_the_freeze_does(people: dict[str, Member]) -> None:
    themes = [make_theme("Sanità").pk], [make_theme("Pensioni").pk, make_theme("Sanità").pk], []
    daily = [Newsletter.objects.get(slug="ogni-giorno").pk]
    for days, (chosen, others, language) in enumerate(product(themes, (daily, []), ("it", ""))):
        digest = notice(
            to_themes=chosen, to_newsletters=others, to_language=language,
            slot=NOW + timedelta(days=days),
        )  # fmt: skip
        expected = audience_of(digest.newsletter, content_of(digest), now=NOW)
        account = approve(digest.pk, now=NOW)
        assert account.adds_up
        assert (account.deliveries, account.exclusions) == (expected.readers, expected.exclusions)


@pytest.mark.parametrize("theme", ["nobody chose it", "it is gone"])
def test_addressed_to_nobody_it_is_not_approved(people: dict[str, Member], theme: str) -> None:
    people["everything"].subscriptions.all().delete()
    pk = make_theme("Clima").pk if theme == "nobody chose it" else 4711
    digest = notice(to_themes=[pk])
    assert any(one.blocking and not one.passed and "addressed" in one.text for one in check(digest))
    with pytest.raises(DigestNotReady, match="addressed to"):
        approve(digest.pk, now=NOW)
    assert not Delivery.objects.exists()


def test_whom_it_was_not_addressed_to_has_not_missed_it(people: dict[str, Member]) -> None:
    digest = notice(to_themes=[make_theme("Sanità").pk])
    approve(digest.pk, now=NOW)
    missed = {row[0] for row in rows_of(digest)}
    assert people["paused"].pk in missed
    assert people["pensions"].pk not in missed
