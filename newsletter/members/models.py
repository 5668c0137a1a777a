"""People who receive, what they chose, and the proof that they asked for it.

Nothing here says that somebody belongs to a union: the list is independent of membership.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, ClassVar, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from newsletter.digests.models import Newsletter


class MemberQuerySet(models.QuerySet["Member"]):
    def confirmed(self) -> MemberQuerySet:
        return self.filter(confirmed_at__isnull=False)

    def unconfirmed_since(self, moment: datetime) -> MemberQuerySet:
        """Asked before `moment`, never confirmed: to be deleted."""
        return self.filter(confirmed_at__isnull=True, created_at__lt=moment)


class Member(models.Model):
    """An address. `uid` stands for it in every link."""

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail address"), max_length=254)  # as it was written
    # Lower case, domain in IDNA: two spellings of one mailbox are one member.
    address = models.CharField(max_length=320, unique=True, editable=False)
    # Keyed hash of `address`, joined with Suppression without reading an address.
    address_hash = models.CharField(max_length=64, db_index=True, editable=False)
    language = models.CharField(
        _("language"),
        max_length=10,
        choices=[("it", _("Italian")), ("en", _("English"))],
        default="it",
    )
    created_at = models.DateTimeField(_("since"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    # The confirmation mail: wanted until it is sent.
    confirmation_wanted_at = models.DateTimeField(null=True, blank=True, editable=False)
    confirmation_sent_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = MemberQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["confirmation_wanted_at"],
                name="confirmation_wanted",
                condition=Q(confirmation_wanted_at__isnull=False),
            ),
            models.Index(
                fields=["created_at"],
                name="member_unconfirmed",
                condition=Q(confirmed_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        # Never the address: this ends up in logs and tracebacks.
        return f"member {self.pk}"


class Selection(models.Model):
    """A set of themes that somebody chose; equal choices share one row.

    It keeps the number of variants independent of the number of members: the freeze groups the
    audience by selection in SQL.
    """

    # Theme ids in rising order, joined by commas: "3,7,9". Empty: every theme.
    key = models.CharField(max_length=500, unique=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("selection of themes")
        verbose_name_plural = _("selections of themes")

    def __str__(self) -> str:
        return self.key or "all"

    @property
    def theme_ids(self) -> frozenset[int]:
        """Empty means every theme."""
        return frozenset(int(number) for number in self.key.split(",") if number)


class Subscription(models.Model):
    class State(models.TextChoices):
        PENDING = "pending", _("Waiting for confirmation")
        ACTIVE = "active", _("Active")
        ENDED = "ended", _("Ended")

    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="subscriptions")
    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="subscriptions"
    )
    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["member", "newsletter"], name="subscription_once_per_newsletter"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["newsletter", "state", "member"], name="subscription_audience"),
        ]

    def __str__(self) -> str:
        return f"{self.member_id} to {self.newsletter_id}"


class AddressChange(models.Model):
    """A new address that its owner has yet to confirm, from a link mailed to it.

    Once confirmed it waits until the old mailbox has been told, and goes.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="address_change")
    email = models.EmailField(max_length=254)
    old_email = models.EmailField(max_length=254, blank=True)  # set when confirmed
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of address")
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                name="address_change_wanted",
                condition=Q(sent_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"change of address of member {self.member_id}"


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Proof is appended. (Django's own SET_NULL on erasure goes through the base manager.)"""

    def update(self, **kwargs: object) -> NoReturn:
        raise NotImplementedError("Consent is append-only: record a new event instead.")

    def delete(self) -> NoReturn:
        raise NotImplementedError("Consent is append-only: it is not deleted.")

    def bulk_update(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError("Consent is append-only: record a new event instead.")


class Consent(models.Model):
    """Append-only proof: what was asked, in which words, and when it was given or withdrawn."""

    class Event(models.TextChoices):
        REQUESTED = "requested", _("Requested")
        CONFIRMED = "confirmed", _("Confirmed")
        CHANGED = "changed", _("Changed")
        WITHDRAWN = "withdrawn", _("Withdrawn")
        IMPORTED = "imported", _("Imported")
        ERASED = "erased", _("Erased")

    member = models.ForeignKey(
        Member, on_delete=models.SET_NULL, null=True, related_name="consents"
    )
    # Stays when the member is erased, so that the proof can still be found for an address.
    address_hash = models.CharField(max_length=64, db_index=True)
    event = models.CharField(_("event"), max_length=10, choices=Event)
    at = models.DateTimeField(_("at"))
    newsletter_slugs = models.JSONField(default=list)
    theme_slugs = models.JSONField(default=list)  # empty: all
    text = models.TextField(blank=True)  # the exact words of the form
    text_version = models.CharField(max_length=20, blank=True)
    policy_version = models.CharField(max_length=20, blank=True)
    form_url = models.CharField(max_length=500, blank=True)
    source = models.CharField(
        _("source"), max_length=40
    )  # form, preferences, command, import, mail
    ip_prefix = models.CharField(max_length=45, blank=True)  # /24 or /48, never the whole address

    objects = ConsentQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["event", "at"], name="consent_by_time")]

    def __str__(self) -> str:
        return f"{self.event} {self.at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise NotImplementedError("Consent is append-only: record a new event instead.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError("Consent is append-only: it is not deleted.")


class Suppression(models.Model):
    """An address that must not be mailed, kept as a keyed hash."""

    class Reason(models.TextChoices):
        BOUNCE = "bounce", _("The mailbox does not exist")
        RETURNED = "returned", _("Its mails kept coming back")
        COMPLAINT = "complaint", _("Reported as spam")
        ERASED = "erased", _("Asked to be erased")
        MANUAL = "manual", _("By hand")

    address_hash = models.CharField(max_length=64, unique=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    created_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("suppressed address")
        verbose_name_plural = _("suppressed addresses")

    def __str__(self) -> str:
        return f"{self.reason} {self.created_at:%Y-%m-%d}"


class Lifting(models.Model):
    """Why an address that was suppressed may be mailed again. Appended, never changed."""

    address_hash = models.CharField(max_length=64, db_index=True)
    reason = models.CharField(_("reason"), max_length=10, choices=Suppression.Reason)
    at = models.DateTimeField(_("at"))
    # None: the owner of the mailbox, by the button in a mail.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    why = models.CharField(_("why"), max_length=300, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("lifted suppression")
        verbose_name_plural = _("lifted suppressions")
        ordering: ClassVar = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.reason} {self.at:%Y-%m-%d %H:%M}"


class SignupAttempt(models.Model):
    """A use of the sign-up form, to limit them; deleted after a day."""

    at = models.DateTimeField()
    ip_hash = models.CharField(max_length=64)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("sign-up attempt")
        verbose_name_plural = _("sign-up attempts")
        indexes: ClassVar = [
            models.Index(fields=["ip_hash", "at"], name="signup_by_ip"),
            models.Index(fields=["at"], name="signup_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
