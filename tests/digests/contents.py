"""A digest's content without a database: what the renderer is given."""

from __future__ import annotations

from typing import Any

from newsletter.digests.content import DigestContent, ItemContent, NewsletterContent
from newsletter.digests.wording import shorten

THEMES = [
    (1, "Contratti e salari", "Contracts and pay", "€", "#B21F1F"),
    (2, "Intelligenza artificiale", "Artificial intelligence", "⚙", "#0B5D5E"),
    (3, "Salute e sicurezza", "Health and safety", "✚", "#8A4B08"),
    (4, "Pensioni", "Pensions", "§", "#5B3A8C"),
    (5, "Pari opportunità", "Equal opportunities", "=", "#9C1F5F"),
]
# Title, its theme, where it was first published.
POSTS: list[tuple[str, int, dict[str, Any]]] = [
    ("Rinnovo del contratto: firmata l’ipotesi di accordo, aumento medio di 142 euro", 1, {}),
    ("Premio di risultato, che cosa cambia nella busta paga di settembre", 1, {}),
    (
        "Cos’è davvero l’open source e perché riguarda chi lavora",
        2,
        {
            "original_author": "Zelin Wang",
            "original_date": "2025-08-13",
            "source": "Sezione Informatica del Coordinamento",
        },
    ),
    ("Algoritmi che assegnano i turni: il diritto di sapere come decidono", 2, {}),
    ("AI at work: what the new European rules mean for staff", 2, {"language": "en"}),
    ("Caldo negli uffici, l’azienda anticipa l’orario fino al 31 agosto", 3, {}),
    ("Elette le nuove rappresentanti per la sicurezza", 3, {}),
    ("Stress da lavoro correlato: il questionario è aperto fino a venerdì", 3, {}),
    ("Previdenza complementare, che cosa guardare prima di aderire", 4, {}),
    ("Ricongiunzione dei contributi: quando conviene e quando no", 4, {}),
    ("Congedo di paternità, le domande più frequenti", 5, {}),
    ("Divario retributivo, pubblicato il rapporto biennale", 5, {}),
    ("Lavoro agile: l’accordo è prorogato di un anno", 1, {}),
    ("Assemblea generale giovedì 23 luglio", 0, {}),
    ("Biblioteca della sede, nuovi orari", 0, {}),
]
EXCERPT = (
    "Dopo undici mesi di trattativa e tre giornate di mobilitazione la delegazione ha firmato "
    "l’ipotesi di accordo. Il testo prevede aumenti in tre rate, nuove regole sui turni e un "
    "fondo per la formazione. Ora la parola passa alle assemblee, che voteranno entro la fine "
    "di settembre."
)


def make_item(position: int = 0, title: str = "Una notizia", **fields: Any) -> ItemContent:
    defaults: dict[str, Any] = {
        "article_id": position + 1,
        "excerpt": shorten(EXCERPT, 240),
        "url": f"https://blog.example/2026/07/{position + 1}/una-notizia-del-sindacato/",
        "archive_path": f"{position + 1}-una-notizia",
        "source": "Coordinamento di Ispra",
        "published": "2026-07-13",
        "language": "it",
    }
    return ItemContent(position=position, title=title, **defaults | fields)


def make_content(items: tuple[ItemContent, ...] | None = None, **fields: Any) -> DigestContent:
    """Fifteen articles, of which one leads, one is a repost and one is English."""
    if items is None:
        items = tuple(
            make_item(
                position,
                title,
                **_section(theme_id)
                | {"is_lead": position == 0, "note": NOTES.get(position, "")}
                | more,
            )
            for position, (title, theme_id, more) in enumerate(POSTS)
        )
    newsletter = fields.pop("newsletter", {})
    return DigestContent(
        **{
            "digest_uid": "0f5b5c1e-6f0a-4f43-9a57-0d3b2f6c1a11",
            "newsletter": NewsletterContent(
                **{
                    "slug": "ogni-settimana",
                    "name": "Ogni settimana",
                    "language": "it",
                    "sender_name": "Il Bollettino",
                    "sender_email": "bollettino@union.example",
                    "reply_to": "",
                    "postal_address": "Coordinamento, via del Lavoro 1, 00100 Roma",
                    "time_zone": "Europe/Rome",
                }
                | newsletter
            ),
            "number": 42,
            "slot": "2026-07-16T06:00:00+00:00",
            "subject": "Ogni settimana N. 42: Rinnovo del contratto",
            "preheader": "",
            "introduction": "Cari tutti,\n\nuna settimana lunga, con una buona notizia in cima.",
            "items": items,
        }
        | fields
    )


NOTES = {
    0: "È il primo aumento sopra l’inflazione da sei anni. Il voto è segreto: conta esserci.",
    8: "Chi ha meno di quarant’anni ci perde di più a rimandare.",
}


def _section(theme_id: int) -> dict[str, Any]:
    for number, name, name_en, glyph, colour in THEMES:
        if number == theme_id:
            return {
                "theme_id": number,
                "theme_name": {"it": name, "en": name_en},
                "theme_glyph_text": glyph,
                "theme_colour": colour,
                "theme_ids": [number],
            }
    return {}
