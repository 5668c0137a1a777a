"""What a reader finds, and what no reader may find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from newsletter.archive import links, published
from newsletter.archive.models import ArchivePage
from newsletter.articles.models import Article, Story
from newsletter.digests.models import Digest
from newsletter.feeds.models import Feed
from newsletter.themes.models import ThemeAssignment
from tests.builders import NOW, make_article, make_feed, make_newsletter, make_theme

pytestmark = pytest.mark.usefixtures("archive")


def page(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200, path
    return response.content.decode()


def article_path(article: Article) -> str:
    found = links.find_links()
    assert found is not None
    return found.article(article)


# --- the front page


def test_front_page_leads_with_the_newest_issue(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    old = make_issue(make_article("Vecchia apertura"), slot=NOW - timedelta(days=7))
    make_issue(
        make_article("Apertura nuova"),
        make_article("Seconda notizia"),
        newsletter=old.newsletter,
    )
    html = page(client, "/")
    front = html[html.index('class="lead"') : html.index('class="latest"')]
    assert "Apertura nuova" in front
    assert "Seconda notizia" in front
    assert "Vecchia apertura" not in front
    assert "N. 2 · 15 July 2026" in html


def test_every_page_ends_with_the_way_to_sign_up(client: Client) -> None:
    html = page(client, "/temi/")
    assert "/newsletter/subscribe/" in html[html.index('<footer class="colophon"') :]


def test_front_page_of_an_empty_archive_says_so(client: Client) -> None:
    assert "Nothing here yet" in page(client, "/")


def test_issue_keeps_its_secret_until_its_slot(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    digest = make_issue(make_article("Domani"), status=Digest.Status.APPROVED, slot=tomorrow)
    assert digest.subject not in page(client, "/archivio/")
    digest.status = Digest.Status.SENDING
    digest.save()
    assert digest.subject in page(client, "/archivio/")


def test_issue_sent_before_its_slot_stands_where_it_was_really_sent(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    early = make_issue(
        make_article("Mandato subito"),
        slot=NOW + timedelta(days=30),
        sending_at=NOW - timedelta(days=3),
        subject="Il primo",
    )
    make_issue(
        make_article("Apertura"),
        newsletter=early.newsletter,
        slot=NOW,
        sending_at=NOW,
        subject="Il secondo",
    )
    for path in ("/archivio/", "/archivio/2026/", "/numero/ogni-settimana/"):
        html = page(client, path)
        assert html.index("Il secondo") < html.index("Il primo"), path
        assert "12 July 2026" in html
        assert "August" not in html
        assert "N. 2 · 15 July 2026" in html, "the newest is the one sent last"


def test_issue_does_not_say_its_headline_twice(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    article = make_article("Firmato l’accordo")
    digest = make_issue(article, subject="Ogni settimana N. 1: Firmato l’accordo")
    listed = page(client, "/archivio/")
    assert 'lang="it">Firmato l’accordo<' in listed
    assert "Ogni settimana N. 1:" not in listed
    issue = f"/numero/ogni-settimana/{digest.number}/"
    assert '<h1 class="hidden">' in page(client, issue)
    digest.content["subject"] = "Si vota!"
    digest.save()
    assert '<h1 class="page-title">Si vota!</h1>' in page(client, issue)


@pytest.mark.parametrize(
    ("excerpt", "large"), [("Parole.", True), ("📅 Sabato", False), ("«Ora»", False), ("", False)]
)
def test_only_a_letter_is_set_as_large_initial(
    client: Client, make_issue: Callable[..., Digest], excerpt: str, large: bool
) -> None:
    make_issue(make_article("Apertura", body=excerpt))
    assert ("drop-cap" in page(client, "/")) is large


# --- articles


def test_a_piece_of_a_story_says_where_else_it_was_told(client: Client) -> None:
    story = Story.objects.create()
    one = make_article("Una", story=story, feed=make_feed(title="Blog uno"))
    make_article("Due", story=story, feed=make_feed(title="Blog due"))
    make_article("Tre", story=story, feed=make_feed(title="Blog tre"), accepted=False)
    html = page(client, article_path(one))
    also = html[html.index("also in:") : html.index("</article>")]
    assert "Blog due" in also
    assert "Blog tre" not in also
    assert "also in:" not in page(client, article_path(make_article("Sola")))


def test_undated_article_claims_no_date(client: Client) -> None:
    article = make_article("Senza data", published_at=None, listed_at=NOW)
    assert "<time" not in page(client, "/articoli/")
    html = page(client, article_path(article))
    assert "<time" not in html[html.index('class="article"') :]


def test_reason_tells_the_blogs_category_from_the_texts_words(client: Client) -> None:
    article = make_article("Accordo", themes=["Contratti"])
    ThemeAssignment.objects.update(
        source=ThemeAssignment.Source.CATEGORY,
        evidence=[{"term": "Contratti"}, {"term": "ipotesi di accordo"}, {"term": "CCNL"}],
    )
    html = page(client, article_path(article), **{"accept-language": "en"})
    assert "The blog files it under «Contratti»." in html
    assert "The text says «ipotesi di accordo», «CCNL»." in html


@pytest.mark.parametrize("state", [Article.State.NEW, Article.State.REJECTED, "withdrawn"])
def test_article_that_nobody_accepted_is_not_found(client: Client, state: str) -> None:
    article = make_article("Riservato", state=state)
    assert client.get(article_path(article)).status_code == 404
    assert "Riservato" not in page(client, "/articoli/")


def test_article_that_an_issue_carried_stays_readable(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    article = make_article("Portato dal numero")
    make_issue(article)
    Article.objects.update(state=Article.State.REJECTED)
    page(client, article_path(article))
    Digest.objects.update(status=Digest.Status.CANCELLED)
    assert client.get(article_path(article)).status_code == 404


def test_old_title_in_the_address_leads_to_the_right_one(client: Client) -> None:
    article = make_article("Il titolo giusto")
    for path in (f"/articolo/{article.pk}-altro/", f"/articolo/{article.pk}/"):
        response = client.get(path)
        assert response.status_code == 301
        assert response["Location"] == f"/articolo/{article.pk}-il-titolo-giusto/"


@pytest.mark.parametrize(
    "path",
    [
        "/articolo/999999999999999999-x/",
        "/articolo/0-x/",
        "/tema/nessuno/",
        "/numero/nessuno/1/",
        "/numero/nessuno/",
        "/archivio/1999/",
        "/archivio/99999999999/",
        "/fonte/1-x/",
        "/feed/word/",
        "/newsletter/d/7d444840-9dc0-11d1-b245-5ffdce74fad2/",
    ],
)
def test_unknown_address_is_not_found(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_excerpt_points_to_its_source_as_the_original(client: Client) -> None:
    article = make_article("Breve", body="Testo completo riservato.", excerpt="Un assaggio.")
    html = page(client, article_path(article))
    assert f'<link rel="canonical" href="{article.url}">' in html
    assert "Un assaggio." in html
    assert "Testo completo riservato." not in html


def test_full_text_is_shown_where_the_feed_allows_it_and_kept_from_search_engines(
    client: Client,
) -> None:
    feed = make_feed(rights=Feed.Rights.FULL)
    article = make_article("Intero", feed=feed, body_html="<p>Tutto il <b>testo</b>.</p>")
    html = page(client, article_path(article))
    assert "<p>Tutto il <b>testo</b>.</p>" in html
    assert '<meta name="robots" content="noindex">' in html
    assert "canonical" not in html


def test_article_says_where_it_comes_from_and_why_it_was_chosen(client: Client) -> None:
    article = make_article(
        "Ripreso",
        original_author="Zelin Wang",
        original_date=datetime(2025, 8, 13, tzinfo=UTC).date(),
        original_url="https://origine.example/pezzo/",
        attribution_title="Blog del lavoro",
        attribution_url="https://blog.example/",
        note="Tocca chi lavora di notte.",
        themes=["Open source"],
    )
    html = page(client, article_path(article), accept_language="en")
    assert "Zelin Wang" in html
    assert "13 August 2025" in html
    assert 'href="https://origine.example/pezzo/"' in html
    assert 'First appeared on <a href="https://blog.example/"' in html
    assert "Tocca chi lavora di notte." in html
    assert "The text says «prova»." in html


def test_titles_are_text_never_markup(client: Client, make_issue: Callable[..., Digest]) -> None:
    article = make_article("<script>alert(1)</script> & “co”", themes=["Pensioni"])
    digest = make_issue(article)
    issue = f"/numero/{digest.newsletter.slug}/{digest.number}/"
    for path in ("/", "/articoli/", "/tema/pensioni/", article_path(article), issue):
        html = page(client, path)
        assert "<script" not in html
        assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; “co”" in html


def test_related_articles_share_a_theme(client: Client) -> None:
    article = make_article("Questo", themes=["Pensioni"])
    make_article("Parente", themes=["Pensioni"])
    make_article("Parente respinto", themes=["Pensioni"], state=Article.State.REJECTED)
    make_article("Estraneo", themes=["Clima"])
    html = page(client, article_path(article))
    assert "Parente" in html
    assert "Parente respinto" not in html
    assert "Estraneo" not in html


def test_related_articles_are_those_with_the_same_words(client: Client) -> None:
    alike = make_article("Riscatto della laurea, i costi", themes=["Pensioni"])
    for number in range(8):
        make_article(f"Assegno sociale, avviso {number}", themes=["Pensioni"])
    article = make_article("Il riscatto della laurea conviene?", themes=["Pensioni"])
    found = published.related_to(article, article.assignments.values_list("theme", flat=True))
    assert found[0] == alike


def test_sharing_more_themes_brings_an_article_nearer(client: Client) -> None:
    nearer = make_article("Bonus", themes=["Pensioni", "Welfare"])
    make_article("Mensa", themes=["Pensioni"])
    article = make_article("Assegno", themes=["Pensioni", "Welfare"])
    found = published.related_to(article, article.assignments.values_list("theme", flat=True))
    assert found[0] == nearer


def test_the_same_news_told_once_more_is_not_related(client: Client) -> None:
    story = Story.objects.create()
    article, twin = (
        make_article("La pensione cambia", themes=["Pensioni"], story=story) for _ in range(2)
    )
    other = make_article("Altro", themes=["Pensioni"])
    assert published.related_to(article, [article.assignments.get().theme_id]) == [other]
    assert twin.story == article.story


# --- themes


def test_theme_page_lists_only_the_articles_that_stand_in_it(client: Client) -> None:
    make_article("Dentro", themes=["Pensioni"])
    make_article("Altrove", themes=["Clima"])
    make_article("Non ancora", themes=["Pensioni"], accepted=False)
    out = make_article("Tolto dalla redazione", themes=["Pensioni"])
    out.assignments.update(decision=ThemeAssignment.Decision.REJECTED)
    html = page(client, "/tema/pensioni/")
    assert "Dentro" in html
    for title in ("Altrove", "Non ancora", "Tolto dalla redazione"):
        assert title not in html
    assert "1 article " in html


def test_both_ways_to_a_themes_articles_lead_to_the_same_ones() -> None:
    theme = make_theme("Pensioni")
    inside = [make_article(themes=[theme]) for _ in range(3)]
    make_article(themes=["Clima"])
    make_article(themes=[theme], accepted=False)
    make_article(themes=[theme]).assignments.update(decision=ThemeAssignment.Decision.REJECTED)
    for articles in (0, 10**6):
        assert set(published.of_theme(theme.pk, articles=articles)) == set(inside)


def test_theme_out_of_use_is_not_found(client: Client) -> None:
    make_theme("Pensioni", is_active=False)
    assert client.get("/tema/pensioni/").status_code == 404


def test_theme_shows_its_activity_month_by_month(client: Client) -> None:
    now = datetime.now(UTC)
    for _ in range(3):
        make_article(themes=["Pensioni"], arrived_at=now)
    make_article(themes=["Pensioni"], arrived_at=now - timedelta(days=3000))
    html = page(client, "/tema/pensioni/", accept_language="en")
    assert f"{now:%B %Y}: 3</title>" in html
    assert html.count('class="bar"') == 1


# --- issues


def test_issue_shows_what_its_mail_says_in_its_order(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    from newsletter.digests.content import DigestContent
    from newsletter.digests.render import render

    articles = [
        make_article("Prima apertura", themes=["Pensioni"]),
        make_article("Senza tema"),
        make_article("Clima uno", themes=["Clima"]),
        make_article("Pensioni due", themes=["Pensioni"]),
        make_article("Clima due", themes=["Clima"]),
    ]
    digest = make_issue(*articles, introduction="Care e cari,\n\necco il numero.")
    content = DigestContent.from_json(digest.content or {})
    mail = render(content, positions=range(5), language="it").text
    html = page(client, f"/numero/{digest.newsletter.slug}/{digest.number}/")
    web = html[html.index('class="issue"') :]
    titles = [article.title for article in articles]
    by_place = sorted(titles, key=web.index)
    assert by_place == sorted(titles, key=lambda title: mail.index(title))
    assert by_place[-1] == "Senza tema"
    assert "ecco il numero." in web


def test_issue_does_not_change_with_its_articles(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    digest = make_issue(make_article("Come fu spedito"))
    Article.objects.update(title="Corretto dopo")
    html = page(client, f"/numero/{digest.newsletter.slug}/{digest.number}/")
    assert "Come fu spedito" in html
    assert "Corretto dopo" not in html


def test_link_in_mails_leads_to_the_issue(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    digest = make_issue(make_article(), status=Digest.Status.APPROVED)
    response = client.get(f"/newsletter/d/{digest.uid}/")
    assert response["Location"] == f"/numero/{digest.newsletter.slug}/{digest.number}/"
    page(client, response["Location"])


@pytest.mark.parametrize("status", ["draft", "held", "skipped", "cancelled"])
def test_issue_that_was_not_approved_is_not_found(
    client: Client, make_issue: Callable[..., Digest], status: str
) -> None:
    digest = make_issue(make_article(), status=status)
    assert client.get(f"/newsletter/d/{digest.uid}/").status_code == 404
    path = f"/numero/{digest.newsletter.slug}/{digest.number}/"
    assert client.get(path).status_code == 404


def test_issue_of_a_private_newsletter_answers_only_to_those_who_have_its_link(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    private = make_newsletter("Delegati", is_public=False)
    digest = make_issue(make_article("Per i delegati"), newsletter=private)
    assert client.get("/numero/delegati/1/").status_code == 404
    assert digest.subject not in page(client, "/archivio/")
    html = page(client, f"/newsletter/d/{digest.uid}/")
    assert "Per i delegati" in html
    assert "noindex" in html


def test_link_in_mails_works_without_an_archive(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    ArchivePage.objects.update(live=False)
    digest = make_issue(make_article("Anche senza archivio"))
    assert "Anche senza archivio" in page(client, f"/newsletter/d/{digest.uid}/")


def test_year_shows_its_issues_and_its_articles(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    article = make_article("Del duemilaventisei")
    make_article("Del duemilaventi", arrived_at=NOW.replace(year=2020))
    digest = make_issue(article)
    html = page(client, "/archivio/2026/")
    assert digest.subject in html
    assert "Del duemilaventisei" in html
    assert "Del duemilaventi<" not in html
    assert "Del duemilaventi<" in page(client, "/archivio/2020/")


# --- long lists


def test_every_article_is_met_once_on_the_way_through_the_pages(client: Client) -> None:
    # Many share one moment: the id decides.
    made = [make_article(f"Articolo {n:02d}!") for n in range(45)]
    seen: list[str] = []
    path = "/articoli/"
    for _ in range(3):
        html = page(client, path)
        seen += [a.title for a in made if f"{a.title}</a>" in html]
        cursor = html.partition('rel="next" href="')[2].partition('"')[0]
        path = f"/articoli/{cursor}"
    assert not cursor
    assert sorted(seen) == [a.title for a in made]
    back = html.partition('rel="prev" href="')[2].partition('"')[0]
    middle = page(client, f"/articoli/{back}")
    assert sum(f"{a.title}</a>" in middle for a in made) == 20


@pytest.mark.parametrize("cursor", ["x", "1", "-1-1", "99999999999999999-1", "1-", "%00"])
def test_mistyped_page_gives_the_first(client: Client, cursor: str) -> None:
    make_article("Ecco")
    assert client.get(f"/articoli/?before={cursor}").status_code == 200
    assert "Ecco" in page(client, f"/articoli/?after={cursor}")


# --- manners


def test_pages_set_no_cookie_and_say_what_they_vary_by(
    client: Client, make_issue: Callable[..., Digest]
) -> None:
    article = make_article(themes=["Pensioni"], feed=make_feed())
    digest = make_issue(article)
    for path in (
        "/",
        "/articoli/",
        "/temi/",
        "/tema/pensioni/",
        "/archivio/",
        "/archivio/2026/",
        f"/numero/{digest.newsletter.slug}/",
        f"/numero/{digest.newsletter.slug}/{digest.number}/",
        article_path(article),
        "/cerca/?q=notizia",
        "/feed/rss/",
    ):
        response = client.get(path)
        assert response.status_code == 200, path
        assert not response.cookies, path
        assert "Cookie" not in response.get("Vary", ""), path
        assert "Accept-Language" in response["Vary"], path


def test_page_speaks_the_readers_language(client: Client) -> None:
    make_theme("Lavoro agile", name_en="Remote work")
    assert "Remote work" in page(client, "/temi/", accept_language="en")
    italian = page(client, "/temi/", accept_language="it")
    assert '<html lang="it">' in italian
    assert "Lavoro agile" in italian


def test_page_asks_nothing_of_other_sites_and_runs_no_script(client: Client) -> None:
    article = make_article(
        feed=make_feed(rights=Feed.Rights.FULL),
        image_url="https://other.example/cover.png",
        body_html='<p>Ecco: <img src="https://other.example/a.png" alt="Un &quot;corteo&quot;"></p>'
        '<p><a href="https://blog.example/"><img src="https://other.example/b.png" alt=""></a></p>',
    )
    for path in ("/", article_path(article)):
        html = page(client, path)
        assert "<script" not in html
        assert "<img" not in html
    assert 'href="https://other.example/a.png"' in html
    assert 'Image: Un "corteo"' in html


@pytest.mark.parametrize("path", ["/", "/articoli/", "/tema/pensioni/", "/cerca/?q=notizia"])
def test_number_of_queries_does_not_grow_with_the_articles(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries, path: str
) -> None:
    feed = make_feed()
    for _ in range(25):
        make_article(themes=["Pensioni", "Clima"], feed=feed)
    client.get(path)
    with django_assert_max_num_queries(12):
        page(client, path)
