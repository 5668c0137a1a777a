"""Choosing whom an urgent notice is addressed to, and saying it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.panels import FieldPanel, MultiFieldPanel

from newsletter.desk.sentences import language_name
from newsletter.digests.addressees import Addressees
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.wording import inside_a_sentence
from newsletter.themes.models import Theme


class ManyIds(forms.TypedMultipleChoiceField):
    """Numbers of rows, kept as a list: a deleted one stays chosen until somebody takes it away.

    Dropped in silence it would address the notice to everybody.
    """

    def __init__(self, label: Any, help_text: Any) -> None:
        super().__init__(
            label=label,
            help_text=help_text,
            coerce=int,
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def offer(self, rows: Sequence[tuple[int, str]], chosen: Sequence[int]) -> None:
        there = {pk for pk, _name in rows}
        gone = [(pk, _("no longer there")) for pk in chosen if pk not in there]
        self.choices = [*rows, *gone]


class AddresseesForm(forms.Form):
    """Mixed into the digest's form."""

    to_themes = ManyIds(
        gettext_lazy("Only who chose one of these themes"),
        gettext_lazy("Who receives all themes is among them. None: whatever themes they chose."),
    )
    to_newsletters = ManyIds(
        gettext_lazy("Only who also gets one of these newsletters"),
        gettext_lazy("None: whatever else they get."),
    )


def offer_addressees(form: Any, digest: Digest) -> None:
    themes = Theme.objects.filter(is_active=True).values_list("pk", "name")
    form.fields["to_themes"].offer(list(themes), digest.to_themes)
    others = Newsletter.objects.filter(is_active=True).exclude(pk=digest.newsletter_id)
    form.fields["to_newsletters"].offer(
        list(others.values_list("pk", "name")), digest.to_newsletters
    )


class AddresseesPanel(MultiFieldPanel):
    """Of urgent notices, and of whatever is addressed to some only."""

    class BoundPanel(MultiFieldPanel.BoundPanel):
        def is_shown(self) -> bool:
            if not super().is_shown():
                return False
            digest = self.instance
            narrowed = digest.to_themes or digest.to_newsletters or digest.to_language
            return bool(narrowed) or digest.newsletter.kind == Newsletter.Kind.URGENT


def addressees_panel() -> AddresseesPanel:
    return AddresseesPanel(
        [FieldPanel("to_themes"), FieldPanel("to_newsletters"), FieldPanel("to_language")],
        heading=gettext_lazy("Addressed to"),
        help_text=gettext_lazy(
            "Leave it empty for everybody who gets the newsletter. Whoever unsubscribed, pauses "
            "or is suppressed never gets it."
        ),
    )


def addressees_in_words(to: Addressees) -> str:
    """ "who chose Health or Pensions, or all themes; who read Italian"; empty: everybody."""
    gone = _("(no longer there)")
    parts = []
    if to.theme_ids:
        names = _either(to.theme_names or [gone])
        parts.append(_("who chose %(themes)s, or all themes") % {"themes": names})
    if to.newsletter_ids:
        names = _either(to.newsletter_names or [gone])
        parts.append(_("who also get %(newsletters)s") % {"newsletters": names})
    if to.language:
        language = inside_a_sentence(language_name(to.language))
        parts.append(_("who read %(language)s") % {"language": language})
    return "; ".join(parts)


def _either(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return _("%(some)s or %(last)s") % {"some": ", ".join(names[:-1]), "last": names[-1]}
