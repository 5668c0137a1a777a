"""What a careful editor would mend in the free blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime

from django.utils.translation import gettext as _

from newsletter.digests.content import DigestContent

HEAVY = 500_000  # bytes of pictures in each mail


def oddities(content: DigestContent, pictures: Mapping[str, bytes]) -> Iterator[str]:
    """What is over before the issue goes out, and pictures that weigh much."""
    goes = datetime.fromisoformat(content.slot)
    for block in content.blocks:
        name = {"name": block.heading}
        if block.kind == "event" and datetime.fromisoformat(block.ends or block.starts) <= goes:
            yield _("“%(name)s” is over when the issue goes out.") % name
        closes = date.fromisoformat(block.ends) if block.kind == "poll" and block.ends else None
        if closes and closes < content.local_day:
            yield _("The poll “%(name)s” is closed when the issue goes out.") % name
    weight = sum(len(data) for data in pictures.values())
    if weight > HEAVY:
        yield _("Its pictures weigh %(size)d KB in each mail.") % {"size": round(weight / 1000)}
