"""Learning themes from a database, and suggesting, beside plain scikit-learn.

    .venv/bin/python benchmarks/themes.py [--articles 1000 10000 100000] [--words 600]

Reviewed articles are stored with their stems, as tagging keeps them; then a process of its own,
with numpy and scipy loaded, does what the worker does: `retraining.learn`. Measured are its time on
one core and the most memory that it ever had of its own. The reference, TF-IDF and logistic
regression of scikit-learn, gets the same stems. The texts are made: words by Zipf's law, twelve
themes with words of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import harness  # noqa: E402

harness.start(migrate=True)

import numpy as np  # noqa: E402

from newsletter.articles.models import Article  # noqa: E402
from newsletter.themes import keeping, retraining, tagging  # noqa: E402
from newsletter.themes.documents import Stems, fingerprint, read  # noqa: E402
from newsletter.themes.learning import PAIRS_UNTIL  # noqa: E402
from newsletter.themes.models import LearnedModel, Tagging, Theme, ThemeAssignment  # noqa: E402
from newsletter.themes.suggesting import suggest  # noqa: E402

NOW = datetime(2026, 1, 1, tzinfo=UTC)
THEMES, KEYWORDS = 12, 25
BARS = {1_000: 1.0, 10_000: 8.0, 100_000: 25.0}  # seconds of one core, stems at hand
MEMORY_BAR = 700  # MB
# The memory that is the process's own, watched from a thread: SQLite also maps its file in (up to
# 1 GB by the site's settings), which is the system's to take back.
LEARN = """
import json, sys, threading, time
import harness
harness.attach()
from datetime import datetime
from newsletter.themes import learning, retraining, tagging
own = 0
def memory(name):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith(name))
def watch():
    global own
    while True:
        own = max(own, memory("RssAnon"))
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
began = time.process_time()
row = retraining.learn("it", tagging.compiled_themes(), now=datetime.fromisoformat(sys.argv[1]))
seconds = time.process_time() - began
print(json.dumps({"seconds": seconds, "own": own, "peak": memory("VmHWM"), "facts": row.facts}))
"""
SYLLABLES = [first + second for first in "bcdfglmnprstvz" for second in "aeiou"]


def word(dice: random.Random) -> str:
    return "".join(dice.choice(SYLLABLES) for _ in range(dice.randint(2, 4))) + dice.choice("aeio")


class Blog:
    """Made articles of a given length, each with one to three themes."""

    def __init__(self, words: int) -> None:
        self.dice = random.Random(1)
        self.common = [word(self.dice) for _ in range(20_000)]
        self.weights = list(accumulate(1 / (rank + 5) for rank in range(len(self.common))))
        self.themes = [[word(self.dice) for _ in range(200)] for _ in range(THEMES)]
        self.words = words

    def article(self) -> tuple[str, frozenset[int]]:
        chosen = self.dice.sample(range(THEMES), self.dice.choice((1, 1, 2, 3)))
        text = self.dice.choices(self.common, cum_weights=self.weights, k=self.words)
        for theme in chosen:
            for _ in range(self.words // 25):
                text[self.dice.randrange(self.words)] = self.dice.choice(self.themes[theme])
        return " ".join(text), frozenset(chosen)

    def make_themes(self) -> list[Theme]:
        return [
            Theme.objects.create(
                name=f"Tema {number}", slug=f"tema-{number}", keywords="\n".join(words[:KEYWORDS])
            )
            for number, words in enumerate(self.themes)
        ]


def store(blog: Blog, themes: list[Theme], first: int, end: int) -> None:
    """Reviewed articles as the pipeline and an editor leave them."""
    for start in range(first, end, 1_000):
        texts = [blog.article() for _ in range(start, min(start + 1_000, end))]
        made = Article.objects.bulk_create(
            Article(
                url=f"https://b.example/{start + at}/",
                title="",
                body_text=text,
                language="it",
                arrived_at=NOW,
                changed_at=NOW,
                listed_at=NOW,
                content_hash=f"{start + at:064x}",
                state="accepted",
            )
            for at, (text, _) in enumerate(texts)
        )
        Tagging.objects.bulk_create(
            Tagging(article=one, tagged_at=NOW, reviewed_at=NOW + timedelta(seconds=start + at))
            for at, one in enumerate(made)
        )
        ThemeAssignment.objects.bulk_create(
            ThemeAssignment(
                article=one,
                theme=themes[theme],
                source="editor",
                decision="confirmed",
                decided_at=NOW,
            )
            for one, (_, chosen) in zip(made, texts, strict=True)
            for theme in chosen
        )
        keeping.keep(
            {
                one.pk: keeping.Kept(
                    fingerprint("", text, "it"), read("", text, "it").stems().packed()
                )
                for one, (text, _) in zip(made, texts, strict=True)
            }
        )


def learned_by_a_worker(count: int) -> dict[str, Any]:
    """In a process of its own: seconds of one core, the peak of its memory, the model's facts."""
    done = subprocess.run(
        [sys.executable, "-c", LEARN, (NOW + timedelta(hours=count)).isoformat()],
        cwd=os.path.dirname(__file__) or ".",
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def plain(count: int) -> float:
    """Seconds of scikit-learn on the same stems, one regression a theme."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    sources = list(retraining.sources("it"))
    numbers = sorted({theme for one in sources for theme in one.themes or ()})
    labels = np.array([[theme in (one.themes or ()) for theme in numbers] for one in sources])
    began = time.process_time()

    def terms(stems: Stems) -> list[str]:
        return list(stems.counts(pairs=count < PAIRS_UNTIL).elements())

    stems = (Stems.unpacked(one.packed or b"") for one in sources)
    rows = TfidfVectorizer(analyzer=terms).fit_transform(stems)
    OneVsRestClassifier(LogisticRegression(class_weight="balanced"), n_jobs=1).fit(rows, labels)
    return time.process_time() - began


def suggesting(blog: Blog, words: int) -> None:
    """With the model in use, which learned from so many articles as were asked for last."""
    model = tagging.models_in_use().get("it")
    themes = tagging.compiled_themes()
    times = []
    for _ in range(300):
        text, _ = blog.article()
        began = time.process_time()
        suggest("", text, "it", (), themes, model, threshold=0.5)
        times.append((time.process_time() - began) * 1000)
    print(
        f"suggesting for {words} words: median {np.median(times):.2f} ms, "
        f"p95 {np.percentile(times, 95):.2f} ms (bar 5 ms)"
    )
    sizes = [len(data) for data in LearnedModel.objects.current().values_list("data", flat=True)]
    print(f"a model is kept in {sum(sizes) // 1024} KB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--words", type=int, default=600)
    parser.add_argument("--reference-up-to", type=int, default=10_000)
    options, _ = parser.parse_known_args()
    blog = Blog(options.words)
    themes = blog.make_themes()
    stored = 0
    for count in sorted(options.articles):
        store(blog, themes, stored, count)
        stored = count
        found = learned_by_a_worker(count)
        seconds = found["seconds"]
        bar = f" (bar {BARS[count]:g} s)" if count in BARS else ""
        print(
            f"learning {count} articles: {seconds:.2f} s{bar}, "
            f"{found['own']} MB of its own (bar {MEMORY_BAR} MB), "
            f"{found['peak']} MB with the database's file, "
            f"nDCG {found['facts']['ndcg']}, reviewed {found['facts']['reviewed']}",
            flush=True,
        )
        if count <= options.reference_up_to:
            reference = plain(count)
            print(f"  plain scikit-learn: {reference:.2f} s, {reference / seconds:.2f} × ours")
        if stored == min(options.articles):
            suggesting(blog, options.words)


if __name__ == "__main__":
    main()
    harness.finish()
