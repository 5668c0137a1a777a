"""Copies are made ahead of their turn, and never go to anybody they were not made for."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from newsletter.delivery import ledger
from newsletter.delivery.claim import claim_batch
from newsletter.delivery.control import start_due
from newsletter.delivery.copies import Copies
from newsletter.delivery.freeze import approve
from newsletter.delivery.outcome import Row
from newsletter.digests.models import Digest, Variant
from newsletter.digests.pictures import Picture
from tests.builders import NOW, make_article, make_digest, make_member, make_newsletter
from tests.digests.blocks import make_image, picture, put

pytestmark = pytest.mark.django_db
Ready = Callable[..., Digest]


def rows_of(digest: Digest) -> list[Row]:
    claim = claim_batch(digest.pk, owner="a", now=NOW)
    assert claim is not None
    return ledger.next_rows(digest.pk, after=0, last=claim.last_id, limit=10, now=NOW)


def variants_like_the_one(more: int) -> list[int]:
    variant = Variant.objects.get()
    found = [variant.pk]
    for number in range(more):
        variant.pk, variant.key = None, f"{number:064x}"
        variant.save()
        found.append(variant.pk)
    return found


def test_a_row_that_is_shown_in_a_traceback_does_not_show_the_address(ready_digest: Ready) -> None:
    (anna,) = rows_of(ready_digest(["anna@posta.example"]))
    assert "anna" not in repr(anna)
    assert str(anna.delivery_id) in repr(anna)


def test_a_copy_made_ahead_is_dropped_when_its_member_moves_to_another_address(
    ready_digest: Ready,
) -> None:
    digest = ready_digest(["anna@posta.example", "bruno@posta.example"])
    anna, bruno = rows_of(digest)
    copies = Copies(digest, now=NOW)
    copies.of(anna, now=NOW)
    copies.make_ahead(bruno, now=NOW)
    moved = copies.of(bruno._replace(address="bruno@altrove.example"), now=NOW)
    assert moved.envelope.recipient == "bruno@altrove.example"
    assert b"To: bruno@altrove.example\r\n" in moved.message
    assert b"posta.example" not in moved.message


def test_making_copies_ahead_asks_the_database_nothing_and_serves_the_same_bytes(
    ready_digest: Ready, django_assert_num_queries: Any
) -> None:
    digest = ready_digest(["anna@posta.example", "bruno@posta.example"])
    anna, bruno = rows_of(digest)
    copies = Copies(digest, now=NOW)
    with django_assert_num_queries(0):
        copies.make_ahead(anna, now=NOW)  # its variant is not compiled yet
    copies.of(anna, now=NOW)
    with django_assert_num_queries(0):
        copies.make_ahead(bruno, now=NOW)
        ahead = copies.of(bruno, now=NOW)
    assert ahead.message == Copies(digest, now=NOW).of(bruno, now=NOW).message


def test_members_of_many_variants_in_turn_cost_one_look_at_each_variant(
    ready_digest: Ready, django_assert_num_queries: Any
) -> None:
    digest = ready_digest(["anna@posta.example"])
    [anna] = rows_of(digest)
    variants = variants_like_the_one(99)
    copies = Copies(digest, now=NOW)
    turns = [anna._replace(delivery_id=n, variant_id=variants[n % 100]) for n in range(300)]
    with django_assert_num_queries(100):
        for row in turns:
            copies.of(row, now=NOW)


def test_many_variants_of_an_issue_with_a_picture_keep_its_bytes_once() -> None:
    newsletter = make_newsletter()
    make_member("anna@posta.example", newsletter=newsletter)
    digest = make_digest(newsletter, articles=[make_article()])
    put(digest, picture(make_image()))
    approve(digest.pk, now=NOW)
    size = 200_000
    Picture.objects.update(data=bytes(size))
    start_due(now=NOW)
    digest.refresh_from_db()
    [anna] = rows_of(digest)
    variants = variants_like_the_one(19)
    copies = Copies(digest, now=NOW)
    tracemalloc.start()
    try:
        for number, variant in enumerate(variants):
            copy = copies.of(anna._replace(delivery_id=number, variant_id=variant), now=NOW)
        taken, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(copy.message) > size
    assert taken < 10 * size  # of twenty
