"""Themes, newsletters, members, suppressed addresses and the card on the first page."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

import newsletter
from newsletter.desk.drawings import OURS
from newsletter.digests.models import Digest, Newsletter
from newsletter.feeds.models import Feed
from newsletter.members.models import Consent, Lifting, Suppression
from newsletter.themes.models import Theme
from tests.admin.conftest import client_for
from tests.builders import (
    NOW,
    make_article,
    make_digest,
    make_feed,
    make_member,
    make_newsletter,
    make_theme,
)

pytestmark = pytest.mark.django_db
GLYPHS = Path(newsletter.__file__).parent / "templates" / "newsletter" / "glyphs"


def page(client: Client, name: str, *args: Any, **query: str) -> str:
    return client.get(reverse(name, args=args), query).content.decode()


def test_themes_are_listed_with_their_articles(editor: Client) -> None:
    make_article(themes=["Pensioni"])
    make_article(themes=["Pensioni"])
    theme = make_theme("Pensioni")
    shown = page(editor, "newsletter_themes:index")
    assert f'?theme={theme.pk}">2</a>' in shown


def test_a_theme_is_changed_and_an_unknown_drawing_is_refused(moderator: Client) -> None:
    theme = make_theme("Pensioni")
    data = {
        "name": "Previdenza", "name_en": "", "slug": "pensioni", "description": "",
        "keywords": "pensione\nTFR", "exclusions": "", "feed_categories": "",
        "glyph": "pension", "glyph_text": "€", "colour": "#0B5D5E", "sort_order": "1",
        "is_active": "on",
    }  # fmt: skip
    edit = reverse("newsletter_themes:edit", args=[theme.pk])
    answer = moderator.post(edit, data | {"glyph": "dragon"}).content.decode()
    assert "dragon is not one of the available choices" in answer
    assert moderator.post(edit, data).status_code == 302
    assert Theme.objects.get().name == "Previdenza"


NEWSLETTER = {
    "name": "Ogni giorno", "slug": "ogni-giorno", "description": "", "language": "it",
    "kind": "regular", "is_active": "on", "is_public": "on", "frequency": "daily",
    "weekdays": ["0", "2"], "month_day": "1", "send_at": "07:30", "time_zone": "Europe/Rome",
    "lead_hours": "24", "when_unapproved": "hold", "approvals": "1",
    "spread_minutes": "0", "min_items": "1", "max_items": "15",
    "introduction": "", "sender_name": "Il Bollettino", "sender_email": "b@union.example",
    "reply_to": "", "postal_address": "",
}  # fmt: skip


def test_a_newsletter_says_when_it_goes_in_a_sentence(moderator: Client) -> None:
    response = moderator.post(reverse("newsletter_newsletters:add"), NEWSLETTER)
    assert response.status_code == 302
    newsletter = Newsletter.objects.get()
    assert newsletter.weekdays == [0, 2]
    shown = page(moderator, "newsletter_newsletters:edit", newsletter.pk)
    assert "Every Monday, Wednesday at 07:30" in shown
    assert shown.count("07:30</li>") == 4


def test_a_drawing_is_chosen_in_words_and_a_sites_own_by_its_name(
    moderator: Client, tmp_path: Path, settings: Any
) -> None:
    own = tmp_path / "newsletter" / "glyphs"
    own.mkdir(parents=True)
    (own / "dragon.svg").write_text("<svg></svg>")
    engine = settings.TEMPLATES[0]
    settings.TEMPLATES = [engine | {"DIRS": [*engine["DIRS"], tmp_path]}]
    shown = page(moderator, "newsletter_themes:add")
    assert re.findall(r'<option value="(strike|dragon|default)">([^<]*)<', shown) == [
        ("strike", "a megaphone"), ("dragon", "dragon"),
    ]  # fmt: skip
    assert set(OURS) == {path.stem for path in GLYPHS.glob("*.svg")} - {"default"}


def test_a_newsletter_that_somebody_receives_keeps_its_address_under_a_new_name(
    moderator: Client,
) -> None:
    newsletter = make_newsletter("Ogni giorno")
    edit = reverse("newsletter_newsletters:edit", args=[newsletter.pk])
    new = NEWSLETTER | {"name": "Ogni mattina", "slug": "ogni-mattina"}
    assert moderator.post(edit, new).status_code == 302
    newsletter.refresh_from_db()
    assert newsletter.slug == "ogni-mattina", "nobody has it yet"
    make_member(newsletter=newsletter)
    assert moderator.post(edit, new | {"name": "Il giorno", "slug": "il-giorno"}).status_code == 302
    newsletter.refresh_from_db()
    assert (newsletter.name, newsletter.slug) == ("Il giorno", "ogni-mattina")


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_items": "20"},
        {"frequency": "weekly", "weekdays": []},
        {"time_zone": "Mars/Olympus"},
        {"month_day": "32"},
    ],
)
def test_a_newsletter_that_could_never_go_out_is_refused(
    wrong: dict[str, Any], moderator: Client
) -> None:
    response = moderator.post(reverse("newsletter_newsletters:add"), NEWSLETTER | wrong)
    assert response.status_code == 200
    assert not Newsletter.objects.exists()


def test_members_are_found_by_their_whole_address_only(moderator: Client) -> None:
    member = make_member("Anna@Posta.example", newsletter=make_newsletter())
    found = page(moderator, "newsletter_members:index", q="anna@posta.example")
    assert reverse("newsletter_members:inspect", args=[member.pk]) in found
    for part in ("anna", "posta.example", "@"):
        shown = page(moderator, "newsletter_members:index", q=part)
        assert reverse("newsletter_members:inspect", args=[member.pk]) not in shown
    assert "Ogni settimana: Active" in page(moderator, "newsletter_members:inspect", member.pk)


def test_a_members_themes_are_named_and_all_of_them_are_called_all(moderator: Client) -> None:
    newsletter = make_newsletter()
    some = make_member(newsletter=newsletter, themes=["Pensioni"])
    every = make_member(newsletter=newsletter, themes=["Pensioni", "Salute"])
    assert "Pensioni</li>" in page(moderator, "newsletter_members:inspect", some.pk)
    assert "All themes</li>" in page(moderator, "newsletter_members:inspect", every.pk)
    Theme.objects.filter(name="Pensioni").delete()
    assert "nothing is sent.</li>" in page(moderator, "newsletter_members:inspect", some.pk)


def test_what_a_member_consented_to_is_told_by_the_newsletters_names(moderator: Client) -> None:
    member = make_member(newsletter=make_newsletter())
    Consent.objects.create(
        member=member, address_hash=member.address_hash, event=Consent.Event.CONFIRMED, at=NOW,
        newsletter_slugs=["ogni-settimana", "chiusa-da-anni"], source="command",
    )  # fmt: skip
    shown = page(moderator, "newsletter_members:inspect", member.pk)
    assert "<strong>Confirmed</strong>: Ogni settimana, chiusa-da-anni" in shown


def test_a_part_of_an_address_is_not_said_to_be_free(moderator: Client) -> None:
    moderator.post(reverse("newsletter_suppressions:add"), {"address": "anna@posta.example"})
    free = "This address is not suppressed."
    shown = page(moderator, "newsletter_suppressions:index", q="anna")
    assert free not in shown
    assert "Write the whole address" in shown
    assert free in page(moderator, "newsletter_suppressions:index", q="bruno@posta.example")


def test_an_address_is_suppressed_and_only_its_hash_is_kept(moderator: Client) -> None:
    add = reverse("newsletter_suppressions:add")
    refused = moderator.post(add, {"address": "not an address"}).content.decode()
    assert "error-message" in refused
    moderator.post(add, {"address": "Anna@Posta.example"})
    kept = Suppression.objects.get()
    assert kept.reason == Suppression.Reason.MANUAL
    found = page(moderator, "newsletter_suppressions:index", q="anna@posta.example")
    assert kept.address_hash[:12] in found
    assert kept.address_hash[:12] not in page(
        moderator, "newsletter_suppressions:index", q="b@posta.example"
    )
    lift = reverse("newsletter_suppressions:lift", args=[kept.pk])
    assert moderator.post(lift, {"why": " "}).status_code == 200
    assert Suppression.objects.exists(), "nothing is lifted without a reason"
    moderator.post(lift, {"why": "It was a typing error"})
    assert not Suppression.objects.exists()
    lifting = Lifting.objects.get()
    assert (lifting.reason, lifting.why) == ("manual", "It was a typing error")
    assert str(lifting.by) == "moderator"


def test_the_wish_to_be_forgotten_is_not_lifted_by_hand(moderator: Client) -> None:
    kept = Suppression.objects.create(
        address_hash="0" * 64, reason=Suppression.Reason.ERASED, created_at=timezone.now()
    )
    url = reverse("newsletter_suppressions:lift", args=[kept.pk])
    assert moderator.post(url, {"why": "I want to"}).status_code == 404
    assert Suppression.objects.exists()


def test_the_card_tells_the_next_thing_to_do(editor: Client, moderator: Client) -> None:
    home = "wagtailadmin_home"
    assert "Nothing to do." in page(editor, home)
    digest = make_digest(articles=[make_article("Una")], slot=timezone.now() + timedelta(days=2))
    assert "Check Ogni settimana N. 1 and propose it" in page(editor, home)
    assert "Check and approve Ogni settimana N. 1" in page(moderator, home)
    make_article(accepted=False)
    make_feed(title="Muto", state=Feed.State.FAILING, failures=20, error="It does not answer.")
    make_feed(title="Singhiozzo", failures=1, error="One bad fetch.")
    shown = page(editor, home)
    assert "Look through 1 article" in shown
    assert "It does not answer." in shown
    assert "Then resume it" in shown
    assert "One bad fetch." not in shown
    Digest.objects.filter(pk=digest.pk).update(status=Digest.Status.HELD)
    assert "Look at Ogni settimana N. 1, which is held" in page(editor, home)


def test_who_has_nothing_to_do_with_it_sees_no_card() -> None:
    client = client_for("nobody")
    get_user_model().objects.get(username="nobody").user_permissions.add(
        Permission.objects.get(codename="access_admin")
    )
    shown = page(client, "wagtailadmin_home")
    assert "Twenty minutes" not in shown
    assert "desk-next" not in shown


def test_the_group_editor_offers_the_plugins_own_permissions() -> None:
    group = Group.objects.get(name="Editors")
    shown = page(client_for("superuser"), "wagtailusers_groups:edit", group.pk)
    for codename in ("triage_article", "send_test_digest", "approve_digest", "change_delivery"):
        permission = Permission.objects.get(codename=codename)
        assert f'name="permissions" value="{permission.pk}"' in shown, codename
