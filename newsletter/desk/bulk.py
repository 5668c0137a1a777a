"""Accept, reject and retag for every article that is ticked, or that the filters show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from newsletter.articles.models import Article
from newsletter.desk.bulk_action import ListBulkAction
from newsletter.desk.inbox import say, tell
from newsletter.desk.listing import listed_ids, with_suggestions
from newsletter.desk.retag import retag
from newsletter.desk.story_views import merged
from newsletter.desk.triage import MAY_TRIAGE, decide, with_their_stories
from newsletter.themes.models import Theme

MOST_MERGED = 500  # by hand: "select everything" is no story


class ArticleBulkAction(ListBulkAction):
    models = [Article]
    template_name = "newsletter/admin/inbox/bulk.html"
    permission = MAY_TRIAGE
    index = "newsletter_articles:index"
    nothing_selected = gettext_lazy("No article is selected.")

    def listed(self) -> list[int]:
        return listed_ids(self.request)


class Accept(ArticleBulkAction):
    display_name = gettext_lazy("Accept")
    action_type = "accept"
    aria_label = gettext_lazy("Accept the selected articles")
    action_priority = 10
    question = gettext_lazy("Accept them, with the themes suggested?")
    yes = gettext_lazy("Yes, accept")

    def listed(self) -> list[int]:
        """With `suggested`, only what has themes: the others want somebody's eye."""
        ids = super().listed()
        return with_suggestions(ids) if self.request.GET.get("suggested") else ids

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        if self.request.GET.get("suggested"):
            context["without"] = len(super().listed()) - len(self.chosen)
        return context

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
        decision = retag(
            article_ids,
            add={theme.pk for theme in form.cleaned_data["add"]},
            remove={theme.pk for theme in form.cleaned_data["remove"]},
            by=self.request.user,
            now=timezone.now(),
        )
        said = ngettext(
            "Themes of %(count)d article changed.",
            "Themes of %(count)d articles changed.",
            decision.count,
        ) % {"count": decision.count}
        tell(self.request, said, decision)
