"""How well articles that tell the same news are found, and what it costs.

    .venv/bin/python benchmarks/stories.py [--pieces 150] [--seed 1] [--strict]

Makes its own corpus: Italian and English posts as a union's blog has them, copies of some of them
as other blogs carry them, and look-alikes that are other news. All go through the same code and the
same database as in use. "Found" is folded or named a possible duplicate of the right article.

The reference for the time is reading the words alone, without index and comparison; both in CPU
time of this process, because the rest says what else the machine does.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta

import harness
from union_news import COPIES, Post, corpus

harness.start(migrate=True)

from newsletter.articles.models import Article  # noqa: E402
from newsletter.articles.stories import folding  # noqa: E402
from newsletter.articles.stories.models import Resemblance, Shingle  # noqa: E402
from newsletter.articles.stories.words import read  # noqa: E402
from newsletter.feeds.models import Feed  # noqa: E402

NOW = datetime(2026, 7, 15, 9, 0, tzinfo=UTC)

WANTED = {"footer added": 0.98, "3 % edited": 0.98, "half": 0.98, "55-word excerpt": 0.98}


def store(posts: list[Post]) -> list[int]:
    feeds = [
        Feed.objects.create(url=f"https://blog{number}.example/feed/", title=f"Blog {number}")
        for number in range(2)
    ]
    made = Article.objects.bulk_create(
        [
            Article(
                feed=feeds[post.feed],
                url=f"https://blog{post.feed}.example/{place}/",
                title=post.title[:500],
                excerpt=post.text[:200],
                body_text=post.text,
                language=post.language,
                arrived_at=NOW + timedelta(hours=post.hours),
                changed_at=NOW + timedelta(hours=post.hours),
                listed_at=NOW + timedelta(hours=post.hours),
                content_hash="",
            )
            for place, post in enumerate(posts)
        ],
        batch_size=500,
    )
    return [article.pk for article in made]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pieces", type=int, default=150, help="copies of each kind")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", action="store_true", help="print the wrong folds")
    options.add_argument("--strict", action="store_true", help="status 1 when a bar was missed")
    chosen = options.parse_args()

    posts = corpus(chosen.pieces, chosen.seed)
    ids = store(posts)
    post_of = dict(zip(ids, posts, strict=True))
    began = time.process_time()
    # As they come: some at a time, later ones against what is there.
    for start in range(0, len(ids), 50):
        folding.fold(ids[start : start + 50], now=NOW)
    ours = (time.process_time() - began) / len(ids)
    began = time.process_time()
    for post in posts:
        assert read(post.text).sample is not None
    reading = (time.process_time() - began) / len(ids)

    stories = dict(Article.objects.values_list("pk", "story_id"))
    members: dict[int, list[int]] = defaultdict(list)
    for pk, story in stories.items():
        if story:
            members[story].append(pk)
    doubts = {
        frozenset((one, other))
        for one, other in Resemblance.objects.values_list("first_id", "second_id")
    }
    of_news: dict[int, list[int]] = defaultdict(list)
    for pk in ids:
        of_news[post_of[pk].news].append(pk)

    folded, found, total = Counter(), Counter(), Counter()
    for pks in of_news.values():
        if len(pks) == 2:
            one, other = pks
            kind = next(post_of[pk].kind for pk in pks if post_of[pk].kind != "original")
            total[kind] += 1
            same = stories[one] is not None and stories[one] == stories[other]
            folded[kind] += same
            found[kind] += same or frozenset(pks) in doubts
    words = sum(len(post.text.split()) for post in posts) / len(posts)
    print(f"{len(posts)} articles of {words:.0f} words on average, seed {chosen.seed}\n")
    print(f"{'copies':<18} {'found':>6} {'folded':>7}")
    missed = False
    for kind in COPIES:
        recall = found[kind] / total[kind]
        bar = WANTED.get(kind)
        verdict = "" if bar is None else f"  (bar {bar:g})  {'OK' if recall >= bar else 'MISSED'}"
        missed |= bar is not None and recall < bar
        print(f"{kind:<18} {recall:6.3f} {folded[kind] / total[kind]:7.3f}{verdict}")

    pairs = right = 0
    wrong: Counter[str] = Counter()
    for pks in members.values():
        for place, one in enumerate(pks):
            for other in pks[place + 1 :]:
                pairs += 1
                if post_of[one].news == post_of[other].news:
                    right += 1
                else:
                    wrong[post_of[one].kind] += 1
                    if chosen.show:
                        print("WRONG", post_of[one], post_of[other], sep="\n")
    precision = right / pairs if pairs else 1.0
    missed |= precision < 0.99
    print(f"\nautomatic folds    {right} right of {pairs}: precision {precision:.4f}  (bar 0.99)")
    print("wrong, by kind     ", dict(wrong) or "none")
    look_alikes = Counter(
        post_of[min(pair)].kind for pair in doubts if len({post_of[pk].news for pk in pair}) == 2
    )
    print("only look alike    ", dict(look_alikes) or "none", "(named as possible duplicates)")
    print(f"index              {Shingle.objects.count() / len(ids):.0f} rows an article")
    print(f"time               {ours * 1000:.2f} ms an article, "
          f"{ours / reading:.1f} x reading its words")  # fmt: skip
    raise SystemExit(1 if missed and chosen.strict else 0)


main()
