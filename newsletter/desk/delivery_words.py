"""What became of mails, in the desk's words: what we gave up is not refused."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext

from newsletter.delivery.models import Delivery
from newsletter.delivery.progress import Progress

# Beside the ledger's states: failed, because it was not tried any longer.
GIVEN_UP = "given-up"

_State, _Reason = Delivery.State, Delivery.Reason
GIVING_UP = (_Reason.EXPIRED, _Reason.CALLED_OFF)


def state_names() -> dict[str, Any]:
    """Each state by its word, what was given up after what was refused."""
    names: dict[str, Any] = {}
    for state, label in _State.choices:
        names[state] = label
        if state == _State.FAILED:
            names[GIVEN_UP] = pgettext("a mail", "Given up")
    return names


def told_as(state: str, reason: str) -> str:
    """The key of the word for a delivery in this state, for this reason."""
    return GIVEN_UP if state == _State.FAILED and reason in GIVING_UP else state


def counted(account: Progress) -> dict[str, int]:
    """How many are told as what, in the order of `state_names`; each delivery once."""
    given_up = sum(account.reasons.get((_State.FAILED, reason), 0) for reason in GIVING_UP)
    numbers = account.states | {GIVEN_UP: given_up}
    numbers[_State.FAILED.value] -= given_up
    return {key: numbers[key] for key in state_names()}
