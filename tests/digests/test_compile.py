"""What the next issue proposes, when, and why an issue is left out."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from newsletter.articles.models import Article, Story
from newsletter.digests.compile import compile_digest, compile_due
from newsletter.digests.models import Digest, DigestItem, Newsletter
from newsletter.themes.models import ThemeAssignment
from tests.builders import make_article, make_newsletter, make_theme

pytestmark = pytest.mark.django_db

# Thursdays at 8:00 in Rome; a draft is due a day before.
SLOT = datetime(2026, 7, 16, 6, 0, tzinfo=UTC)
NOW = SLOT - timedelta(hours=23)
WEEK = timedelta(days=7)


def weekly(**fields: Any) -> Newsletter:
    newsletter = make_newsletter(**{"frequency": "weekly", "weekdays": [3]} | fields)
    Newsletter.objects.filter(pk=newsletter.pk).update(created_at=SLOT - 10 * WEEK)
    newsletter.refresh_from_db()
    return newsletter


def titles(digest: Digest) -> list[str]:
    return [item.article.title for item in digest.items.select_related("article")]


def article(title: str = "Una notizia", *, arrived: datetime = NOW, **fields: Any) -> Article:
    return make_article(title, arrived_at=arrived, **fields)


def test_an_issue_proposes_what_was_accepted_and_nothing_else():
    newsletter = weekly()
    article("Accettata")
    article("Da vagliare", accepted=False)
    article("Rifiutata", state=Article.State.REJECTED)
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    assert titles(digest) == ["Accettata"]
    assert (digest.status, digest.number, digest.slot) == ("draft", 1, SLOT)
    assert digest.subject == "Ogni settimana N. 1: Accettata"


def test_the_editor_opens_the_proposal_with_its_articles():
    newsletter = weekly()
    article("Accettata", themes=["Pensioni"])
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    draft = Digest.objects.get(pk=digest.pk).get_latest_revision_as_object()
    assert [(item.article.title, item.theme.name) for item in draft.items.all()] == [
        ("Accettata", "Pensioni")
    ]
    assert not draft.live


def test_a_late_dated_article_still_reaches_the_next_issue():
    newsletter = weekly()
    article("Prima")
    compile_digest(newsletter, slot=SLOT, now=NOW)
    article("Datata un mese fa", arrived=NOW + WEEK / 2, published_at=NOW - timedelta(days=30))
    following = compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)
    assert titles(following) == ["Datata un mese fa"]
    assert following.number == 2


def test_an_article_accepted_after_the_last_issue_reaches_the_next():
    newsletter = weekly()
    article("Subito")
    slow = article("Dopo averci pensato", accepted=False)
    compile_digest(newsletter, slot=SLOT, now=NOW)
    Article.objects.filter(pk=slow.pk).update(state="accepted", triaged_at=NOW + WEEK / 2)
    following = compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)
    assert titles(following) == ["Dopo averci pensato"]


def test_an_article_goes_into_one_issue_of_a_newsletter_and_into_others_of_another():
    newsletter, other = weekly(), weekly(name="Ogni giorno")
    article("Una volta sola")
    compile_digest(newsletter, slot=SLOT, now=NOW)
    article("Nuova", arrived=NOW + WEEK)
    assert titles(compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)) == ["Nuova"]
    both = compile_digest(other, slot=SLOT + WEEK, now=NOW + WEEK)
    assert set(titles(both)) == {"Una volta sola", "Nuova"}


def test_a_newsletter_with_themes_takes_articles_of_these_only():
    pensions, safety = make_theme("Pensioni"), make_theme("Salute e sicurezza")
    newsletter = weekly(themes=[pensions])
    article("Pensioni", themes=[pensions])
    article("Tutti e due", themes=[safety, pensions])
    article("Sicurezza", themes=[safety])
    article("Senza tema")
    doubtful = article("Forse pensioni")
    ThemeAssignment.objects.create(
        article=doubtful, theme=pensions, source="learned", confidence=0.2
    )
    refused = article("Per niente", themes=[pensions])
    refused.assignments.update(decision=ThemeAssignment.Decision.REJECTED)
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    assert set(titles(digest)) == {"Pensioni", "Tutti e due"}
    assert {item.theme for item in digest.items.all()} == {pensions}


def test_a_theme_an_editor_confirmed_counts_whatever_its_confidence():
    pensions = make_theme("Pensioni")
    newsletter = weekly(themes=[pensions])
    sure = article("Confermata")
    ThemeAssignment.objects.create(
        article=sure, theme=pensions, source="learned", confidence=0.1, decision="confirmed"
    )
    assert titles(compile_digest(newsletter, slot=SLOT, now=NOW)) == ["Confermata"]


def test_items_stand_in_sections_each_in_its_strongest_theme():
    newsletter = weekly()
    first, second = make_theme("Contratti", sort_order=1), make_theme("Pensioni", sort_order=2)
    for number in range(3):
        article(f"Pensioni {number}", themes=[second], arrived=NOW - timedelta(hours=number))
        article(f"Contratti {number}", themes=[first], arrived=NOW - timedelta(hours=number + 5))
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    assert titles(digest) == [
        "Pensioni 0",  # leads
        "Contratti 0",
        "Contratti 1",
        "Contratti 2",
        "Pensioni 1",
        "Pensioni 2",
    ]


def test_no_more_articles_than_the_newsletter_wants():
    newsletter = weekly(max_items=3)
    for number in range(8):
        article(f"N. {number}")
    assert len(titles(compile_digest(newsletter, slot=SLOT, now=NOW))) == 3


def test_without_articles_the_issue_is_skipped_and_says_why():
    newsletter = weekly(language="en")
    digest = compile_digest(newsletter, slot=SLOT, now=SLOT)
    assert (digest.status, digest.number) == ("skipped", None)
    assert digest.status_reason == "No article was accepted yet."


def test_too_few_articles_wait_for_the_next_issue_which_has_no_gap_in_its_number():
    newsletter = weekly(min_items=2, language="en")
    article("Sola")
    skipped = compile_digest(newsletter, slot=SLOT, now=SLOT)
    assert skipped.status_reason == (
        "Only 1 article was accepted, the newsletter wants at least 2."
    )
    article("Compagna", arrived=NOW + WEEK)
    digest = compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)
    assert set(titles(digest)) == {"Sola", "Compagna"}
    assert digest.number == 1


def test_an_issue_skipped_before_its_slot_is_tried_anew():
    newsletter = weekly()
    assert compile_digest(newsletter, slot=SLOT, now=NOW).status == "skipped"
    article("Appena accettata")
    assert titles(compile_digest(newsletter, slot=SLOT, now=NOW)) == ["Appena accettata"]


def test_a_story_that_an_issue_has_told_is_not_told_again():
    newsletter = weekly()
    story = Story.objects.create()
    first = article("Prima", story=story)
    assert titles(compile_digest(newsletter, slot=SLOT, now=NOW)) == ["Prima"]
    article("Di nuovo", story=story, arrived=NOW + WEEK)
    article("Altra", arrived=NOW + WEEK)
    assert titles(compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)) == ["Altra"]
    other = weekly(name="Altra lista", slug="altra")
    assert len(titles(compile_digest(other, slot=SLOT + WEEK, now=NOW + WEEK))) == 2
    assert first.story == story


def test_a_cancelled_issue_gives_its_articles_back():
    newsletter = weekly()
    article("Da rimandare")
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    Digest.objects.filter(pk=digest.pk).update(status="cancelled")
    following = compile_digest(newsletter, slot=SLOT + WEEK, now=NOW + WEEK)
    assert titles(following) == ["Da rimandare"]
    assert following.number == 2


def test_an_issue_made_by_hand_takes_nothing_from_the_next_proposal():
    newsletter = weekly()
    shown, left = article("Già data"), article("Ancora da dare")
    by_hand = Digest(newsletter=newsletter, slot=NOW, subject="A mano", live=False)
    by_hand.items = [DigestItem(article=shown)]
    by_hand.save()
    assert by_hand.number == 1
    assert titles(compile_digest(newsletter, slot=SLOT, now=NOW)) == [left.title]


def test_compiling_a_slot_twice_gives_the_same_digest():
    newsletter = weekly()
    article()
    first = compile_digest(newsletter, slot=SLOT, now=NOW)
    article("Arrivata dopo", arrived=NOW + timedelta(hours=1))
    again = compile_digest(newsletter, slot=SLOT, now=NOW + timedelta(hours=2))
    assert first.pk == again.pk
    assert titles(again) == ["Una notizia"]


@pytest.mark.side_by_side
@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_make_one_digest():
    if connection.vendor == "sqlite" and connection.is_in_memory_db():
        pytest.skip("SQLite in memory has no second process; this runs on PostgreSQL")
    newsletter = weekly()
    article()
    found: list[int] = []
    start = threading.Barrier(2)

    def beat() -> None:
        try:
            start.wait()
            found.append(compile_digest(newsletter, slot=SLOT, now=NOW).pk)
        finally:
            connection.close()

    beats = [threading.Thread(target=beat) for _ in range(2)]
    for one in beats:
        one.start()
    for one in beats:
        one.join()
    assert len(found) == 2
    assert set(found) == {Digest.objects.get().pk}


def test_a_title_with_a_line_end_makes_a_subject_of_one_line():
    newsletter = weekly()
    article("Sciopero\r\nBcc: tutti@posta.example")
    digest = compile_digest(newsletter, slot=SLOT, now=NOW)
    assert digest.subject == "Ogni settimana N. 1: Sciopero Bcc: tutti@posta.example"


# --- when -----------------------------------------------------------------------------------------


def test_a_draft_is_made_when_the_hours_to_edit_begin_and_not_before():
    weekly(lead_hours=24)
    article(arrived=SLOT - WEEK)
    assert compile_due(now=SLOT - timedelta(hours=25)) == []
    made = compile_due(now=SLOT - timedelta(hours=24))
    assert [digest.slot for digest in made] == [SLOT]
    assert compile_due(now=SLOT - timedelta(hours=23)) == []


def test_an_empty_issue_waits_for_articles_until_its_slot():
    weekly()
    assert compile_due(now=NOW) == []
    assert not Digest.objects.exists()
    article(arrived=NOW)
    assert [digest.status for digest in compile_due(now=NOW + timedelta(hours=1))] == ["draft"]


def test_an_issue_that_stays_empty_is_skipped_at_its_slot():
    weekly()
    compile_due(now=NOW)
    assert [digest.status for digest in compile_due(now=SLOT)] == ["skipped"]
    assert compile_due(now=SLOT + timedelta(minutes=1)) == []


def test_a_slot_missed_while_nothing_ran_is_made_up_within_the_grace_period():
    weekly()
    article()
    assert [d.slot for d in compile_due(now=SLOT + timedelta(hours=2))] == [SLOT]


def test_a_slot_missed_for_longer_is_left_to_the_next():
    weekly()
    article()
    assert compile_due(now=SLOT + timedelta(hours=13)) == []


def test_a_new_newsletter_makes_no_issue_for_a_slot_before_its_time():
    newsletter = weekly()
    Newsletter.objects.filter(pk=newsletter.pk).update(created_at=SLOT + timedelta(hours=1))
    article()
    assert compile_due(now=SLOT + timedelta(hours=2)) == []


@pytest.mark.parametrize("fields", [{"is_active": False}, {"frequency": "manual"}])
def test_a_newsletter_that_is_off_or_goes_by_hand_is_not_compiled(fields: dict[str, Any]):
    weekly(**fields)
    article()
    assert compile_due(now=NOW) == []


def test_one_newsletter_that_cannot_be_compiled_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
):
    broken = weekly(name="A pezzi")
    Newsletter.objects.filter(pk=broken.pk).update(weekdays="no list")
    weekly(name="Sana")
    article("Buona")
    assert [digest.newsletter.name for digest in compile_due(now=NOW)] == ["Sana"]
    assert "a-pezzi" in caplog.text


def test_an_urgent_notice_takes_no_articles_and_no_news_from_the_next_issue() -> None:
    notices = make_newsletter("Avvisi urgenti", kind="urgent", frequency="manual")
    make_article("Di ieri")
    notice = compile_digest(notices, slot=SLOT, now=NOW)
    assert titles(notice) == []
    assert (notice.number, notice.status, notice.window_end) == (1, "draft", None)
    (place,) = notice.get_latest_revision_as_object().opening
    assert (place.block_type, place.value["text"].source) == ("text", "")
    assert compile_digest(notices, slot=SLOT, now=NOW) == notice
