"""What others know about messages of ours whose fate we don't: the mail server's own records."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from newsletter import conf


class Verdict(enum.Enum):
    ACCEPTED = "accepted"  # the server took the message over
    ABSENT = "absent"  # provably never arrived: only with records of the whole time in question
    UNKNOWN = "unknown"


class Evidence(Protocol):
    """A place that knows which messages a mail server took.

    An entry of EVIDENCE names a class like this by its dotted path; the entry's other keys are
    its arguments.
    """

    def look_up(
        self, message_ids: Mapping[str, datetime], *, now: datetime
    ) -> Mapping[str, Verdict]:
        """The verdict for each Message-ID (with its brackets), given when it was last tried.

        What is left out counts as UNKNOWN. ABSENT leads to a second attempt: a source that may
        have gaps never says it.
        """
        ...


def configured_evidence() -> list[Evidence]:
    """The sources that EVIDENCE names, in order."""
    sources: list[Evidence] = []
    for entry in conf.get("EVIDENCE"):
        arguments: dict[str, Any] = dict(entry)
        try:
            source = import_string(arguments.pop("class"))(**arguments)
        except (ImportError, KeyError, TypeError) as error:
            raise ImproperlyConfigured(
                'An entry of EVIDENCE looks like {"class": "dotted.path", …arguments}: '
                f"{error!r}."
            ) from error
        sources.append(source)
    return sources
