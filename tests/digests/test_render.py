"""The mail itself: what is in it, and what must never be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from lxml import html as lxml_html

from newsletter.digests.content import DigestContent
from newsletter.digests.render import Mode, Rendered, render
from newsletter.digests.slots import TOKEN_SLOT
from newsletter.digests.wording import default_subject
from tests.digests.contents import EXCERPT, POSTS, make_content, make_item


def rendered(
    content: DigestContent | None = None, *, language: str = "it", **fields: Any
) -> Rendered:
    content = content or make_content()
    positions = fields.pop("positions", range(len(content.items)))
    return render(content, positions=positions, language=language, **fields)


def document(mail: Rendered) -> Any:
    return lxml_html.document_fromstring(mail.html)


def links(mail: Rendered) -> list[str]:
    return [link.get("href") for link in document(mail).iter("a")]


def words(element: Any) -> str:
    return " ".join(element.text_content().split())


def test_the_slot_has_the_length_of_a_token_and_no_sign_that_is_ever_escaped():
    assert re.fullmatch(r"[A-Z0-9]{32}", TOKEN_SLOT)


def test_fifteen_articles_stay_far_below_what_mail_programs_cut_off():
    assert len(rendered().html.encode()) <= 40_000


def test_every_title_is_there_and_leads_to_its_source():
    page = document(rendered())
    for position, (title, _, _) in enumerate(POSTS):
        link = next(link for link in page.iter("a") if words(link) == title)
        assert link.get("href") == make_item(position).url


def test_the_masthead_says_paper_edition_number_and_date():
    text = words(document(rendered()).body)
    assert "Il Bollettino Ogni settimana N. 42 · 16 luglio 2026" in text


def test_the_date_is_that_of_the_newsletters_own_clock():
    late = make_content(slot="2026-07-15T22:30:00+00:00")
    assert "16 luglio 2026" in rendered(late).html
    abroad = make_content(slot="2026-07-15T22:30:00+00:00", newsletter={"time_zone": "UTC"})
    assert "15 luglio 2026" in rendered(abroad).html


def test_headings_form_an_outline():
    page = document(rendered())
    outline = [heading.tag for heading in page.iter("h1", "h2", "h3")]
    assert outline[:2] == ["h1", "h2"]
    assert outline.count("h1") == 1
    assert page.get("lang") == "it"
    assert page.findtext(".//title") == "Ogni settimana N. 42: Rinnovo del contratto"


def test_themes_stand_in_the_readers_language():
    assert "Contracts and pay" in rendered(language="en").html
    assert "Contratti e salari" in rendered(language="it").html
    assert "16 July 2026" in rendered(language="en").text


def test_a_repost_names_its_author_and_where_we_have_it_from():
    mail = rendered(language="en")
    byline = "Zelin Wang, 13 August 2025 · via Sezione Informatica del Coordinamento"
    assert byline in words(document(mail).body)
    assert byline in " ".join(mail.text.split())


def test_a_foreign_article_is_marked_as_such():
    page = document(rendered())
    title = next(link for link in page.iter("a") if words(link).startswith("AI at work"))
    assert title.xpath("ancestor::td[@lang]/@lang") == ["en"]


def test_personal_links_carry_the_slot_and_nothing_else_does():
    mail = rendered()
    base = f"http://testserver/newsletter/m/{TOKEN_SLOT}/"
    personal = [
        f"{base}{path}" for path in ("", "pause/ogni-settimana/", "unsubscribe/ogni-settimana/")
    ]
    assert [link for link in links(mail) if TOKEN_SLOT in link] == personal
    assert mail.html.count(TOKEN_SLOT) == 3
    assert mail.text.count(TOKEN_SLOT) == 3
    assert [line for line in mail.text.splitlines() if TOKEN_SLOT in line] == personal


def test_an_article_cannot_smuggle_the_slot_in():
    """Or it would collect each reader's token at an address of its own."""
    greedy = make_item(
        0,
        f"Titolo {TOKEN_SLOT}",
        url=f"https://spy.example/?t={TOKEN_SLOT}",
        excerpt=TOKEN_SLOT,
        note=TOKEN_SLOT,
        source=TOKEN_SLOT,
        is_lead=True,
    )
    content = make_content((greedy,), subject=f"Oggetto {TOKEN_SLOT}", introduction=TOKEN_SLOT)
    mail = rendered(content)
    assert mail.html.count(TOKEN_SLOT) == 3
    assert mail.text.count(TOKEN_SLOT) == 3
    assert TOKEN_SLOT not in mail.subject


@pytest.mark.parametrize("mode", ["preview", "web"])
def test_a_page_that_others_see_has_no_personal_link(mode: Mode):
    mail = rendered(mode=mode)
    assert TOKEN_SLOT not in mail.html + mail.text
    assert "/newsletter/m/" not in mail.html + mail.text


