"""Who gets which items, without knowing anybody."""

from __future__ import annotations

from newsletter.digests.block_content import BlockContent
from newsletter.digests.content import DigestContent
from newsletter.digests.variants import items_for, variant_key
from tests.digests.contents import make_content, make_item


def content() -> DigestContent:
    return make_content(
        (
            make_item(0, theme_ids=[1, 2]),
            make_item(1, theme_ids=[3]),
            make_item(2, theme_ids=[]),
        )
    )


def test_nothing_chosen_means_everything():
    assert items_for(content(), frozenset()) == (0, 1, 2)


def test_any_theme_of_an_item_is_enough_and_what_has_none_comes_along():
    assert items_for(content(), frozenset({2, 9})) == (0, 2)


def test_items_without_a_theme_are_no_reason_for_a_mail():
    assert items_for(content(), frozenset({9})) is None


def test_nobody_gets_an_item_of_other_themes_only():
    assert items_for(make_content((make_item(0, theme_ids=[1]),)), frozenset({4})) is None


def test_choices_with_the_same_items_are_the_same_variant():
    one, other = (items_for(content(), frozenset(chosen)) or () for chosen in ({1}, {2}))
    assert variant_key("it", one) == variant_key("it", other)


def test_language_and_items_tell_variants_apart():
    keys = {variant_key("it", (0, 1)), variant_key("en", (0, 1)), variant_key("it", (0, 11))}
    assert len(keys) == 3


def test_a_notice_without_articles_is_for_everybody():
    notice = make_content((), opening=(BlockContent("text", html="<p>Sciopero</p>"),))
    assert items_for(notice, frozenset({9})) == ()
    assert items_for(make_content(()), frozenset()) is None
