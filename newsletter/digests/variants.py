"""Who gets which items, without knowing anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from newsletter.digests.content import DigestContent


def items_for(content: DigestContent, theme_ids: frozenset[int]) -> tuple[int, ...] | None:
    """The positions of the items that somebody who chose these themes gets.

    None: the issue is not for them. Nothing chosen means everything. Who chose themes gets the
    issue only when one of them is in it; items without any theme come along, but never bring a
    mail of their own. An issue without articles, a notice in the editors' own words, is for all.
    """
    if not content.items:
        return () if content.blocks else None
    if not theme_ids:
        return tuple(item.position for item in content.items)
    chosen = {item.position for item in content.items if theme_ids.intersection(item.theme_ids)}
    if not chosen:
        return None
    return tuple(
        item.position for item in content.items if item.position in chosen or not item.theme_ids
    )


def variant_key(language: str, positions: Iterable[int]) -> str:
    """Equal for two choices that lead to the same mail."""
    name = f"{language}:{','.join(str(position) for position in sorted(positions))}"
    return hashlib.sha256(name.encode()).hexdigest()
