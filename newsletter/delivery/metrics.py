"""Numbers for a monitoring system, in Prometheus' text format (version 0.0.4).

Read from the database at the moment they are asked for, so they are as true as it is, on whatever
machine and after whatever crash. No name, address or member is among them.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.delivery.bounces.models import Bounce
from newsletter.delivery.forecast import forecast
from newsletter.delivery.models import Batch, Delivery
from newsletter.delivery.pace.pace import resting
from newsletter.delivery.progress import progress
from newsletter.delivery.pulse import last_pulses
from newsletter.digests.models import Digest
from newsletter.feeds.models import Feed
from newsletter.members.models import Subscription, Suppression

_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_PREFIX = "bollettino_"
# Digests whose deliveries are told one by one: what is not over, and what has just ended. Who asks
# now and then must see the last figures, and a series that ends with its peak shows none.
_OPEN = (Digest.Status.APPROVED, Digest.Status.SENDING, Digest.Status.HELD)
_KEPT = timedelta(days=1)


@dataclass(frozen=True)
class Metric:
    """A gauge: its values by their labels."""

    name: str
    help: str
    values: Sequence[tuple[dict[str, str], float]]


Gauges = Callable[[datetime], list[Metric]]
# Of those above this stage, which it does not know.
_more: list[Gauges] = []


def add_gauges(gauges: Gauges) -> None:
    """Have these told, too; an app may bring its own. Once is enough, twice is the same."""
    if gauges not in _more:
        _more.append(gauges)


@require_safe
def metrics_view(request: HttpRequest) -> HttpResponse:
    """For who brings METRICS_TOKEN as a bearer token; where that is empty there is no such page."""
    token = str(conf.get("METRICS_TOKEN"))
    if not token:
        raise Http404
    brought = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(brought.encode(), token.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    now = timezone.now()
    metrics = gather(now=now) + [metric for gauges in _more for metric in gauges(now)]
    response = HttpResponse(in_words(metrics), content_type=_FORMAT)
    response["Cache-Control"] = "no-store"
    return response


def in_words(metrics: list[Metric]) -> str:
    return "".join(_lines(metrics))


def gather(*, now: datetime) -> list[Metric]:
    digests = list(
        Digest.objects.filter(status__in=_OPEN, approved_at__isnull=False).order_by("pk")
    )
    ended = list(_just_ended(now))
    due = Feed.objects.due(now).aggregate(first=Min("next_poll_at"))["first"]
    late = [now - digest.slot for digest in digests if digest.status == Digest.Status.APPROVED]
    accounts = {digest: progress(digest) for digest in digests + ended}
    rests = {
        digest: forecast(digest, account, now=now)
        for digest, account in accounts.items()
        if digest.status == Digest.Status.SENDING and digest.paused_at is None
    }
    bounces = Bounce.objects.filter(received_at__gt=now - timedelta(days=1))
    batches = Batch.objects.filter(state=Batch.State.OPEN, digest__in=digests)
    return [
        Metric(
            "pulse_seconds",
            "How long ago the tick of every minute, and the sweep it rings for, last came.",
            [
                ({"of": name}, max((now - at).total_seconds(), 0.0))
                for name, at in last_pulses().items()
            ],
        ),
        Metric(
            "deliveries", "Deliveries by state, of each digest that goes or ended within a day.",
            [
                (_of(digest, state=state), number)
                for digest, account in accounts.items()
                for state, number in account.states.items()
            ],
        ),
        Metric(
            "delivery_reasons", "Those of them that have a reason, by state and reason.",
            [
                (_of(digest, state=state, reason=reason), number)
                for digest, account in accounts.items()
                for (state, reason), number in account.reasons.items()
            ],
        ),
        Metric(
            "exclusions", "Who does not get such a digest, by reason.",
            [
                (_of(digest, reason=reason), number)
                for digest, account in accounts.items()
                for reason, number in account.exclusions.items()
            ],
        ),
        Metric(
            "sent_per_minute", "How fast a digest goes out; no value: nothing went out lately.",
            [
                (_of(digest), rest.per_minute)
                for digest, rest in rests.items()
                if rest.per_minute is not None
            ],
        ),
        Metric(
            "minutes_left", "How long those of the rest take at that speed that may go now.",
            [
                (_of(digest), rest.minutes_left)
                for digest, rest in rests.items()
                if rest.minutes_left is not None
            ],
        ),
        Metric(
            "waiting_deliveries", "Those of the rest that may not go yet, by what they wait for.",
            [
                (_of(digest, why=rest.why), rest.waiting)
                for digest, rest in rests.items()
                if rest.why is not None
            ],
        ),
        Metric(
            "goes_on_timestamp_seconds", "When the first of those may go.",
            [
                (_of(digest), rest.goes_on_at.timestamp())
                for digest, rest in rests.items()
                if rest.goes_on_at is not None
            ],
        ),
        Metric(
            "sent_timestamp_seconds", "When a digest that ended within a day was sent.",
            [(_of(digest), digest.sent_at.timestamp()) for digest in ended if digest.sent_at],
        ),
        Metric("digests", "Digests by status.", _counted(Digest.objects.all(), "status")),
        _one(
            "paused_digests", "Digests that are paused.",
            sum(digest.paused_at is not None for digest in digests),
        ),
        _one(
            "digest_late_seconds",
            "How long ago the oldest approved digest was to go out; 0: none is late.",
            max([timedelta(0), *late]).total_seconds(),
        ),
        _one("open_batches", "Batches with work for a sender.", batches.count()),
        _one(
            "resting_servers", "Mail servers left alone because they asked for it.",
            len(resting(now=now)),
        ),
        Metric(
            "bounces_day", "Mails that came back in the last 24 hours, by kind.",
            _counted(bounces, "kind"),
        ),
        Metric(
            "suppressions", "Suppressed addresses by reason.",
            _counted(Suppression.objects.all(), "reason"),
        ),
        Metric(
            "subscriptions", "Subscriptions by state.",
            _counted(Subscription.objects.all(), "state"),
        ),
        Metric("feeds", "Feeds by state.", _counted(Feed.objects.all(), "state")),
        _one(
            "poll_late_seconds",
            "How long the feed that waits longest has been due; grows when nobody polls.",
            max((now - due).total_seconds(), 0.0) if due else 0.0,
        ),
        _one(
            "articles_to_triage", "Articles in the inbox.",
            Article.objects.filter(state=Article.State.NEW).count(),
        ),
    ]  # fmt: skip


def _just_ended(now: datetime) -> QuerySet[Digest]:
    """Sent or cancelled; of a cancelled one the last deliveries say when."""
    given_up = Delivery.objects.filter(
        digest=OuterRef("pk"),
        state=Delivery.State.SKIPPED,
        reason=Delivery.Reason.CANCELLED,
        changed_at__gt=now - _KEPT,
    )
    sent = Q(status=Digest.Status.SENT, sent_at__gt=now - _KEPT)
    cancelled = Q(Exists(given_up), status=Digest.Status.CANCELLED)
    return Digest.objects.filter(sent | cancelled).order_by("pk")


def _of(digest: Digest, **labels: str) -> dict[str, str]:
    return {"digest": str(digest.pk)} | labels


def _one(name: str, help: str, value: float) -> Metric:
    return Metric(name, help, [({}, value)])


def _counted(rows: QuerySet[Any], field: str) -> list[tuple[dict[str, str], float]]:
    return [
        ({field: str(value)}, number)
        for value, number in rows.order_by(field).values_list(field).annotate(number=Count("pk"))
    ]


def _lines(metrics: list[Metric]) -> Iterator[str]:
    for metric in metrics:
        name = _PREFIX + metric.name
        yield f"# HELP {name} {metric.help}\n# TYPE {name} gauge\n"
        for labels, value in metric.values:
            shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            number = f"{value:.3f}" if isinstance(value, float) else str(value)  # all its digits
            yield f"{name}{{{shown}}} {number}\n" if labels else f"{name} {number}\n"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
