"""What came back, about whom, and how many reports were worth nothing."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from newsletter.digests.models import Digest, Newsletter
from newsletter.members.models import Member


class Bounce(models.Model):
    """A report about one mail: one digest to one member. Forgotten with its member, or in time."""

    class Kind(models.TextChoices):
        GONE = "gone", _("The mailbox does not exist")
        PASSING = "passing", _("Full or out of reach for now")
        ABOUT_US = "about_us", _("The server refuses our mail, whoever it is for")
        COMPLAINT = "complaint", _("Reported as spam")

    class Source(models.TextChoices):
        MAIL = "mail", _("a report by mail")
        REFUSAL = "refusal", _("a refusal while sending")
        PROVIDER = "provider", _("the mail provider's word")

    digest = models.ForeignKey(Digest, on_delete=models.CASCADE, related_name="bounces")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="bounces")
    # Of the address that the mail went to: the member may move to another.
    address_hash = models.CharField(max_length=64, db_index=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    source = models.CharField(_("source"), max_length=10, choices=Source)
    status = models.CharField(_("status code"), max_length=12, blank=True)
    server = models.CharField(_("server"), max_length=100, blank=True)
    detail = models.CharField(_("server's answer"), max_length=500, blank=True)
    mailed_on = models.DateField(_("mailed on"))
    received_at = models.DateTimeField(_("received"))

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("mail that came back")
        verbose_name_plural = _("mails that came back")
        constraints: ClassVar = [
            # One mail comes back once: whatever else is said of it is a replay.
            models.UniqueConstraint(
                fields=["digest", "member"],
                condition=~Q(kind="complaint"),
                name="bounce_once_per_mail",
            ),
            models.UniqueConstraint(
                fields=["digest", "member"],
                condition=Q(kind="complaint"),
                name="complaint_once_per_mail",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["kind", "received_at"], name="bounce_by_kind"),
            models.Index(fields=["received_at"], name="bounce_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.received_at:%Y-%m-%d %H:%M}"


class BounceCount(models.Model):
    """How many mails came back on a day, once it is forgotten which."""

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()  # on the site's clocks
    kind = models.CharField(max_length=10, choices=Bounce.Kind)
    number = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("count of mails that came back")
        verbose_name_plural = _("counts of mails that came back")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "newsletter", "kind"], name="bounce_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.number} {self.kind}"


class ReportCount(models.Model):
    """How many reports a day brought, by what they were worth."""

    class Worth(models.TextChoices):
        COUNTED = "counted", _("counted")
        SUPPRESSED = "suppressed", _("the address is suppressed by it")
        ABOUT_US = "about_us", _("a matter for the operators")
        NOT_FINAL = "not_final", _("still being tried, or delivered")
        AUTO_REPLY = "auto_reply", _("an automatic reply")
        NO_REPORT = "no_report", _("no report")
        REPLAYED = "replayed", _("known already")
        EXPIRED = "expired", _("too old")
        NOT_OURS = "not_ours", _("forged, or about no mail of ours")
        UNREADABLE = "unreadable", _("not to be read")

    day = models.DateField()
    source = models.CharField(max_length=10, choices=Bounce.Source)
    worth = models.CharField(max_length=10, choices=Worth)
    number = models.PositiveIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("count of reports")
        verbose_name_plural = _("counts of reports")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "source", "worth"], name="report_count_once"),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.number} {self.worth}"


class MailboxLook(models.Model):
    """How the last look into the mailbox for bounces went; one row."""

    looked_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)  # when it could last be read to the end
    problem = models.CharField(max_length=300, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("look into the mailbox for bounces")
        verbose_name_plural = _("looks into the mailbox for bounces")

    def __str__(self) -> str:
        return self.problem or f"{self.looked_at:%Y-%m-%d %H:%M}"


class ProviderEvent(models.Model):
    """An event of a mail provider that was taken in: seen once, and what it proves.

    Kept longer than an event may be old, so that none comes in twice.
    """

    key = models.CharField(max_length=64, unique=True)  # a hash of the provider's id for it
    mail = models.CharField(max_length=80, db_index=True)  # of the Message-ID, what is before the @
    is_accepted = models.BooleanField(default=False)  # the provider took the mail over
    received_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("provider's event")
        verbose_name_plural = _("provider's events")

    def __str__(self) -> str:
        return f"{self.key[:12]} {self.received_at:%Y-%m-%d %H:%M}"
