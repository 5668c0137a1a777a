"""A theme's page: how good its suggestions are, what they are taken for, which words to add."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton

from newsletter.desk.theme_plot import in_words, year
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.themes.decisions import (
    decided_of,
    given_instead,
    months_of,
    suggested_instead,
    words_worth_adding,
)
from newsletter.themes.quality import ENOUGH, Decided
from newsletter.themes.retagging import count_due


class ThemePage(generic.InspectView):
    template_name = "newsletter/admin/theme/inspect.html"
    page_title = gettext_lazy("Theme")

    @cached_property
    def header_buttons(self) -> list[Any]:
        edit_url = self.get_edit_url()
        return [HeaderButton(_("Edit"), url=edit_url, icon_name="edit")] if edit_url else []

    def get_page_subtitle(self) -> str:
        name: str = self.object.local_name
        return name

    def get_fields(self) -> list[str]:
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        now = timezone.now()
        theme = self.object
        months = months_of(theme, now=now)
        return context | {
            "theme": theme,
            "decided": decided_of([theme.pk]).get(theme.pk, Decided()),
            "enough": ENOUGH,
            "months": months,
            "year": year(months),
            "year_words": in_words(months),
            "given_instead": given_instead(theme),
            "suggested_instead": suggested_instead(theme),
            "worth": words_worth_adding(theme),
            "waiting": count_due(now=now),
            "may_teach": self.request.user.has_perm(MAY_TEACH),
            "here": self.request.path,
        }
