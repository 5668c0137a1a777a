"""One article to read and to decide on: the pane beside the inbox, or a page of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST
from django.views.generic import TemplateView
from wagtail.admin.views import generic
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin

from newsletter.articles.models import Article
from newsletter.desk.evidence import Chip, chip, marked, marked_title
from newsletter.desk.inbox import back_to, number_in, tell, wants_json
from newsletter.desk.listing import with_themes
from newsletter.desk.pictures import without_pictures
from newsletter.desk.retag import retag
from newsletter.desk.stories import with_stories
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.desk.triage import MAY_TRIAGE, Decision
from newsletter.themes.models import Theme

KEYS = 9


@dataclass(frozen=True)
class Choice:
    """A theme as a button: pressed when the article has it."""

    theme: Theme
    chip: Chip | None
    key: str  # the first nine have one

    @property
    def pressed(self) -> bool:
        return self.chip is not None


def choices(chips: list[Chip]) -> list[Choice]:
    """What it has, the likeliest first, then every other theme in the themes' own order."""
    has = {one.theme_id: one for one in chips}
    themes = {one.pk: one for one in Theme.objects.active()}
    order = [*(pk for pk in has if pk in themes), *(pk for pk in themes if pk not in has)]
    return [
        Choice(themes[pk], has.get(pk), str(place) if place <= KEYS else "")
        for place, pk in enumerate(order, start=1)
    ]


def read_article(pk: int) -> Article:
    article = get_object_or_404(with_themes(Article.objects.all()), pk=pk)
    with_stories([article])
    return article


class ReadView(PermissionCheckedMixin, generic.base.WagtailAdminTemplateMixin, TemplateView):
    model = Article
    any_permission_required = ("view", "change")
    template_name = "newsletter/admin/inbox/read.html"
    page_title = gettext_lazy("Read")
    header_icon = "mail"

    @cached_property
    def article(self) -> Article:
        return read_article(self.kwargs["pk"])

    def get_page_title(self) -> str:
        return str(self.article.display_title)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": back_to(self.request), "label": _("Inbox")},
            {"url": "", "label": self.article.display_title},
        ]

    def get_template_names(self) -> list[str]:
        beside = self.request.headers.get("X-Requested-With") == "fetch"
        return ["newsletter/admin/inbox/pane.html" if beside else self.template_name]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        article, user = self.article, self.request.user
        may_triage = user.has_perm(MAY_TRIAGE)
        chips = [chip(one, number) for number, one in enumerate(article.chosen, start=1)]
        offered = choices(chips) if may_triage else []
        context.update(
            article=article,
            instance=article,
            chips=chips,
            has=[one for one in offered if one.pressed],
            others=[one for one in offered if not one.pressed],
            title=marked_title(article.display_title, chips, article.language),
            body=without_pictures(marked(article.body_html, chips, article.language)),
            may_triage=may_triage,
            may_teach=may_triage and user.has_perm(MAY_TEACH),
            edit_url=reverse("newsletter_articles:edit", args=[article.pk]),
            here=back_to(self.request),
        )
        return context


@require_POST
def retag_view(request: HttpRequest) -> HttpResponse:
    """One theme of one article, one click: the button's name is `give` or `take`."""
    if not request.user.has_perm(MAY_TRIAGE):
        raise PermissionDenied
    article = Article.objects.filter(pk=number_in(request, "article")).only("pk").first()
    give, take = number_in(request, "give"), number_in(request, "take")
    theme = Theme.objects.active().filter(pk=give or take).first()
    if not (article and theme):
        return redirect(back_to(request))  # gone since the page was made
    decision = retag(
        [article.pk],
        add=[theme.pk] if give else [],
        remove=[] if give else [theme.pk],
        by=request.user,
        now=timezone.now(),
    )
    words = _("Theme given: %(theme)s.") if give else _("Theme taken away: %(theme)s.")
    said = words % {"theme": theme.local_name}
    if wants_json(request):
        chips = chips_of(article.pk, may_teach=request.user.has_perm(MAY_TEACH))
        return JsonResponse({"said": said, "undo": decision.undo, "chips": chips})
    tell(request, said, Decision(1, decision.undo))
    return redirect(back_to(request))


def chips_of(pk: int, *, may_teach: bool) -> str:
    """The row's chips anew, after a change beside it."""
    article = read_article(pk)
    return render_to_string(
        "newsletter/admin/inbox/chips.html",
        {"chips": [chip(one) for one in article.chosen], "may_teach": may_teach},
    )
