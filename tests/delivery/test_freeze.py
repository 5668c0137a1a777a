"""Approval: everybody is accounted for, once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.delivery.freeze import accounting, approve, batch_size
from newsletter.delivery.models import Batch, Delivery, Exclusion
from newsletter.digests.models import Digest, Newsletter, Variant
from newsletter.exceptions import DigestNotReady
from newsletter.members.address import address_hash
from newsletter.members.models import Selection, Subscription, Suppression
from newsletter.signals import digest_approved
from tests.builders import (
    NOW,
    make_article,
    make_digest,
    make_member,
    make_newsletter,
    make_theme,
)
from tests.delivery.conftest import subscribe_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def newsletter() -> Newsletter:
    return make_newsletter()


def draft(newsletter: Newsletter) -> Digest:
    return make_digest(
        newsletter,
        articles=[
            make_article("L’algoritmo decide i turni", themes=["Intelligenza artificiale"]),
            make_article("Il fondo pensione", themes=["Pensioni"]),
        ],
    )


def test_every_candidate_is_a_delivery_or_an_exclusion_with_its_reason(
    newsletter: Newsletter,
) -> None:
    digest = draft(newsletter)
    everything = make_member(newsletter=newsletter)
    pensions = make_member(newsletter=newsletter, themes=["Pensioni"])
    climate = make_member(newsletter=newsletter, themes=["Ambiente"])
    paused = make_member(newsletter=newsletter)
    paused.subscriptions.update(paused_until=NOW + timedelta(days=1))
    back = make_member(newsletter=newsletter)
    back.subscriptions.update(paused_until=NOW - timedelta(days=1))
    suppressed = make_member(newsletter=newsletter)
    Suppression.objects.create(
        address_hash=suppressed.address_hash,
        reason=Suppression.Reason.BOUNCE,
        created_at=NOW,
    )
    # No candidates at all:
    make_member(newsletter=newsletter, confirmed_at=None)
    make_member()
    left = make_member(newsletter=newsletter)
    left.subscriptions.update(state=Subscription.State.ENDED)

    account = approve(digest.pk, now=NOW)

    assert account.candidates == 6
    assert account.deliveries == 3
    assert account.exclusions == {"no_themes": 1, "paused": 1, "suppressed": 1}
    got = set(Delivery.objects.values_list("member", flat=True))
    assert got == {everything.pk, pensions.pk, back.pk}
    excluded = dict(Exclusion.objects.values_list("member", "reason"))
    assert excluded == {climate.pk: "no_themes", paused.pk: "paused", suppressed.pk: "suppressed"}
    digest.refresh_from_db()
    assert (digest.status, digest.candidates) == (Digest.Status.APPROVED, 6)


def test_each_choice_gets_its_own_articles_and_equal_ones_share_a_rendering(
    newsletter: Newsletter,
) -> None:
    digest = draft(newsletter)
    people = {
        "all": make_member(newsletter=newsletter),
        "both": make_member(newsletter=newsletter, themes=["Pensioni", "Intelligenza artificiale"]),
        "pensions": make_member(newsletter=newsletter, themes=["Pensioni"]),
        "pensions and climate": make_member(newsletter=newsletter, themes=["Pensioni", "Clima"]),
        "english": make_member(newsletter=newsletter, language="en"),
    }
    approve(digest.pk, now=NOW)
    shown = {
        name: Delivery.objects.select_related("variant").get(member=member).variant
        for name, member in people.items()
    }
    assert shown["all"] == shown["both"]
    assert shown["pensions"] == shown["pensions and climate"]
    assert "algoritmo" in shown["all"].html
    assert "algoritmo" not in shown["pensions"].html
    assert "fondo pensione" in shown["pensions"].html
    assert shown["english"].language == "en"
    assert Variant.objects.count() == 3


def test_who_chose_themes_gets_no_mail_made_of_articles_without_one(
    newsletter: Newsletter,
) -> None:
    digest = make_digest(
        newsletter,
        articles=[make_article("L’algoritmo", themes=["AI"]), make_article("Orari della sede")],
    )
    make_member(newsletter=newsletter, themes=["Pensioni"])
    both = make_member(newsletter=newsletter, themes=["AI"])
    account = approve(digest.pk, now=NOW)
    assert account.exclusions == {"no_themes": 1}
    html = Delivery.objects.select_related("variant").get(member=both).variant.html
    assert "Orari della sede" in html


@pytest.mark.parametrize(
    ("deliveries", "size"), [(1, 100), (2_000, 100), (2_001, 101), (20_000, 1_000), (10**6, 1_000)]
)
def test_workers_share_a_small_list_and_take_large_parts_of_a_large_one(
    deliveries: int, size: int
) -> None:
    assert batch_size(deliveries, most=1_000) == size
    assert batch_size(deliveries, most=25) == 25


def test_approving_twice_selects_nobody_again(newsletter: Newsletter) -> None:
    digest = draft(newsletter)
    make_member(newsletter=newsletter)
    first = approve(digest.pk, now=NOW)
    make_member(newsletter=newsletter)
    assert approve(digest.pk, now=NOW + timedelta(hours=1)) == first
    assert Delivery.objects.count() == 1


def test_a_digest_that_is_not_ready_leaves_nothing_behind(newsletter: Newsletter) -> None:
    make_member(newsletter=newsletter)
    empty = make_digest(newsletter)
    with pytest.raises(DigestNotReady):
        approve(empty.pk, now=NOW)
    empty.refresh_from_db()
    assert empty.status == Digest.Status.DRAFT
    assert not Delivery.objects.exists()
    assert not Batch.objects.exists()


def test_a_fault_during_the_freeze_leaves_nothing_behind(newsletter: Newsletter) -> None:
    make_member(newsletter=newsletter)
    digest = draft(newsletter)

    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if "INSERT INTO newsletter_batch" in sql:
            raise RuntimeError("the disk is full")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken), pytest.raises(RuntimeError):
        approve(digest.pk, now=NOW)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.DRAFT
    assert not Delivery.objects.exists()
    assert approve(digest.pk, now=NOW).deliveries == 1


@pytest.mark.parametrize("why", ["nobody has subscribed", "all who subscribed are left out"])
def test_a_digest_that_nobody_would_get_is_not_approved(newsletter: Newsletter, why: str) -> None:
    if why.startswith("all"):
        make_member(newsletter=newsletter, themes=["Clima"])
    digest = draft(newsletter)
    with pytest.raises(DigestNotReady, match=why):
        approve(digest.pk, now=NOW)
    digest.refresh_from_db()
    assert (digest.is_frozen, digest.variants.count()) == (False, 0)


def test_a_mail_without_a_way_to_leave_is_not_approved(
    newsletter: Newsletter, tmp_path: Path, settings: Any
) -> None:
    """As where a site's own template has lost the footer."""
    folder = tmp_path / "newsletter" / "email"
    folder.mkdir(parents=True)
    (folder / "footer.html").write_text("<tr><td>Ciao</td></tr>")
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path]}]
    make_member(newsletter=newsletter)
    digest = draft(newsletter)
    with pytest.raises(DigestNotReady, match="no link to unsubscribe"):
        approve(digest.pk, now=NOW)
    digest.refresh_from_db()
    assert not digest.is_frozen


