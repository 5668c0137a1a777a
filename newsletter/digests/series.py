"""The standing series: who sends it, when, and what it selects."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.themes.models import Theme


def every_day() -> list[int]:
    return [0, 1, 2, 3, 4, 5, 6]


def validate_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            _("%(name)s is not a time zone. Write one such as Europe/Rome."),
            params={"name": name},
        )


class Newsletter(models.Model):  # type: ignore[django-manager-missing]
    """A standing series: who sends it, when, and what it selects."""

    class Kind(models.TextChoices):
        REGULAR = "regular", _("Regular")
        URGENT = "urgent", _("Urgent notices")

    class Frequency(models.TextChoices):
        DAILY = "daily", _("Every day")
        WEEKLY = "weekly", _("Every week")
        MONTHLY = "monthly", _("Every month")
        MANUAL = "manual", _("Only by hand")

    class WhenUnapproved(models.TextChoices):
        HOLD = "hold", _("Hold it and remind the editors")
        SEND = "send", _("Send it as proposed")

    class Approvals(models.IntegerChoices):
        NONE = 0, _("Nobody: whoever edits it schedules it")
        ONE = 1, _("One person")
        TWO = 2, _("Two different people")

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=120, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.REGULAR)
    language = models.CharField(
        _("language"), max_length=10, choices=[("it", _("Italian")), ("en", _("English"))],
        default="it",
    )  # fmt: skip
    is_active = models.BooleanField(_("in use"), default=True)
    is_public = models.BooleanField(
        _("offered to readers"), default=True, help_text=_("Shown at sign-up and in the archive.")
    )

    sender_name = models.CharField(_("sender's name"), max_length=120)
    sender_email = models.EmailField(_("sender's address"))
    reply_to = models.EmailField(_("reply to"), blank=True)
    postal_address = models.CharField(_("postal address"), max_length=300, blank=True)

    frequency = models.CharField(
        _("frequency"), max_length=10, choices=Frequency, default=Frequency.WEEKLY
    )
    # Monday is 0. Daily: the days it goes; weekly: the first of them counts.
    weekdays = models.JSONField(_("days of the week"), default=every_day, blank=True)
    month_day = models.PositiveSmallIntegerField(
        _("day of the month"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("31 means the last day of a shorter month."),
    )
    send_at = models.TimeField(_("time"), default="08:00")
    time_zone = models.CharField(
        _("time zone"), max_length=60, default="Europe/Rome", validators=[validate_time_zone]
    )
    # Drafts are compiled this long before the slot, to leave time to edit.
    lead_hours = models.PositiveSmallIntegerField(_("hours to edit"), default=24)
    spread_minutes = models.PositiveSmallIntegerField(
        _("spread over, in minutes"),
        default=0,
        validators=[MaxValueValidator(1440)],
        help_text=_(
            "How long an issue takes to go out, so that no mail server is overrun. 0: at once."
        ),
    )
    approvals = models.PositiveSmallIntegerField(
        _("who approves an issue"), choices=Approvals, default=Approvals.ONE
    )
    when_unapproved = models.CharField(
        _("if nobody approves in time"),
        max_length=10,
        choices=WhenUnapproved,
        default=WhenUnapproved.HOLD,
    )

    themes = models.ManyToManyField(
        Theme, verbose_name=_("themes"), blank=True, help_text=_("None chosen means all.")
    )
    min_items = models.PositiveSmallIntegerField(_("fewest articles"), default=1)
    max_items = models.PositiveSmallIntegerField(_("most articles"), default=15)
    introduction = models.TextField(_("standing introduction"), blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("newsletter")
        verbose_name_plural = _("newsletters")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_notice(self) -> bool:
        """Whether its editors write it when there is reason to, and no clock composes it."""
        return self.kind == self.Kind.URGENT and self.frequency == self.Frequency.MANUAL

    @property
    def needed_approvals(self) -> int:
        """How many people have to approve an issue; of an urgent notice always two."""
        return 2 if self.kind == self.Kind.URGENT else self.approvals

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)
