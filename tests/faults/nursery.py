"""A process that has Django loaded and forks senders, so that many of them can be killed.

Reads one JSON order a line and answers with one JSON line. `python -m tests.faults` gives them.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import django

from tests.faults.truth import truth

Answer = dict[str, Any]
LOUD = bool(os.environ.get("FAULTS_LOUD"))


class Arrived:
    """Evidence: the mail server of the test wrote down what it took."""

    def __init__(self, file: str) -> None:
        self.message_ids = set(Path(file).read_text().split())

    def look_up(self, message_ids: Mapping[str, datetime], *, now: datetime) -> Mapping[str, Any]:
        from newsletter.delivery.evidence import Verdict

        return {
            name: Verdict.ACCEPTED if name in self.message_ids else Verdict.ABSENT
            for name in message_ids
        }


# --- what a child does ----------------------------------------------------------------------------


def send(order: Answer) -> None:
    from newsletter.delivery.send import send_batches

    send_batches(order["digest"], clock=_clock(order))


def sweep(order: Answer) -> None:
    from newsletter.delivery.sweep import sweep

    sweep(now=_clock(order)())


def approve(order: Answer) -> None:
    from newsletter.delivery.freeze import approve

    approve(order["digest"], now=_clock(order)())


def tick(order: Answer) -> None:
    """What beat rings for, as far as it makes digests and starts them."""
    from newsletter import tasks

    now = datetime.fromisoformat(order["now"])
    for step in (tasks.compile_due_digests, tasks.approve_proposals, tasks.ring_due_digests):
        step(now)


ERRANDS: dict[str, Callable[[Answer], None]] = {
    work.__name__: work for work in (send, sweep, approve, tick)
}


def _clock(order: Answer) -> Callable[[], datetime]:
    from django.utils import timezone

    ahead = timedelta(minutes=order.get("ahead", 0))
    return lambda: timezone.now() + ahead


def die_at(module: str, name: str, event: str, nth: int) -> None:
    """This process is killed at the nth "call" or "return" of a function of production code."""
    left = nth

    def watch(frame: FrameType, seen: str, arg: object) -> None:
        nonlocal left
        if seen != event or frame.f_code.co_qualname != name:
            return
        if frame.f_globals.get("__name__") == module:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(watch)


# --- orders ---------------------------------------------------------------------------------------


def spawn(order: Answer) -> Answer:
    from django.db import connections

    connections.close_all()
    pid = os.fork()
    if pid:
        return {"pid": pid}
    status = 1
    try:
        if order.get("die_at"):
            die_at(*order["die_at"])
        ERRANDS[order["errand"]](order)
        status = 0
    except BaseException:
        if LOUD:
            traceback.print_exc()
    finally:
        os._exit(status)


def wait(order: Answer) -> Answer:
    """How the child ended: {"killed": true}, or {} while it runs."""
    pid, status = os.waitpid(order["pid"], os.WNOHANG)
    if not pid:
        return {"ended": False}
    return {"ended": True, "killed": os.WIFSIGNALED(status)}


def begin(order: Answer) -> Answer:
    """From here on in this database, with these settings of the plugin and no others."""
    from django.conf import settings
    from django.db import connections
    from environ import Env

    connections.close_all()
    place = Env.db_url_config(order["database_url"])
    connections["default"].settings_dict.update(place)
    settings.NEWSLETTER = _as_shipped() | order["keys"]
    return {}


def configure(order: Answer) -> Answer:
    from django.conf import settings

    settings.NEWSLETTER = settings.NEWSLETTER | order["keys"]
    return {}


@cache
def _as_shipped() -> dict[str, Any]:
    from django.conf import settings

    return dict(settings.NEWSLETTER)


def prepare(order: Answer) -> Answer:
    """A digest for so many members; approved and started unless the order says otherwise."""
    from django.utils import timezone

    from newsletter.delivery.control import start_due
    from newsletter.delivery.freeze import approve
    from newsletter.members.subscriptions import selection_for
    from tests.builders import make_article, make_digest, make_newsletter, subscribe_many

    now = timezone.now()
    newsletter = make_newsletter()
    subscribe_many(newsletter, order["members"], [selection_for([])])
    article = make_article("Pensioni, l’accordo è firmato", arrived_at=now)
    digest = make_digest(newsletter, articles=[article], slot=now)
    if order.get("approved", True):
        approve(digest.pk, now=now)
        start_due(now=now)
    return {"digest": digest.pk}


def schedule(order: Answer) -> Answer:
    """A newsletter that goes out every day at a time of Rome's, unapproved, and a member."""
    from datetime import time

    from newsletter.digests.models import Newsletter
    from tests.builders import make_member, make_newsletter

    newsletter = make_newsletter(
        frequency=Newsletter.Frequency.DAILY,
        weekdays=list(range(7)),
        send_at=time.fromisoformat(order["at"]),
        lead_hours=1,
        when_unapproved=Newsletter.WhenUnapproved.SEND,
    )
    make_member("persona@posta.example", newsletter=newsletter)
    return {"newsletter": newsletter.pk}


def publish(order: Answer) -> Answer:
    from tests.builders import make_article

    moment = datetime.fromisoformat(order["now"])
    make_article(f"Notizia delle {moment:%d.%m %H:%M}", arrived_at=moment)
    return {}


def slots(order: Answer) -> Answer:
    from newsletter.digests.models import Digest

    found = Digest.objects.order_by("slot").values_list("slot", "status")
    return {"slots": [[slot.isoformat(), status] for slot, status in found]}


def report(order: Answer) -> Answer:
    from newsletter.delivery.freeze import accounting
    from newsletter.delivery.progress import progress
    from newsletter.digests.models import Digest

    digest = Digest.objects.get(pk=order["digest"])
    shown = progress(digest)
    return {
        "status": digest.status,
        "paused": digest.paused_at is not None,
        "reason": digest.status_reason,
        "states": shown.states,
        "adds_up": shown.adds_up,
        "deliveries": sum(shown.states.values()),
        "accounted": accounting(digest).adds_up,
    }


def control(order: Answer) -> Answer:
    """pause, resume, cancel, send_now: a person's word."""
    from django.utils import timezone

    from newsletter.delivery import control

    getattr(control, order["word"])(order["digest"], now=timezone.now())
    return {}


def leave(order: Answer) -> Answer:
    """Members unsubscribe: those with these addresses."""
    from newsletter.members.models import Subscription

    changed = Subscription.objects.filter(member__address__in=order["addresses"]).update(
        state=Subscription.State.ENDED
    )
    return {"changed": changed}


def edit(order: Answer) -> Answer:
    """Somebody changes the article and the digest after they were approved."""
    from newsletter.articles.models import Article
    from newsletter.digests.models import Digest

    Article.objects.update(title="Cambiato dopo", excerpt="Cambiato dopo")
    Digest.objects.filter(pk=order["digest"]).update(subject="Cambiato dopo")
    return {}


ORDERS: dict[str, Callable[[Answer], Answer]] = {
    order.__name__: order
    for order in (
        begin, spawn, wait, configure, prepare, schedule, publish, slots, report, truth, control,
        leave, edit,
    )
}  # fmt: skip


def main() -> None:
    django.setup()
    if not LOUD:
        logging.disable(logging.CRITICAL)  # what a worker would log: trouble made on purpose
    say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = ORDERS[order["do"]](order)
        except Exception:
            answer = {"error": traceback.format_exc()}
        say(answer)


def say(words: Answer) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
