"""From the form to the button in the mail."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language

from newsletter import conf
from newsletter.exceptions import InvalidMember
from newsletter.members.address import masked
from newsletter.members.consent import consent_text
from newsletter.members.forms import SignUpForm
from newsletter.members.new_address import confirm_address, who_moves
from newsletter.members.responses import client_ip, page, personal, same_site_form
from newsletter.members.rhythm import sentence
from newsletter.members.signup import Answer, confirm, sign_up, who_confirms
from newsletter.members.subscriptions import asked_for
from newsletter.members.suppression import complained
from newsletter.members.tokens import make_token


@same_site_form
def subscribe(request: HttpRequest) -> HttpResponse:
    language = (get_language() or "it")[:2]
    form = SignUpForm(_posted(request))
    status = 200
    limited = False
    if request.method == "POST":
        if form.is_valid():
            if form.cleaned_data["website"]:
                return _see("newsletter:subscribe-sent")
            answer = sign_up(
                form.cleaned_data["email"],
                newsletters=form.cleaned_data["newsletters"],
                theme_ids=[theme.pk for theme in form.cleaned_data["themes"]],
                language=language if language in ("it", "en") else "it",
                form_url=request.build_absolute_uri(request.path),
                ip=client_ip(request),
                now=timezone.now(),
            )
            if answer == Answer.ACCEPTED:
                return _see("newsletter:subscribe-sent")
            limited, status = True, 429
        else:
            status = 400
    context = {
        "form": form,
        "limited": limited,
        "consent_text": consent_text(language),
        "policy_url": conf.get("PRIVACY_POLICY_URL"),
    }
    return page(request, "subscribe", context, status=status)


def subscribe_sent(request: HttpRequest) -> HttpResponse:
    return page(request, "subscribe_sent", {"days": conf.get("CONFIRMATION_DAYS")})


@personal
def confirm_subscription(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    member = who_confirms(token, now=now)
    with translation.override(member.language):
        known = member.confirmed_at is not None
        has_complained = complained(member)
        takes_back = "again" in request.POST
        confirmed = request.method == "POST" and (takes_back or not has_complained)
        sentences = [sentence(one) for one in asked_for(member)]
        if confirmed:
            confirm(token, now, takes_complaint_back=takes_back)
        context = {
            "confirmed": confirmed,
            "known": known,
            "complained": has_complained,
            "unanswered": request.method == "POST" and not confirmed,
            "address": masked(member.email),
            "wanted": sentences,
            "preferences_url": reverse("newsletter:preferences", args=[make_token(member.uid)])
            if confirmed
            else "",
        }
        return page(request, "confirm", context)


@personal
def confirm_new_address(request: HttpRequest, token: str) -> HttpResponse:
    now = timezone.now()
    change = who_moves(token, now=now)
    with translation.override(change.member.language):
        context: dict[str, object] = {"email": change.email}
        status = 200
        if request.method == "POST":
            try:
                member = confirm_address(token, now=now)
                preferences = reverse("newsletter:preferences", args=[make_token(member.uid)])
                context |= {"confirmed": True, "preferences_url": preferences}
            except InvalidMember as error:
                context["problem"] = str(error)
                status = 409
        return page(request, "confirm_address", context, status=status)


def _posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


def _see(name: str) -> HttpResponseRedirect:
    response = HttpResponseRedirect(reverse(name))
    response.status_code = 303
    return response
