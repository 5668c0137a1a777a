from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from newsletter.exceptions import InvalidToken
from newsletter.members.tokens import (
    ADDRESS,
    SUBSCRIPTION,
    make_confirmation,
    make_token,
    read_confirmation,
    read_token,
)
from tests.builders import NOW


def test_a_token_is_always_32_signs_that_need_no_escaping() -> None:
    uids = [uuid4() for _ in range(200)] + [UUID(int=0), UUID(int=2**128 - 1)]
    for uid in uids:
        token = make_token(uid)
        assert re.fullmatch(r"[A-Za-z0-9_-]{32}", token)
        assert read_token(token) == uid


@pytest.mark.parametrize("broken", ["", "x", "…" * 32, "A" * 32, "A" * 31, "A" * 4000])
def test_a_link_we_did_not_make_is_refused(broken: str) -> None:
    with pytest.raises(InvalidToken):
        read_token(broken)


def test_every_changed_sign_makes_a_link_invalid() -> None:
    token = make_token(uuid4())
    for place in range(32):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(InvalidToken):
            read_token(token[:place] + other + token[place + 1 :])


def test_links_outlive_a_change_of_the_secret_key(settings: object) -> None:
    token = make_token(uid := uuid4())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]  # type: ignore[attr-defined]
    settings.SECRET_KEY = "new"  # type: ignore[attr-defined]
    assert read_token(token) == uid
    settings.SECRET_KEY_FALLBACKS = []  # type: ignore[attr-defined]
    with pytest.raises(InvalidToken):
        read_token(token)


def test_a_confirmation_link_works_for_seven_days() -> None:
    token = make_confirmation(uid := uuid4(), SUBSCRIPTION, now=NOW)
    assert read_confirmation(token, SUBSCRIPTION, now=NOW + timedelta(days=6, hours=23)) == uid
    with pytest.raises(InvalidToken, match="too old"):
        read_confirmation(token, SUBSCRIPTION, now=NOW + timedelta(days=7, minutes=1))


def test_a_link_serves_one_purpose() -> None:
    token = make_confirmation(uuid4(), SUBSCRIPTION, now=NOW)
    with pytest.raises(InvalidToken):
        read_confirmation(token, ADDRESS, now=NOW)
    with pytest.raises(InvalidToken):
        read_token(token)
    with pytest.raises(InvalidToken):
        read_confirmation(make_token(uuid4()), SUBSCRIPTION, now=NOW)
