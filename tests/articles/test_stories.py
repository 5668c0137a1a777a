"""Articles that tell the same news become one story; a wrong fold is worse than a missed one."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from newsletter.articles.models import Article, Identity, Story
from newsletter.articles.stories import editing, folding, index, sweeping
from newsletter.articles.stories.index import link_key
from newsletter.articles.stories.models import Fingerprint, Resemblance, Shingle
from newsletter.articles.stories.words import read
from newsletter.articles.triage import triage
from tests.builders import NOW, make_article, make_feed

pytestmark = pytest.mark.django_db

NEWS = (
    "Le lavoratrici della mensa ospedaliera di Terni hanno ottenuto il pagamento delle ore che "
    "l’azienda aveva tolto dalle buste paga di primavera. L’accordo è stato firmato nella notte, "
    "dopo un presidio davanti alla direzione sanitaria, e riguarda ventidue persone assunte con "
    "contratti a termine. Oltre agli arretrati prevede pause certe durante il turno più lungo e "
    "un registro delle presenze che anche la rappresentanza sindacale potrà consultare. Perché "
    "l’intesa valga per tutti gli appalti della città serve ora il sì delle altre cooperative, "
    "che si riuniranno con il comune entro la fine del mese. Fino ad allora resta lo stato di "
    "agitazione, spiega chi ha condotto la trattativa, e chi è iscritto riceverà il testo completo."
)
TITLE = "Mensa dell’ospedale, firmato l’accordo sugli arretrati"
NOTICE = (
    "Si informa che il {day} {month} è stato proclamato lo sciopero del personale viaggiante nel "
    "territorio di {place}. L’astensione riguarda le prime quattro ore di ogni turno, mentre il "
    "personale degli impianti fissi si ferma per l’intera giornata. Sono garantite le fasce "
    "protette e i servizi minimi previsti dalla legge. Le ragioni sono il mancato rinnovo del "
    "contratto integrativo e i carichi di lavoro, che la direzione non ha voluto discutere. Chi "
    "vuole partecipare al presidio si rivolga alle delegate presenti in ogni deposito oppure alla "
    "sede territoriale negli orari di apertura."
)
FOOTER = (
    " Se questo articolo ti è piaciuto iscriviti alla nostra lettera settimanale e segui la pagina"
    " della redazione per le prossime notizie."
)


def post(text: str = NEWS, title: str = TITLE, *, hours: float = 0, **fields: Any) -> Article:
    """A post of a blog of its own."""
    at = NOW + timedelta(hours=hours)
    fields.setdefault("feed", make_feed())
    return make_article(title, body=text, accepted=False, arrived_at=at, **fields)


def fold_all(now: datetime = NOW) -> None:
    folding.fold(Article.objects.values_list("pk", flat=True), now=now)


def stories() -> list[set[int]]:
    found: dict[int, set[int]] = {}
    for pk, story in Article.objects.exclude(story=None).values_list("pk", "story_id"):
        found.setdefault(story, set()).add(pk)
    return list(found.values())


def doubts() -> set[tuple[int, int]]:
    possible = Resemblance.objects.filter(state=Resemblance.State.POSSIBLE)
    return set(possible.values_list("first_id", "second_id"))


def words_changed(text: str, every: int) -> str:
    words = text.split()
    for place in range(every // 2, len(words), every):
        words[place] = "ovviamente"
    return " ".join(words)


@pytest.mark.parametrize(
    "copy",
    [
        NEWS,
        NEWS + FOOTER,
        "Riceviamo e volentieri pubblichiamo queste righe. " + NEWS,
        words_changed(NEWS, 35),
        NEWS.replace("’", "'").replace("è", "e'").upper(),
        " ".join(NEWS.split()[: len(NEWS.split()) // 2]),
        " ".join(NEWS.split()[:55]) + " […]",
    ],
    ids=["identical", "footer", "introduced", "edited", "respelt", "half", "excerpt"],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
def test_a_copy_elsewhere_becomes_one_story_with_the_original(copy: str, together: bool) -> None:
    original = post()
    if not together:
        fold_all()
    repost = post(copy, hours=5)
    other = post(NOTICE.format(day=3, month="maggio", place="Bari"), "Altro")
    fold_all()
    assert stories() == [{original.pk, repost.pk}]
    assert doubts() == set()
    other.refresh_from_db()
    assert other.story is None


def test_a_repost_under_a_headline_of_its_own_with_words_around_it_is_the_same_news() -> None:
    original = post(NEWS, "Mensa, accordo dopo dieci giorni: arretrati e pause certe", hours=-12)
    around = "Riprendiamo dal blog delle lavoratrici una notizia che ci sembra un buon modello. "
    repost = post(around + NEWS + FOOTER, "Mensa, a Spoleto un esempio che farà scuola")
    fold_all()
    assert stories() == [{original.pk, repost.pk}]


def test_a_copy_of_which_one_word_in_ten_is_changed_is_a_possible_duplicate() -> None:
    original, edited = post(), post(words_changed(NEWS, 12))
    fold_all()
    assert stories() == []
    assert doubts() == {(original.pk, edited.pk)}


@pytest.mark.parametrize(
    ("hours", "title"), [(80, TITLE), (5, "Tutt’altro titolo")], ids=["late", "under another title"]
)
def test_an_excerpt_that_is_late_or_named_otherwise_is_only_a_possible_duplicate(
    hours: float, title: str
) -> None:
    original = post()
    excerpt = post(" ".join(NEWS.split()[:45]), title, hours=hours)
    fold_all()
    assert stories() == []
    assert doubts() == {(original.pk, excerpt.pk)}


@pytest.mark.parametrize(
    "other",
    [
        {"day": 3, "month": "maggio", "place": "Bari"},
        {"day": 17, "month": "giugno", "place": "Prato"},
        {"day": 17, "month": "maggio", "place": "Bari"},
    ],
    ids=["place", "month", "month and place"],
)
def test_two_notices_from_one_form_are_two_stories(other: dict[str, Any]) -> None:
    first = post(NOTICE.format(day=3, month="maggio", place="Prato"), "Sciopero dei bus")
    second = post(NOTICE.format(**other), "Sciopero dei bus")
    fold_all()
    assert stories() == []
    assert doubts() == {(first.pk, second.pk)}


def test_the_news_that_it_is_called_off_is_another_story() -> None:
    notice = NOTICE.format(day=3, month="maggio", place="Prato")
    post(notice, "Sciopero dei bus")
    post(f"Lo sciopero è revocato. {notice}", "Sciopero dei bus", hours=24)
    fold_all()
    assert stories() == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Rassegna del 12 maggio", "Rassegna del 13 maggio"),
        ("Sciopero della logistica", "Sciopero della scuola"),
        ("Sciopero a Prato", "Sciopero a Bari"),
        ("Sciopero confermato", "Sciopero non confermato"),
    ],
)
def test_headlines_that_contradict_each_other_keep_equal_texts_apart(one: str, other: str) -> None:
    post(NOTICE.format(day=1, month="aprile", place="Lodi"), one)
    post(NOTICE.format(day=1, month="aprile", place="Lodi"), other)
    fold_all()
    assert stories() == []


def test_the_same_words_a_year_later_are_another_occasion() -> None:
    first = post()
    second = post(hours=365 * 24)
    fold_all()
    assert stories() == []
    assert doubts() == {(first.pk, second.pk)}


def test_a_blog_that_repeats_its_form_of_words_under_another_headline_tells_other_news() -> None:
    blog = make_feed()
    post(NEWS, "Puntata sulle mense", feed=blog)
    post(NEWS, "Dialogo con la ricerca", feed=blog, hours=20)
    fold_all()
    assert stories() == []


def test_short_texts_are_no_news_by_themselves() -> None:
    for number in range(3):
        make_article(f"Notizia {number}")  # all with the same few words
    make_article("Vuota", body="")
    fold_all()
    assert stories() == []
    assert doubts() == set()


def test_a_round_up_does_not_draw_the_posts_it_quotes_into_one_story() -> None:
    news = [NEWS, NOTICE.format(day=3, month="maggio", place="Prato"), FOOTER + FOOTER[::-1]]
    posts = [post(text, f"Titolo {place}") for place, text in enumerate(news[:2])]
    post(" ".join(" ".join(text.split()[:55]) for text in news), "In breve", hours=3)
    fold_all()
    assert not any(len(story & {one.pk for one in posts}) > 1 for story in stories())


ENGLISH = (
    "Canteen staff at the Terni hospital have won back the hours that the company had taken from "
    "their spring pay. The deal was signed at night after a picket outside the management, and "
    "covers twenty-two people on fixed term contracts. Besides the arrears it brings certain "
    "breaks in the longest shift and a register that the union may read. For the deal to hold in "
    "every tender of the town the other cooperatives must now say yes when they meet the council."
)


def named(article: Article) -> Article:
    """As ingest leaves it: known by its address."""
    Identity.objects.create(key=link_key(article.url), article=article)
    return article


@pytest.mark.parametrize("first", ["the original", "the repost"])
def test_a_translation_that_names_its_original_is_the_same_news(first: str) -> None:
    address = "https://canteens.example/2026/deal/"
    original = {"text": ENGLISH, "title": "A deal at last", "url": address, "language": "en"}
    repost = {"original_url": "http://www.canteens.example/2026/deal?utm_source=rss"}
    for fields in [original, repost] if first == "the original" else [repost, original]:
        named(post(**fields))
        fold_all()
    assert [len(story) for story in stories()] == [2]


def test_a_source_line_under_other_words_in_the_same_language_is_only_a_hint() -> None:
    original = named(post())
    comment = post(NOTICE.format(day=3, month="maggio", place="Bari"), original_url=original.url)
    fold_all()
    assert stories() == []
    assert doubts() == {(original.pk, comment.pk)}


def test_a_source_line_that_names_a_site_names_no_article() -> None:
    post(url="https://giornale.example/")
    post(
        NOTICE.format(day=3, month="maggio", place="Bari"), original_url="https://giornale.example"
    )
    fold_all()
    assert doubts() == set()


# --- the editor's word ------------------------------------------------------------------------


@pytest.fixture
def person() -> Any:
    return get_user_model().objects.create_user("redattrice")


def test_what_an_editor_split_is_never_folded_again(person: Any) -> None:
    first, second, third = post(), post(NEWS + FOOTER), post()
    fold_all()
    editing.split(second.pk, by=person, now=NOW)
    Article.objects.filter(pk=second.pk).update(body_text=NEWS, changed_at=NOW)
    fold_all()
    newcomer = post()
    fold_all()
    assert {first.pk, third.pk, newcomer.pk} in stories()
    second.refresh_from_db()
    assert second.story is None
    assert not any(second.pk in pair for pair in doubts())


def test_what_an_editor_merged_stays_one_story_whatever_the_texts_say() -> None:
    first = post()
    second = post(NOTICE.format(day=3, month="maggio", place="Bari"), "Altro titolo")
    editing.merge([first.pk, second.pk])
    Article.objects.filter(pk=second.pk).update(body_text=FOOTER * 3, changed_at=NOW)
    fold_all()
    assert stories() == [{first.pk, second.pk}]


def test_merging_overrides_an_earlier_split_and_can_be_taken_back(person: Any) -> None:
    first, second = post(), post()
    fold_all()
    editing.split(second.pk, by=person, now=NOW)
    change = editing.merge([first.pk, second.pk])
    assert stories() == [{first.pk, second.pk}]
    assert editing.take_back(change, by=person, now=NOW) >= 1
    fold_all()
    assert all(len(story) == 1 for story in stories())  # apart, as before


def test_two_stories_become_one_and_are_two_again_after_undo(person: Any) -> None:
    notice = NOTICE.format(day=3, month="maggio", place="Bari")
    ours, theirs = {post().pk, post().pk}, {post(notice, "Bus").pk, post(notice, "Bus").pk}
    fold_all()
    change = editing.merge([min(ours), max(theirs)])
    assert stories() == [ours | theirs]
    editing.take_back(change, by=person, now=NOW)
    assert sorted(map(sorted, stories())) == sorted(map(sorted, [ours, theirs]))


def test_undoing_a_split_leaves_no_trace(person: Any) -> None:
    first, second = post(), post()
    fold_all()
    change = editing.split(second.pk, by=person, now=NOW)
    editing.take_back(change, by=person, now=NOW)
    assert stories() == [{first.pk, second.pk}]
    assert not Resemblance.objects.exists()


def test_undo_leaves_what_somebody_moved_since(person: Any) -> None:
    first, second, third = post(), post(), post(FOOTER * 3, "Altro")
    fold_all()
    change = editing.split(second.pk, by=person, now=NOW)
    editing.merge([second.pk, third.pk])
    assert editing.take_back(change, by=person, now=NOW) == 0
    assert {second.pk, third.pk} in stories()
    assert first.pk not in {second.pk, third.pk}


def test_two_stories_that_one_text_tells_are_one_unless_an_editor_said_no(person: Any) -> None:
    first, second = post(), post(FOOTER * 3, "Altro")
    third, fourth = post(hours=1), post(ENGLISH, "Another", language="en")
    editing.merge([first.pk, second.pk])
    editing.merge([third.pk, fourth.pk])
    editing.keep_apart(second.pk, fourth.pk, by=person, now=NOW)
    fold_all()
    assert len(stories()) == 2
    Resemblance.objects.all().delete()
    fold_all()
    assert stories() == [{first.pk, second.pk, third.pk, fourth.pk}]


def test_an_excerpt_of_a_story_joins_it_only_when_it_is_like_all_of_it() -> None:
    first, second = post(), post(FOOTER * 3, "Altro")
    editing.merge([first.pk, second.pk])
    excerpt = post(" ".join(NEWS.split()[:50]), hours=1)
    fold_all()
    assert stories() == [{first.pk, second.pk}]
    assert doubts() == {(first.pk, excerpt.pk)}


def test_not_the_same_news_is_remembered_and_can_be_taken_back(person: Any) -> None:
    first, second = post(), post(words_changed(NEWS, 12))
    fold_all()
    pairs = editing.keep_apart(second.pk, first.pk, by=person, now=NOW)
    Article.objects.filter(pk=second.pk).update(body_text=NEWS, changed_at=NOW)
    fold_all()
    assert stories() == []
    assert doubts() == set()
    assert editing.doubt_again(pairs) == 1
    assert doubts() == {(first.pk, second.pk)}


# --- the index --------------------------------------------------------------------------------


def test_an_edit_upstream_is_looked_at_anew() -> None:
    first = post()
    second = post(NOTICE.format(day=3, month="maggio", place="Bari"))
    fold_all()
    former = Fingerprint.objects.get(pk=second.pk).text
    later = NOW + timedelta(hours=1)
    Article.objects.filter(pk=second.pk).update(body_text=NEWS, changed_at=later)
    assert folding.fold_pending(now=later + timedelta(minutes=1)) == 2
    assert stories() == [{first.pk, second.pk}]
    assert not Shingle.objects.filter(text=former).exists()


def test_a_doubt_goes_when_an_edit_takes_away_its_reason() -> None:
    post()
    second = post(words_changed(NEWS, 12))
    fold_all()
    Article.objects.filter(pk=second.pk).update(body_text=FOOTER * 3, changed_at=NOW)
    fold_all()
    assert doubts() == set()


def test_older_articles_are_indexed_some_at_a_time_until_all_are() -> None:
    old = NOW - timedelta(days=400)
    pks = [post(hours=-400 * 24).pk for _number in range(5)]
    Article.objects.update(changed_at=old)
    left = []
    while pending := folding.pending(NOW, 2):
        left.append(len(pending))
        folding.fold_pending(now=NOW, limit=2)
    assert left == [2, 2, 1]
    assert stories() == [set(pks)]


def test_a_comparison_that_was_interrupted_is_made_up() -> None:
    old = NOW - timedelta(days=400)
    first, second = post(), post()
    Article.objects.update(changed_at=old)
    index.remember(index.read_pieces([first.pk, second.pk]))  # and then the worker was killed
    folding.fold_pending(now=NOW)
    assert stories() == [{first.pk, second.pk}]
    assert folding.pending(NOW, 10) == []


def test_what_stands_in_too_many_articles_counts_for_nothing(monkeypatch: Any) -> None:
    monkeypatch.setattr(index, "EVERYWHERE", 5)
    chance = random.Random(4)
    vocabulary = NEWS.split()
    for number in range(8):
        own = " ".join(chance.choice(vocabulary) for _word in range(25))
        post(f"{NOTICE.format(day=1, month='aprile', place='Lodi')} {own}", f"Bollettino {number}")
        fold_all()
    assert Shingle.objects.filter(text=Shingle.EVERYWHERE).exists()
    struck = Shingle.objects.filter(text=Shingle.EVERYWHERE).values("value")
    assert not Shingle.objects.filter(value__in=struck).exclude(text=Shingle.EVERYWHERE).exists()
    Resemblance.objects.all().delete()
    own = " ".join(chance.choice(vocabulary) for _word in range(25))
    post(f"{NOTICE.format(day=1, month='aprile', place='Lodi')} {own}", "Bollettino 9")
    fold_all()
    assert doubts() == set()


def test_a_thousand_copies_are_one_story_and_one_text_in_the_index() -> None:
    feed = make_feed()
    one = post(feed=feed)
    fold_all()
    rows = Shingle.objects.count()
    fields = {
        field.name: getattr(one, field.name)
        for field in Article._meta.concrete_fields
        if field.name not in {"id", "story"}
    }
    Article.objects.bulk_create([Article(**fields) for _number in range(999)])
    with CaptureQueriesContext(connection) as asked:
        fold_all()
    assert [len(story) for story in stories()] == [1000]
    assert Shingle.objects.count() == rows
    assert Story.objects.count() == 1
    assert len(asked) < 4000


@pytest.mark.parametrize(
    "text",
    ["", " \n\x00​", "il la lo gli un una e di a da in con su per tra fra " * 40, "🙂" * 500,
     "同一条新闻" * 60, "parola " * 150_000, "x" * 1_000_000],
    ids=["empty", "blank", "stop words", "emoji", "no blanks", "1 MB", "one word of 1 MB"],
)  # fmt: skip
def test_odd_texts_are_read_and_do_no_harm(text: str) -> None:
    text = text.replace("\0", "")  # no database takes it
    post(text, "Strano")
    post(text, "Altro")
    original, repost = post(), post()
    fold_all()
    assert {original.pk, repost.pk} in stories()
    assert folding.pending(NOW, 10) == []
    assert len(read(text).sample) <= 300


def test_a_deleted_articles_traces_do_no_harm() -> None:
    first = post()
    fold_all()
    first.delete()
    second = post()
    fold_all()
    assert stories() == []
    third = post()
    fold_all()
    assert stories() == [{second.pk, third.pk}]


# --- what becomes of a story ------------------------------------------------------------------


def test_what_deleted_articles_leave_behind_is_swept_and_nothing_else() -> None:
    blog = make_feed()
    kept = [post(), post()]  # one text, one story
    gone = [post(NOTICE, "Sciopero", feed=blog), post(NOTICE, "Sciopero di marzo")]
    Shingle.objects.create(value=1, text=Shingle.EVERYWHERE)
    fold_all()
    before = set(Shingle.objects.values_list("value", "text"))
    Article.objects.filter(pk=kept[0].pk).delete()
    text = Fingerprint.objects.get(article=gone[0]).text
    Article.objects.filter(pk__in=[one.pk for one in gone]).delete()
    assert sweeping.sweep() > 10
    left = set(Shingle.objects.values_list("value", "text"))
    assert left == {row for row in before if row[1] != text}
    assert Story.objects.get().articles.get() == kept[1]
    assert sweeping.sweep() == 0


def test_an_index_is_swept_in_few_statements_whatever_its_size() -> None:
    fold_all()
    Shingle.objects.bulk_create(Shingle(value=n << 40, text=n + 1) for n in range(5_000))
    with CaptureQueriesContext(connection) as queries:
        assert sweeping.sweep() == 5_000
    assert len(queries) < 200


def test_another_piece_waits_again_when_the_accepted_one_is_withdrawn_or_rejected() -> None:
    first, second = post(), post(hours=1)
    fold_all()
    waiting = Article.objects.to_triage().one_per_story()
    for state in (Article.State.WITHDRAWN, Article.State.REJECTED):
        Article.objects.filter(pk=first.pk).update(state=Article.State.ACCEPTED)
        assert not waiting.exists()
        triage([first.pk], state, by=None, now=NOW)
        assert waiting.get() == second


def test_a_story_told_by_an_accepted_article_waits_no_longer() -> None:
    first, second, alone = post(), post(), post(FOOTER * 3, "Altro")
    fold_all()
    assert set(Article.objects.to_triage()) == {first, second, alone}
    assert set(Article.objects.to_triage().one_per_story()) == {first, alone}
    Article.objects.filter(pk=second.pk).update(state=Article.State.ACCEPTED)
    assert set(Article.objects.to_triage()) == {alone}
    Article.objects.filter(pk=second.pk).update(state=Article.State.WITHDRAWN)
    assert set(Article.objects.to_triage()) == {first, alone}
