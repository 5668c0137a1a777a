"""Suggesting and learning themes, beside plain scikit-learn TF-IDF and logistic regression.

    .venv/bin/python benchmarks/themes.py [--articles 1000 10000] [--words 600]

The texts are made: words by Zipf's law, twelve themes with words of their own. One core.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import time
from collections import Counter
from itertools import accumulate

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import harness  # noqa: E402

harness.start()

import numpy as np  # noqa: E402

from newsletter.themes import training  # noqa: E402
from newsletter.themes.documents import read  # noqa: E402
from newsletter.themes.learning import kept_lean  # noqa: E402
from newsletter.themes.rules import CompiledThemes, ThemeRules  # noqa: E402
from newsletter.themes.suggesting import suggest  # noqa: E402

THEMES, KEYWORDS = 12, 25
BARS = {1_000: 1.0, 10_000: 8.0, 100_000: 25.0}  # seconds of one core, stems at hand
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

    def rules(self) -> CompiledThemes:
        return CompiledThemes(
            tuple(
                ThemeRules(number, (f"Tema {number}",), tuple(words[:KEYWORDS]))
                for number, words in enumerate(self.themes)
            )
        )


def examples(blog: Blog, count: int) -> list[training.Example]:
    articles = (blog.article() for _ in range(count))
    return kept_lean(
        training.Example(read("", text, "it").counts(), {}, themes) for text, themes in articles
    )


def lists(blog: Blog) -> dict[int, list[Counter[str]]]:
    found = {}
    for number, words in enumerate(blog.themes):
        kept = words[:KEYWORDS]
        found[number] = [read("", ". ".join(kept), "it").counts()]
        found[number] += [read("", one, "it").counts() for one in kept]
    return found


def plain(articles: list[training.Example]) -> float:
    """Seconds of scikit-learn on the same stems, one regression a theme."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    labels = np.array(
        [[theme in (one.labels or ()) for theme in range(THEMES)] for one in articles]
    )
    began = time.process_time()
    rows = TfidfVectorizer(analyzer=lambda one: list(one.counts.elements())).fit_transform(articles)
    OneVsRestClassifier(LogisticRegression(class_weight="balanced"), n_jobs=1).fit(rows, labels)
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--words", type=int, default=600)
    parser.add_argument("--reference-up-to", type=int, default=10_000)
    options, _ = parser.parse_known_args()
    blog = Blog(options.words)
    model = None
    for count in options.articles:
        made = examples(blog, count)
        began = time.process_time()
        trained = training.train(made, lists(blog), "it")
        seconds = time.process_time() - began
        model = model or trained
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        bar = f" (bar {BARS[count]:g} s)" if count in BARS else ""
        print(f"learning {count} articles: {seconds:.2f} s{bar}, peak {peak} MB, {trained.facts}")
        if count <= options.reference_up_to:
            reference = plain(made)
            print(f"  plain scikit-learn: {reference:.2f} s, {reference / seconds:.2f} × ours")
        del made
    rules = blog.rules()
    times = []
    for _ in range(300):
        text, _ = blog.article()
        began = time.process_time()
        suggest("", text, "it", (), rules, model, threshold=0.5)
        times.append((time.process_time() - began) * 1000)
    print(
        f"suggesting for {options.words} words: median {np.median(times):.2f} ms, "
        f"p95 {np.percentile(times, 95):.2f} ms (bar 5 ms)"
    )
    if model:
        print(f"a model is kept in {len(model.to_bytes()) // 1024} KB")


if __name__ == "__main__":
    main()
    harness.finish()
