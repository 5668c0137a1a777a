"""What editors leave for the next issue, what they pin, and why an article leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter.digests.compile import compile_digest
from newsletter.digests.content import content_of
from newsletter.digests.freeze import freeze_content
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.proposal import Candidate, Chosen, ThemeScore, choose_articles
from newsletter.digests.reproposal import Held, arranged, propose_anew
from newsletter.exceptions import DigestNotReady
from tests.builders import NOW, make_article, make_newsletter

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)


def issue(newsletter: Newsletter, now: datetime) -> Digest:
    return compile_digest(newsletter, slot=now + HOUR, now=now)


def titles(digest: Digest) -> list[str]:
    return [item.title for item in content_of(digest).items]


def change(digest: Digest, title: str, **fields: Any) -> None:
    draft = Digest.objects.get(pk=digest.pk).get_latest_revision_as_object()
    items = list(draft.items.all())
    for item in items:
        if item.article.title == title:
            for name, value in fields.items():
                setattr(item, name, value)
    draft.items = items
    draft.save()
    draft.save_revision()
    digest.refresh_from_db()


def candidate(number: int, **fields: Any) -> Candidate:
    return Candidate(number, NOW + timedelta(minutes=number), **fields)


def test_held_items_keep_their_places_and_the_others_stand_around_them() -> None:
    new = [Chosen(n, None, False) for n in (10, 11, 12)]
    order = arranged([Held(0, 1), Held(3, 2)], new)
    assert [one.article_id for one in order] == [1, 10, 11, 2, 12]
    # With fewer than there were, the last ones move up.
    assert [one.article_id for one in arranged([Held(4, 1)], new[:1])] == [10, 1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"has_note": True, "has_image": True}, "note"),
        ({"has_image": True}, "picture"),
        ({"themes": (ThemeScore(1, 0.9),)}, "theme"),
        ({}, "newest"),
    ],
)
def test_the_lead_comes_with_its_reason(fields: dict[str, Any], reason: str) -> None:
    lead, *others = choose_articles([candidate(1), candidate(2, **fields)], limit=5)
    assert (lead.article_id, lead.is_lead, lead.lead_reason) == (2, True, reason)
    assert [one.lead_reason for one in others] == [""]


def test_what_was_left_for_this_issue_comes_before_everything_else() -> None:
    many = [candidate(n, has_note=True) for n in range(1, 6)]
    chosen = choose_articles([*many, candidate(0, was_deferred=True)], limit=3)
    assert 0 in [one.article_id for one in chosen]


@pytest.mark.django_db
class TestDeferred:
    def test_it_is_not_in_this_issue_and_first_choice_for_the_next(self) -> None:
        newsletter = make_newsletter(max_items=2)
        make_article("Resta")
        make_article("Aspetta")
        first = issue(newsletter, NOW)
        change(first, "Aspetta", deferred=True)
        assert titles(first) == ["Resta"]
        freeze_content(first, now=NOW)
        for number in range(3):
            make_article(f"Nuova {number}", arrived_at=NOW + WEEK)
        assert "Aspetta" in titles(issue(newsletter, NOW + WEEK + HOUR))

    def test_taken_out_of_the_next_it_does_not_come_a_third_time(self) -> None:
        newsletter = make_newsletter()
        make_article("Resta")
        make_article("Aspetta")
        change(issue(newsletter, NOW), "Aspetta", deferred=True)
        make_article("Nuova", arrived_at=NOW + WEEK)
        second = issue(newsletter, NOW + WEEK + HOUR)
        assert "Aspetta" in titles(second)
        draft = second.get_latest_revision_as_object()
        draft.items = [item for item in draft.items.all() if item.article.title != "Aspetta"]
        draft.save()
        draft.save_revision()
        make_article("Più nuova", arrived_at=NOW + 2 * WEEK)
        assert titles(issue(newsletter, NOW + 2 * WEEK + HOUR)) == ["Più nuova"]

    def test_an_issue_of_deferred_articles_alone_is_empty(self) -> None:
        make_article("Aspetta")
        digest = issue(make_newsletter(), NOW)
        change(digest, "Aspetta", deferred=True)
        with pytest.raises(DigestNotReady):
            freeze_content(digest, now=NOW)


@pytest.mark.django_db
class TestProposedAnew:
    def test_what_came_since_is_in_and_what_is_pinned_does_not_move(self) -> None:
        newsletter = make_newsletter(max_items=3)
        for number in range(3):
            make_article(f"Vecchia {number}", arrived_at=NOW + timedelta(minutes=number))
        digest = issue(newsletter, NOW + HOUR)
        assert titles(digest) == ["Vecchia 2", "Vecchia 1", "Vecchia 0"]
        change(digest, "Vecchia 0", pinned=True)
        for number in range(3):
            make_article(f"Nuova {number}", arrived_at=NOW + 2 * HOUR)
        assert propose_anew(digest.pk, now=NOW + 3 * HOUR) == 2
        digest.refresh_from_db()
        assert titles(digest)[2] == "Vecchia 0"
        assert all(title.startswith("Nuova") for title in titles(digest)[:2])

    def test_an_articles_own_words_stay_and_so_does_a_pinned_lead(self) -> None:
        newsletter = make_newsletter(max_items=3)
        for title in ("Uno", "Due"):
            make_article(title)
        digest = issue(newsletter, NOW)
        lead = next(item.title for item in content_of(digest).items if item.is_lead)
        other = {"Uno", "Due"} - {lead}
        change(digest, lead, pinned=True)
        change(digest, other.pop(), note="Conta molto")
        make_article("Con la foto", arrived_at=NOW + HOUR, image_url="https://blog.example/a.jpg")
        propose_anew(digest.pk, now=NOW + 2 * HOUR)
        digest.refresh_from_db()
        content = content_of(digest)
        assert content.lead is not None
        assert content.lead.title == lead
        assert "Conta molto" in [item.note for item in content.items]
        assert "Con la foto" in titles(digest)

    def test_the_history_has_what_was_there(self) -> None:
        make_article("Uno")
        digest = issue(make_newsletter(), NOW)
        before = digest.revisions.count()
        propose_anew(digest.pk, now=NOW + HOUR)
        assert digest.revisions.count() == before + 1

    def test_an_approved_issue_is_left_alone(self) -> None:
        make_article("Uno")
        digest = issue(make_newsletter(), NOW)
        freeze_content(digest, now=NOW)
        with pytest.raises(DigestNotReady):
            propose_anew(digest.pk, now=NOW + HOUR)
