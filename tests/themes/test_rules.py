from __future__ import annotations

import time

import pytest

from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules, match

from .conftest import Compile

FILLER = "Il gruppo si è incontrato nella sede nuova e ha parlato a lungo di molte altre cose. "
LONG = FILLER * 15  # over two hundred words
SUGGESTED = 0.5


def confidence(
    themes: CompiledThemes, title: str = "", text: str = "", *, categories: tuple[str, ...] = ()
) -> float:
    found = match(title, text, "it", categories, themes)
    return found[0].confidence if found else 0.0


def only(found: list[Suggestion]) -> Suggestion:
    assert len(found) == 1
    return found[0]


def test_one_keyword_once_in_a_long_post_is_not_enough(theme: Compile) -> None:
    assert 0 < confidence(theme("pensione"), "Notizie", LONG + "pensione. " + LONG) < SUGGESTED


def test_one_keyword_is_enough_in_a_short_text(theme: Compile) -> None:
    assert confidence(theme("pensione"), "Notizie", "Domani si parla di pensioni.") >= SUGGESTED


def test_a_keyword_in_the_title_of_a_long_post_is_enough(theme: Compile) -> None:
    assert confidence(theme("pensione"), "La pensione che verrà", LONG) >= SUGGESTED


def test_two_terms_are_enough_in_a_long_post(theme: Compile) -> None:
    themes = theme("pensione", "contributi figurativi")
    text = LONG + "La pensione conta i contributi figurativi. " + LONG
    assert confidence(themes, "Notizie", text) >= SUGGESTED


def test_a_second_term_says_more_than_a_repetition(theme: Compile) -> None:
    themes = theme("pensione", "previdenza")
    assert confidence(themes, "", LONG + "pensione e previdenza") > confidence(
        themes, "", LONG + "pensione e pensione"
    )


def test_every_further_term_raises_the_confidence(theme: Compile) -> None:
    themes = theme("pensione", "previdenza", "riscatto", "perequazione")
    words = ["pensione", "previdenza", "riscatto", "perequazione"]
    rising = [confidence(themes, "", LONG + " ".join(words[:n])) for n in range(1, 5)]
    assert rising == sorted(set(rising))
    assert rising[-1] < 0.95


def test_phrases_are_found_by_stem_and_across_prepositions(theme: Compile) -> None:
    found = only(match("", "Gli orari del lavoro cambiano.", "it", (), theme("orario di lavoro")))
    assert found.evidence[0]["term"] == "orari del lavoro"


def test_a_phrase_does_not_cross_a_full_stop(theme: Compile) -> None:
    assert not match("", "Finito il lavoro. Agile come un gatto.", "it", (), theme("lavoro agile"))


def test_accents_apostrophes_and_capitals_do_not_matter(theme: Compile) -> None:
    themes = theme("pari opportunità", "dell'assemblea")
    assert match("", "PARI OPPORTUNITA' PER TUTTI", "it", (), themes)
    assert match("", "l’Assemblea è aperta", "it", (), themes)


def test_the_longest_term_counts_once(theme: Compile) -> None:
    themes = theme("pensione", "fondo pensione")
    found = only(match("", "Il fondo pensione.", "it", (), themes))
    assert [term["term"] for term in found.evidence] == ["fondo pensione"]


def test_an_exclusion_hides_the_keyword_it_covers_and_speaks_against(theme: Compile) -> None:
    themes = theme("contratto", exclusions=("contratto di affitto",))
    assert match("", "Un contratto nuovo.", "it", (), themes)
    assert not match("", "Un contratto d’affitto nuovo.", "it", (), themes)
    assert not match("", "Un contratto di affitto è un contratto.", "it", (), themes)


def test_evidence_has_the_words_of_the_text_with_their_shares(theme: Compile) -> None:
    themes = theme("pensione", "contributi figurativi")
    found = only(match("Le Pensioni", LONG + "e i contributi figurativi", "it", (), themes))
    assert [term["term"] for term in found.evidence] == ["Pensioni", "contributi figurativi"]
    assert [term["in_title"] for term in found.evidence] == [True, False]
    assert sum(term["share"] for term in found.evidence) == pytest.approx(1, abs=0.01)


def test_a_category_of_the_blog_gives_its_theme(theme: Compile) -> None:
    themes = theme("pensione", categories=("Previdenza & Pensioni",))
    found = only(match("Notizie", LONG, "it", ["previdenza &  pensioni"], themes))
    assert (found.source, found.confidence) == ("category", 0.95)
    assert found.evidence[0]["term"] == "previdenza &  pensioni"


def test_a_category_named_like_the_theme_needs_no_mapping(theme: Compile) -> None:
    assert match("", "", "it", ["Parità"], theme("x", names=("Parita",)))


def test_words_join_the_category_as_evidence(theme: Compile) -> None:
    themes = theme("pensione", categories=("Previdenza",))
    found = only(match("La pensione", "", "it", ["Previdenza", "previdenza"], themes))
    assert [term["term"] for term in found.evidence] == ["Previdenza", "pensione"]
    assert sum(term["share"] for term in found.evidence) == pytest.approx(1, abs=0.01)


def test_senza_categoria_gives_nothing(starter_rules: CompiledThemes) -> None:
    assert match("Notizie", "", "it", ["Senza categoria"], starter_rules) == []


def test_a_theme_without_keywords_is_found_by_its_name(theme: Compile) -> None:
    assert confidence(theme(names=("Pensioni",)), "La pensione") >= SUGGESTED


def test_a_keyword_that_is_only_a_preposition_matches_nothing(theme: Compile) -> None:
    assert not match("Di che cosa si parla", "di questo e di quello", "it", (), theme("di", "il"))


def test_two_themes_with_the_same_keywords_are_both_found() -> None:
    themes = CompiledThemes(
        (ThemeRules(1, ("Uno",), ("pensione",)), ThemeRules(2, ("Due",), ("pensione",)))
    )
    assert {one.theme_id for one in match("La pensione", "", "it", (), themes)} == {1, 2}


@pytest.mark.parametrize(("title", "text"), [("", ""), ("…", "§ !!"), ("\x00", "\n\n\n")])
def test_an_empty_article_has_no_theme(
    starter_rules: CompiledThemes, title: str, text: str
) -> None:
    assert match(title, text, "it", (), starter_rules) == []


def test_a_megabyte_of_text_is_quick(starter_rules: CompiledThemes) -> None:
    text = "pensione e previdenza complementare, poi altro ancora. " * 20_000
    started = time.perf_counter()
    found = match("", text, "it", (), starter_rules)
    assert time.perf_counter() - started < 2
    assert found
