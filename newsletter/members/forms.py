"""The public forms. None needs a cookie or JavaScript."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember
from newsletter.members.address import canonical_address
from newsletter.members.rhythm import rhythm
from newsletter.members.subscriptions import is_all
from newsletter.themes.models import Theme

EVERYTHING = _("None, or all, means everything: also the themes that are added later.")


def by_rhythm(newsletters: models.QuerySet[Newsletter]) -> models.QuerySet[Newsletter]:
    """The most frequent first, urgent notices last."""
    often = models.Case(
        models.When(kind=Newsletter.Kind.URGENT, then=9),
        models.When(frequency=Newsletter.Frequency.DAILY, then=1),
        models.When(frequency=Newsletter.Frequency.WEEKLY, then=2),
        models.When(frequency=Newsletter.Frequency.MONTHLY, then=3),
        default=4,
    )
    return newsletters.order_by(often, "name")


class NewsletterField(forms.ModelMultipleChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.name} · {rhythm(obj)}"


class ThemeField(forms.ModelMultipleChoiceField):
    """All of them ticked is none ticked: everything, and what is added later too."""

    def clean(self, value: Any) -> Any:
        chosen = super().clean(value)
        active = set(Theme.objects.active().values_list("pk", flat=True))
        return Theme.objects.none() if is_all([one.pk for one in chosen], active) else chosen

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.local_name)


class AddressField(forms.EmailField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.EmailInput(
            attrs={"autocomplete": "email", "inputmode": "email", "spellcheck": "false"}
        )
        super().__init__(max_length=254, widget=widget, **kwargs)
        # Ours say what is wrong, and know domains outside ASCII.
        self.validators = [check_address]


def check_address(email: str) -> None:
    try:
        canonical_address(email)
    except InvalidMember as error:
        raise forms.ValidationError(str(error)) from error


class SignUpForm(forms.Form):
    email = AddressField(label=_("E-mail address"))
    newsletters = NewsletterField(
        label=_("What you would like to receive"),
        queryset=Newsletter.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one.")},
    )
    themes = ThemeField(
        label=_("Only some themes?"),
        help_text=EVERYTHING,
        queryset=Theme.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    # People don't see this field: what fills it in is a program.
    website = forms.CharField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = by_rhythm(Newsletter.objects.filter(is_active=True, is_public=True))
        self.fields["newsletters"].queryset = offered  # type: ignore[attr-defined]
        self.fields["themes"].queryset = Theme.objects.active()  # type: ignore[attr-defined]
        self.offered = list(offered)
        if not self.is_bound and self.offered:
            weekly = [one for one in self.offered if one.frequency == Newsletter.Frequency.WEEKLY]
            self.initial.setdefault("newsletters", [(weekly or self.offered)[0].pk])


class PreferencesForm(forms.Form):
    newsletters = NewsletterField(
        label=_("What you receive"),
        queryset=Newsletter.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    themes = ThemeField(
        label=_("Your themes"),
        help_text=EVERYTHING,
        queryset=Theme.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    language = forms.ChoiceField(
        label=_("Language of mails and of these pages"),
        choices=[("it", "Italiano"), ("en", "English")],  # each in its own words
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, receives: list[int], chosen: set[int], **kwargs: Any) -> None:
        """`receives` and `chosen`: what the member has, shown even when no longer offered."""
        super().__init__(*args, **kwargs)
        newsletters = Newsletter.objects.filter(is_active=True)
        self.fields["newsletters"].queryset = by_rhythm(  # type: ignore[attr-defined]
            newsletters.filter(is_public=True) | newsletters.filter(pk__in=receives)
        )
        self.fields["themes"].queryset = (  # type: ignore[attr-defined]
            Theme.objects.active() | Theme.objects.filter(pk__in=chosen)
        )


class PauseForm(forms.Form):
    """Two weeks, a month, or until a day of the member's choice."""

    WEEKS, MONTH, UNTIL, RESUME = "2w", "1m", "until", "resume"
    length = forms.ChoiceField(choices=[(name, name) for name in (WEEKS, MONTH, UNTIL, RESUME)])
    until = forms.DateField(
        label=_("Until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d", "%d/%m/%Y"],
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("length") == self.UNTIL and not isinstance(data.get("until"), date):
            self.add_error("until", _("Choose the day on which mails begin again."))
        return data


class NewAddressForm(forms.Form):
    email = AddressField(label=_("New address"))
