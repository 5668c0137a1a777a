"""What happened to an article: who decided what, and what its publisher changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from wagtail.models import ModelLogEntry

from newsletter.articles.models import Article, ArticleVersion
from newsletter.desk.difference import Kind, Piece, difference, text_of

EVENTS = 50
MOST_PIECES = 400  # of one comparison; an article rewritten from end to end needs no more


@dataclass(frozen=True)
class Event:
    at: datetime
    what: str
    who: str = ""
    edit: int = 0  # the version that this edit replaced


@dataclass(frozen=True)
class Change:
    """An edit upstream, or all of them since a moment, as a difference."""

    at: datetime
    version: int
    since_accepted: bool
    title: Sequence[Piece]
    text: Sequence[Piece]
    more: bool

    @property
    def title_changed(self) -> bool:
        return any(piece.kind is not Kind.SAME for piece in self.title)

    @property
    def text_changed(self) -> bool:
        return any(piece.kind in (Kind.GONE, Kind.NEW) for piece in self.text)


def accepted_text(article: Article) -> ArticleVersion | None:
    """What the article was when it was accepted, if its publisher has changed it since."""
    if article.state != Article.State.ACCEPTED:
        return None
    since = article.triaged_at or article.arrived_at
    then = article.versions.filter(replaced_at__gt=since).order_by("replaced_at").first()
    # Changed and changed back is no change.
    return then if then and then.content_hash != article.content_hash else None


def change_to_show(article: Article, wanted: str) -> Change | None:
    """The edit that somebody asked for, else all since it was accepted, else the latest."""
    if wanted.isdecimal() and (version := article.versions.filter(pk=int(wanted)).first()):
        return _change(article, version)
    if then := accepted_text(article):
        return _compared(then, article.title, article.body_html, since_accepted=True)
    latest = article.versions.first()
    return _change(article, latest) if latest else None


def _change(article: Article, version: ArticleVersion) -> Change:
    following = article.versions.filter(replaced_at__gt=version.replaced_at)
    after = following.order_by("replaced_at").first() or article
    return _compared(version, after.title, after.body_html, since_accepted=False)


def _compared(
    version: ArticleVersion, title: str, body_html: str, *, since_accepted: bool
) -> Change:
    text = difference(text_of(version.body_html), text_of(body_html))
    return Change(
        at=version.replaced_at,
        version=version.pk,
        since_accepted=since_accepted,
        title=difference(version.title, title),
        text=text[:MOST_PIECES],
        more=len(text) > MOST_PIECES,
    )


def events(article: Article) -> list[Event]:
    """The article's life, the latest first."""
    found = [Event(article.arrived_at, _("Arrived"), str(article.feed or ""))]
    log = ModelLogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Article), object_id=str(article.pk)
    ).select_related("user")
    found += [
        Event(entry.timestamp, str(entry.message), str(entry.user_display_name))
        for entry in log.order_by("-timestamp")[:EVENTS]
    ]
    edits = article.versions.values_list("replaced_at", "pk")
    found += [Event(at, _("Changed by its publisher"), "", pk) for at, pk in edits[:EVENTS]]
    if article.triaged_at and article.triaged_by_id is None:
        if article.state == Article.State.ACCEPTED:
            found.append(Event(article.triaged_at, _("Accepted automatically")))
        elif article.state == Article.State.WITHDRAWN:
            found.append(Event(article.triaged_at, _("Withdrawn by the publisher")))
    return sorted(found, key=lambda event: event.at, reverse=True)
