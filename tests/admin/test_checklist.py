"""What the page says of a draft before it is approved."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db.models import Sum
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from newsletter.delivery.freeze import approve
from newsletter.delivery.pace.models import Throttle
from newsletter.desk.audience import audience_of
from newsletter.desk.checklist import check
from newsletter.desk.mail_checks import (
    broken_links,
    leftovers,
    shortened_links,
)
from newsletter.digests.content import content_of
from newsletter.digests.following import FollowedLink
from newsletter.digests.mail_links import links_and_words
from newsletter.digests.models import Digest
from newsletter.members.models import Member, Subscription
from tests.builders import make_article, make_digest, make_member, make_newsletter

pytestmark = pytest.mark.django_db


def draft(*articles: object, **more: object) -> Digest:
    newsletter = make_newsletter()
    slot = timezone.now().replace(microsecond=0) + timedelta(hours=3)
    return make_digest(newsletter, articles=list(articles), slot=slot, **more)


def warnings(digest: Digest) -> str:
    return "\n".join(one.text for one in check(digest) if not one.passed)


def test_a_whole_mail_has_nothing_amiss_but_its_lack_of_readers() -> None:
    digest = draft(make_article("Il contratto è firmato"))
    FollowedLink.objects.create(
        key=sha256(digest.items.get().article.url.encode()).hexdigest(),
        verdict=FollowedLink.Verdict.ALIVE,
        asked_at=timezone.now(),
    )
    assert warnings(digest) == "Nobody has subscribed to this newsletter yet."
    make_member(newsletter=digest.newsletter)
    assert warnings(digest) == ""


def warmed_up(settings: Any, digest: Digest, hours: int = 96, **plan: Any) -> None:
    first_day = digest.slot.astimezone(digest.newsletter.zone).date().isoformat()
    settings.NEWSLETTER = settings.NEWSLETTER | {
        "WARM_UP": {"begins": first_day} | plan,
        "DELIVERY_DEADLINE_HOURS": hours,
    }


def test_more_readers_than_a_warm_up_lets_have_it_in_time_are_said(settings: Any) -> None:
    digest = draft(make_article("Il contratto è firmato"))
    for _ in range(14):
        make_member(newsletter=digest.newsletter)
    plan = {"first_day": 2, "growth": 1.5}  # 2, 3, 4, 6 and 10 a day
    warmed_up(settings, digest, 72, **plan)
    assert "only 9 of its 14 mails can go before its deadline" in warnings(digest)
    warmed_up(settings, digest, 96, **plan)
    assert "the issue takes 4 days" in warnings(digest)
    assert "deadline" not in warnings(digest)
    warmed_up(settings, digest, first_day=14)
    assert "warmed up" not in warnings(digest)


def test_days_that_a_warm_up_takes_for_one_providers_readers_are_said(settings: Any) -> None:
    digest = draft(make_article("Il contratto è firmato"))
    for domain in ("gmail.com", "gmail.com", "googlemail.com", "posta.example"):
        make_member(newsletter=digest.newsletter, email=f"p{Member.objects.count()}@{domain}")
    gone = make_member(newsletter=digest.newsletter, email="via@gmail.com")
    gone.subscriptions.update(paused_until=digest.slot + timedelta(days=9))
    # One, two, four … a day to both of Google's domains, and a hundred to all.
    plan = {"first_day": 100, "growth": 2, "googlemail.com": 1}
    warmed_up(settings, digest, **plan)
    said = warnings(digest)
    assert "the mails to gmail.com take 2 days, because only some of the 3 readers there" in said
    assert "the issue takes" not in said
    warmed_up(settings, digest, 24, **plan)
    assert "only 1 of the 3 readers at gmail.com can get it before its deadline" in warnings(digest)
    warmed_up(settings, digest, **plan | {"googlemail.com": 3})
    assert "warmed up" not in warnings(digest)


def test_what_other_issues_had_of_a_warm_ups_day_is_not_counted_again(settings: Any) -> None:
    digest = draft(make_article("Il contratto è firmato"))
    for _ in range(4):
        make_member(newsletter=digest.newsletter)
    warmed_up(settings, digest, first_day=4)
    assert "warmed up" not in warnings(digest)
    day = digest.slot.astimezone(digest.newsletter.zone).date()
    Throttle.objects.create(name=f"day {day}", filled_at=digest.slot, tokens=3)
    assert "the issue takes 2 days" in warnings(digest)


def test_shortened_links_and_words_of_a_template_are_named() -> None:
    digest = draft(make_article("Assemblea {{ luogo }}", url="https://bit.ly/3xYz"))
    said = warnings(digest)
    assert "distrust: https://bit.ly/3xYz" in said
    assert "left over from a template: {{ luogo }}" in said


def test_the_mail_is_read_as_a_reader_would() -> None:
    links, words = links_and_words(
        '<style>a { b: "TODO" }</style><p>Ciao <a href="/a">[inserire il luogo]</a></p>'
        '<a href="https://sindacato.example/">x</a><a href="">y</a><a href="mailto:a@b.example">'
    )
    addresses = [link.url for link in links]
    assert links[0].words == "[inserire il luogo]"
    assert broken_links(addresses) == ["/a", ""]
    assert shortened_links([*addresses, "https://www.tinyurl.com/q"]) == [
        "https://www.tinyurl.com/q"
    ]
    assert leftovers(words) == ["[inserire il luogo]"]
    assert leftovers("Tutti i metodi [nuovi] al 100%") == []
    assert broken_links(["https://[oops"]) == ["https://[oops"]


def test_who_would_get_it_is_what_approving_finds(moderator: Client) -> None:
    digest = draft(make_article("Pensioni, che cosa cambia", themes=["Pensioni"]))
    newsletter, now = digest.newsletter, timezone.now()
    for _reader in range(2):
        make_member(newsletter=newsletter)
    make_member(newsletter=newsletter, themes=["Pensioni"])
    make_member(newsletter=newsletter, themes=["Sanità"])
    paused = make_member(newsletter=newsletter)
    Subscription.objects.filter(member=paused).update(paused_until=now + timedelta(days=9))

    expected = audience_of(newsletter, content_of(digest), now=now)
    assert expected.readers == 3
    assert expected.exclusions == {"paused": 1, "no_themes": 1}
    page = moderator.get(reverse("newsletter_digests:overview", args=[digest.pk])).content.decode()
    assert "to 3 readers" in page
    assert "Not included: Paused" in page

    account = approve(digest.pk, now=now)
    assert (account.deliveries, account.exclusions) == (3, expected.exclusions)
    by_variant = digest.segments.exclude(variant=None).values("variant")
    assert sorted(row.readers for row in expected.variants) == sorted(
        by_variant.annotate(readers=Sum("members")).values_list("readers", flat=True)
    )


@pytest.mark.parametrize("articles", [0, 1])
def test_editor_and_send_screen_count_the_same_readers(moderator: Client, articles: int) -> None:
    digest = draft(*(make_article(themes=["Pensioni"]) for _number in range(articles)))
    for themes in ([], ["Pensioni"], ["Sanità"]):
        make_member(newsletter=digest.newsletter, themes=themes)
    paused = make_member(newsletter=digest.newsletter)
    Subscription.objects.filter(member=paused).update(
        paused_until=timezone.now() + timedelta(days=9)
    )
    said = "to 2 readers of Ogni settimana" if articles else "to 3 readers of Ogni settimana, once"
    for screen in ("edit", "overview"):
        page = moderator.get(reverse(f"newsletter_digests:{screen}", args=[digest.pk]))
        assert said in page.content.decode(), screen
    # The send screen is the last page: an empty issue leaves nobody out for their themes.
    assert ("Nothing in their themes" in page.content.decode()) is bool(articles)


def test_what_one_kind_of_readers_would_get_is_shown(moderator: Client) -> None:
    digest = draft(make_article("Primo titolo"), make_article("Secondo titolo"))
    address = reverse("newsletter_digests:mail", args=[digest.pk])
    page = moderator.get(address, {"items": "1", "language": "en"}).content.decode()
    assert "Secondo titolo" in page
    assert "Primo titolo" not in page.partition("<body")[2]
    assert "Read it on the web" in page
    dark = moderator.get(address, {"as": "dark"}).content.decode()
    assert "@media all" in dark
    assert "prefers-color-scheme: dark" not in dark


def test_the_editor_weighs_the_mail(editor: Client) -> None:
    digest = draft(make_article("Il contratto è firmato"))
    page = editor.get(reverse("newsletter_digests:edit", args=[digest.pk])).content.decode()
    assert "<meter" in page
    assert "The mail weighs" in page


def test_the_preview_of_an_issue_without_articles_is_a_mail_too() -> None:
    digest = draft()
    request = RequestFactory().get("/")
    for mode in ("mail", "dark", "text", "web"):
        assert digest.serve_preview(request, mode).status_code == 200
