"""The words that gave a theme are found again in the text, and nothing else of it changes."""

from __future__ import annotations

import re

from newsletter.themes.marking import MOST_MARKS, mark


def marks(html: str) -> list[tuple[str, str]]:
    return [
        (words, themes)
        for themes, words in re.findall(
            r'<mark class="desk-term desk-term--\d"(?: data-themes="([\d ]+)")?>(.*?)</mark>', html
        )
    ]


def without_marks(html: str) -> str:
    return re.sub(r"</?mark[^>]*>", "", html)


def test_every_form_of_a_word_is_marked_and_the_text_stays() -> None:
    html = "<p>La Pensione e <b>le pensioni</b> dell’anno; il sindacato no.</p>"
    done = mark(html, {1: ["pensione"]}, "it")
    assert marks(done) == [("Pensione", "1"), ("pensioni", "1")]
    assert without_marks(done) == html


def test_a_phrase_across_tags_is_one_and_its_number_stands_at_its_end() -> None:
    html = "<p>software <em>open</em> source, open<br>source</p><p>open</p><p>source</p>"
    done = mark(html, {2: ["open source"]}, "it")
    assert marks(done) == [("open", ""), (" source", "2")]
    assert without_marks(done) == html


def test_a_word_of_two_themes_carries_both_numbers_and_the_longest_phrase_wins() -> None:
    terms = {1: ["contratto"], 2: ["contratto nazionale", "contratti"], 3: ["nazionale"]}
    assert marks(mark("<p>Il contratto nazionale, il contratto.</p>", terms, "it")) == [
        ("contratto nazionale", "1 2"),
        ("contratto", "1 2"),
    ]


def test_what_looks_like_markup_stays_text() -> None:
    html = "<p>&lt;script&gt;pensione&lt;/script&gt; &amp; 'pensione'</p>"
    done = mark(html, {1: ["pensione", "<script>", "&"]}, "it")
    assert "<script" not in done
    assert without_marks(done) == html
    assert mark("pensione &lt;b", {1: ["pensione"]}, "it").endswith("</mark> &lt;b")


def test_attributes_comments_and_links_are_left_alone() -> None:
    html = '<p><a href="/pensione" title="pensione">qui</a><!-- pensione --></p>'
    assert mark(html, {1: ["pensione"]}, "it") == html


def test_words_without_a_subject_mark_nothing() -> None:
    assert mark("<p>di tutto e di più</p>", {1: ["di", ""]}, "it") == "<p>di tutto e di più</p>"


def test_an_endless_text_gets_so_many_marks_and_no_more() -> None:
    html = "<p>" + "pensione " * (MOST_MARKS + 50) + "</p>"
    done = mark(html, {1: ["pensione"]}, "it")
    assert len(marks(done)) == MOST_MARKS
    assert without_marks(done) == html
