"""What a theme's words would change, told before they are saved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.desk.listing import LATEST_FIRST
from newsletter.themes.models import Tagging, Theme, ThemeAssignment
from newsletter.themes.rules import CompiledThemes, Suggestion, ThemeRules
from newsletter.themes.stemming import base_language
from newsletter.themes.suggesting import suggest
from newsletter.themes.tagging import models_in_use, rules_of
from newsletter.themes.whatif import Ask, Outcome, Stored, Trouble, Warned, compare, warnings

SAMPLE = 400
SECONDS = 1.5  # an editor waits; what was not looked at by then is not
AT_ONCE = 50
LISTED = 15
TYPED = ("name", "name_en", "keywords", "exclusions", "feed_categories")


@dataclass(frozen=True)
class Told:
    """The outcome as the page says it."""

    outcome: Outcome
    warnings: list[str]
    is_new: bool

    @property
    def gained(self) -> list[Any]:
        return self.outcome.gained[:LISTED]

    @property
    def lost(self) -> list[Any]:
        return self.outcome.lost[:LISTED]

    @property
    def more_gained(self) -> int:
        return max(len(self.outcome.gained) - LISTED, 0)

    @property
    def more_lost(self) -> int:
        return max(len(self.outcome.lost) - LISTED, 0)

    @property
    def summary(self) -> str:
        looked = ngettext(
            "Of the latest %(count)d article looked at:",
            "Of the latest %(count)d articles looked at:",
            self.outcome.looked_at,
        ) % {"count": self.outcome.looked_at}
        gains = ngettext("%(count)d gains it", "%(count)d gain it", len(self.outcome.gained)) % {
            "count": len(self.outcome.gained)
        }
        loses = ngettext("%(count)d loses it", "%(count)d lose it", len(self.outcome.lost)) % {
            "count": len(self.outcome.lost)
        }
        return f"{looked} {gains}, {loses}."


def what_would_change(theme: Theme | None, typed: Theme) -> Told:
    """`theme` as it is stored, or None; `typed` as it stands in the form."""
    before, after = (rules_of(theme) if theme else None), rules_of(typed)
    if before:
        after = replace(after, theme_id=before.theme_id)
    threshold = float(conf.get("SUGGEST_THRESHOLD"))
    others = Theme.objects.active().exclude(pk=theme.pk if theme else 0)
    rest = [rules_of(one) for one in others]
    ask = asking(before, after, rest, threshold)
    outcome = compare(newest(theme), before, after, threshold=threshold, ask=ask)
    names = {one.pk: one.local_name for one in others}
    found = warnings(after, rest, outcome)
    return Told(outcome, [say(one, names, outcome) for one in found], is_new=theme is None)


def asking(
    before: ThemeRules | None, after: ThemeRules, rest: list[ThemeRules], threshold: float
) -> Ask | None:
    """What the models in use make of the words; None while nothing was learned."""
    models = models_in_use()
    if not models:
        return None
    as_they_are = CompiledThemes((*rest, before) if before else tuple(rest))
    as_typed = CompiledThemes((*rest, after))

    def ask(article: Stored, typed: bool) -> Suggestion | None:
        found = suggest(
            article.title,
            article.text,
            article.language,
            article.categories,
            as_typed if typed else as_they_are,
            models.get(base_language(article.language)),
            threshold=threshold,
        )
        return next((one for one in found if one.theme_id == after.theme_id), None)

    return ask


def newest(theme: Theme | None, *, clock: Any = time.monotonic) -> Iterator[Stored]:
    """The latest articles, for as long as an editor can be kept waiting."""
    stop_at = clock() + SECONDS
    articles = Article.objects.exclude(state=Article.State.WITHDRAWN).order_by(*LATEST_FIRST)
    ids = list(articles.values_list("pk", flat=True)[:SAMPLE])
    reviewed = set(
        Tagging.objects.filter(pk__in=ids, reviewed_at__isnull=False).values_list("pk", flat=True)
    )
    given = set(
        ThemeAssignment.objects.filter(
            article__in=reviewed, theme=theme, decision=ThemeAssignment.Decision.CONFIRMED
        ).values_list("article", flat=True)
        if theme
        else ()
    )
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        rows = {row[0]: row for row in Article.objects.filter(pk__in=some).values_list(*_READ)}
        for pk in some:
            if pk not in rows:
                continue
            if clock() > stop_at:
                return
            _pk, title, body, excerpt, language, categories = rows[pk]
            decided = pk in given if theme and pk in reviewed else None
            yield Stored(pk, title, body or excerpt, language, tuple(categories or ()), decided)


_READ = ("pk", "title", "body_text", "excerpt", "language", "categories")


def say(one: Warned, names: dict[int, str], outcome: Outcome) -> str:
    values = {
        "word": one.word,
        "theme": names.get(one.theme_id, ""),
        "count": one.articles,
        "looked_at": outcome.looked_at,
    }
    return {
        Trouble.NO_KEYWORDS: _("No keywords: only the theme's name speaks for it."),
        Trouble.NO_SUBJECT: _("“%(word)s” has no word that carries a subject: it is passed over."),
        Trouble.SHARED: _("“%(word)s” also belongs to the theme “%(theme)s”."),
        Trouble.EXCLUDED: _("“%(word)s” is among the exclusions too, and those win."),
        Trouble.EVERYWHERE: _(
            "“%(word)s” is in %(count)d of %(looked_at)d articles: it tells none of them apart."
        ),
    }[one.trouble] % values


def rules_typed(form: Any) -> Theme:
    """A theme with the words of the form, valid or not; it is not for saving."""
    return Theme(**{name: str(form.data.get(name, "")) for name in TYPED})


class LooksFirst:
    """For a view with the theme's form: the button “look” answers instead of saving."""

    told: Told | None = None

    def stored(self) -> Theme | None:
        return None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "look" not in request.POST:
            response: HttpResponse = super().post(request, *args, **kwargs)  # type: ignore[misc]
            return response
        theme = self.stored()
        self.object = self.stored()  # the form below writes into this one
        self.form = self.get_form()  # type: ignore[attr-defined]
        self.told = what_would_change(theme, rules_typed(self.form))
        if request.headers.get("X-Requested-With") == "fetch":
            return TemplateResponse(
                request, "newsletter/admin/theme/told.html", {"told": self.told}
            )
        response = self.render_to_response(self.get_context_data())  # type: ignore[attr-defined]
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | {"told": self.told}  # type: ignore[misc]
