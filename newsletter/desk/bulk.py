"""Accept, reject and retag for every article that is ticked, or that the filters show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.bulk_action import BulkAction

from newsletter.articles.models import Article
from newsletter.desk.history import note
from newsletter.desk.inbox import MAY_TRIAGE, say
from newsletter.desk.listing import listed_ids
from newsletter.desk.story_views import merged
from newsletter.desk.triage import decide, with_their_stories
from newsletter.themes.models import Theme, ThemeAssignment
from newsletter.themes.tagging import set_themes

MOST_MERGED = 500  # by hand: "select everything" is no story
EXAMPLES = 10  # titles shown on the page that asks


class ArticleBulkAction(BulkAction):
    models = [Article]
    template_name = "newsletter/admin/inbox/bulk.html"
    question: Any = ""
    yes: Any = ""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(MAY_TRIAGE):
            raise PermissionDenied
        if not self.article_ids:
            messages.warning(request, _("No article is selected."))
            return redirect(self.back)
        return super().dispatch(request, *args, **kwargs)

    @property
    def back(self) -> str:
        # Without a page to go back to, Wagtail names this one: a redirect without end.
        here = self.next_url in {"", self.request.path}
        return reverse("newsletter_articles:index") if here else str(self.next_url)

    @cached_property
    def article_ids(self) -> list[int]:
        """What is ticked, or all that filters and search show."""
        ticked = self.request.GET.getlist("id")
        if "all" in ticked:
            return self.get_all_objects_in_listing_query(None)
        return [int(pk) for pk in ticked if pk.isdecimal()]

    def get_all_objects_in_listing_query(self, parent_id: Any) -> list[int]:
        return listed_ids(self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Not Wagtail's own: that loads every article to list its title.
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        first = Article.objects.in_bulk(self.article_ids[:EXAMPLES])
        context.update(
            question=self.question,
            yes=self.yes,
            count=len(self.article_ids),
            examples=[first[pk] for pk in self.article_ids[:EXAMPLES] if pk in first],
            more=max(len(self.article_ids) - EXAMPLES, 0),
            next=self.back,
            submit_url=f"{self.request.path}?{self.request.META['QUERY_STRING']}",
        )
        return context

    def form_valid(self, form: forms.Form) -> HttpResponse:
        self.act(self.article_ids, form)
        return redirect(self.back)

    def act(self, article_ids: Sequence[int], form: forms.Form) -> None:
        raise NotImplementedError


class Accept(ArticleBulkAction):
    display_name = gettext_lazy("Accept")
    action_type = "accept"
    aria_label = gettext_lazy("Accept the selected articles")
    action_priority = 10
    question = gettext_lazy("Accept them, with the themes suggested?")
    yes = gettext_lazy("Yes, accept")

    def act(self, article_ids: Sequence[int], form: forms.Form) -> None:
        state = Article.State.ACCEPTED
        say(
            self.request,
            state,
            decide(article_ids, state, by=self.request.user, now=timezone.now()),
        )


class Reject(ArticleBulkAction):
    display_name = gettext_lazy("Reject")
    action_type = "reject"
    aria_label = gettext_lazy("Reject the selected articles")
    action_priority = 20
    question = gettext_lazy("Reject them? They stay in the database, out of digests and archive.")
    yes = gettext_lazy("Yes, reject")

    def act(self, article_ids: Sequence[int], form: forms.Form) -> None:
        state = Article.State.REJECTED
        say(
            self.request,
            state,
            decide(
                with_their_stories(article_ids), state, by=self.request.user, now=timezone.now()
            ),
        )


class Merge(ArticleBulkAction):
    display_name = gettext_lazy("One story")
    action_type = "merge"
    aria_label = gettext_lazy("Make one story of the selected articles")
    action_priority = 40
    question = gettext_lazy("Do they tell the same news? They become one story.")
    yes = gettext_lazy("Yes, one story")

    def act(self, article_ids: Sequence[int], form: forms.Form) -> None:
        merged(self.request, article_ids[:MOST_MERGED])


class RetagForm(forms.Form):
    add = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Themes to give"),
        queryset=Theme.objects.active(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    remove = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Themes to take away"),
        queryset=Theme.objects.active(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        add, remove = set(chosen.get("add", [])), set(chosen.get("remove", []))
        if not add | remove:
            raise forms.ValidationError(_("Choose at least one theme."))
        if add & remove:
            raise forms.ValidationError(_("A theme cannot be both given and taken away."))
        return chosen


class Retag(ArticleBulkAction):
    display_name = gettext_lazy("Retag")
    action_type = "retag"
    aria_label = gettext_lazy("Change the themes of the selected articles")
    action_priority = 30
    form_class = RetagForm
    question = gettext_lazy("Which themes shall they have?")
    yes = gettext_lazy("Change themes")

    def act(self, article_ids: Sequence[int], form: forms.Form) -> None:
        add = {theme.pk for theme in form.cleaned_data["add"]}
        remove = {theme.pk for theme in form.cleaned_data["remove"]}
        now = timezone.now()
        for pk in article_ids:
            standing = ThemeAssignment.objects.standing().filter(article_id=pk)
            had = set(standing.values_list("theme_id", flat=True))
            set_themes(pk, (had | add) - remove, by=self.request.user, now=now)
        note(article_ids, "newsletter.retag", by=self.request.user, now=now)
        messages.success(
            self.request,
            ngettext(
                "Themes of %(count)d article changed.",
                "Themes of %(count)d articles changed.",
                len(article_ids),
            )
            % {"count": len(article_ids)},
        )
