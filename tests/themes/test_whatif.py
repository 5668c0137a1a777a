"""What other words would change, and what speaks against them."""

from __future__ import annotations

from newsletter.themes.rules import Suggestion, ThemeRules
from newsletter.themes.whatif import Outcome, Stored, Trouble, compare, warnings


def theme(*keywords: str, theme_id: int = 7, **fields: tuple[str, ...]) -> ThemeRules:
    return ThemeRules(theme_id, ("Pensioni",), keywords, **fields)


def article(pk: int, title: str, *, decided: bool | None = None) -> Stored:
    return Stored(pk, title, "", "it", decided=decided)


def compared(before: ThemeRules | None, after: ThemeRules, *articles: Stored) -> Outcome:
    return compare(articles, before, after, threshold=0.5)


def test_what_gains_and_what_loses_a_theme_is_named_with_the_words_that_decide() -> None:
    outcome = compared(
        theme("previdenza"),
        theme("quota cento"),
        article(1, "La previdenza in breve"),
        article(2, "Addio a Quota cento"),
        article(3, "La pensione resta"),
        article(4, "Altro"),
    )
    assert [(one.article_id, one.words) for one in outcome.lost] == [(1, ("previdenza",))]
    assert [(one.article_id, one.words) for one in outcome.gained] == [(2, ("Quota cento",))]
    assert (outcome.looked_at, outcome.before, outcome.after) == (4, 2, 2)


def test_an_exclusion_takes_a_theme_away() -> None:
    outcome = compared(
        theme("contratto"),
        theme("contratto", exclusions=("contratto di affitto",)),
        article(1, "Il contratto di affitto"),
        article(2, "Il contratto nazionale"),
    )
    assert [one.article_id for one in outcome.lost] == [1]


def test_a_theme_that_is_not_there_yet_can_only_gain() -> None:
    outcome = compared(None, theme(), article(1, "La pensione"), article(2, "Altro"))
    assert (len(outcome.gained), outcome.lost, outcome.before) == (1, [], 0)


def test_what_an_editor_decided_stays_and_measures_the_words() -> None:
    outcome = compared(
        theme("previdenza"),
        theme("quota cento"),
        article(1, "La previdenza", decided=True),
        article(2, "Quota cento", decided=True),
        article(3, "La previdenza privata", decided=False),
        article(4, "Altro", decided=True),
    )
    assert (outcome.gained, outcome.lost, outcome.kept, outcome.reviewed) == ([], [], 3, 4)
    before, after = outcome.agreed_before, outcome.agreed_after
    assert (before.right, before.missed, before.wrong) == (1, 2, 1)
    assert (after.right, after.missed, after.wrong) == (1, 2, 0)


def troubles(
    typed: ThemeRules, *others: ThemeRules, outcome: Outcome | None = None
) -> list[tuple[Trouble, str]]:
    return [(one.trouble, one.word) for one in warnings(typed, others, outcome)]


def test_a_theme_without_keywords_and_words_without_a_subject_are_warned_of() -> None:
    assert troubles(theme()) == [(Trouble.NO_KEYWORDS, "")]
    assert troubles(theme(categories=("Pensioni",))) == []
    assert troubles(theme("della", "fondo", exclusions=("di",))) == [
        (Trouble.NO_SUBJECT, "della"),
        (Trouble.NO_SUBJECT, "di"),
    ]


def test_a_keyword_of_another_theme_or_among_the_exclusions_is_warned_of() -> None:
    other = ThemeRules(9, ("Contratti",), ("rinnovi contrattuali",))
    typed = theme("rinnovo contrattuale", "contratto", "fondi", exclusions=("fondo",))
    found = warnings(typed, [other])
    assert [(one.trouble, one.word, one.theme_id) for one in found] == [
        (Trouble.SHARED, "rinnovo contrattuale", 9),
        (Trouble.SHARED, "contratto", 9),
        (Trouble.EXCLUDED, "fondi", 0),
    ]


def test_a_keyword_in_half_of_all_articles_is_warned_of_once_there_are_enough() -> None:
    def told(articles: int) -> list[tuple[Trouble, str]]:
        typed = theme("lavoro", "fondo")
        sample = [
            article(
                n,
                "Il lavoro" if n % 2 else "Il fondo e il lavoro",
            )
            for n in range(articles)
        ]
        return troubles(typed, outcome=compared(None, typed, *sample))

    assert told(40) == [(Trouble.EVERYWHERE, "lavoro"), (Trouble.EVERYWHERE, "fondo")]
    assert told(10) == []


def test_a_model_is_asked_once_where_the_words_find_the_same() -> None:
    asked: list[tuple[int, bool]] = []

    def ask(one: Stored, typed: bool) -> Suggestion | None:
        asked.append((one.pk, typed))
        return Suggestion(7, "learned", 0.9, ()) if typed or one.pk == 1 else None

    articles = [article(1, "La previdenza"), article(2, "Quota cento")]
    after = theme("previdenza", "quota cento")
    outcome = compare(articles, theme("previdenza"), after, threshold=0.5, ask=ask)
    assert asked == [(1, True), (2, True), (2, False)]
    assert [one.article_id for one in outcome.gained] == [2]
