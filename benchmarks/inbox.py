"""One decision in an inbox of 100,000 articles, as an editor's browser asks for it.

    .venv/bin/python benchmarks/inbox.py [--articles 100000] [--decisions 200] [--postgres]

Each figure is a whole request through Django, with session, permissions, log and undo. The
reference is the same decision in Wagtail's own way: the object saved, its search index renewed,
one entry of the log. Prints p50, p95 and the slowest; the bar for a decision, its undo and a search
is 150 ms at p95. `--explain` prints how the database finds the list.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import harness

BAR = 0.150
WORDS = [
    "contratto", "salario", "sciopero", "turno", "pensione", "sicurezza", "orario", "assemblea",
    "piattaforma", "lavoro", "diritto", "tessera", "ferie", "azienda", "trattativa", "delegato",
    "norma", "accordo",
]  # fmt: skip


def fill(articles: int) -> None:
    """A tenth waits in the inbox; one in ten tells a story that another tells too."""
    from newsletter.articles.models import Article, Story
    from newsletter.feeds.models import Feed
    from newsletter.themes.models import Tagging, Theme, ThemeAssignment

    dice = random.Random(1)
    now = datetime.now(UTC)
    feeds = [
        Feed.objects.create(url=f"https://b{n}.example/feed/", title=f"Blog {n}", next_poll_at=now)
        for n in range(50)
    ]
    themes = list(Theme.objects.all()) or [
        Theme.objects.create(name=f"Tema {n}", slug=f"tema-{n}") for n in range(16)
    ]
    stories = Story.objects.bulk_create(Story() for _ in range(max(articles // 30, 1)))
    for start in range(0, articles, 5_000):
        made = []
        for number in range(start, min(start + 5_000, articles)):
            text = " ".join(dice.choices(WORDS, k=200))
            at = now - timedelta(minutes=number)
            new = number % 10 == 0
            made.append(
                Article(
                    feed=dice.choice(feeds),
                    story=dice.choice(stories) if dice.random() < 0.1 else None,
                    url=f"https://b.example/{number}/",
                    title=f"{' '.join(dice.choices(WORDS, k=6))} {number}",
                    excerpt=text[:200],
                    body_html=f"<p>{text}</p>",
                    body_text=text,
                    language="it",
                    published_at=at,
                    arrived_at=at,
                    changed_at=at,
                    listed_at=at,
                    content_hash=f"{number:064x}",
                    state="new" if new else "accepted" if number % 3 else "rejected",
                )
            )
        made = Article.objects.bulk_create(made)
        Tagging.objects.bulk_create(Tagging(article=one, tagged_at=now) for one in made)
        ThemeAssignment.objects.bulk_create(
            ThemeAssignment(
                article=one,
                theme=theme,
                source="rule",
                confidence=0.8,
                evidence=[{"term": word, "share": 0.5} for word in WORDS[:2]],
            )
            for one in made
            for theme in dice.sample(themes, dice.choice((1, 2)))
        )


def timed(calls: Iterator[Callable[[], Any]]) -> list[float]:
    taken = []
    for call in calls:
        began = time.perf_counter()
        call()
        taken.append(time.perf_counter() - began)
    return sorted(taken)


def at(taken: list[float], share: float) -> float:
    return taken[min(int(len(taken) * share), len(taken) - 1)]


def tell(name: str, taken: list[float]) -> harness.Measured:
    p50, p95, worst = at(taken, 0.5), at(taken, 0.95), taken[-1]
    print(f"{name:<34} p50 {p50 * 1e3:7.1f}   p95 {p95 * 1e3:7.1f}   worst {worst * 1e3:7.1f} ms")
    return harness.Measured(name, p95)


def run(options: argparse.Namespace) -> None:
    harness.start(migrate=True)
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.urls import reverse
    from wagtail.log_actions import log

    from newsletter.articles.models import Article
    from newsletter.desk.listing import LATEST_FIRST

    settings.ALLOWED_HOSTS = ["testserver"]
    began = time.perf_counter()
    fill(options.articles)
    call_command("update_index", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    took = time.perf_counter() - began
    print(f"{connection.vendor}: {options.articles} articles made and indexed in {took:.0f} s")

    user = get_user_model().objects.create_superuser("nadia", "nadia@union.example", "x")
    client = Client()
    client.force_login(user)
    json = {"accept": "application/json"}
    index = reverse("newsletter_articles:index") + "?state=new"
    triage, back, retag = (reverse(f"newsletter_articles:{n}") for n in ("triage", "undo", "retag"))
    waiting = Article.objects.to_triage().one_per_story().order_by(*LATEST_FIRST)
    if options.explain:
        print(waiting.only("pk")[:40].explain())
    # A list opened first, as an editor does: it brings the process what every request needs.
    for _ in range(3):
        client.get(index)
    ids = list(waiting.values_list("pk", flat=True)[: 3 * options.decisions])
    tokens: list[str] = []

    def post(url: str, data: dict[str, Any]) -> None:
        answer = client.post(url, data, headers=json)
        assert answer.status_code == 200, answer
        if token := answer.json().get("undo"):
            tokens.append(token)

    def decisions() -> Iterator[Callable[[], Any]]:
        for number, pk in enumerate(ids[: options.decisions]):
            state = "rejected" if number % 3 == 0 else "accepted"
            data = {state: pk, "story": "1", "next": index}
            yield lambda data=data: post(triage, data)

    decided = tell("a decision", timed(decisions()))
    undone = tell("its undo", timed((lambda t=t: post(back, {"undo": t})) for t in tokens[:100]))
    theme = Article.objects.get(pk=ids[-1]).assignments.get_queryset().first().theme_id
    tell(
        "a theme given",
        timed((lambda pk=pk: post(retag, {"article": pk, "give": theme})) for pk in ids[-100:]),
    )
    read = [reverse("newsletter_articles:read", args=[pk]) for pk in ids[:50]]
    fetch = {"x-requested-with": "fetch"}
    tell("an article to read", timed((lambda u=u: client.get(u, headers=fetch)) for u in read))
    tell("the list", timed((lambda: client.get(index)) for _ in range(10)))
    tell("the list, page 100", timed((lambda: client.get(f"{index}&p=100")) for _ in range(5)))
    searched = tell(
        "a search in it",
        timed((lambda: client.get(f"{index}&q=trattativa")) for _ in range(5)),
    )
    accept = reverse("wagtail_bulk_action", args=["newsletter", "article", "accept"])
    url = f"{accept}?state=new&id=all&suggested=1&next=/"
    tell("“accept all suggestions”, asked", timed((lambda: client.get(url)) for _ in range(3)))

    def wagtails_way() -> Iterator[Callable[[], Any]]:
        def one(pk: int) -> None:
            article = Article.objects.get(pk=pk)
            article.state = Article.State.ACCEPTED
            article.triaged_by = user
            article.triaged_at = datetime.now(UTC)
            article.save()
            log(article, "newsletter.accept", user=user)

        for pk in ids[options.decisions : 2 * options.decisions][:50]:
            yield lambda pk=pk: one(pk)

    reference = tell("Wagtail's save and log", timed(wagtails_way()))
    harness.ratio("p95 of a decision", decided, reference)
    harness.ratio("p95 of a decision", decided, harness.Measured("150 ms", BAR), bar=1.0)
    harness.ratio("p95 of an undo", undone, harness.Measured("150 ms", BAR), bar=1.0)
    harness.ratio("p95 of a search", searched, harness.Measured("150 ms", BAR), bar=1.0)
    harness.finish()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=100_000)
    parser.add_argument("--decisions", type=int, default=200)
    parser.add_argument("--postgres", action="store_true", help="on a private PostgreSQL server")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    if not options.postgres:
        run(options)
        return
    sys.path.insert(0, str(harness.ROOT))
    from tests import private_servers

    with private_servers.postgres() as url:
        rest = [one for one in sys.argv[1:] if one != "--postgres"]
        command = [sys.executable, __file__, *rest]
        environment = os.environ | {"DATABASE_URL": url}
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)


if __name__ == "__main__":
    main()
