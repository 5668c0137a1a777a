"""Builders: each names only what matters to the test that calls it."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.text import slugify

from newsletter.articles.models import Article
from newsletter.delivery.models import Batch, Delivery
from newsletter.digests.models import Digest, DigestItem, Newsletter
from newsletter.feeds.models import Feed
from newsletter.members.address import address_hash, canonical_address
from newsletter.members.models import Member, Selection, Subscription
from newsletter.members.subscriptions import selection_for
from newsletter.themes.models import Theme, ThemeAssignment

NOW = datetime(2026, 7, 15, 9, 0, tzinfo=UTC)
_count = itertools.count(1)


def make_feed(url: str = "", **fields: Any) -> Feed:
    number = next(_count)
    defaults = {
        "title": "Blog di prova",
        "site_url": f"https://blog{number}.example/",
        "language": "it",
        "next_poll_at": NOW,
    }
    return Feed.objects.create(
        url=url or f"https://blog{number}.example/feed/", **defaults | fields
    )


def make_theme(name: str = "Pensioni", *, keywords: Iterable[str] = (), **fields: Any) -> Theme:
    return Theme.objects.get_or_create(
        slug=slugify(name), defaults={"name": name, "keywords": "\n".join(keywords)} | fields
    )[0]


def make_article(
    title: str = "Una notizia",
    *,
    body: str = "Il testo della notizia.",
    themes: Iterable[str | Theme] = (),
    accepted: bool = True,
    **fields: Any,
) -> Article:
    number = next(_count)
    arrived = fields.get("arrived_at", NOW)
    defaults: dict[str, Any] = {
        "url": f"https://blog.example/{number}/",
        "title": title,
        "excerpt": body[:200],
        "body_html": f"<p>{body}</p>",
        "body_text": body,
        "language": "it",
        "published_at": arrived,
        "arrived_at": arrived,
        "changed_at": arrived,
        "listed_at": fields.get("published_at") or arrived,
        "content_hash": hashlib.sha256(f"{title}{body}".encode()).hexdigest(),
        "state": Article.State.ACCEPTED if accepted else Article.State.NEW,
    }
    article = Article.objects.create(**defaults | fields)
    for theme in themes:
        ThemeAssignment.objects.create(
            article=article,
            theme=theme if isinstance(theme, Theme) else make_theme(theme),
            source=ThemeAssignment.Source.RULE,
            confidence=0.9,
            evidence=[{"term": "prova", "share": 1.0, "in_title": False}],
        )
    return article


def make_newsletter(name: str = "Ogni settimana", **fields: Any) -> Newsletter:
    themes = fields.pop("themes", ())
    defaults = {
        "slug": slugify(name),
        "sender_name": "Il Bollettino",
        "sender_email": "bollettino@union.example",
        "weekdays": [3],
        "postal_address": "Via del Lavoro 1, Roma",
    }
    newsletter = Newsletter.objects.create(name=name, **defaults | fields)
    newsletter.themes.set(themes)
    return newsletter


def make_member(
    email: str = "",
    *,
    newsletter: Newsletter | None = None,
    themes: Iterable[str | Theme] = (),
    **fields: Any,
) -> Member:
    """A confirmed member, subscribed to `newsletter` when one is given."""
    email = email or f"persona{next(_count)}@posta.example"
    address = canonical_address(email)
    defaults = {"created_at": NOW, "confirmed_at": NOW, "language": "it"}
    member = Member.objects.create(
        email=email, address=address, address_hash=address_hash(address), **defaults | fields
    )
    if newsletter:
        chosen = [t if isinstance(t, Theme) else make_theme(t) for t in themes]
        Subscription.objects.create(
            member=member,
            newsletter=newsletter,
            selection=selection_for([theme.pk for theme in chosen]),
            state=Subscription.State.ACTIVE,
            created_at=NOW,
        )
    return member


def subscribe_many(newsletter: Newsletter, number: int, selections: list[Selection]) -> None:
    """Members in bulk: persona1@posta.example and so on, every third one reading English."""
    start = Member.objects.count() + 1
    members = Member.objects.bulk_create(
        Member(
            email=f"persona{n}@posta.example",
            address=f"persona{n}@posta.example",
            address_hash=address_hash(f"persona{n}@posta.example"),
            language="it" if n % 3 else "en",
            created_at=NOW,
            confirmed_at=NOW,
        )
        for n in range(start, start + number)
    )
    Subscription.objects.bulk_create(
        Subscription(
            member=member,
            newsletter=newsletter,
            selection=selections[n % len(selections)],
            state=Subscription.State.ACTIVE,
            created_at=NOW,
        )
        for n, member in enumerate(members)
    )


def make_digest(
    newsletter: Newsletter | None = None, *, articles: Iterable[Article] = (), **fields: Any
) -> Digest:
    """A draft with its first revision, as the compiler leaves it."""
    newsletter = newsletter or Newsletter.objects.first() or make_newsletter()
    defaults = {
        "number": newsletter.digests.count() + 1,
        "slot": NOW,
        "subject": "Le notizie della settimana",
        "window_end": NOW,
        "live": False,
    }
    digest = Digest(newsletter=newsletter, **defaults | fields)
    digest.items = [
        DigestItem(
            article=article,
            theme=next((a.theme for a in article.assignments.order_by("-confidence")), None),
            is_lead=position == 0,
            sort_order=position,
        )
        for position, article in enumerate(articles)
    ]
    digest.save()
    digest.save_revision()
    return digest


def have_sent(
    digest: Digest, *, now: datetime, sent: int, deferred: int = 0, expired: int = 0
) -> None:
    """An approved digest that a minute of sending brought so far; finished if nothing is left.

    What is left waits until tomorrow: a sender that happens to run leaves it alone.
    """
    left = list(digest.deliveries.order_by("pk"))
    State, Reason = Delivery.State, Delivery.Reason
    tomorrow, taken = now + timedelta(days=1), "250 2.0.0 Ok: queued as 4bX2"
    outcomes: list[dict[str, Any]] = [
        *[{"state": State.SENT, "detail": taken, "smtp_code": 250}] * sent,
        *[
            {"state": State.DEFERRED, "reason": Reason.PACE, "detail": "450 4.2.1 too many",
             "smtp_code": 450, "next_attempt_at": tomorrow}
        ] * deferred,
        *[
            {"state": State.FAILED, "reason": Reason.EXPIRED, "detail": "450 4.2.0 greylisted",
             "smtp_code": 450}
        ] * expired,
    ]  # fmt: skip
    minute = now - timedelta(minutes=1)
    for delivery, outcome in zip(left, outcomes, strict=False):
        Delivery.objects.filter(pk=delivery.pk).update(changed_at=minute, attempts=1, **outcome)
    over = sent + expired >= len(left)
    Batch.objects.filter(digest=digest).update(
        state=Batch.State.DONE if over else Batch.State.OPEN, not_before=None if over else tomorrow
    )
    Digest.objects.filter(pk=digest.pk).update(
        status=Digest.Status.SENT if over else Digest.Status.SENDING,
        sending_at=minute, sent_at=now if over else None,
    )  # fmt: skip
