"""Which articles an issue proposes, and which one leads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from newsletter.digests.proposal import Candidate, ThemeScore, choose_articles
from tests.builders import NOW

CONTRACTS, PENSIONS, SAFETY = (ThemeScore(number, 0.8, order=number) for number in (1, 2, 3))


def candidate(number: int, *themes: ThemeScore, hours_ago: int = 0, **fields: Any) -> Candidate:
    return Candidate(number, NOW - timedelta(hours=hours_ago), themes=themes, **fields)


def ids(candidates: list[Candidate], limit: int = 15) -> list[int]:
    return [choice.article_id for choice in choose_articles(candidates, limit=limit)]


def lead(*candidates: Candidate) -> int:
    chosen = choose_articles(candidates, limit=15)
    assert [choice.is_lead for choice in chosen] == [True] + [False] * (len(chosen) - 1)
    return chosen[0].article_id


def test_nothing_accepted_gives_an_empty_issue():
    assert ids([]) == []


def test_the_article_with_an_editors_note_leads():
    assert lead(candidate(1, has_image=True), candidate(2, hours_ago=9, has_note=True)) == 2


def test_without_notes_the_one_with_a_picture_leads():
    assert lead(candidate(1, CONTRACTS), candidate(2, hours_ago=9, has_image=True)) == 2


def test_without_pictures_the_surest_theme_leads():
    assert (
        lead(candidate(1, ThemeScore(1, 0.6)), candidate(2, ThemeScore(1, 1.0), hours_ago=9)) == 2
    )


def test_of_equals_the_newest_leads():
    assert lead(candidate(1, hours_ago=9), candidate(2, hours_ago=1)) == 2


def test_after_the_lead_the_articles_stand_by_section_in_the_order_of_the_themes():
    chosen = [
        candidate(1, PENSIONS, hours_ago=1),
        candidate(2, hours_ago=2),
        candidate(3, CONTRACTS, hours_ago=3),
        candidate(4, PENSIONS, hours_ago=4),
        candidate(5, CONTRACTS, hours_ago=5),
        candidate(6, hours_ago=30, has_note=True),
    ]
    assert ids(chosen) == [6, 3, 5, 1, 4, 2]


def test_an_article_stands_in_its_strongest_theme():
    chosen = choose_articles([candidate(1, CONTRACTS, ThemeScore(2, 0.95, order=2))], limit=5)
    assert chosen[0].theme_id == 2


def test_a_quiet_theme_has_its_place_beside_a_loud_one():
    loud = [candidate(number, CONTRACTS, hours_ago=number) for number in range(1, 20)]
    quiet = candidate(99, PENSIONS, hours_ago=200)
    assert 99 in ids([*loud, quiet], limit=4)


def test_an_article_with_a_note_is_never_left_out_for_a_newer_one():
    newer = [candidate(number, CONTRACTS, hours_ago=number) for number in range(1, 20)]
    noted = candidate(99, CONTRACTS, hours_ago=300, has_note=True)
    assert 99 in ids([*newer, noted], limit=2)


def test_no_more_than_the_limit():
    assert len(ids([candidate(number) for number in range(40)], limit=15)) == 15


def test_of_one_story_the_first_to_tell_it_is_taken():
    twice = [candidate(1, hours_ago=2, story_id=7), candidate(2, hours_ago=1, story_id=7)]
    assert ids(twice) == [1]


def test_the_order_does_not_depend_on_the_order_of_the_candidates():
    some = [candidate(number, CONTRACTS if number % 2 else PENSIONS) for number in range(9)]
    assert ids(some) == ids(some[::-1])
