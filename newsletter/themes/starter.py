"""Themes to begin with: sixteen subjects of a workplace union, in Italian and English."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from newsletter.themes.models import Theme


def starter_themes() -> list[dict[str, Any]]:
    """As written in starter/*.json, in the order of the files and of each file."""
    folder = resources.files("newsletter.themes") / "starter"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return [theme for file in files for theme in json.loads(file.read_text(encoding="utf-8"))]


@transaction.atomic
def load_starter_themes() -> int:
    """Add the starter themes that are missing; how many were. What editors changed stays."""
    added = 0
    for place, theme in enumerate(starter_themes(), start=1):
        slug = slugify(theme["name"])
        if Theme.objects.filter(name=theme["name"]).exists():
            continue  # an editor gave it another slug
        _, created = Theme.objects.get_or_create(
            slug=slug,
            defaults={
                "name": theme["name"],
                "name_en": theme["name_en"],
                "description": theme["description"],
                "glyph": theme["glyph"],
                "glyph_text": theme["glyph_text"],
                "colour": theme["colour"],
                "keywords": "\n".join(theme["keywords"]),
                "exclusions": "\n".join(theme.get("exclusions", [])),
                "feed_categories": "\n".join(theme.get("feed_categories", [])),
                "sort_order": place * 10,
            },
        )
        added += created
    return added
