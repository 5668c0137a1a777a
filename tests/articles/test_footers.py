"""The line under each post of a feed goes, in every form and language; what only looks like it
stays.
"""

from __future__ import annotations

import pytest

from newsletter.articles.cleaning import Cleaned, clean

URL = "https://blog.example/2026/07/13/lavoro-agile/"
OWN = f'<a href="{URL}">Lavoro agile</a>'
SITE = '<a href="https://blog.example">Il Blog</a>'
TEXT = "<p>Il testo vero, lungo abbastanza da restare.</p>"
PLAIN = "Il testo vero, lungo abbastanza da restare."


def cleaned(html: str, title: str = "Lavoro agile") -> Cleaned:
    return clean(html, base_url=URL, entry_url=URL, site_url="https://blog.example/", title=title)


@pytest.mark.parametrize(
    "said",
    [
        "The post {} appeared first on {}.",
        "The post {} first appeared on {}.",
        "This article {} was originally published on {}.",
        "L&#8217;articolo {} proviene da {}.",
        "L'articolo {} sembra essere il primo su {}.",
        "Il post {} è apparso per la prima volta su {}.",
        "Der Beitrag {} erschien zuerst auf {}.",
        "Der Beitrag {} erschien als Erstes auf {}.",
        "L’article {} est apparu en premier sur {}.",
        "Cet article {} est apparu en premier sur {}.",
        "La entrada {} se publicó primero en {}.",
        "La entrada {} aparece primero en {}.",
        "O post {} apareceu primeiro em {}.",
        "O conteúdo {} aparece primeiro em {}.",
        "Het bericht {} verscheen eerst op {}.",
        "Artykuł {} pochodzi z serwisu {}.",
        "Post {} pojawił się poraz pierwszy w {}.",
        "L&#8217;entrada {} ha aparegut primer a {}.",
        "Inlägget {} dök först upp på {}.",
        "Innlegget {} dukket først opp på {}.",
        "Indlægget {} blev først udgivet på {}.",
        "Articolul {} apare prima dată în {}.",
        "Příspěvek {} pochází z {}",
        "Το άρθρο {} εμφανίστηκε πρώτα στο {}.",
        "Запись {} впервые появилась {}.",
    ],
)
@pytest.mark.parametrize("linked", [True, False])
def test_footer_goes_and_the_site_is_kept(said: str, linked: bool) -> None:
    footer = said.format(OWN, SITE) if linked else said.format("Lavoro agile", "Il Blog")
    for html in (
        f"{TEXT}<p>{footer}</p>",
        f"{TEXT[:-4]} {footer}</p>",
        f"{TEXT}<p><em>{footer}</em></p>",
        f'{TEXT}<p>{footer}</p><img src="https://pixel.wp.com/b.gif" width="1" height="1">',
        f"{TEXT}\n{footer}",
        f'{TEXT}<div class="x"><small>{footer}</small></div><p>&nbsp;</p>',
    ):
        found = cleaned(html)
        assert found.text == PLAIN, html
        assert found.attribution_title == "Il Blog", html
        assert found.attribution_url.startswith("https://blog.example")


def test_footer_goes_from_an_excerpt_cut_by_others() -> None:
    found = cleaned("Il testo [&#8230;] L'articolo Lavoro agile proviene da Il Blog.")
    assert found.text == "Il testo […]"
    assert found.attribution_title == "Il Blog"


def test_footer_with_only_the_site_linked() -> None:
    found = cleaned(f"{TEXT}<p>L'articolo Lavoro agile proviene da {SITE}.</p>")
    assert (found.text, found.attribution_url) == (PLAIN, "https://blog.example")


def test_footer_at_the_end_of_emphasised_text_leaves_the_text() -> None:
    found = cleaned(f"<p>Testo. <em>The post {OWN} appeared first on {SITE}.</em></p>")
    assert found.text == "Testo."


def test_footer_above_related_posts_goes_too() -> None:
    footer = f"<p>The post {OWN} appeared first on {SITE}.</p>"
    related = '<h3>Articoli correlati</h3><ul><li><a href="/altro/">Altro</a></li></ul>'
    assert cleaned(TEXT + footer + related).text == PLAIN


@pytest.mark.parametrize("site", ["blog.example", "Il Blog S.p.A.", "Blog – le notizie"])
def test_name_of_a_site_may_hold_full_stops(site: str) -> None:
    found = cleaned(f"{TEXT}<p>L'articolo Lavoro agile proviene da {site}.</p>")
    assert found.text == PLAIN
    assert found.attribution_title.rstrip(".") == site.rstrip(".")


@pytest.mark.parametrize(
    "text",
    [
        "L’articolo 18 proviene da una lunga storia di lotte.",
        "Il post del ministro è apparso per la prima volta su Facebook.",
        "The article that started it all first appeared on television.",
        "La frase è stata ripresa dal quotidiano ed è apparsa prima su carta.",
        'Il post <a href="https://altrove.example/post/1">del ministro</a> è apparso prima su '
        '<a href="https://facebook.example/pagina/ministro">Facebook</a>.',
        'Ne parlano <a href="https://uno.example/a/">Uno</a> e <a href="https://due.example/">Due</a>.',
        f"Chi vuole rileggere {OWN} può farlo.",
        "La notizia proviene da fonti sindacali.",
        "Der Beitrag der Kollegen erschien zuerst auf dem Markt.",
    ],
)
def test_text_that_only_sounds_like_a_footer_stays(text: str) -> None:
    found = cleaned(f"{TEXT}<p>{text}</p>")
    assert len(found.text.split("\n")) == 2
    assert found.attribution_title == ""
