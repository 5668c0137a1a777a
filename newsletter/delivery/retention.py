"""Who got which digest is kept for a while, to answer questions; then only how many did."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q

from newsletter import conf
from newsletter.delivery.models import Batch, Delivery, Exclusion, Segment
from newsletter.delivery.progress import progress
from newsletter.digests.models import Digest

# On SQLite everybody waits while one deletes.
CHUNK = 5_000


def forget_deliveries(*, now: datetime, most: int = 500_000) -> int:
    """Forget the ledger of digests that ended more than DELIVERY_DAYS ago; how many deliveries.

    Their counts are stored first. Interrupted, or with more than `most` to forget, the next call
    goes on.
    """
    too_old = now - timedelta(days=int(conf.get("DELIVERY_DAYS")))
    ended = Q(status=Digest.Status.SENT, sent_at__lt=too_old) | Q(
        status=Digest.Status.CANCELLED, approved_at__lt=too_old, slot__lt=too_old
    )
    kept = [model.objects.filter(digest=OuterRef("pk")) for model in (Delivery, Exclusion)]
    due = Digest.objects.filter(ended).filter(Exists(kept[0]) | Exists(kept[1]))
    forgotten = 0
    for digest in due.only("pk", "delivery_counts").order_by("pk"):
        if digest.delivery_counts is None:
            _store_counts(digest)
        for model in (Exclusion, Segment, Batch):
            model.objects.filter(digest=digest).delete()
        while forgotten < most and (count := _delete_some(digest)):
            forgotten += count
    return forgotten


def _store_counts(digest: Digest) -> None:
    counts = progress(digest)
    # Only once: what is counted after the first deletion is too little.
    Digest.objects.filter(pk=digest.pk, delivery_counts__isnull=True).update(
        delivery_counts={
            "states": counts.states,
            "reasons": [[*key, number] for key, number in counts.reasons.items()],
            "exclusions": counts.exclusions,
        }
    )


def _delete_some(digest: Digest) -> int:
    ids = list(Delivery.objects.filter(digest=digest).values_list("pk", flat=True)[:CHUNK])
    return Delivery.objects.filter(pk__in=ids).delete()[0] if ids else 0
