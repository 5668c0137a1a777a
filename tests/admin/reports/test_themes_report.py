"""What each theme brought, and that small groups of readers stay unknown."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from newsletter.articles.models import Article
from newsletter.digests.models import Digest, DigestItem, Newsletter
from newsletter.members.groups import SMALLEST, readers_by_theme
from newsletter.themes.models import ThemeAssignment
from tests.builders import make_article, make_digest, make_member, make_newsletter, make_theme

pytestmark = pytest.mark.django_db
URL = reverse("newsletter_reports:themes")


@pytest.fixture
def weekly() -> Newsletter:
    return make_newsletter()


def accepted(*themes: str, days_ago: float = 1) -> Article:
    at = timezone.now() - timedelta(days=days_ago)
    return make_article(themes=themes, arrived_at=at, triaged_at=at)


def sent(newsletter: Newsletter, *articles: Article, days_ago: float = 0.5) -> Digest:
    at = timezone.now() - timedelta(days=days_ago)
    digest = make_digest(newsletter, articles=articles, slot=at)
    Digest.objects.filter(pk=digest.pk).update(status=Digest.Status.SENT, sending_at=at)
    return digest


def sums(client: Client, query: str = "") -> dict[str, list[int]]:
    """Accepted and sent by theme, over the whole period, from the file."""
    response = client.get(f"{URL}?form=csv{query}")
    head, *lines = csv.reader(io.StringIO(response.content.decode()))
    assert head == ["Week from", "Theme", "Articles accepted", "Articles sent"]
    found: dict[str, list[int]] = {}
    for _week, theme, came, went in lines:
        row = found.setdefault(theme, [0, 0])
        row[0] += int(came)
        row[1] += int(went)
    return found


def test_an_article_counts_in_each_of_its_themes_and_each_issue(
    editor: Client, weekly: Newsletter
) -> None:
    both = accepted("Pensioni", "Salute", days_ago=9)
    sent(weekly, both)
    sent(weekly, both, accepted("Salute"), days_ago=0.2)
    accepted("Salute", days_ago=400)
    assert sums(editor) == {"Pensioni": [1, 2], "Salute": [2, 3]}
    page = editor.get(URL).content.decode()
    assert "Articles accepted: 2 in all" in page
    assert page.count('role="img"') == 2


def test_what_was_refused_or_left_for_later_does_not_count(
    editor: Client, weekly: Newsletter
) -> None:
    article = accepted("Pensioni", "Salute")
    article.assignments.filter(theme=make_theme("Salute")).update(
        decision=ThemeAssignment.Decision.REJECTED
    )
    later = accepted("Pensioni")
    digest = sent(weekly, article, later)
    DigestItem.objects.filter(digest=digest, article=later).update(deferred=True)
    make_digest(weekly, articles=[article], slot=timezone.now() - timedelta(days=2))  # a draft
    assert sums(editor) == {"Pensioni": [2, 1]}


def test_a_newsletter_narrows_what_was_sent(editor: Client, weekly: Newsletter) -> None:
    other = make_newsletter("Avvisi")
    article = accepted("Pensioni")
    sent(weekly, article)
    sent(other, article)
    assert sums(editor) == {"Pensioni": [1, 2]}
    assert sums(editor, f"&newsletter={other.slug}") == {"Pensioni": [1, 1]}


def test_few_readers_of_a_theme_are_not_told_from_none(editor: Client, weekly: Newsletter) -> None:
    accepted("Pensioni", "Salute", "Lavoro")
    for number in range(SMALLEST):
        make_member(newsletter=weekly, themes=["Pensioni", "Salute"][: 2 if number else 1])
    make_member(newsletter=weekly)
    chose, everything = readers_by_theme(weekly)
    numbers = [chose[make_theme("Pensioni").pk], chose[make_theme("Salute").pk], everything]
    assert numbers == [SMALLEST, SMALLEST - 1, 1]
    page = editor.get(URL).content.decode()
    assert page.count(f"fewer than {SMALLEST}") == 3  # Salute, Lavoro, and who receives all
    assert f'<td class="desk-number">{SMALLEST}</td>' in page
    assert f'<td class="desk-number">{SMALLEST - 1}</td>' not in page


def test_readers_are_counted_for_one_newsletter_at_a_time(
    editor: Client, weekly: Newsletter
) -> None:
    """A choice made for two newsletters would count one person twice, above the smallest group."""
    other = make_newsletter("Avvisi")
    accepted("Pensioni")
    assert "Readers who chose it" not in editor.get(URL).content.decode()
    page = editor.get(f"{URL}?newsletter={other.slug}").content.decode()
    assert "Readers who chose it" in page


def test_the_number_of_queries_does_not_grow(
    editor: Client, weekly: Newsletter, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        sent(weekly, accepted(f"Tema {number}", "Pensioni", days_ago=number * 7))
    editor.get(URL)
    with django_assert_max_num_queries(16):
        editor.get(URL)


def test_nothing_accepted_yet_says_what_to_do(editor: Client, weekly: Newsletter) -> None:
    assert "No article with a theme has been accepted yet" in editor.get(URL).content.decode()
    accepted("Pensioni", days_ago=400)
    assert "No article was accepted in this time" in editor.get(URL).content.decode()
