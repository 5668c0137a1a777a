"""What is known of where a mail's links lead."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.digests.following import FollowedLink, answers_for

Verdict = FollowedLink.Verdict


def of_the_links(links: Mapping[str, str], *, shown: int) -> list[tuple[bool, str]]:
    """Whether all is well, and what to say; each link by the words that a reader taps."""
    answers = answers_for(links)
    found: list[tuple[bool, str]] = []
    for verdict, said in (
        (Verdict.DEAD, _("Links to pages that are not there: %(which)s")),
        (Verdict.SILENT, _("Links that gave no answer, perhaps only for now: %(which)s")),
    ):
        bad = [url for url in links if url in answers and answers[url].verdict == verdict]
        if bad:
            named = "; ".join(_named(links[url], answers[url]) for url in bad[:shown])
            found.append((False, said % {"which": named}))
    waiting = len([url for url in links if url not in answers])
    if waiting:
        said = ngettext(
            "%(count)d link has not been followed yet.",
            "%(count)d links have not been followed yet.",
            waiting,
        )
        found.append((False, said % {"count": waiting}))
    if not found and links:
        found.append((True, _("Its links were followed, and lead somewhere.")))
    return found


def _named(words: str, answer: FollowedLink) -> str:
    reason = f" ({answer.status})" if answer.status else ""
    return f"“{words}”{reason}: {answer.url}" if words else f"{answer.url}{reason}"
