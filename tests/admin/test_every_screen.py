"""Every screen of ours, in Italian, on a phone and on a laptop: nothing off the screen, no
violation that axe finds, no English left. A new address is visited by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from wagtail.users.models import UserProfile

from newsletter.delivery.bounces.models import Bounce
from newsletter.delivery.control import pause
from newsletter.delivery.freeze import approve
from newsletter.delivery.models import Delivery
from newsletter.delivery.proof_lists import ProofList
from newsletter.digests.models import Digest, Newsletter
from newsletter.members.models import Suppression
from tests.admin.conftest import client_for
from tests.admin.english import is_english
from tests.admin.test_browser import LAPTOP, PHONE, chromium, holds, there_is_a_site
from tests.admin.test_roles import MAY, POST, WITHOUT_PK
from tests.builders import (
    NOW,
    have_sent,
    make_article,
    make_digest,
    make_feed,
    make_member,
    make_newsletter,
    make_theme,
)
from tests.digests.blocks import action, event, make_image, picture, poll, put, text

__all__ = ["chromium"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Answers that are no page: parts of one, data for a dialog, files.
PARTS = {
    "choose",
    "choose_results",
    "chosen",
    "chosen_multiple",
    "preview_on_edit",
    "mail",
    "export",
}


def is_a_screen(name: str) -> bool:
    view = name.partition(":")[2]
    return name not in POST and not view.endswith("_results") and view not in PARTS | {"action"}


@pytest.fixture
def things() -> dict[str, list[Any]]:
    there_is_a_site()
    newsletter = make_newsletter(description="Le notizie della settimana")
    article = make_article("Una notizia", themes=["Pensioni"], feed=make_feed(), accepted=False)
    for number in range(3):
        make_article(f"Notizia {number}", themes=["Pensioni"], accepted=False)
    digest = make_digest(
        newsletter, articles=[make_article("Il contratto", themes=["Salute"])],
        slot=timezone.now() + timedelta(days=1), number=2,
    )  # fmt: skip
    put(
        digest,
        text("<p>Si vota</p>", "Elezioni"),
        picture(make_image(), caption="Il corteo del 14 luglio"),
        event(),
        closing=(action(), poll()),
    )
    member = make_member(newsletter=newsletter)
    Bounce.objects.create(
        digest=digest, member=member, address_hash=member.address_hash, kind=Bounce.Kind.GONE,
        source=Bounce.Source.MAIL, status="5.1.1", server="mx.posta.example", detail="550 5.1.1",
        mailed_on=NOW.date(), received_at=timezone.now(),
    )  # fmt: skip
    an_older_issue(newsletter)
    suppression = Suppression.objects.create(
        address_hash="0" * 64, reason=Suppression.Reason.MANUAL, created_at=NOW
    )
    return {
        "newsletter_articles": [article.pk],
        "newsletter_article_chooser": [article.pk],
        "newsletter_digests": [digest.pk],
        "newsletter_newsletters": [newsletter.pk],
        "newsletter_themes": [make_theme("Pensioni").pk],
        "newsletter_feeds": [make_feed().pk],
        "newsletter_members": [member.pk],
        "newsletter_suppressions": [suppression.pk],
        "newsletter_proof_lists": [
            ProofList.objects.create(name="Redazione", addresses="io@union.example").pk
        ],
    }


def an_older_issue(newsletter: Newsletter) -> None:
    """Sent, and only its counts are left: what the reports draw."""
    sent = timezone.now() - timedelta(days=10)
    older = make_digest(newsletter, slot=sent, number=1)
    states = {state.value: 2 for state in Delivery.State}
    counts = {"states": states, "reasons": [["skipped", "paused", 2]], "exclusions": {"paused": 1}}
    Digest.objects.filter(pk=older.pk).update(
        status=Digest.Status.SENT, sending_at=sent, sent_at=sent, approved_at=sent, candidates=17,
        delivery_counts=counts,
    )  # fmt: skip


def scheduled(pk: int) -> None:
    approve(pk, now=timezone.now())


def half_sent(pk: int) -> None:
    """Three have it, one is to be tried again, the others wait."""
    for _ in range(6):
        make_member(newsletter=Newsletter.objects.get(digests=pk))
    scheduled(pk)
    have_sent(Digest.objects.get(pk=pk), now=timezone.now(), sent=3, deferred=1)


def paused(pk: int) -> None:
    half_sent(pk)
    pause(pk, now=timezone.now())


def missed_by_some(pk: int) -> None:
    """Finished, and some may have it yet."""
    for _ in range(2):
        make_member(newsletter=Newsletter.objects.get(digests=pk))
    scheduled(pk)
    have_sent(Digest.objects.get(pk=pk), now=timezone.now(), sent=1, expired=2)


WAYS = {
    "approved": scheduled, "half-sent": half_sent, "paused": paused, "missed": missed_by_some,
}  # fmt: skip


def address(name: str, things: dict[str, list[Any]]) -> str:
    namespace, _, view = name.partition(":")
    # A list or a form by itself takes no number, whatever else its address may have.
    args = [] if view in WITHOUT_PK else things.get(namespace, [])
    return reverse(name, args=args)


def bulk(kind: str, action: str, pk: int) -> str:
    return f"{reverse('wagtail_bulk_action', args=['newsletter', kind, action])}?id={pk}"


def screens(things: dict[str, list[Any]]) -> list[str]:
    ours = [address(name, things) for name in sorted(MAY) if is_a_screen(name)]
    article, feed = things["newsletter_articles"][0], things["newsletter_feeds"][0]
    return [
        reverse("wagtailadmin_home"),
        reverse("newsletter_articles:index") + "?state=new",
        reverse("newsletter_articles:index") + "?state=new&q=introvabile",
        reverse("newsletter_articles:index") + "?state=withdrawn",
        *ours,
        *(bulk("article", one, article) for one in ("accept", "reject", "retag", "merge")),
        *(bulk("feed", one, feed) for one in ("poll", "pause", "resume")),
    ]


@pytest.fixture
def italian(chromium: Browser, live_server: Any) -> Iterator[Page]:
    client: Client = client_for("superuser")
    user = get_user_model().objects.get(username="superuser")
    UserProfile.objects.create(user=user, preferred_language="it")
    context = chromium.new_context(viewport=PHONE, locale="it-IT")  # type: ignore[arg-type]
    name = settings.SESSION_COOKIE_NAME
    value = client.cookies[name].value
    context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
    yield context.new_page()
    context.close()


TEXTS = """() => {
  const hidden = 'script, style, template, noscript, code, kbd, [lang]:not(html), [hidden], iframe';
  const texts = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    if (!walk.currentNode.parentElement.closest(hidden)) texts.push(walk.currentNode.data);
  }
  for (const one of document.querySelectorAll('[aria-label], [placeholder], [title], [alt]')) {
    if (one.closest(hidden)) continue;
    for (const name of ['aria-label', 'placeholder', 'title', 'alt']) {
      texts.push(one.getAttribute(name) || '');
    }
  }
  return texts.map((text) => text.trim()).filter(Boolean);
}"""


# Wagtail writes these into its templates, past any catalogue.
WAGTAILS = {"Actions"}


def english_on(page: Page) -> list[str]:
    return sorted({text for text in page.evaluate(TEXTS) if is_english(text)} - WAGTAILS)


# Wagtail leaves the file of a picture's rendition to the garbage collector.
@pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.Spooled:ResourceWarning")
@pytest.mark.parametrize("size", [PHONE, LAPTOP], ids=["phone", "laptop"])
@pytest.mark.parametrize("status", ["draft", *WAYS])
def test_screens_hold_and_have_no_english_left(
    status: str,
    size: dict[str, int],
    things: dict[str, list[Any]],
    italian: Page,
    live_server: Any,
) -> None:
    paths = screens(things)
    if status != "draft":
        WAYS[status](things["newsletter_digests"][0])
        paths = [path for path in paths if "/digests/" in path and "/delete/" not in path]
    italian.set_viewport_size(size)  # type: ignore[arg-type]
    left: dict[str, list[str]] = {}
    for path in paths:
        answer = italian.goto(live_server.url + path)
        assert answer, path
        assert answer.status == 200, path
        holds(italian)
        if english := english_on(italian):
            left[path] = english
    assert not left, "\n".join(f"{path}: {texts}" for path, texts in left.items())


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("Accept all suggestions", True),
        ("12 articles accepted.", True),
        ("There are no results for this search", True),
        ("Accetta tutti i suggerimenti", False),
        ("Il diritto di sciopero e la tessera", False),
        ("Smart working", False),
        ("https://blog.example/the/way/of/the/world", False),
    ],
)
def test_english_is_known_when_it_is_seen(text: str, english: bool) -> None:
    assert is_english(text) is english
