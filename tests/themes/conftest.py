"""Compiled themes without a database, and the starter themes with one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.themes.rules import CompiledThemes, ThemeRules
from newsletter.themes.starter import load_starter_themes, starter_themes

Compile = Callable[..., CompiledThemes]


@pytest.fixture
def theme() -> Compile:
    """`theme("pensione", exclusions=[…])`: one theme, numbered 1, named by a word of its own."""

    def compile_theme(
        *keywords: str,
        names: tuple[str, ...] = ("Zzz",),
        exclusions: tuple[str, ...] = (),
        categories: tuple[str, ...] = (),
    ) -> CompiledThemes:
        return CompiledThemes((ThemeRules(1, names, keywords, exclusions, categories),))

    return compile_theme


@pytest.fixture(scope="session")
def starter_rules() -> CompiledThemes:
    """The starter themes, numbered as in their file."""
    return CompiledThemes(
        tuple(
            ThemeRules(
                theme_id=number,
                names=(entry["name"], entry["name_en"]),
                keywords=tuple(entry["keywords"]),
                exclusions=tuple(entry.get("exclusions", ())),
                categories=tuple(entry.get("feed_categories", ())),
            )
            for number, entry in enumerate(starter_themes())
        )
    )


@pytest.fixture
def starter(db: None) -> None:
    load_starter_themes()
