""" "Not this word", "always this word": one click beside the word that gave a theme."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages as django_messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST
from wagtail.admin import messages
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.log_actions import LogFormatter, log

from newsletter.articles.models import Article
from newsletter.signals import errands_wanted
from newsletter.themes.models import Theme
from newsletter.themes.retagging import count_due
from newsletter.themes.tagging import tag
from newsletter.themes.teaching import Lesson, Verdict, Words, teach, unteach

MAY_TEACH = "newsletter.teach_theme"
SALT = "newsletter.desk.teach"
UNDO_SECONDS = 24 * 3600
SAID = {
    Verdict.ALWAYS: gettext_lazy("“%(word)s” now speaks for “%(theme)s”."),
    Verdict.NEVER: gettext_lazy("“%(word)s” now speaks against “%(theme)s”."),
}


class TaughtFormatter(LogFormatter):
    label = gettext_lazy("Teach a word")

    def format_message(self, log_entry: Any) -> str:
        said = {
            Verdict.ALWAYS: _("Said “always this word”: %(word)s"),
            Verdict.NEVER: _("Said “not this word”: %(word)s"),
        }[Verdict(log_entry.data["verdict"])]
        return said % {"word": log_entry.data["word"]}


class UntaughtFormatter(LogFormatter):
    label = gettext_lazy("Take a word back")

    def format_message(self, log_entry: Any) -> str:
        return _("Took back what was said of a word: %(word)s") % {"word": log_entry.data["word"]}


@require_POST
def teach_view(request: HttpRequest) -> HttpResponse:
    """The button's name is the verdict, its value theme, article (or 0) and word."""
    if not request.user.has_perm(MAY_TEACH):
        raise PermissionDenied
    for verdict in Verdict:
        if value := request.POST.get(verdict.value, ""):
            theme_id, article_id, word = _read(value)
            _teach(request, theme_id, article_id, word, verdict, now=timezone.now())
    return redirect(_back(request))


def _read(value: str) -> tuple[int, int, str]:
    theme, _sep, rest = value.partition(":")
    article, _sep, word = rest.partition(":")
    if not (theme.isdecimal() and article.isdecimal() and word.strip()):
        raise Http404
    return int(theme), int(article), word


def _teach(
    request: HttpRequest, theme_id: int, article_id: int, word: str, verdict: Verdict, *,
    now: datetime,
) -> None:  # fmt: skip
    article = Article.objects.filter(pk=article_id).first()
    with transaction.atomic():
        theme = get_object_or_404(Theme.objects.select_for_update(), pk=theme_id)
        words = Words(theme.keywords, theme.exclusions)
        changed, lesson = teach(words, word, verdict, article.language if article else "it")
        if not (lesson.added or lesson.removed):
            messages.info(request, _("Nothing to change: it was so already."))
            return
        _save(theme, changed, "newsletter.teach", lesson, request.user)
    _look_again(article_id if article else 0, now)
    said = str(SAID[verdict]) % {"word": lesson.word, "theme": theme.local_name}
    if waiting := count_due(now=now):
        again = ngettext(
            "%(count)d stored article is looked at again in the background.",
            "%(count)d stored articles are looked at again in the background.",
            waiting,
        )
        said = f"{said} {again % {'count': waiting}}"
    undo = signing.dumps(
        [request.user.pk, theme.pk, article_id, lesson.word, verdict.value, lesson.added,
         list(lesson.removed)],
        salt=SALT,
    )  # fmt: skip
    text = render_to_string(
        "newsletter/admin/inbox/undo.html",
        {
            "said": said,
            "undo": undo,
            "action": reverse("newsletter_themes:unteach"),
            "here": _back(request),
        },
        request=request,
    )
    # As in the inbox: an undo changes something, so it must be a POST.
    django_messages.success(request, mark_safe(text))  # noqa: S308 (rendered by a template)


@require_POST
def unteach_view(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm(MAY_TEACH):
        raise PermissionDenied
    try:
        by, theme_id, article_id, word, verdict, added, removed = signing.loads(
            request.POST.get("undo", ""), salt=SALT, max_age=UNDO_SECONDS
        )
        if by != request.user.pk:
            raise signing.BadSignature("somebody else's words")
    except signing.BadSignature:
        messages.error(request, _("This can no longer be undone: it is more than a day old."))
        return redirect(_back(request))
    lesson = Lesson(word, Verdict(verdict), added, tuple(removed))
    with transaction.atomic():
        theme = get_object_or_404(Theme.objects.select_for_update(), pk=theme_id)
        words = unteach(Words(theme.keywords, theme.exclusions), lesson)
        _save(theme, words, "newsletter.unteach", lesson, request.user)
    _look_again(article_id, timezone.now())
    messages.success(
        request,
        _("Undone: “%(theme)s” has its words as before.") % {"theme": theme.local_name},
    )
    return redirect(_back(request))


def _save(theme: Theme, words: Words, action: str, lesson: Lesson, user: Any) -> None:
    theme.keywords, theme.exclusions = words.keywords, words.exclusions
    theme.save(update_fields=["keywords", "exclusions"])
    data = {"word": lesson.word, "verdict": lesson.verdict.value}
    log(instance=theme, action=action, user=user, data=data)


def _look_again(article_id: int, now: datetime) -> None:
    """At the article in front of the editor at once, at all others in the background."""
    count_due(now=now)  # from this moment on they are due
    if article_id:
        tag([article_id], now=now)
    errands_wanted.send_robust(sender=Theme)


def _back(request: HttpRequest) -> str:
    return get_valid_next_url_from_request(request) or reverse("newsletter_themes:index")
