"""What became of mails, in the desk's words: given up at the deadline is not refused."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext

from newsletter.delivery.models import Delivery
from newsletter.delivery.progress import Progress

# Beside the ledger's states: failed, because the time for trying again had passed.
GIVEN_UP = "given-up"

_State, _Reason = Delivery.State, Delivery.Reason


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
    given_up = (state, reason) == (_State.FAILED, _Reason.EXPIRED)
    return GIVEN_UP if given_up else state


def counted(account: Progress) -> dict[str, int]:
    """How many are told as what, in the order of `state_names`; each delivery once."""
    given_up = account.reasons.get((_State.FAILED.value, _Reason.EXPIRED.value), 0)
    numbers = account.states | {GIVEN_UP: given_up}
    numbers[_State.FAILED.value] -= given_up
    return {key: numbers[key] for key in state_names()}