@pytest.mark.django_db(transaction=True)
def test_approval_is_announced_after_the_commit(newsletter: Newsletter) -> None:
    heard: list[int] = []

    def listen(digest: Digest, **rest: object) -> None:
        assert not connection.in_atomic_block
        heard.append(digest.candidates)

    digest_approved.connect(listen)
    try:
        make_member(newsletter=newsletter)
        approve(draft(newsletter).pk, now=NOW)
    finally:
        digest_approved.disconnect(listen)
    assert heard == [1]


def test_the_freeze_costs_the_same_number_of_queries_for_ten_thousand_members(
    newsletter: Newsletter,
) -> None:
    themes = [make_theme("Pensioni").pk, make_theme("Clima").pk]
    selections = [
        Selection.objects.get_or_create(key=key)[0] for key in ("", str(themes[0]), str(themes[1]))
    ]
    # Loads the admin, else the first approval of a process does, and asks for less.
    reverse("newsletter_digests:list")
    numbers: list[int] = []
    for members in (30, 10_000):
        subscribe_many(newsletter, members, selections)
        digest = make_digest(
            newsletter,
            articles=[make_article(themes=["Pensioni"])],
            slot=NOW + timedelta(days=len(numbers)),
        )
        with CaptureQueriesContext(connection) as queries:
            account = approve(digest.pk, now=NOW)
        numbers.append(len(queries))
    assert account.adds_up
    assert account.candidates == 10_030
    assert account.exclusions == {"no_themes": 3_343}
    assert numbers[0] == numbers[1]
    ranges = list(
        Batch.objects.filter(digest=digest).order_by("first_id").values_list("first_id", "last_id")
    )
    assert len(ranges) == 20
    held = [
        Delivery.objects.filter(digest=digest, pk__gte=first, pk__lte=last).count()
        for first, last in ranges
    ]
    assert held == [335] * 19 + [322]
    assert accounting(digest) == account or digest.candidates == 0


def test_an_address_suppressed_by_its_hash_gets_nothing(newsletter: Newsletter) -> None:
    Suppression.objects.create(
        address_hash=address_hash("anna@posta.example"),
        reason=Suppression.Reason.COMPLAINT,
        created_at=NOW,
    )
    make_member("Anna@Posta.example", newsletter=newsletter)
    make_member(newsletter=newsletter)
    assert approve(draft(newsletter).pk, now=NOW).exclusions == {"suppressed": 1}


@pytest.mark.parametrize(("granted", "during"), [("4MB", "64MB"), ("1GB", "1GB")])
def test_the_freeze_sorts_in_no_less_memory_than_the_server_grants(
    newsletter: Newsletter, granted: str, during: str
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no such setting")
    make_member(newsletter=newsletter)
    digest = draft(newsletter)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [granted])
        approve(digest.pk, now=NOW)
        cursor.execute("SHOW work_mem")
        assert cursor.fetchone() == (during,)