def test_the_mail_leads_to_its_web_view_and_the_web_view_not_to_itself():
    address = "http://testserver/newsletter/d/0f5b5c1e-6f0a-4f43-9a57-0d3b2f6c1a11/"
    assert address in links(rendered())
    assert address in rendered().text
    assert address not in rendered(mode="web").html


def test_opening_the_mail_fetches_nothing():
    mail = rendered(make_content((make_item(0, image_url="https://blog.example/foto.jpg"),)))
    page = document(mail)
    assert not list(page.iter("img", "script", "iframe", "link", "object", "video", "audio"))
    assert "url(" not in mail.html
    assert "@import" not in mail.html
    assert page.xpath("//*[@src or @background or @srcset]") == []


def test_the_styles_are_inline_and_the_dark_mode_is_kept():
    mail = rendered()
    assert "prefers-color-scheme: dark" in mail.html
    assert "max-width: 480px" in mail.html
    page = document(mail)
    assert all(table.get("role") == "presentation" for table in page.iter("table"))
    assert all(title.get("style") for title in page.iter("h1", "h2", "h3"))


def test_markup_in_a_title_is_text():
    mail = rendered(make_content((make_item(0, '<b>Titolo</b> & "altro"'),)))
    assert "<b>Titolo" not in mail.html
    assert '<b>Titolo</b> & "altro"' in words(document(mail).body)
    assert '<b>Titolo</b> & "altro"' in mail.text


def test_an_item_without_an_address_is_a_title_without_a_link():
    mail = rendered(make_content((make_item(0, "Solo un avviso", url=""),)))
    assert "Solo un avviso" in words(document(mail).body)
    assert "Solo un avviso" not in [words(link) for link in document(mail).iter("a")]


def test_only_the_chosen_items_are_shown():
    mail = rendered(positions=[8, 9])
    shown = [title for title, _, _ in POSTS if title in words(document(mail).body)]
    assert shown == [POSTS[8][0], POSTS[9][0]]
    assert "Pensioni" in mail.html
    assert "Intelligenza artificiale" not in mail.html


def test_a_proposed_subject_names_an_article_that_the_mail_has():
    subject = default_subject("Ogni settimana", 42, POSTS[0][0], "it")
    content = make_content(subject=subject)
    assert rendered(content).subject == subject
    assert rendered(content, positions=[8, 9]).subject == (
        "Ogni settimana N. 42: Previdenza complementare, che cosa guardare prima di aderire"
    )


def test_an_editors_subject_is_never_touched():
    content = make_content(subject="Si vota!")
    assert rendered(content, positions=[8]).subject == "Si vota!"


def test_the_preview_line_says_what_else_is_in_this_mail():
    line = document(rendered(positions=[0, 8, 9])).find_class("preheader")[0]
    assert words(line).startswith(f"{POSTS[8][0]} · Ricongiunzione")
    own = rendered(make_content(preheader="Leggi subito"))
    assert words(document(own).find_class("preheader")[0]) == "Leggi subito"


def test_the_preview_line_of_a_single_article_is_not_its_title_again():
    for content in (make_content(), make_content((make_item(8, POSTS[8][0]),))):
        line = document(rendered(content, positions=[8])).find_class("preheader")[0]
        assert words(line).startswith("Dopo undici mesi di trattativa")


def test_an_urgent_notice_has_a_red_masthead():
    red = rendered(make_content(newsletter={"urgent": True}))
    heading = next(document(red).iter("h1"))
    assert heading.getparent().get("bgcolor") == "#B21F1F"


def test_the_plain_text_reads_on_its_own():
    text = rendered(language="en").text
    lines = text.splitlines()
    assert lines[0] == "IL BOLLETTINO"
    assert lines[1] == "Ogni settimana · N. 42 · 16 July 2026"
    assert all(len(line) <= 72 for line in lines if not line.startswith("http"))
    assert "€ CONTRACTS AND PAY" in lines
    assert "  | Why it matters: È il primo aumento sopra l’inflazione da sei anni." in lines
    assert "<" not in text
    assert "&" not in text


def test_an_address_in_the_text_is_never_broken():
    long = "https://blog.example/" + "una-strada-molto-lunga-" * 10
    assert long in rendered(make_content((make_item(0, url=long),))).text.splitlines()


def test_rendering_leaves_the_language_as_it_was():
    from django.utils.translation import get_language

    before = get_language()
    rendered(language="it")
    assert get_language() == before


def test_an_excerpt_of_a_feed_has_no_more_than_a_few_lines():
    assert len(make_item().excerpt) < len(EXCERPT)
