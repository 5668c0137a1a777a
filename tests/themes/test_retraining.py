"""When a language is learned again, and which model is used, in the database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management import CommandError, call_command

from newsletter.articles.models import Article
from newsletter.themes import retraining, tagging
from newsletter.themes import sources as learner_sources
from newsletter.themes.models import LearnedModel, Tagging, Theme, ThemeAssignment
from tests.builders import NOW, make_article, make_theme
from tests.themes import made

pytestmark = pytest.mark.django_db
State = LearnedModel.State
Decision = ThemeAssignment.Decision
SILENT = "contributi e anzianità, poi assegno di vecchiaia"  # no keyword in it


@pytest.fixture
def editor() -> AbstractBaseUser:
    return get_user_model().objects.create_user("redattrice")


@pytest.fixture
def subjects() -> dict[int, Theme]:
    return {
        number: make_theme(f"Tema{number}x", keywords=words)
        for number, words in made.KEYWORDS.items()
    }


def publish(count: int, *, seed: int = 1) -> list[tuple[Article, int]]:
    sources = made.sources(count, reviewed=True, seed=seed)
    return [
        (make_article("Notizia", body=one.text, accepted=False), min(one.themes or {1}))
        for one in sources
    ]


def review(
    articles: list[tuple[Article, int]],
    subjects: dict[int, Theme],
    by: AbstractBaseUser,
    at: datetime = NOW,
) -> None:
    for article, number in articles:
        tagging.set_themes(article.pk, [subjects[number].pk], by=by, now=at)


def learn(at: datetime = NOW) -> LearnedModel:
    row = retraining.learn("it", tagging.compiled_themes(), now=at)
    assert row is not None
    return row


def due(at: datetime) -> list[str]:
    return retraining.due_languages(tagging.compiled_themes(), now=at)


def test_what_was_learned_is_suggested_in_the_inbox(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    review(publish(90), subjects, editor)
    waiting = make_article("Notizia", body=SILENT, accepted=False)
    tagging.tag([waiting.pk], now=NOW)
    assert not waiting.assignments.exists()
    assert learn().state == State.CURRENT
    assert tagging.tag_again("it", now=NOW) == 1
    assignment = waiting.assignments.get()
    assert (assignment.theme, assignment.source) == (subjects[made.PENSIONS], "learned")
    assert assignment.evidence[0]["term"] in SILENT


def test_only_reviewed_articles_teach_labels(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    articles = publish(60)
    review(articles[:40], subjects, editor)
    tagging.tag([article.pk for article, _ in articles], now=NOW)
    # Confirmed by itself, reviewed by nobody.
    ThemeAssignment.objects.filter(article=articles[50][0]).update(decision=Decision.CONFIRMED)
    found = list(retraining.sources("it"))
    assert len([one for one in found if one.themes is not None]) == 40
    assert len([one for one in found if one.themes is None]) == 20


def test_of_very_many_articles_the_newest_teach_and_those_of_rare_themes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(learner_sources, "NEWEST", 4)
    monkeypatch.setattr(learner_sources, "FEW", 2)
    common, rare = {1}, {2}
    reviewed = [common, common, common, set(), common, rare, set(), rare, rare]
    is_worth = learner_sources.WorthLearning()
    assert [place for place, one in enumerate(reviewed) if is_worth(one)] == [0, 1, 2, 3, 5, 7]


def test_a_model_of_an_earlier_version_is_not_read_and_its_language_is_learned_again(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    review(publish(90), subjects, editor)
    row = learn()
    LearnedModel.objects.filter(pk=row.pk).update(
        data=b"arrays of another meaning", facts=row.facts | {"format": 1}
    )
    waiting = make_article("Sciopero e pensione", accepted=False)
    tagging.tag([waiting.pk], now=NOW)
    assert {one.source for one in waiting.assignments.all()} == {"rule"}
    later = NOW + timedelta(hours=1)
    assert due(later) == ["it"]
    again = learn(later)
    assert again.state == State.CURRENT
    assert retraining.roll_back("it") is None  # to nothing that can be read


def test_a_rejected_theme_is_no_label(subjects: dict[int, Theme], editor: AbstractBaseUser) -> None:
    article = make_article("Sciopero e pensione", accepted=False)
    tagging.tag([article.pk], now=NOW)
    tagging.set_themes(article.pk, [], by=editor, now=NOW)
    assert [one.themes for one in retraining.sources("it")] == [frozenset()]


def test_each_language_is_learned_by_itself(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    publish(30)
    for one in made.sources(30, reviewed=True):
        make_article("News", body=one.text, language="en")
    make_article("Ζωή", language="el")
    assert due(NOW) == ["en", "it"]


def test_due_after_corrections_a_night_or_new_words(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    articles = publish(60)
    assert due(NOW) == ["it"]
    review(articles[:30], subjects, editor)
    learn(NOW + timedelta(minutes=1))
    later = NOW + timedelta(hours=1)
    assert due(later) == []
    review(articles[30:38], subjects, editor, at=later)
    assert due(later) == []
    assert due(later + timedelta(hours=23)) == ["it"]  # the night takes the few along
    review(articles[38:50], subjects, editor, at=later)
    assert due(later) == ["it"]
    learn(later + timedelta(minutes=1))
    Theme.objects.filter(pk=subjects[1].pk).update(keywords="pensione\nquota 103")
    assert due(later + timedelta(minutes=2)) == []  # an editor is at work
    assert due(later + timedelta(minutes=20)) == ["it"]


def test_too_few_articles_are_not_learned(subjects: dict[int, Theme]) -> None:
    publish(10)
    assert due(NOW) == []


def test_a_second_worker_leaves_it_to_the_first(subjects: dict[int, Theme]) -> None:
    publish(40)
    LearnedModel.objects.create(language="it", state=State.TRAINING, started_at=NOW)
    themes = tagging.compiled_themes()
    assert retraining.learn("it", themes, now=NOW + timedelta(minutes=5)) is None
    # Killed: nobody trains for so long.
    row = retraining.learn("it", themes, now=NOW + timedelta(hours=2))
    assert row is not None
    assert row.state == State.CURRENT


def test_a_worse_model_is_not_used(subjects: dict[int, Theme], editor: AbstractBaseUser) -> None:
    articles = publish(90)
    review(articles, subjects, editor)
    good = learn()
    # Somebody clicks at random.
    wrong = [(article, number % 3 + 1) for article, number in articles[::2]]
    review(wrong, subjects, editor, at=NOW + timedelta(hours=1))
    worse = learn(NOW + timedelta(hours=1))
    assert worse.state == State.REFUSED
    assert worse.facts["ndcg"] < good.facts["ndcg"]
    assert LearnedModel.objects.current().get() == good
    assert due(NOW + timedelta(hours=1, minutes=30)) == []  # it is not tried over and over


def test_the_model_before_can_be_taken_back(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    review(publish(60), subjects, editor)
    first, second = learn(), learn(NOW + timedelta(hours=1))
    assert LearnedModel.objects.current().get() == second
    assert retraining.roll_back("it") == first
    assert LearnedModel.objects.current().get() == first
    assert retraining.roll_back("it") is None


def test_the_command_takes_the_model_before_back_once_it_is_told_to(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    def said(*options: str) -> dict[str, Any]:
        output = StringIO()
        call_command("roll_back_learning", "it", *options, "--json", stdout=output)
        return dict(json.loads(output.getvalue()))

    with pytest.raises(CommandError, match="Nothing was learned before"):
        call_command("roll_back_learning", "it")
    review(publish(60), subjects, editor)
    first, second = learn(), learn(NOW + timedelta(hours=1))
    waiting = make_article("Sciopero e pensione", accepted=False, changed_at=datetime.now(UTC))
    told = said()
    assert (told["done"], told["to"]["learned"]) == (False, first.started_at.isoformat())
    assert LearnedModel.objects.current().get() == second
    told = said("--yes")
    assert (told["done"], told["looked_at_again"]) == (True, 1)
    assert LearnedModel.objects.current().get() == first
    assert waiting.assignments.exists()
    with pytest.raises(CommandError, match="Nothing was learned before"):
        call_command("roll_back_learning", "it", "--yes")


def test_old_models_are_not_kept_for_ever(subjects: dict[int, Theme]) -> None:
    publish(40)
    for hour in range(6):
        learn(NOW + timedelta(hours=hour))
    assert LearnedModel.objects.count() == 1 + retraining.KEPT_MODELS


def test_a_failed_training_leaves_the_model_in_use(
    subjects: dict[int, Theme], editor: AbstractBaseUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(40)
    good = learn()
    monkeypatch.setattr("newsletter.themes.training.HALF_TRUST", "no number")
    with pytest.raises(Exception, match=r"."):
        learn(NOW + timedelta(hours=1))
    assert LearnedModel.objects.get() == good


def test_acceptance_by_itself_is_off_until_asked_for_and_earned(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    review(publish(240), subjects, editor)
    learn()
    waiting = make_article("Notizia", body=f"pensione, previdenza: {SILENT}", accepted=False)
    tagging.tag([waiting.pk], now=NOW)
    assert waiting.assignments.get().decision == Decision.SUGGESTED
    Theme.objects.update(accept_automatically=True)
    tagging.tag([waiting.pk], now=NOW)
    accepted = waiting.assignments.get()
    assert (accepted.decision, accepted.decided_at) == (Decision.CONFIRMED, None)
    # And is taken back when the editors change their mind.
    Theme.objects.update(accept_automatically=False)
    tagging.tag([waiting.pk], now=NOW)
    assert waiting.assignments.get().decision == Decision.SUGGESTED


@pytest.mark.parametrize("way", ["accepting", "choosing"])
def test_what_was_accepted_by_itself_teaches_once_an_editor_agrees(
    subjects: dict[int, Theme], editor: AbstractBaseUser, way: str
) -> None:
    article = make_article("Notizia", body="pensione e previdenza", accepted=False)
    tagging.tag([article.pk], now=NOW)
    article.assignments.update(decision=Decision.CONFIRMED)
    if way == "accepting":
        tagging.confirm_suggestions([article.pk], by=editor, now=NOW)
    else:
        tagging.set_themes(article.pk, [subjects[made.PENSIONS].pk], by=editor, now=NOW)
    chosen = frozenset({subjects[made.PENSIONS].pk})
    assert [one.themes for one in retraining.sources("it")] == [chosen]


def test_editors_decisions_stand_whatever_is_learned(
    subjects: dict[int, Theme], editor: AbstractBaseUser
) -> None:
    review(publish(60), subjects, editor)
    article = make_article("Notizia", body=SILENT, accepted=False)
    tagging.set_themes(article.pk, [subjects[made.SCHOOL].pk], by=editor, now=NOW)
    learn()
    tagging.tag([article.pk], now=NOW + timedelta(hours=1))
    assert article.assignments.get().theme == subjects[made.SCHOOL]
    assert Tagging.objects.get(article=article).reviewed_at == NOW
