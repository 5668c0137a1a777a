"""A member's own pages, reached by the signed link at the foot of every mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    QueryDict,
)
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from newsletter.digests.models import Newsletter
from newsletter.exceptions import InvalidMember, InvalidToken
from newsletter.members.address import masked
from newsletter.members.forms import NewAddressForm, PauseForm, PreferencesForm
from newsletter.members.models import Member, Subscription
from newsletter.members.new_address import ask_for_address
from newsletter.members.responses import page, personal
from newsletter.members.rhythm import rhythm, sentence
from newsletter.members.rights import erase, export, export_csv
from newsletter.members.subscriptions import (
    change_themes,
    pause,
    resume,
    subscribe,
    unsubscribe,
    unsubscribe_all,
)
from newsletter.members.suppression import stopped_because
from newsletter.members.tokens import read_token

SOURCE = "preferences"
_DONE = {"saved", "paused", "resumed", "address", "ended"}

MemberView = Callable[..., HttpResponse]


def member_page(view: MemberView) -> Callable[..., HttpResponse]:
    """`view(request, member, token, …)`, in the member's language."""

    @personal
    @wraps(view)
    def found(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        uid = read_token(token)
        member = Member.objects.filter(uid=uid, confirmed_at__isnull=False).first()
        if member is None:
            raise InvalidToken(_("This link belongs to nobody any more: the address was erased."))
        with translation.override(member.language):
            return view(request, member, token, **kwargs)

    return found


@member_page
def preferences(request: HttpRequest, member: Member, token: str) -> HttpResponse:
    active = _active(member)
    receives = [one.newsletter_id for one in active]
    chosen = set(active[0].selection.theme_ids) if active else set()
    initial = {"newsletters": receives, "themes": chosen, "language": member.language}
    form = PreferencesForm(_posted(request), initial=initial, receives=receives, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        _save(member, form.cleaned_data, now=timezone.now())
        return _back(token, "saved")
    return _preferences(request, member, token, active, form=form)


@transaction.atomic
def _save(member: Member, choice: dict[str, Any], *, now: datetime) -> None:
    theme_ids = [theme.pk for theme in choice["themes"]]
    wanted = list(choice["newsletters"])
    for subscription in _active(member):
        if subscription.newsletter not in wanted:
            unsubscribe(member, subscription.newsletter, now=now, source=SOURCE)
    for newsletter in wanted:
        subscribe(member, newsletter, now=now, source=SOURCE, theme_ids=theme_ids)
    change_themes(member, theme_ids, now=now, source=SOURCE)
    Member.objects.filter(pk=member.pk).update(language=choice["language"])


def _preferences(
    request: HttpRequest,
    member: Member,
    token: str,
    active: list[Subscription],
    *,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    invalid = any(form.is_bound for form in forms.values())
    now = timezone.now()
    paused_until = max((one.paused_until for one in active if one.paused_until), default=None)
    context = {
        "token": token,
        "address": masked(member.email),
        "stopped": stopped_because(member),
        "sentences": [sentence(one) for one in active],
        "paused_until": paused_until if paused_until and paused_until > now else None,
        "pause_form": PauseForm(),
        "address_form": NewAddressForm(),
        "today": timezone.localdate(),
        "done": request.GET.get("done") if request.GET.get("done") in _DONE else "",
    }
    return page(request, "preferences", context | forms, status=400 if invalid else status)


@member_page
def pause_mails(
    request: HttpRequest, member: Member, token: str, slug: str | None = None
) -> HttpResponse:
    newsletter = _newsletter(member, slug) if slug else None
    now = timezone.now()
    form = PauseForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        length = form.cleaned_data["length"]
        if length == PauseForm.RESUME:
            resume(member, newsletter)
            return _back(token, "resumed")
        try:
            pause(member, newsletter, _until(form, newsletter, now), now=now)
        except InvalidMember as error:
            form.add_error("until", str(error))
        else:
            return _back(token, "paused")
    context = {"token": token, "newsletter": newsletter, "form": form, "today": now.date()}
    return page(request, "pause", context, status=400 if form.is_bound else 200)


def _until(form: PauseForm, newsletter: Newsletter | None, now: datetime) -> datetime:
    match form.cleaned_data["length"]:
        case PauseForm.WEEKS:
            return now + timedelta(weeks=2)
        case PauseForm.MONTH:
            return now + timedelta(days=30)
    # The day itself brings mail again.
    zone = ZoneInfo(newsletter.time_zone) if newsletter else timezone.get_current_timezone()
    return datetime.combine(form.cleaned_data["until"], time.min, tzinfo=zone)


@personal
def unsubscribe_one(request: HttpRequest, token: str, slug: str) -> HttpResponse:
    """The page and its button; also RFC 8058's POST, which a mail program sends by itself."""
    uid = read_token(token)
    one_click = request.method == "POST" and "List-Unsubscribe" in request.POST
    member = Member.objects.filter(uid=uid).first()
    if member is None:
        if one_click:
            return HttpResponse(status=200)  # erased: nothing is sent to them anyway
        raise InvalidToken(_("This link belongs to nobody any more: the address was erased."))
    with translation.override(member.language):
        newsletter = _newsletter(member, slug)
        if request.method == "POST":
            _leave(member, newsletter, request.POST, now=timezone.now())
            if one_click:
                return HttpResponse(status=200)
        subscription = member.subscriptions.filter(newsletter=newsletter).first()
        ended = subscription is None or subscription.state == Subscription.State.ENDED
        context = {
            "token": token,
            "newsletter": newsletter,
            "rhythm": rhythm(newsletter),
            "ended": ended,
            "others": _active(member),
            "less_often": [
                {"slug": one.slug, "name": one.name, "rhythm": rhythm(one)}
                for one in _less_often(newsletter, member)
            ],
        }
        return page(request, "unsubscribe", context)


@transaction.atomic
def _leave(member: Member, newsletter: Newsletter, choice: QueryDict, *, now: datetime) -> None:
    """Unsubscribe; `instead` names the rarer newsletter that the member takes in its place."""
    source = "one-click" if "List-Unsubscribe" in choice else "unsubscribe"
    themes = member.subscriptions.filter(newsletter=newsletter).select_related("selection").first()
    instead = _less_often(newsletter, member).filter(slug=choice.get("instead", "")).first()
    if instead and themes and member.confirmed_at:
        subscribe(member, instead, now=now, source=source, theme_ids=themes.selection.theme_ids)
    unsubscribe(member, newsletter, now=now, source=source)


@member_page
def unsubscribe_everything(request: HttpRequest, member: Member, token: str) -> HttpResponse:
    if request.method == "POST":
        unsubscribe_all(member, now=timezone.now(), source="unsubscribe")
    names = [one.newsletter.name for one in _active(member)]
    return page(request, "unsubscribe_all", {"token": token, "names": names})


@member_page
def change_address(request: HttpRequest, member: Member, token: str) -> HttpResponse:
    form = NewAddressForm(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            ask_for_address(member, form.cleaned_data["email"], now=timezone.now())
        except InvalidMember as error:
            form.add_error("email", str(error))
        else:
            return _back(token, "address")
    context = {"token": token, "form": form}
    return page(request, "address", context, status=400 if form.is_bound else 200)


@member_page
def export_data(request: HttpRequest, member: Member, token: str, form: str) -> HttpResponse:
    response: HttpResponse
    if form == "json":
        options = {"ensure_ascii": False, "indent": 2}
        response = JsonResponse(export(member), json_dumps_params=options)
    else:
        response = HttpResponse(export_csv(member), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="newsletter-data.{form}"'
    return response


@member_page
def erase_me(request: HttpRequest, member: Member, token: str) -> HttpResponse:
    erased = request.method == "POST"
    if erased:
        erase(member, timezone.now())
    return page(request, "erase", {"token": token, "erased": erased})


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _active(member: Member) -> list[Subscription]:
    return list(
        member.subscriptions.filter(state=Subscription.State.ACTIVE, newsletter__is_active=True)
        .select_related("newsletter", "selection")
        .order_by("newsletter__name")
    )


def _newsletter(member: Member, slug: str) -> Newsletter:
    newsletter = Newsletter.objects.filter(slug=slug).first()
    if newsletter is None:
        raise Http404(_("There is no such newsletter."))
    return newsletter


def _less_often(newsletter: Newsletter, member: Member) -> models.QuerySet[Newsletter]:
    """Rarer newsletters the member could have instead: less mail beats none."""
    order = [Newsletter.Frequency.DAILY, Newsletter.Frequency.WEEKLY, Newsletter.Frequency.MONTHLY]
    if newsletter.frequency not in order or newsletter.kind == Newsletter.Kind.URGENT:
        return Newsletter.objects.none()
    rarer = order[order.index(Newsletter.Frequency(newsletter.frequency)) + 1 :]
    return Newsletter.objects.filter(
        is_active=True,
        is_public=True,
        frequency__in=rarer,
        kind=Newsletter.Kind.REGULAR,
        language=newsletter.language,
    ).exclude(subscriptions__in=member.subscriptions.filter(state=Subscription.State.ACTIVE))


def _back(token: str, done: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(
        reverse("newsletter:preferences", args=[token]) + f"?done={done}"
    )
    response.status_code = 303
    return response
