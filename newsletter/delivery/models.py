"""The ledger: one digest to one member, and who is working on it.

Rows are written by the freeze and changed only by the worker that holds their batch's fence. What
is being handed over at this moment stands in the batch or in its journal, and reaches the rows in
groups: a worker that vanished is read from there.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.digests.models import Digest, Variant
from newsletter.members.models import Member, Selection


class Segment(models.Model):
    """The members of a digest's audience who made the same choice; the variant they get."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="segments")
    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=10)
    # None: nothing in this digest is in their themes.
    variant = models.ForeignKey(
        Variant, on_delete=models.CASCADE, null=True, related_name="segments"
    )
    members = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("segment")
        verbose_name_plural = _("segments")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["digest", "selection", "language"], name="segment_once_per_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id} {self.selection_id} {self.language}"


class Delivery(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", _("Waiting")  # or, in a batch that is claimed, in its worker's hands
        SENT = "sent", _("Sent")
        DEFERRED = "deferred", _("To be tried again")
        FAILED = "failed", _("Refused")
        UNCERTAIN = "uncertain", _("Uncertain")
        SKIPPED = "skipped", _("Not sent")

    TERMINAL: ClassVar = [State.SENT, State.FAILED, State.SKIPPED]

    class Reason(models.TextChoices):
        # Not sent: what the check just before the envelope found.
        UNSUBSCRIBED = "unsubscribed", _("Unsubscribed meanwhile")
        PAUSED = "paused", _("Paused meanwhile")
        SUPPRESSED = "suppressed", _("Address suppressed meanwhile")
        ERASED = "erased", _("Erased meanwhile")
        CANCELLED = "cancelled", _("The digest was cancelled")
        # To be tried again, or failed.
        REFUSED = "refused", _("The server refused the recipient")
        SENDER = "sender", _("The server refused the sender")
        CONTENT = "content", _("The server refused the message")
        DISCONNECTED = "disconnected", _("The connection broke before the message was handed over")
        ADDRESS = "address", _("The server cannot take an address like this")
        PACE = "pace", _("Their mail server gets no more for now")
        EXPIRED = "expired", _("The time for trying again has passed")
        CALLED_OFF = "called_off", _("The retry was called off")
        # Uncertain.
        SILENCE = "silence", _("The server did not confirm that it took the message")
        VANISHED = "vanished", _("The worker stopped while handing the message over")
        # How an uncertain one was cleared up.
        EVIDENCE = "evidence", _("Cleared up by the mail server's records")
        PERSON = "person", _("Cleared up by a person")

    # The database does not check digest and variant: the freeze, which writes the rows, holds the
    # one and has made the other, and a million looks at the same two take longer than the rows.
    digest = models.ForeignKey(
        Digest,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    # None once the member is erased.
    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, related_name="deliveries", db_index=False
    )
    variant = models.ForeignKey(
        Variant,
        on_delete=models.CASCADE,
        related_name="deliveries",
        db_index=False,
        db_constraint=False,
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    # Why it stands as it does, and the server's own words.
    reason = models.CharField(_("reason"), max_length=30, choices=Reason, blank=True)
    smtp_code = models.PositiveSmallIntegerField(_("SMTP code"), null=True)
    detail = models.CharField(_("server's answer"), max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True)
    changed_at = models.DateTimeField(_("changed"))

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints: ClassVar = [
            # The member first: it is what finds the rows of a member who is erased, too. Each
            # index more is written several times for every mail.
            models.UniqueConstraint(fields=["member", "digest"], name="delivery_once_per_member"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["digest", "state", "id"], name="delivery_state"),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}: {self.state}"


class Exclusion(models.Model):
    """A candidate who does not get a digest, and why: the audience accounts for everybody."""

    class Reason(models.TextChoices):
        UNADDRESSED = "unaddressed", _("Not addressed to them")
        PAUSED = "paused", _("Paused")
        SUPPRESSED = "suppressed", _("Suppressed address")
        NO_THEMES = "no_themes", _("Nothing in their themes")

    # Not checked by the database, as with a delivery: an issue addressed to few excludes a million.
    digest = models.ForeignKey(
        Digest, on_delete=models.CASCADE, related_name="exclusions", db_constraint=False
    )
    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, related_name="exclusions", db_index=False
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("exclusion")
        verbose_name_plural = _("exclusions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "digest"], name="exclusion_once_per_member"),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id}: {self.reason}"


class Batch(models.Model):
    """A range of a digest's deliveries that one worker holds at a time."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        CLAIMED = "claimed", _("Claimed")
        DONE = "done", _("Done")

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="batches")
    first_id = models.BigIntegerField()  # of the deliveries, both ends included
    last_id = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    owner = models.CharField(max_length=80, blank=True)
    lease_until = models.DateTimeField(null=True)
    # Raised by every claim: writes with an older fence are refused.
    fence = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)  # when its deferred rows are due again
    # The file in which the owner notes each message; empty: it notes them in the three below.
    journal = models.CharField(max_length=80, blank=True)
    # The deliveries being handed over, both ends included: what this claim took before them and
    # has not written otherwise, the server has answered with 250.
    begun_first = models.BigIntegerField(null=True)
    begun_last = models.BigIntegerField(null=True)
    # When those were begun; with a journal, when the batch was claimed.
    begun_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes: ClassVar = [
            models.Index(fields=["state", "lease_until"], name="batch_lease"),
            models.Index(fields=["digest", "state", "first_id"], name="batch_claim"),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk} of digest {self.digest_id}"
