"""The editor's word on stories: the same news, not the same, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.contrib import messages as django_messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from wagtail.admin import messages

from newsletter.articles.stories import editing
from newsletter.articles.stories.editing import Change
from newsletter.desk.history import note
from newsletter.desk.inbox import back_to, number_in
from newsletter.desk.triage import MAY_TRIAGE, UNDO_SECONDS

SALT = "newsletter.desk.undo_story"


@require_POST
def merge_view(request: HttpRequest) -> HttpResponse:
    _check(request)
    merged(request, [pk for name in ("article", "other") if (pk := number_in(request, name))])
    return redirect(back_to(request))


def merged(request: HttpRequest, article_ids: Sequence[int]) -> None:
    """Makes one story of them, and tells it with a button that undoes it."""
    change = editing.merge(article_ids)
    if not change.stories:
        messages.info(request, _("Nothing to change: it was so already."))
        return
    note(article_ids, "newsletter.merge", by=request.user, now=timezone.now())
    _say(request, _("Now one story."), {"change": _packed(change)})


@require_POST
def split_view(request: HttpRequest) -> HttpResponse:
    _check(request)
    pk = number_in(request, "split")
    change = editing.split(pk, by=request.user, now=timezone.now())
    if change.stories:
        note([pk], "newsletter.split", by=request.user, now=timezone.now())
        _say(request, _("Taken out of the story."), {"change": _packed(change)})
    else:
        messages.info(request, _("Nothing to change: it was so already."))
    return redirect(back_to(request))


@require_POST
def keep_apart_view(request: HttpRequest) -> HttpResponse:
    _check(request)
    one, other = number_in(request, "article"), number_in(request, "other")
    now = timezone.now()
    if pairs := editing.keep_apart(one, other, by=request.user, now=now):
        note([one, other], "newsletter.keep_apart", by=request.user, now=now)
        _say(request, _("Noted: not the same news."), {"apart": pairs})
    else:
        messages.info(request, _("Nothing to change: it was so already."))
    return redirect(back_to(request))


@require_POST
def undo_story_view(request: HttpRequest) -> HttpResponse:
    _check(request)
    now = timezone.now()
    try:
        user_id, what = signing.loads(request.POST.get("undo", ""), salt=SALT, max_age=UNDO_SECONDS)
        if user_id != request.user.pk:
            raise BadSignature("somebody else's decision")
    except BadSignature:
        messages.error(request, _("This can no longer be undone: it is more than a day old."))
        return redirect(back_to(request))
    if "apart" in what:
        count = editing.doubt_again((first, second) for first, second in what["apart"])
    else:
        change = _unpacked(what["change"])
        count = editing.take_back(change, by=request.user, now=now)
        note(change.stories, "newsletter.undo_story", by=request.user, now=now)
    if count:
        messages.success(request, _("Undone: the stories are as they were."))
    else:
        messages.info(request, _("Nothing to undo: somebody has decided anew since."))
    return redirect(back_to(request))


def _check(request: HttpRequest) -> None:
    if not request.user.has_perm(MAY_TRIAGE):
        raise PermissionDenied


def _packed(change: Change) -> dict[str, Any]:
    """JSON has only words as keys: the former stories as pairs."""
    return asdict(change) | {"stories": list(change.stories.items())}


def _unpacked(packed: dict[str, Any]) -> Change:
    return Change(
        stories=dict(packed["stories"]),
        after=packed["after"],
        apart=tuple((first, second) for first, second in packed["apart"]),
        split=packed["split"],
    )


def _say(request: HttpRequest, said: str, what: dict[str, Any]) -> None:
    text = render_to_string(
        "newsletter/admin/inbox/undo.html",
        {
            "said": said,
            "undo": signing.dumps([request.user.pk, what], salt=SALT, compress=True),
            "action": reverse("newsletter_articles:undo_story"),
            "here": back_to(request),
        },
        request=request,
    )
    django_messages.success(request, mark_safe(text))  # noqa: S308 (rendered by a template)
