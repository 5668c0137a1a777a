"""A theme's page: how good its suggestions are, what they are taken for, which words to add."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.views import generic
from wagtail.admin.widgets.button import HeaderButton
from wagtail.log_actions import log

from newsletter.desk.charts import patterns
from newsletter.desk.theme_plot import in_words, year
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.signals import errands_wanted
from newsletter.themes.decisions import (
    decided_of,
    given_instead,
    months_of,
    suggested_instead,
    words_worth_adding,
)
from newsletter.themes.models import Theme
from newsletter.themes.quality import ENOUGH, Decided
from newsletter.themes.retagging import count_due
from newsletter.themes.standing import WANTED_PERCENT, standings_of

MAY_CHANGE = "newsletter.change_theme"


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
            "standings": standings_of(theme),
            "wanted_percent": WANTED_PERCENT,
            "may_change": self.request.user.has_perm(MAY_CHANGE),
            "months": months,
            "year": year(months) if any(one.decided != Decided() for one in months) else None,
            "patterns": patterns(),
            "year_words": in_words(months),
            "given_instead": given_instead(theme),
            "suggested_instead": suggested_instead(theme),
            "worth": words_worth_adding(theme),
            "waiting": count_due(now=now),
            "may_teach": self.request.user.has_perm(MAY_TEACH),
            "here": self.request.path,
        }


@require_POST
def accept_view(request: HttpRequest, pk: int) -> HttpResponse:
    """The switch: whether sure suggestions pass by themselves, as soon as numbers allow it."""
    if not request.user.has_perm(MAY_CHANGE):
        raise PermissionDenied
    theme = get_object_or_404(Theme, pk=pk)
    theme.accept_automatically = request.POST.get("accept") == "on"
    theme.save(update_fields=["accept_automatically"])
    count_due(now=timezone.now())  # what waits is looked at again
    errands_wanted.send_robust(sender=Theme)
    if theme.accept_automatically:
        said = _("Sure suggestions of “%(theme)s” pass by themselves, once the numbers allow it.")
        log(instance=theme, action="newsletter.accept_on", user=request.user)
    else:
        said = _("Every suggestion of “%(theme)s” waits for an editor.")
        log(instance=theme, action="newsletter.accept_off", user=request.user)
    messages.success(request, said % {"theme": theme.local_name})
    return redirect(reverse("newsletter_themes:inspect", args=[theme.pk]))
