"""Posts as a union's blog has them, their copies elsewhere, and look-alikes that are other news.

Made by chance, in Italian and English, from the grammar in union_words.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace

from union_words import EN, IT


@dataclass(frozen=True)
class Post:
    kind: str
    title: str
    text: str
    language: str
    news: int  # equal for articles that tell the same
    hours: float = 0  # after NOW
    feed: int = 0


class Maker:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.words = {
            language: {
                name: [" ".join(one.split()) for one in text.split("|")]
                for name, text in grammar.items()
            }
            for language, grammar in (("it", IT), ("en", EN))
        }
        self.news = 0

    def say(self, pattern: str, language: str, **given: str) -> str:
        def word(found: re.Match[str]) -> str:
            name = found[1]
            if name in given:
                return given[name]
            numbers = {"number": (3, 97), "count": (2, 9), "amount": (110, 980), "day": (1, 28)}
            if name in numbers:
                return str(self.chance.randint(*numbers[name]))
            return self.chance.choice(self.words[language][name])

        return re.sub(r"{(\w+)}", word, pattern)

    def pick(self, name: str, language: str) -> str:
        return self.say(self.chance.choice(self.words[language][name]), language)

    def text(self, language: str, sentences: int) -> str:
        said = []
        for _number in range(sentences):
            order = ["who", "did", "what", "how"]
            if self.chance.random() < 0.3:
                order = ["how", "who", "did", "what"]
            sentence = " ".join(self.pick(part, language) for part in order)
            if self.chance.random() < 0.5:
                sentence += f", {self.pick('how', language)}"
            said.append(sentence[0].upper() + sentence[1:] + ".")
            if self.chance.random() < 0.5:
                said.append(self.pick("and", language) + ".")
        return " ".join(said)

    def post(self, language: str = "", kind: str = "original") -> Post:
        language = language or self.chance.choice(["it", "it", "en"])
        self.news += 1
        text = self.text(language, self.chance.randint(7, 28))
        return Post(kind, self.pick("title", language), text, language, self.news)

    def footer(self, post: Post) -> str:
        footers = self.chance.sample(self.words[post.language]["footer"], 2)
        return f"{post.text} {' '.join(footers)}"

    def edited(self, post: Post, share: float, *, plain: bool = False) -> str:
        """Words replaced by others of the same language, here and there.

        `plain`: names and numbers stay, as when somebody polishes a text.
        """
        others = self.text(post.language, 30).split()
        if plain:
            others = [word for word in others if word.islower() and word.isalpha()]
        return " ".join(
            self.chance.choice(others)
            if self.chance.random() < share and (not plain or word.islower())
            else word
            for word in post.text.split()
        )

    def half(self, post: Post) -> str:
        words = post.text.split()
        return " ".join(words[: len(words) // 2])

    def excerpt(self, post: Post) -> str:
        return " ".join(post.text.split()[:55]) + " […]"

    def preface(self, post: Post) -> str:
        return f"{self.text(post.language, 2)} {post.text}"

    def respelt(self, post: Post) -> str:
        """As another editor's software writes it: capitals, apostrophes, accents."""
        text = post.text.replace("’", "'").replace("è", "e'").replace("“", '"').replace("”", '"')
        return re.sub(r"\b(sciopero|contract|accordo|deal)\b", lambda one: one[0].upper(), text)

    def copy(self, post: Post, kind: str) -> Post:
        texts = {
            "identical": lambda: post.text,
            "footer added": lambda: self.footer(post),
            "3 % edited": lambda: self.edited(post, 0.03),
            "3 % polished": lambda: self.edited(post, 0.04, plain=True),
            "10 % edited": lambda: self.edited(post, 0.10),
            "half": lambda: self.half(post),
            "55-word excerpt": lambda: self.excerpt(post),
            "introduced": lambda: self.preface(post),
            "respelt": lambda: self.respelt(post),
        }
        title = post.title
        if self.chance.random() < 0.3:  # another editor's headline
            title = " ".join(post.text.split()[: self.chance.randint(5, 9)])
        later = self.chance.uniform(0.5, 60)
        return replace(post, kind=kind, title=title, text=texts[kind](), hours=later, feed=1)

    def form(self, kind: str, language: str, **given: str) -> Post:
        """Other news in the same words: a notice, a bulletin."""
        pattern = self.chance.choice([IT, EN]) if not language else {"it": IT, "en": EN}[language]
        title, _, text = " ".join(pattern[kind].split()).partition("|")
        self.news += 1
        return Post(
            kind,
            self.say(title, language, **given),
            self.say(text, language, **given),
            language,
            self.news,
            self.chance.uniform(0, 60),
            self.chance.randint(0, 1),
        )

    def notices(self, count: int) -> list[Post]:
        """From one form, one after the other: another place, or another day, or both."""
        made = []
        for number in range(count):
            language = ["it", "en"][number % 2]
            words = self.words[language]
            base = {
                "place": self.chance.choice(words["place"]),
                "sector": self.chance.choice(words["sector"]),
                "name": self.chance.choice(words["name"]),
                "month": self.chance.choice(words["month"]),
                "day": str(self.chance.randint(1, 14)),
                "year": "2026",
                "count": "4",
                "hour": "9.30",
                "late": "17.30",
            }
            other = dict(base)
            change = number % 3
            if change != 1:
                other["place"] = self.chance.choice(
                    [p for p in words["place"] if p != base["place"]]
                )
            if change != 0:
                other["day"] = str(int(base["day"]) + self.chance.randint(1, 14))
            made += [self.form("notice", language, **base), self.form("notice", language, **other)]
        return made

    def bulletins(self, count: int) -> list[Post]:
        return [
            replace(
                self.form(
                    "bulletin", language, issue=str(20 + number), body=self.text(language, 3)
                ),
                hours=168 * number,
                feed=0,
            )
            for language in ("it", "en")
            for number in range(count)
        ]

    def called_off(self, count: int) -> list[Post]:
        """A notice, and a day later the same with the news on top that it is called off."""
        made = []
        for number in range(count):
            first = self.notices(2)[number % 2 * 2]
            turn = {"it": "Lo sciopero è revocato.", "en": "The strike has been called off."}
            self.news += 1
            made += [
                replace(first, kind="called off"),
                replace(
                    first,
                    kind="called off",
                    text=f"{turn[first.language]} {first.text}",
                    news=self.news,
                    hours=first.hours + 24,
                ),
            ]
        return made

    def round_ups(self, count: int) -> list[Post]:
        """The openings of several posts, and one of them by itself."""
        made = []
        for _number in range(count):
            posts = [self.post("it", "round-up") for _item in range(6)]
            self.news += 1
            text = " ".join(f"{post.title}. {self.excerpt(post)}" for post in posts)
            made += [
                *(replace(post, text=self.excerpt(post), hours=2) for post in posts[:3]),
                Post("round-up", "La settimana in breve", text, "it", self.news, 10, 1),
            ]
        return made


COPIES = [
    "identical", "footer added", "3 % edited", "3 % polished", "10 % edited", "half",
    "55-word excerpt", "introduced", "respelt",
]  # fmt: skip


def corpus(pieces: int, seed: int) -> list[Post]:
    maker = Maker(seed)
    posts = []
    for kind in COPIES:
        for _number in range(pieces):
            original = maker.post()
            posts += [original, maker.copy(original, kind)]
    posts += [maker.post(kind="alone") for _number in range(pieces * 4)]
    posts += maker.notices(pieces)
    posts += maker.bulletins(12)
    posts += maker.called_off(pieces // 5)
    posts += maker.round_ups(pieces // 10)
    maker.chance.shuffle(posts)
    return posts
