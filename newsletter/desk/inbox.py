"""The inbox: what came, what it seems to be about, and what shall become of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages as django_messages
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
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
from newsletter.desk import retag
from newsletter.desk.evidence import chip
from newsletter.desk.listing import LATEST_FIRST, ArticleFilterSet, shown_ids, with_themes
from newsletter.desk.next_step import draft_for, next_action
from newsletter.desk.stories import with_stories
from newsletter.desk.theme_teaching import MAY_TEACH
from newsletter.desk.triage import MAY_TRIAGE, Decision, decide, take_back, with_their_stories
from newsletter.digests.wording import shorten

EXCERPT_SIGNS = 240


class ArticleColumn(BaseColumn):
    """Title, source, age, a few lines of the text and the suggested themes."""

    cell_template_name = "newsletter/admin/inbox/article.html"

    def __init__(self, *args: Any, may_triage: bool, here: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.here = here
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
        read_url = reverse("newsletter_articles:read", args=[instance.pk])
        context["read_url"] = f"{read_url}?{urlencode({'next': self.here})}"
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

    def get_page_title(self) -> str:
        """The inbox is what waits; the list of all articles is named by what it holds."""
        if self.request.GET.get("state") == Article.State.NEW:
            return _("Inbox")
        return _("Articles")

    @cached_property
    def columns(self) -> list[BaseColumn]:
        may_triage = self.request.user.has_perm(MAY_TRIAGE)
        columns: list[BaseColumn] = [
            ArticleColumn("title", label=_("Article"), may_triage=may_triage, here=self.here)
        ]
        if may_triage:
            columns.insert(0, BulkActionsCheckboxColumn("bulk_actions", obj_type="article"))
            columns.append(DecisionColumn("decision", label=_("Decision"), width="1%"))
        return columns

    @cached_property
    def here(self) -> str:
        """This list with its filters, search and page, to come back to."""
        shown = self.request.GET.copy()
        shown.pop("_w_filter_fragment", None)
        return f"{self.index_url}?{shown.urlencode()}" if shown else str(self.index_url)

    def order_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.order_by(*LATEST_FIRST)

    def get_base_queryset(self) -> QuerySet:
        return Article.objects.all()

    def search_queryset(self, queryset: Any) -> Any:
        if self.is_searching:
            return shown_ids(queryset, self.search_query)
        return queryset.one_per_story()

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        if isinstance(queryset, QuerySet):
            # Sorting whole texts takes a second at 100,000.
            queryset = queryset.values_list("pk", flat=True)
        paginator, page, found, has_others = super().paginate_queryset(queryset, page_size)
        # Themes and feeds for this page only, whether it came from a search or a query.
        by_id = with_themes(Article.objects.all()).in_bulk(list(found))
        page.object_list = with_stories([by_id[pk] for pk in found if pk in by_id])
        return paginator, page, page.object_list, has_others

    def get_context_data(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(*args, **kwargs)
        context["here"] = self.here
        context["may_triage"] = self.request.user.has_perm(MAY_TRIAGE)
        # There a decision takes the row off the list; elsewhere it only changes its state.
        context["leaves"] = self.request.GET.get("state") == Article.State.NEW
        if context["leaves"] and not context["object_list"]:
            draft = draft_for(self.request.user)
            context["next"] = next_action(self.request.user, 0, draft, now=timezone.now())
        elif context["leaves"] and context["may_triage"]:
            context["accept_all"] = accept_all_url(self.request.GET, context["here"])
        return context


def accept_all_url(shown: QueryDict, here: str) -> str:
    """The page that asks whether to accept all of these that have themes suggested."""
    query = shown.copy()
    for name in ("p", "_w_filter_fragment"):
        query.pop(name, None)
    query["id"], query["suggested"], query["next"] = "all", "1", here
    url = reverse("wagtail_bulk_action", args=["newsletter", "article", "accept"])
    return f"{url}?{query.urlencode()}"


def words_for(state: Article.State, count: int) -> str:
    """What was done, in words."""
    if not count:
        return _("Nothing to change: it was so already.")
    return {
        Article.State.ACCEPTED: ngettext(
            "%(count)d article accepted.", "%(count)d articles accepted.", count
        ),
        Article.State.REJECTED: ngettext(
            "%(count)d article rejected.", "%(count)d articles rejected.", count
        ),
    }.get(
        state,
        ngettext(
            "%(count)d article is back in the inbox.",
            "%(count)d articles are back in the inbox.",
            count,
        ),
    ) % {"count": count}


def say(request: HttpRequest, state: Article.State, decision: Decision) -> None:
    """Tells what was done, with a button that undoes it."""
    tell(request, words_for(state, decision.count), decision)


def tell(request: HttpRequest, said: str, decision: Decision) -> None:
    if not decision.count:
        messages.info(request, said)
        return
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


def wants_json(request: HttpRequest) -> bool:
    """The inbox's script asks so; a form does not."""
    return request.headers.get("Accept") == "application/json"


def number_in(request: HttpRequest, name: str) -> int:
    """The number posted under this name; 0, which nothing has, for what is no number."""
    value = request.POST.get(name, "")
    return int(value) if value.isdecimal() and len(value) < 19 else 0


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
            if wants_json(request):
                said = words_for(state, decision.count)
                return JsonResponse({"said": said, "undo": decision.undo, "state": state.label})
            say(request, state, decision)
    return redirect(back_to(request))


@require_POST
def undo_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY_TRIAGE):
        raise PermissionDenied
    try:
        count = undo(request.POST.get("undo", ""), by=request.user, now=timezone.now())
    except BadSignature:
        said = _("This can no longer be undone: it is more than a day old.")
        if wants_json(request):
            return JsonResponse({"said": said}, status=409)
        messages.error(request, said)
        return redirect(back_to(request))
    said = ngettext(
        "Undone: %(count)d article is as it was.", "Undone: %(count)d articles are as they were.",
        count,
    ) % {"count": count}  # fmt: skip
    if wants_json(request):
        return JsonResponse({"said": said})
    messages.success(request, said)
    return redirect(back_to(request))


def undo(token: str, *, by: Any, now: datetime) -> int:
    """A decision's token or a change of themes': each is signed in its own way."""
    try:
        return take_back(token, by=by, now=now)
    except BadSignature:
        return retag.take_back(token, by=by, now=now)
