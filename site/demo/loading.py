"""Puts a plausible union group into the database: newsletters, themes, members, feeds, archive.

Loading twice changes nothing that somebody changed meanwhile. Articles are not loaded: they arrive
through the feeds, as everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction
from wagtail.models import Page, Site

from demo.server import DemoFeed
from newsletter.archive.models import ArchivePage
from newsletter.digests.models import Newsletter
from newsletter.feeds.models import Feed
from newsletter.members.models import Member
from newsletter.members.signup import add_member
from newsletter.themes.models import Theme
from newsletter.themes.starter import load_starter_themes

LOGIN = "demo"
# An urgent notice wants two people: this one approves too, and sees what a moderator sees.
SECOND_LOGIN = "demo2"
PASSWORD = "bollettino"  # noqa: S105  (of a site that only this machine can reach)
SENDER = {
    "sender_name": "Bollettino di Meridiana",
    "sender_email": "redazione@bollettino.example",
    "reply_to": "redazione@bollettino.example",
    "postal_address": "Rappresentanza di Meridiana Servizi, via dei Tigli 12, Porto Claro",
}
WEEKLY = "ogni-settimana"
NEWSLETTERS: list[dict[str, Any]] = [
    {
        "slug": "ogni-giorno",
        "name": "Ogni giorno",
        "description": "Le notizie del giorno, dal lunedì al venerdì alle 8.",
        "frequency": Newsletter.Frequency.DAILY,
        "weekdays": [0, 1, 2, 3, 4],
        "lead_hours": 2,
        "max_items": 8,
    },
    {
        "slug": WEEKLY,
        "name": "Ogni settimana",
        "description": "Il meglio della settimana, una mattina alla settimana.",
        "frequency": Newsletter.Frequency.WEEKLY,
        "introduction": (
            "Le notizie della settimana, scelte per chi lavora a Meridiana e dintorni. "
            "Scrivici per raccontare che cosa succede nel tuo ufficio."
        ),
    },
    {
        "slug": "ogni-mese",
        "name": "Ogni mese",
        "description": "Il riassunto del mese, il primo giorno alle 8.",
        "frequency": Newsletter.Frequency.MONTHLY,
        "month_day": 1,
        "max_items": 20,
    },
    {
        "slug": "avvisi-urgenti",
        "name": "Avvisi urgenti",
        "description": "Solo quando serve: scioperi, scadenze, convocazioni.",
        "kind": Newsletter.Kind.URGENT,
        "frequency": Newsletter.Frequency.MANUAL,
        "when_unapproved": Newsletter.WhenUnapproved.HOLD,
    },
]


@dataclass(frozen=True)
class DemoMember:
    email: str
    newsletters: Sequence[str] = (WEEKLY,)
    themes: Sequence[str] = field(default=())  # slugs; none means all
    language: str = "it"


MEMBERS = [
    DemoMember("anna.ferri@iscritti.example", (WEEKLY, "ogni-giorno", "avvisi-urgenti")),
    DemoMember("bruno.conti@iscritti.example", themes=["pensioni"]),
    DemoMember("carla.monti@iscritti.example", themes=["intelligenza-artificiale", "open-source"]),
    DemoMember("dario.sala@iscritti.example", themes=["contratti-e-salari", "salute-e-sicurezza"]),
    DemoMember(
        "elena.greco@iscritti.example",
        (WEEKLY, "ogni-mese"),
        themes=["lavoro-agile", "pari-opportunita", "welfare-e-famiglia"],
    ),
    DemoMember("fulvio.riva@iscritti.example", (WEEKLY, "avvisi-urgenti")),
    DemoMember("grace.baker@members.example", language="en"),
    DemoMember(
        "ines.moreau@iscritti.example", themes=["scioperi-e-mobilitazioni", "diritti-sindacali"]
    ),
]


@dataclass(frozen=True)
class Loaded:
    newsletters: int
    themes: int
    feeds: int
    members: int


def is_foreign() -> bool:
    """Whether the database holds somebody's own newsletters or members: no place for a demo."""
    User = get_user_model()
    if User.objects.filter(username=LOGIN).exists():
        return False
    return User.objects.exists() or Newsletter.objects.exists() or Member.objects.exists()


