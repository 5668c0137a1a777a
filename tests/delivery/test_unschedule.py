"""Stopped before it goes: a draft again, as if nobody had approved it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from newsletter.delivery.control import pause, resume, send_now, start_due
from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.delivery.unschedule import unschedule
from newsletter.digests.models import Digest, Newsletter, Variant
from newsletter.digests.pictures import Picture
from newsletter.digests.unapproved import drafts_to_send_unapproved
from newsletter.exceptions import DigestNotReady
from tests.builders import NOW
from tests.digests.blocks import make_image, picture, put

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]
ROWS = (Delivery, Exclusion, Batch, Segment, Variant, Picture)


def test_a_stopped_issue_is_a_draft_and_can_be_approved_anew(ready_digest: Ready) -> None:
    digest = ready_digest(3, started=False)
    approved = digest.content_hash
    unschedule(digest.pk)
    digest.refresh_from_db()
    assert (digest.status, digest.is_frozen, digest.live) == (Digest.Status.DRAFT, False, False)
    assert (digest.content, digest.content_hash, digest.candidates) == (None, "", 0)
    assert "approved again" in digest.status_reason
    assert not any(model._default_manager.exists() for model in ROWS)
    assert start_due(now=NOW + timedelta(days=1)) == []
    put(digest, picture(make_image()))
    assert approve(digest.pk, now=NOW).deliveries == 3
    digest.refresh_from_db()
    assert digest.content_hash != approved
    assert digest.status_reason == ""


def test_a_paused_issue_that_has_not_begun_can_be_stopped_too(ready_digest: Ready) -> None:
    digest = ready_digest(1, started=False)
    pause(digest.pk, now=NOW)
    unschedule(digest.pk)
    digest.refresh_from_db()
    assert (digest.status, digest.paused_at) == (Digest.Status.DRAFT, None)
    assert not resume(digest.pk, now=NOW)


def test_once_it_goes_it_can_only_be_paused(ready_digest: Ready) -> None:
    digest = ready_digest(2)
    with pytest.raises(DigestNotReady, match="Being sent"):
        unschedule(digest.pk)
    assert Delivery.objects.count() == 2
    assert pause(digest.pk, now=NOW)


def test_what_was_stopped_cannot_be_sent(ready_digest: Ready) -> None:
    digest = ready_digest(1, started=False)
    unschedule(digest.pk)
    with pytest.raises(DigestNotReady):
        send_now(digest.pk, now=NOW)
    with pytest.raises(DigestNotReady):
        unschedule(digest.pk)


def test_the_clock_does_not_send_what_somebody_stopped(ready_digest: Ready) -> None:
    digest = ready_digest(1, started=False)
    Newsletter.objects.update(when_unapproved="send")
    unschedule(digest.pk)
    digest.refresh_from_db()
    assert digest.status == Digest.Status.HELD
    assert drafts_to_send_unapproved(now=NOW) == []
    assert approve(digest.pk, now=NOW).deliveries == 1
