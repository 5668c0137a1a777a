"""The issues of a newsletter, and what an issue looks like for each set of themes."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    RevisionMixin,
    WorkflowMixin,
)

from newsletter.articles.models import Article
from newsletter.digests.blocks import FreeBlocks
from newsletter.digests.previews import MailPreviews
from newsletter.digests.series import Newsletter, every_day, validate_time_zone
from newsletter.themes.models import Theme

# Older migrations look for these here.
__all__ = ["Digest", "DigestItem", "Newsletter", "Variant", "every_day", "validate_time_zone"]

# What the pipeline writes: a revision never brings an older value back.
LEDGER_FIELDS = frozenset(
    {
        "uid",
        "status",
        "status_reason",
        "created_at",
        "window_end",
        "announced_at",
        "reminded_at",
        "first_approved_by",
        "first_approved_hash",
        "approved_at",
        "approved_by",
        "content",
        "content_hash",
        "candidates",
        "delivery_counts",
        "paused_at",
        "called_off_at",
        "sending_at",
        "going_since",
        "rested_at",
        "sent_at",
    }
)
# Part of what was approved: once a digest is frozen, these stay too.
FROZEN_FIELDS = frozenset({"newsletter", "number", "slot"})


class Digest(
    WorkflowMixin,
    DraftStateMixin,
    LockableMixin,
    RevisionMixin,
    MailPreviews,
    ClusterableModel,
):
    """One issue of a newsletter."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        APPROVED = "approved", _("Approved")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        HELD = "held", _("Held")
        SKIPPED = "skipped", _("Skipped")
        CANCELLED = "cancelled", _("Cancelled")

    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="digests")
    # Given at the first save, last + 1. A skipped issue has none: readers see no gap.
    number = models.PositiveIntegerField(_("number"), null=True, blank=True)
    # The instant of the newsletter's local schedule, or the moment of a digest made by hand.
    slot = models.DateTimeField(_("goes out at"))
    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    subject = models.CharField(_("subject"), max_length=200)
    preheader = models.CharField(
        _("preview line"), max_length=200, blank=True, help_text=_("Shown beside the subject.")
    )
    introduction = models.TextField(_("introduction"), blank=True)
    opening = StreamField(FreeBlocks(), verbose_name=_("above the articles"), blank=True)
    closing = StreamField(FreeBlocks(), verbose_name=_("below the articles"), blank=True)

    # Whom it is addressed to (digests.addressees). Ids: what is deleted must not widen it.
    to_themes = models.JSONField(_("themes"), default=list, blank=True)
    to_newsletters = models.JSONField(_("newsletters"), default=list, blank=True)
    to_language = models.CharField(
        _("language"), max_length=10, choices=[("it", _("Italian")), ("en", _("English"))],
        blank=True,
    )  # fmt: skip

    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False
    )
    status_reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    # What had arrived by then was considered: the next digest starts from here. None for a
    # digest made by hand, which leaves the next proposal as it would have been.
    window_end = models.DateTimeField(null=True, blank=True, editable=False)
    # When the editors were told of the draft, and those who may approve reminded of it.
    announced_at = models.DateTimeField(null=True, blank=True, editable=False)
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)

    # The first of the two people an urgent notice wants, and the hash of the content they saw.
    first_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    first_approved_hash = models.CharField(max_length=64, blank=True, editable=False)

    # Set by the freeze, never changed after it (see digests.content.DigestContent).
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )
    content = models.JSONField(null=True, blank=True, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    candidates = models.PositiveIntegerField(default=0, editable=False)
    # What is left of its deliveries once they are forgotten (see delivery.retention).
    delivery_counts = models.JSONField(null=True, blank=True, editable=False)

    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The retry of those who missed it: nothing more of it goes out.
    called_off_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When it first went out.
    sending_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When it was last set going: begun, resumed, tried again. The deadline counts from here.
    going_since = models.DateTimeField(null=True, blank=True, editable=False)
    # When a sender last let it rest because it should: a limit, quiet hours.
    rested_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True, editable=False)

    revisions = GenericRelation("wagtailcore.Revision", related_query_name="digest")
    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="digest",
        for_concrete_model=False,
    )

    class Meta:
        verbose_name = _("digest")
        verbose_name_plural = _("digests")
        ordering: ClassVar = ["-slot", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["newsletter", "slot"], name="digest_once_per_slot"),
            models.UniqueConstraint(fields=["newsletter", "number"], name="digest_number_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["status", "slot"], name="digest_due")]
        permissions: ClassVar = [
            ("approve_digest", _("Can approve digests")),
            ("send_test_digest", _("Can send test mails")),
        ]

    def __str__(self) -> str:
        if self.number is None:
            return f"{self.newsletter.name} ({self.slot:%Y-%m-%d})"
        return f"{self.newsletter.name} N. {self.number}"

    def save(self, **kwargs: Any) -> None:
        """Gives the number; an object made from a revision leaves the ledger's columns alone.

        Publishing saves the whole object it read before, which would undo what a worker wrote
        in between ("sent" back to "sending").
        """
        if self.number is None and self.status != self.Status.SKIPPED:
            self.number = next_number(self.newsletter)
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = [*kwargs["update_fields"], "number"]
        if getattr(self, "_from_revision", False) and kwargs.get("update_fields") is None:
            columns = [field.name for field in self._meta.concrete_fields if not field.primary_key]
            kwargs["update_fields"] = [
                *(name for name in columns if name not in LEDGER_FIELDS),
                "items",
            ]
        super().save(**kwargs)

    @classmethod
    def from_serializable_data(cls, data: dict[str, Any], **kwargs: Any) -> Self | None:
        """The digest of a revision, without items whose article has been deleted since.

        django-modelcluster gives up on a missing row behind a protected key, and with it the
        admin's editor.
        """
        items = data.get("items") or []
        there = set(
            Article.objects.filter(pk__in=[item["article"] for item in items]).values_list(
                "pk", flat=True
            )
        )
        kept = [item for item in items if item["article"] in there]
        revived: Self | None = super().from_serializable_data(data | {"items": kept}, **kwargs)
        return revived

    def with_content_json(self, content: dict[str, Any]) -> Self:
        draft: Self = super().with_content_json(content)
        kept = LEDGER_FIELDS | FROZEN_FIELDS if self.is_frozen else LEDGER_FIELDS
        for name in kept:
            column = self._meta.get_field(name).attname
            setattr(draft, column, getattr(self, column))
        draft.number = draft.number or self.number
        draft._from_revision = True
        return draft

    @property
    def is_frozen(self) -> bool:
        return self.approved_at is not None


def next_number(newsletter: Newsletter) -> int:
    last = Digest.objects.filter(newsletter=newsletter).aggregate(last=models.Max("number"))["last"]
    return (last or 0) + 1


class DigestItem(Orderable):
    """An article's place in a digest. Overrides never touch the article."""

    digest = ParentalKey(Digest, on_delete=models.CASCADE, related_name="items")
    article = models.ForeignKey(
        Article, on_delete=models.PROTECT, related_name="digest_items", verbose_name=_("article")
    )
    # The section it stands in; empty: "Other news".
    theme = models.ForeignKey(
        Theme, on_delete=models.SET_NULL, null=True, blank=True, verbose_name=_("section")
    )
    is_lead = models.BooleanField(_("lead"), default=False)
    # Why the proposal made it the lead (proposal.LEAD_REASONS); empty: an editor did.
    lead_reason = models.CharField(max_length=10, blank=True, editable=False)
    pinned = models.BooleanField(
        _("pinned"), default=False, help_text=_("Stays here when the issue is proposed anew.")
    )
    deferred = models.BooleanField(
        _("for the next issue"), default=False, help_text=_("Not in this one, first in the next.")
    )
    title = models.CharField(_("title"), max_length=500, blank=True)
    excerpt = models.TextField(_("excerpt"), blank=True)
    note = models.TextField(_("why it matters"), blank=True)

    class Meta(Orderable.Meta):
        verbose_name = _("item")
        verbose_name_plural = _("items")

    def __str__(self) -> str:
        return self.title or str(self.article)


class Variant(models.Model):
    """What a frozen digest looks like for one set of items and language, rendered once."""

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="variants")
    # SHA-256 over language and item numbers, hexadecimal.
    key = models.CharField(max_length=64)
    language = models.CharField(max_length=10)
    items = models.JSONField(default=list)  # positions in the digest's content
    subject = models.CharField(max_length=200)
    html = models.TextField()  # with slots, see digests.render
    text = models.TextField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "key"], name="variant_once_per_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id} {self.language} {self.items}"
