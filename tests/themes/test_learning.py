"""Learning for real, on small made articles."""

from __future__ import annotations

import io
import random
import re

import numpy as np
import pytest

from newsletter.themes.documents import read
from newsletter.themes.learned import Model
from newsletter.themes.learning import model_of
from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules
from newsletter.themes.sources import Source
from newsletter.themes.suggesting import suggest
from tests.themes import made
from tests.themes.made import PENSIONS, SCHOOL, STRIKES


def learn(sources: list[Source], themes: CompiledThemes | None = None) -> Model:
    model = model_of(sources, themes or made.themes(), "it")
    assert model is not None
    return model


def said(
    text: str, model: Model | None, *, title: str = "", themes: CompiledThemes | None = None
) -> dict[int, Suggestion]:
    found = suggest(title, text, "it", (), themes or made.themes(), model, threshold=0.5)
    return {one.theme_id: one for one in found}


@pytest.fixture(scope="module")
def taught() -> Model:
    return learn(made.sources(150, reviewed=True))


def test_words_of_no_list_are_learned_from_reviewed_articles(taught: Model) -> None:
    text = "Oggi contributi e anzianità, poi l'assegno di vecchiaia"
    assert said(text, None) == {}
    assert said(text, taught).keys() == {PENSIONS}


def test_unreviewed_articles_teach_which_words_go_with_the_keywords() -> None:
    model = learn(made.sources(150, reviewed=False))
    found = said("in piazza un presidio, e grande adesione alla mobilitazione", model)
    assert found.keys() == {STRIKES}
    assert found[STRIKES].source == "learned"


@pytest.mark.parametrize(
    ("language", "lists", "text"),
    [
        ("it", (["montagna"], ["ospedale"]), "un ghiacciaio sopra la valle"),
        ("en", (["mountain"], ["hospital"]), "a glacier above the valley"),
    ],
)
def test_a_word_that_no_article_has_is_known_by_its_meaning(
    language: str, lists: tuple[list[str], list[str]], text: str
) -> None:
    themes = CompiledThemes(
        tuple(ThemeRules(at, (), tuple(words)) for at, words in enumerate(lists, start=1))
    )
    sources = [Source("", one, None) for words in lists for one in words * 20]
    model = model_of(sources, themes, language)
    assert model is not None
    mountain, hospital = model.weigh(read("", text, language)).logits[:, 0]
    assert mountain > hospital + 0.1


def test_a_sign_that_stands_for_two_words_is_learned_and_found_like_any_other() -> None:
    model = learn(
        [one._replace(text=f"{one.text} \ufdfb") for one in made.sources(60, reviewed=True)]
    )
    assert said("Sciopero \ufdfb corteo", model).keys() == {STRIKES}


def test_a_kind_of_article_that_editors_give_many_themes_is_given_more() -> None:
    """A round-up has all of them, whatever else it says; other posts have one."""
    dice = random.Random(4)
    round_ups = [
        Source(
            "",
            f"rassegna settimanale {made.article(dice.choice([PENSIONS, SCHOOL, STRIKES]), dice)}",
            frozenset({PENSIONS, STRIKES, SCHOOL}),
        )
        for _ in range(60)
    ]
    model = learn(round_ups + made.sources(90, reviewed=True))
    text = "un corteo in piazza, adesione alla protesta"
    assert len(said(f"rassegna settimanale: {text}", model)) > len(said(text, model))
    many = [
        model.weigh(read("", one, "it")).logits[0, 2]
        for one in (text, f"rassegna settimanale: {text}")
    ]
    assert many[0] < many[1]


def test_a_few_posts_with_one_theme_each_do_not_prove_that_themes_exclude_each_other() -> None:
    long = [
        one._replace(text=" ".join([one.text, *made.FILLER * 3]))
        for one in made.sources(150, reviewed=True)
    ]
    few, many = learn([*long[:12], *(one._replace(themes=None) for one in long[12:])]), learn(long)
    two = np.array([0.9, 0.4, 0.1], np.float32)
    assert few.said(two, two + 9).tolist() == [True, True, False]
    assert many.said(two, two + 9).tolist() == [True, False, False]