@transaction.atomic
def load(feeds: Sequence[DemoFeed], *, site_url: str, now: datetime) -> Loaded:
    load_logins()
    load_starter_themes()
    for values in NEWSLETTERS:
        defaults = (
            SENDER
            | {"send_at": time(8), "when_unapproved": Newsletter.WhenUnapproved.SEND}
            # Its next slot lies three days off: until then no draft takes the first digest's
            # articles away.
            | {"weekdays": [(now.weekday() + 3) % 7]}
            | values
        )
        Newsletter.objects.get_or_create(slug=values["slug"], defaults=defaults)
    load_feeds(feeds, now)
    load_archive(site_url)
    if not Member.objects.exists():
        load_members(now)
    return Loaded(
        newsletters=Newsletter.objects.count(),
        themes=Theme.objects.count(),
        feeds=Feed.objects.count(),
        members=Member.objects.count(),
    )


def load_logins() -> None:
    User = get_user_model()
    if not User.objects.filter(username=LOGIN).exists():
        User.objects.create_superuser(LOGIN, "redazione@bollettino.example", PASSWORD)
    if not User.objects.filter(username=SECOND_LOGIN).exists():
        second = User.objects.create_user(
            SECOND_LOGIN, "paola.serra@bollettino.example", PASSWORD,
            first_name="Paola", last_name="Serra",
        )  # fmt: skip
        second.groups.add(Group.objects.get(name="Moderators"))


def load_feeds(feeds: Sequence[DemoFeed], now: datetime) -> None:
    """Each is due at once; a feed whose server took another port this time keeps its articles."""
    for feed in feeds:
        path = urlsplit(feed.url).path
        known = Feed.objects.filter(url__regex=rf"^http://127\.0\.0\.1:[0-9]+{path}$").first()
        if known is None:
            known = Feed(
                title=feed.name,
                language=feed.language,
                auto_accept=feed.own,
                rights=Feed.Rights.FULL if feed.own else Feed.Rights.EXCERPT,
            )
        known.url = feed.url
        known.next_poll_at = now
        known.claimed_until = None  # by a worker that was killed: it can't be at work now
        known.save()


def load_archive(site_url: str) -> None:
    """The archive becomes the site's home page, in place of Wagtail's welcome."""
    archive = ArchivePage.objects.first()
    if archive is None:
        archive = ArchivePage(
            title="Bollettino di Meridiana",
            slug="bollettino",
            introduction=(
                "Notizie dal lavoro, raccolte e scelte dalle lavoratrici e dai lavoratori "
                "di Meridiana Servizi."
            ),
        )
        Page.get_first_root_node().add_child(instance=archive)
    address = urlsplit(site_url)
    site, _created = Site.objects.get_or_create(
        is_default_site=True, defaults={"hostname": "127.0.0.1", "root_page": archive}
    )
    welcome = site.root_page
    site.root_page = archive.page_ptr
    site.hostname = address.hostname or "127.0.0.1"
    site.port = address.port or (443 if address.scheme == "https" else 80)
    site.site_name = "Bollettino"
    site.save()
    if welcome.specific_class is Page:
        welcome.delete()


def load_members(now: datetime) -> None:
    newsletters = {newsletter.slug: newsletter for newsletter in Newsletter.objects.all()}
    themes = dict(Theme.objects.values_list("slug", "pk"))
    for member in MEMBERS:
        add_member(
            member.email,
            [newsletters[slug] for slug in member.newsletters],
            [themes[slug] for slug in member.themes],
            language=member.language,
            now=now,
        )
