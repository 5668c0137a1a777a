"""What the desk's bulk actions share: they act on what is ticked, or on all that the list shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views.generic import FormView
from wagtail.admin import messages
from wagtail.admin.views.bulk_action import BulkAction

EXAMPLES = 10  # names shown on the page that asks


class ListBulkAction(BulkAction):
    permission = ""
    index = ""  # the name of the list's address
    nothing_selected: Any = ""
    question: Any = ""
    yes: Any = ""

    def listed(self) -> list[int]:
        """All that filters and search show (Wagtail's own takes the whole table)."""
        raise NotImplementedError

    def act(self, chosen: Sequence[int], form: forms.Form) -> None:
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        if not self.chosen:
            messages.warning(request, self.nothing_selected)
            return redirect(self.back)
        return super().dispatch(request, *args, **kwargs)

    @property
    def back(self) -> str:
        # Without a page to go back to, Wagtail names this one: a redirect without end.
        here = self.next_url in {"", self.request.path}
        return reverse(self.index) if here else str(self.next_url)

    @cached_property
    def chosen(self) -> list[int]:
        ticked = self.request.GET.getlist("id")
        if "all" in ticked:
            return self.listed()
        return [int(pk) for pk in ticked if pk.isdecimal()]

    def get_all_objects_in_listing_query(self, parent_id: Any) -> list[int]:
        return self.listed()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Not Wagtail's own: that loads every object to list its name.
        context: dict[str, Any] = FormView.get_context_data(self, **kwargs)
        first = self.models[0].objects.in_bulk(self.chosen[:EXAMPLES])
        context.update(
            question=self.question,
            yes=self.yes,
            count=len(self.chosen),
            examples=[first[pk] for pk in self.chosen[:EXAMPLES] if pk in first],
            more=max(len(self.chosen) - EXAMPLES, 0),
            next=self.back,
            submit_url=f"{self.request.path}?{self.request.META['QUERY_STRING']}",
        )
        return context

    def form_valid(self, form: forms.Form) -> HttpResponse:
        self.act(self.chosen, form)
        return redirect(self.back)
