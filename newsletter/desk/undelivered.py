"""Who did not get a digest and why: a list, and a CSV file. For those who may see members."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import CharField, Q, QuerySet, Value
from django.http import HttpRequest, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.generic import TemplateView
from wagtail.admin.views import generic
from wagtail.log_actions import log

from newsletter.delivery.models import Delivery, Exclusion
from newsletter.desk.delivery_words import GIVEN_UP, GIVING_UP, state_names, told_as
from newsletter.desk.digest_mail import MAY_SEE_MEMBERS
from newsletter.digests.models import Digest
from newsletter.members.models import Member
from newsletter.members.rights import safe_in_a_sheet

_EXCLUDED = "excluded"
_ON_A_PAGE = 50
_AT_ONCE = 2000


@dataclass(frozen=True)
class Missed:
    member_id: int | None
    email: str
    state: str
    reason: str
    answer: str  # of the mail server


class Echo:
    """What csv writes to: hands each line back."""

    def write(self, line: str) -> str:
        return line


class UndeliveredView(generic.base.WagtailAdminTemplateMixin, TemplateView):
    template_name = "newsletter/admin/digest/undelivered.html"
    header_icon = "mail"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not request.user.has_perm(MAY_SEE_MEMBERS):
            raise PermissionDenied
        if request.GET.get("form") == "csv":
            return self.as_csv()
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def digest(self) -> Digest:
        digests = Digest.objects.select_related("newsletter").defer("content")
        return get_object_or_404(digests, pk=self.kwargs["pk"])

    def get_page_title(self) -> str:
        return _("Who did not get it")

    def get_page_subtitle(self) -> str:
        return str(self.digest)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        digest = reverse("newsletter_digests:overview", args=[self.digest.pk])
        return [
            *self.breadcrumbs_items,
            {"url": reverse("newsletter_digests:list"), "label": _("Digests")},
            {"url": digest, "label": str(self.digest)},
            {"url": "", "label": self.get_page_title()},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        state = self.request.GET.get("state", "")
        found = rows_of(self.digest, state)
        page = Paginator(found, _ON_A_PAGE).get_page(self.request.GET.get("p"))
        return context | {
            "digest": self.digest,
            "page": page,
            "missed": list(with_addresses(page.object_list)),
            "state": state,
            "states": [*_states().items()],
            "forgotten": self.digest.delivery_counts is not None,
        }

    def as_csv(self) -> StreamingHttpResponse:
        """Every one of them; that it was taken out stands in the digest's history."""
        log(instance=self.digest, action="newsletter.undelivered_export", user=self.request.user)
        lines = csv_lines(self.digest, self.request.GET.get("state", ""))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        name = f"{self.digest.newsletter.slug}-{self.digest.number}.csv"
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def rows_of(digest: Digest, state: str = "") -> QuerySet[Any]:
    """(member, state, reason, answer) of all who have not got it, or of those in one state."""
    deliveries = Delivery.objects.filter(digest=digest).exclude(state=Delivery.State.SENT)
    # Whom it was not addressed to has not missed it.
    exclusions = Exclusion.objects.filter(digest=digest).exclude(
        reason=Exclusion.Reason.UNADDRESSED
    )
    if state:
        deliveries = _told_as(deliveries, state)
        exclusions = exclusions if state == _EXCLUDED else exclusions.none()
    text: CharField[str, str] = CharField()
    left_out = exclusions.values_list(
        "member_id", Value(_EXCLUDED, text), "reason", Value("", text)
    )
    rows: Any = deliveries.values_list("member_id", "state", "reason", "detail")
    return rows.union(left_out, all=True).order_by("state", "reason", "member_id")


def _told_as(deliveries: QuerySet[Delivery], state: str) -> QuerySet[Delivery]:
    given_up = Q(state=Delivery.State.FAILED, reason__in=GIVING_UP)
    if state == GIVEN_UP:
        return deliveries.filter(given_up)
    return deliveries.filter(state=state).exclude(given_up)


def with_addresses(rows: Iterable[Any]) -> Iterator[Missed]:
    rows = list(rows)
    emails = Member.objects.in_bulk([row[0] for row in rows if row[0]])
    kinds = {(state, reason) for _id, state, reason, _answer in rows}
    words = {kind: in_words(*kind) for kind in kinds}
    for member_id, state, reason, answer in rows:
        member = emails.get(member_id)
        told_state, told_reason = words[state, reason]
        yield Missed(
            member_id=member_id,
            email=member.email if member else "",
            state=told_state,
            reason=told_reason,
            answer=answer,
        )


def in_words(state: str, reason: str) -> tuple[str, str]:
    """Of one of `rows_of`."""
    said = _states().get(told_as(state, reason), state)
    return str(said), str(_reasons().get((state == _EXCLUDED, reason), reason))


def csv_lines(digest: Digest, state: str = "") -> Iterator[str]:
    """The file's lines one by one, each with its end."""
    writer = csv.writer(Echo())
    yield from (writer.writerow(line) for line in _lines(rows_of(digest, state)))


def _lines(rows: Any) -> Iterator[list[str]]:
    yield [_("Member"), _("State"), _("Reason"), _("Server’s answer")]
    for page in Paginator(rows, _AT_ONCE):
        for missed in with_addresses(page.object_list):
            cells = (missed.email or _("(erased)"), missed.state, missed.reason, missed.answer)
            yield [safe_in_a_sheet(cell) for cell in cells]


def _states() -> dict[str, Any]:
    kept = {key: name for key, name in state_names().items() if key != Delivery.State.SENT}
    return kept | {_EXCLUDED: _("Not included")}


def _reasons() -> dict[tuple[bool, str], Any]:
    """Both kinds of rows have reasons, and one may mean something else in each."""
    return {
        **{(False, value): label for value, label in Delivery.Reason.choices},
        **{(True, value): label for value, label in Exclusion.Reason.choices},
    }
