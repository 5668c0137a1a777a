"""What a warm-up does to an issue, in an editor's words, before it is approved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.utils.translation import gettext as _

from newsletter.delivery.pace.warm_up import Share, configured_warm_up, shares_of_the_days
from newsletter.digests.models import Digest


def hosts_of_the_plan() -> list[str]:
    """Whose readers have to be counted: the domains that have a number of their own."""
    try:
        plan = configured_warm_up()
    except ValueError:
        return []  # `manage.py check` says it, and the digest's page when it should go
    return list(plan.domains) if plan else []


def warnings_of_the_plan(
    digest: Digest, readers: int, at_hosts: Mapping[str, int], *, now: datetime
) -> list[str]:
    """That it takes several days, or is too much for all of them, of the whole and by domain."""
    try:
        whole, *others = shares_of_the_days(
            digest.newsletter, readers, at_hosts, first=max(digest.slot, now)
        ) or [Share("", readers, readers, 1)]
    except ValueError:
        return []
    slower = [one for one in others if _missing(one) or one.days > whole.days]
    return [_of_one(share) for share in [whole, *slower] if _missing(share) or share.days > 1]


def _missing(share: Share) -> int:
    return share.readers - share.in_time


def _of_one(share: Share) -> str:
    if not _missing(share):
        if share.domain:
            said = _(
                "The server is being warmed up: the mails to %(domain)s take %(days)d days, "
                "because only some of the %(readers)d readers there may get theirs each day."
            )
        else:
            said = _(
                "The server is being warmed up: the issue takes %(days)d days, because only some "
                "of its %(readers)d mails may go each day."
            )
    elif share.domain:
        said = _(
            "The server is being warmed up: only %(most)d of the %(readers)d readers at %(domain)s "
            "can get it before its deadline, and the others never. Ask whoever runs the site."
        )
    else:
        said = _(
            "The server is being warmed up: only %(most)d of its %(readers)d mails can go before "
            "its deadline, and the others never. Ask whoever runs the site."
        )
    return said % {
        "most": share.in_time,
        "readers": share.readers,
        "domain": share.domain,
        "days": share.days,
    }