def test_what_editors_say_outweighs_the_keywords() -> None:
    # Editors never took "corteo" for a strike: here it is about school.
    dice = random.Random(3)
    corrected = [
        Source("", f"corteo {made.article(SCHOOL, dice, with_keyword=False)}", frozenset({SCHOOL}))
        for _ in range(60)
    ]
    model = learn(made.sources(120, reviewed=True) + corrected)
    probability = {
        theme: one.confidence for theme, one in said("il corteo della classe", model).items()
    }
    assert max(probability, key=lambda theme: probability[theme]) == SCHOOL


def test_an_unreviewed_article_without_keywords_speaks_against_nothing() -> None:
    """Untagged is not negative: a pile of them leaves the suggestions where they were."""
    dice = random.Random(5)
    silent = [
        Source("", made.article(PENSIONS, dice, with_keyword=False), None) for _ in range(200)
    ]
    text = "contributi e anzianità, assegno di vecchiaia"
    before = said(text, learn(made.sources(90, reviewed=True)))
    after = said(text, learn(made.sources(90, reviewed=True) + silent))
    assert after[PENSIONS].confidence > before[PENSIONS].confidence - 0.1


def test_every_suggestion_names_words_of_the_text(taught: Model) -> None:
    text = "Contributi e anzianità: la previdenza, ieri"
    evidence = said(text, taught)[PENSIONS].evidence
    assert {one["term"] for one in evidence} <= set(re.findall(r"\w+", text))
    assert {"Contributi", "previdenza"} <= {one["term"] for one in evidence}
    assert sum(one["share"] for one in evidence) == pytest.approx(1, abs=0.01)
    shares = [one["share"] for one in evidence]
    assert shares == sorted(shares, reverse=True)


def test_the_words_named_are_those_that_gave_it(taught: Model) -> None:
    gone, total = 0, 0
    # Of each text three words are telling.
    for source in made.sources(60, reviewed=True, seed=9, keyword_share=0):
        for theme, one in said(source.text, taught).items():
            terms = {word for term in one.evidence[:3] for word in term["term"].split()}
            rest = " ".join(word for word in source.text.split() if word not in terms)
            total += 1
            gone += theme not in said(rest, taught)
    assert total > 40
    assert gone / total >= 0.75


def test_a_word_of_the_title_is_marked_so(taught: Model) -> None:
    found = said("anzianità e assegno", taught, title="I contributi")
    marks = {one["term"]: one["in_title"] for one in found[PENSIONS].evidence}
    assert marks["contributi"] is True
    assert marks["anzianità"] is False


def test_probabilities_mean_what_they_say(taught: Model) -> None:
    held_out = made.sources(300, reviewed=True, seed=21)
    right, sum_of_confidence, count = 0, 0.0, 0
    for source in held_out:
        for theme, one in said(source.text, taught).items():
            right += theme in (source.themes or ())
            sum_of_confidence += one.confidence
            count += 1
    assert right / count == pytest.approx(sum_of_confidence / count, abs=0.08)


def test_automatic_acceptance_needs_enough_right_tags() -> None:
    few = learn(made.sources(15, reviewed=True) + made.sources(20, reviewed=False, seed=2))
    assert [one.threshold for one in few.acceptance] == [None] * 3
    many = learn(made.sources(240, reviewed=True))
    assert all(one.threshold is not None for one in many.acceptance)
    assert all(one.right / one.tags >= 0.9 for one in many.acceptance)


def test_a_model_kept_and_read_says_the_same_and_holds_no_pickle(taught: Model) -> None:
    stored = taught.to_bytes()
    with np.load(io.BytesIO(stored), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)
    again = Model.from_bytes(stored)
    for source in made.sources(20, reviewed=True, seed=4):
        one, other = said(source.text, taught), said(source.text, again)
        assert one.keys() == other.keys()
        for theme in one:
            assert one[theme].confidence == pytest.approx(other[theme].confidence, abs=0.01)


def test_where_themes_exclude_each_other_a_second_one_must_be_nearly_as_good(taught: Model) -> None:
    probable = np.array([[0.5, 0.45, 0.1], [0.49, 0.48, 0.1], [0.2, 0.1, 0.1]], np.float32)
    said = taught.said(probable, np.full_like(probable, 9.0))
    assert said.tolist() == [[True, False, False], [True, True, False], [False, False, False]]


def test_what_rests_on_faint_words_alone_is_not_suggested_however_probable(taught: Model) -> None:
    assert taught.least_strength > 0
    strengths = taught.least_strength * np.array([1.01, 0.99, 0.0], np.float32)
    said = taught.said(np.array([0.9, 0.9, 0.9], np.float32), strengths)
    assert said.tolist() == [True, False, False]


