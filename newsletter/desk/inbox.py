"""The inbox: what came, what it seems to be about, and what shall become of it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages as django_messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.ui.tables import BaseColumn, BulkActionsCheckboxColumn
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.admin.views import generic

from newsletter.articles.models import Article
from newsletter.desk.evidence import chip
from newsletter.desk.listing import LATEST_FIRST, ArticleFilterSet, found_by, with_themes
from newsletter.desk.stories import with_stories
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.desk.triage import Decision, decide, take_back, with_their_stories
from newsletter.digests.wording import shorten

EXCERPT_SIGNS = 240
MAY_TRIAGE = "newsletter.triage_article"


class ArticleColumn(BaseColumn):
    """Title, source, age, a few lines of the text and the suggested themes."""

    cell_template_name = "newsletter/admin/inbox/article.html"

    def __init__(self, *args: Any, may_triage: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may_triage = may_triage

    def get_cell_context_data(self, instance: Article, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_cell_context_data(instance, parent_context)
        context["may_triage"] = self.may_triage
        context["may_teach"] = self.may_triage and parent_context["request"].user.has_perm(
            MAY_TEACH
        )  # its buttons belong to the form of the others
        context["chips"] = [chip(assignment) for assignment in instance.chosen]
        context["excerpt"] = shorten(instance.display_excerpt, EXCERPT_SIGNS)
        context["edit_url"] = reverse("newsletter_articles:edit", args=[instance.pk])
        return context


class DecisionColumn(BaseColumn):
    """Two large buttons; they belong to the form around the list, so each is one click."""

    cell_template_name = "newsletter/admin/inbox/decision.html"


class InboxView(generic.IndexView):
    template_name = "newsletter/admin/inbox/index.html"
    results_template_name = "newsletter/admin/inbox/results.html"
    filterset_class = ArticleFilterSet
    page_title = gettext_lazy("Inbox")
    any_permission_required = ("change", "view")
    table_classname = "listing desk-inbox"

    @cached_property
    def columns(self) -> list[BaseColumn]:
        may_triage = self.request.user.has_perm(MAY_TRIAGE)
        columns: list[BaseColumn] = [
            ArticleColumn("title", label=_("Article"), may_triage=may_triage)
        ]
        if may_triage:
            columns.insert(0, BulkActionsCheckboxColumn("bulk_actions", obj_type="article"))
            columns.append(DecisionColumn("decision", label=_("Decision"), width="1%"))
        return columns

    def order_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.order_by(*LATEST_FIRST)

    def get_base_queryset(self) -> QuerySet:
        return Article.objects.all()

    def search_queryset(self, queryset: QuerySet) -> Any:
        return found_by(queryset, self.search_query)

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        if isinstance(queryset, QuerySet):
            queryset = queryset.only("pk")  # sorting whole texts takes a second at 100,000
        paginator, page, found, has_others = super().paginate_queryset(queryset, page_size)
        # Themes and feeds for this page only, whether it came from a search or a query.
        by_id = with_themes(Article.objects.all()).in_bulk([article.pk for article in found])
        page.object_list = with_stories(
            [by_id[article.pk] for article in found if article.pk in by_id]
        )
        return paginator, page, page.object_list, has_others

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        shown = self.request.GET.copy()
        shown.pop("_w_filter_fragment", None)
        context["here"] = f"{self.index_url}?{shown.urlencode()}" if shown else self.index_url
        context["may_triage"] = self.request.user.has_perm(MAY_TRIAGE)
        return context


def say(request: HttpRequest, state: Article.State, decision: Decision) -> None:
    """Tells what was done, with a button that undoes it."""
    if not decision.count:
        messages.info(request, _("Nothing to change: it was so already."))
        return
    said = {
        Article.State.ACCEPTED: ngettext(
            "%(count)d article accepted.", "%(count)d articles accepted.", decision.count
        ),
        Article.State.REJECTED: ngettext(
            "%(count)d article rejected.", "%(count)d articles rejected.", decision.count
        ),
    }.get(
        state,
        ngettext(
            "%(count)d article is back in the inbox.",
            "%(count)d articles are back in the inbox.",
            decision.count,
        ),
    ) % {"count": decision.count}
    text = render_to_string(
        "newsletter/admin/inbox/undo.html",
        {
            "said": said,
            "undo": decision.undo,
            "action": reverse("newsletter_articles:undo"),
            "here": back_to(request),
        },
        request=request,
    )
    # Wagtail's own message buttons are links; an undo changes something, so it must be a POST.
    django_messages.success(request, mark_safe(text))  # noqa: S308 (rendered by a template)


def back_to(request: HttpRequest) -> str:
    return get_valid_next_url_from_request(request) or reverse("newsletter_articles:index")


@require_POST
def triage_view(request: HttpRequest) -> HttpResponse:
    """One article, one click: the button's name is the state, its value the article."""
    if not request.user.has_perm(MAY_TRIAGE):
        raise PermissionDenied
    for state in (Article.State.ACCEPTED, Article.State.REJECTED, Article.State.NEW):
        if (pk := request.POST.get(state.value, "")).isdecimal():
            ids = [int(pk)]
            # In the inbox a row is a story: rejected, none of it stays behind.
            if state == Article.State.REJECTED and request.POST.get("story"):
                ids = with_their_stories(ids)
            decision = decide(ids, state, by=request.user, now=timezone.now())
            say(request, state, decision)
    return redirect(back_to(request))


@require_POST
def undo_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY_TRIAGE):
        raise PermissionDenied
    try:
        count = take_back(request.POST.get("undo", ""), by=request.user, now=timezone.now())
    except BadSignature:
        messages.error(request, _("This can no longer be undone: it is more than a day old."))
    else:
        messages.success(
            request,
            ngettext(
                "Undone: %(count)d article is as it was.",
                "Undone: %(count)d articles are as they were.",
                count,
            )
            % {"count": count},
        )
    return redirect(back_to(request))
