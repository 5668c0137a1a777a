"""The drawings a theme may have, in words to choose from."""

from __future__ import annotations

from pathlib import Path

from django.template import engines
from django.template.backends.django import DjangoTemplates
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FALLBACK = "default"
OURS: dict[str, str | Promise] = {
    "contract": _("a signed sheet"),
    "safety": _("a helmet"),
    "pension": _("a temple"),
    "remote": _("a house"),
    "equality": _("scales"),
    "family": _("people"),
    "training": _("an open book"),
    "rights": _("a fist"),
    "strike": _("a megaphone"),
    "event": _("a calendar"),
    "ai": _("a chip"),
    "opensource": _("brackets in a hexagon"),
    "privacy": _("an eye"),
    "world": _("a globe"),
    "climate": _("a leaf"),
    "public": _("a tram"),
}


def drawings() -> list[tuple[str, str | Promise]]:
    """Name and words of each, for a field's choices; a site's own go by the names of their files.

    None leaves the general drawing of a newspaper's page.
    """
    own = sorted(_names() - OURS.keys() - {FALLBACK})
    return [("", _("a page")), *OURS.items(), *((name, name) for name in own)]


def _names() -> set[str]:
    folders = {
        Path(folder) / "newsletter" / "glyphs"
        for engine in engines.all()
        if isinstance(engine, DjangoTemplates)
        for folder in engine.template_dirs
    }
    return {path.stem for folder in folders for path in folder.glob("*.svg")}