def test_learning_twice_from_the_same_gives_the_same(taught: Model) -> None:
    again = learn(made.sources(150, reviewed=True))
    assert np.array_equal(again.coefficients, taught.coefficients)


def test_an_excluded_word_no_longer_speaks_for_its_theme_at_once(taught: Model) -> None:
    text = "contributi anzianità assegno"
    assert PENSIONS in said(text, taught)
    first, *others = made.themes().themes
    words = ("contributo", "assegni", "anzianità")
    excluding = ThemeRules(first.theme_id, first.names, first.keywords, words)
    found = said(text, taught, themes=CompiledThemes((excluding, *others)))
    assert PENSIONS not in found


def test_a_theme_added_since_is_suggested_by_its_keywords(taught: Model) -> None:
    themes = CompiledThemes((*made.themes().themes, ThemeRules(9, ("Casa",), ("affitto",))))
    assert 9 in said("l'affitto e il mutuo: affitto", taught, themes=themes)


def test_a_theme_deleted_since_is_not_suggested(taught: Model) -> None:
    themes = CompiledThemes(made.themes().themes[1:])
    assert PENSIONS not in said("contributi anzianità assegno pensione", taught, themes=themes)


def test_many_articles_are_learned_by_their_single_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.themes.learning.PAIRS_UNTIL", 50)
    phrase = ThemeRules(9, ("Orario di lavoro",), ("settimana corta",))
    themes = CompiledThemes((*made.themes().themes, phrase))
    model = learn(made.sources(120, reviewed=True), themes)
    # Nor the keywords' pairs: no article could unteach them.
    assert not [term for term in model.vocabulary.terms if " " in term]
    assert said("contributi e anzianità, assegno", model).keys() == {PENSIONS}


def test_too_few_articles_teach_nothing() -> None:
    assert model_of(made.sources(10, reviewed=True), made.themes(), "it") is None


@pytest.mark.parametrize(
    "text",
    ["", "   ", "…", "pensione " * 120_000, "ζωή και εργασία", "\x00\n", "1 2 3"],
    ids=["empty", "blank", "dots", "1 MB", "greek", "control", "numbers"],
)
def test_odd_articles_break_nothing(taught: Model, text: str) -> None:
    found = said(text, taught)
    assert all(0 <= one.confidence <= 1 and one.evidence for one in found.values())
    learn([*made.sources(60, reviewed=True), Source("", text, frozenset()), Source("", text, None)])


def test_odd_themes_break_nothing() -> None:
    themes = CompiledThemes(
        (
            *made.themes().themes,
            ThemeRules(4, ("Vuoto",), ()),
            ThemeRules(5, ("Gemello",), made.KEYWORDS[PENSIONS]),
            ThemeRules(6, ("Ovunque",), ("oggi", "ieri", "giorno")),
        )
    )
    model = learn(made.sources(120, reviewed=True), themes)
    found = said("contributi anzianità pensione", model, themes=themes)
    assert PENSIONS in found
    # Editors gave the twin to none of 120 articles.
    assert 5 not in found or found[5].confidence < found[PENSIONS].confidence


def test_labels_of_unknown_themes_are_left_out() -> None:
    stray = [Source("", one.text, frozenset({999})) for one in made.sources(30, reviewed=True)]
    assert learn([*made.sources(60, reviewed=True), *stray]).theme_ids == (1, 2, 3)


def test_reviewed_articles_must_come_first() -> None:
    with pytest.raises(ValueError, match="before all others"):
        learn([*made.sources(40, reviewed=False), *made.sources(40, reviewed=True)])


def test_learned_words_side_by_side_are_named_as_one_term(taught: Model) -> None:
    evidence = said("oggi l'assegno di vecchiaia, poi i contributi", taught)[PENSIONS].evidence
    assert {one["term"] for one in evidence} >= {"assegno di vecchiaia", "contributi"}


def test_an_excluded_phrase_silences_its_words_where_it_stands(taught: Model) -> None:
    first, *others = made.themes().themes
    excluding = ThemeRules(first.theme_id, first.names, first.keywords, ("assegno di vecchiaia",))
    themes = CompiledThemes((excluding, *others))
    assert PENSIONS in said("assegno di vecchiaia", taught)
    assert PENSIONS not in said("assegno di vecchiaia", taught, themes=themes)
    assert PENSIONS in said("L'assegno. La vecchiaia", taught, themes=themes)
