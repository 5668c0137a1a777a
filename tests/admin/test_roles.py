"""Every admin address of ours, for every role."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from newsletter.delivery.proof_lists import ProofList
from newsletter.desk.reports.menu import REPORTS
from newsletter.members.models import Suppression
from tests.admin.conftest import ROLES, client_for
from tests.builders import (
    NOW,
    make_article,
    make_digest,
    make_feed,
    make_member,
    make_newsletter,
    make_theme,
)

OURS = "newsletter_"
EVERYBODY = {"editor", "moderator", "superuser"}
MODERATORS = {"moderator", "superuser"}
SUPERUSER = {"superuser"}

# Who may look (GET) or, for addresses that only take POST, press: everybody else is turned away.
MAY: dict[str, set[str]] = {
    "newsletter_articles:index": EVERYBODY,
    "newsletter_articles:index_results": EVERYBODY,
    "newsletter_articles:edit": EVERYBODY,
    "newsletter_articles:delete": SUPERUSER,
    "newsletter_articles:history": EVERYBODY,
    "newsletter_articles:history_results": EVERYBODY,
    "newsletter_articles:read": EVERYBODY,
    "newsletter_articles:retag": EVERYBODY,
    "newsletter_articles:triage": EVERYBODY,
    "newsletter_articles:undo": EVERYBODY,
    "newsletter_articles:merge": EVERYBODY,
    "newsletter_articles:split": EVERYBODY,
    "newsletter_articles:keep_apart": EVERYBODY,
    "newsletter_articles:undo_story": EVERYBODY,
    "newsletter_digests:list": EVERYBODY,
    "newsletter_digests:list_results": EVERYBODY,
    "newsletter_digests:add": EVERYBODY,
    "newsletter_digests:edit": EVERYBODY,
    "newsletter_digests:delete": SUPERUSER,
    "newsletter_digests:history": EVERYBODY,
    "newsletter_digests:history_results": EVERYBODY,
    "newsletter_digests:overview": EVERYBODY,
    "newsletter_digests:mail": EVERYBODY,
    "newsletter_digests:undelivered": MODERATORS,
    "newsletter_digests:as_reader": MODERATORS,
    "newsletter_digests:propose_anew": EVERYBODY,
    "newsletter_digests:follow_links": EVERYBODY,
    "newsletter_digests:action": MODERATORS,
    "newsletter_digests:preview_on_edit": EVERYBODY,
    "newsletter_digests:lock": MODERATORS,
    "newsletter_digests:unlock": MODERATORS,
    "newsletter_digests:workflow_history": EVERYBODY,
    "newsletter_newsletters:index": EVERYBODY,
    "newsletter_newsletters:index_results": EVERYBODY,
    "newsletter_newsletters:add": MODERATORS,
    "newsletter_newsletters:edit": MODERATORS,
    "newsletter_newsletters:delete": SUPERUSER,
    "newsletter_newsletters:history": MODERATORS,
    "newsletter_newsletters:history_results": MODERATORS,
    "newsletter_themes:index": EVERYBODY,
    "newsletter_themes:index_results": EVERYBODY,
    "newsletter_themes:add": MODERATORS,
    "newsletter_themes:edit": MODERATORS,
    "newsletter_themes:delete": MODERATORS,
    "newsletter_themes:history": MODERATORS,
    "newsletter_themes:history_results": MODERATORS,
    "newsletter_themes:inspect": EVERYBODY,
    "newsletter_themes:accept": MODERATORS,
    "newsletter_themes:teach": EVERYBODY,
    "newsletter_themes:unteach": EVERYBODY,
    "newsletter_feeds:index": EVERYBODY,
    "newsletter_feeds:index_results": EVERYBODY,
    "newsletter_feeds:inspect": EVERYBODY,
    "newsletter_feeds:add": MODERATORS,
    "newsletter_feeds:edit": MODERATORS,
    "newsletter_feeds:delete": MODERATORS,
    "newsletter_feeds:history": MODERATORS,
    "newsletter_feeds:history_results": MODERATORS,
    "newsletter_feeds:import": MODERATORS,
    "newsletter_feeds:export": EVERYBODY,
    "newsletter_feeds:poll": MODERATORS,
    "newsletter_feeds:pause": MODERATORS,
    "newsletter_feeds:resume": MODERATORS,
    "newsletter_feeds:older": MODERATORS,
    "newsletter_feeds:page-text": MODERATORS,
    "newsletter_feeds:stop-older": MODERATORS,
    "newsletter_members:index": MODERATORS,
    "newsletter_members:index_results": MODERATORS,
    "newsletter_members:inspect": MODERATORS,
    "newsletter_bounces:index": MODERATORS,
    "newsletter_bounces:index_results": MODERATORS,
    "newsletter_suppressions:index": MODERATORS,
    "newsletter_suppressions:index_results": MODERATORS,
    "newsletter_suppressions:add": MODERATORS,
    "newsletter_suppressions:lift": MODERATORS,
    "newsletter_reports:deliveries": EVERYBODY,
    "newsletter_reports:bounces": MODERATORS,
    "newsletter_reports:growth": MODERATORS,
    "newsletter_reports:themes": EVERYBODY,
    "newsletter_reports:feeds": EVERYBODY,
    "newsletter_proof_lists:index": EVERYBODY,
    "newsletter_proof_lists:index_results": EVERYBODY,
    "newsletter_proof_lists:add": EVERYBODY,
    "newsletter_proof_lists:edit": EVERYBODY,
    "newsletter_proof_lists:delete": EVERYBODY,
    "newsletter_proof_lists:history": EVERYBODY,
    "newsletter_proof_lists:history_results": EVERYBODY,
    "newsletter_article_chooser:choose": EVERYBODY,
    "newsletter_article_chooser:choose_results": EVERYBODY,
    "newsletter_article_chooser:chosen": EVERYBODY,
    "newsletter_article_chooser:chosen_multiple": EVERYBODY,
}
POST = {
    "newsletter_articles:triage",
    "newsletter_articles:retag",
    "newsletter_articles:undo",
    "newsletter_articles:merge",
    "newsletter_articles:split",
    "newsletter_articles:keep_apart",
    "newsletter_articles:undo_story",
    "newsletter_digests:action",
    "newsletter_digests:as_reader",
    "newsletter_digests:propose_anew",
    "newsletter_digests:follow_links",
    "newsletter_digests:lock",
    "newsletter_digests:unlock",
    "newsletter_feeds:poll",
    "newsletter_feeds:pause",
    "newsletter_feeds:resume",
    "newsletter_feeds:older",
    "newsletter_feeds:page-text",
    "newsletter_feeds:stop-older",
    "newsletter_themes:accept",
    "newsletter_themes:teach",
    "newsletter_themes:unteach",
}
# These ask before they do it.
CONFIRMED_FIRST = {"newsletter_digests:lock", "newsletter_digests:unlock"}
# Wagtail's own screens on a digest, open to who may change it: its tests hold them.
WAGTAILS = {
    "newsletter_digests:revisions_view",
    "newsletter_digests:revisions_revert",
    "newsletter_digests:revisions_compare",
    "newsletter_digests:revisions_unschedule",
    "newsletter_digests:workflow_action",
    "newsletter_digests:collect_workflow_action_data",
    "newsletter_digests:confirm_workflow_cancellation",
    "newsletter_digests:workflow_history_detail",
    "newsletter_digests:workflow_preview",
    "newsletter_digests:resolve",  # test_digests.py
    "newsletter_article_chooser:create",
    "newsletter_digest_chooser:choose",
    "newsletter_digest_chooser:choose_results",
    "newsletter_digest_chooser:chosen",
    "newsletter_digest_chooser:chosen_multiple",
    "newsletter_digest_chooser:create",
}


def our_addresses() -> set[str]:
    def walk(patterns: list[Any], prefix: str) -> set[str]:
        found = set()
        for one in patterns:
            if isinstance(one, URLResolver):
                inner = f"{prefix}{one.namespace}:" if one.namespace else prefix
                found |= walk(one.url_patterns, inner)
            elif isinstance(one, URLPattern) and prefix.startswith(OURS) and one.name:
                found.add(f"{prefix}{one.name}")
        return found

    return walk(get_resolver().url_patterns, "")


def test_a_new_address_needs_a_row_here() -> None:
    assert our_addresses() == MAY.keys() | WAGTAILS


@pytest.fixture
def things(db: None) -> dict[str, list[Any]]:
    newsletter = make_newsletter()
    article = make_article("Una notizia", themes=["Pensioni"])
    digest = make_digest(newsletter, articles=[article])
    suppression = Suppression.objects.create(
        address_hash="0" * 64, reason=Suppression.Reason.MANUAL, created_at=NOW
    )
    return {
        "newsletter_articles": [article.pk],
        "newsletter_article_chooser": [article.pk],
        "newsletter_digests": [digest.pk],
        "newsletter_newsletters": [newsletter.pk],
        "newsletter_themes": [make_theme("Salute").pk],
        "newsletter_feeds": [make_feed(next_poll_at=None).pk],
        "newsletter_members": [make_member(newsletter=newsletter).pk],
        "newsletter_suppressions": [suppression.pk],
        "newsletter_proof_lists": [ProofList.objects.create(name="Redazione").pk],
    }


WITHOUT_PK = {
    "index", "index_results", "list", "list_results", "add", "triage", "retag", "undo", "choose",
    "choose_results", "chosen_multiple", "import", "export", "merge", "split", "keep_apart",
    "undo_story", "teach", "unteach", *REPORTS,
}  # fmt: skip


def address(name: str, things: dict[str, list[Any]]) -> str:
    namespace, _, view = name.partition(":")
    args = [] if view in WITHOUT_PK else list(things[namespace])
    if view == "action":
        args.append("pause")
    return reverse(name, args=args)


def wagtails_addresses(things: dict[str, list[Any]]) -> dict[str, str]:
    """With numbers that name nothing: who may not come in is turned away before they count."""
    more = {
        "revisions_view": [1], "revisions_revert": [1], "revisions_compare": [1, 2],
        "revisions_unschedule": [1], "workflow_action": ["approve", 1], "workflow_preview": [1],
        "collect_workflow_action_data": ["approve", 1], "workflow_history_detail": [1],
        "resolve": [1],
    }  # fmt: skip
    digest = things["newsletter_digests"][0]
    found = {}
    for name in WAGTAILS:
        view = name.partition(":")[2]
        without = view in WITHOUT_PK | {"create"}
        found[name] = reverse(name, args=[] if without else [digest, *more.get(view, [])])
    return found


def everything_kept() -> dict[str, list[tuple[Any, ...]]]:
    """Each row of ours, as it stands."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_app_config("newsletter").get_models()
    }


def ask(client: Client, name: str, things: dict[str, list[Any]]) -> int:
    url = address(name, things)
    query = f"?id={things['newsletter_articles'][0]}" if name.endswith("chosen_multiple") else ""
    return status_of(client.post(url) if name in POST else client.get(url + query))


def status_of(response: Any) -> int:
    if response.status_code == 302:
        # Turned away: to the login, or to the admin's first page with a message.
        target = response["Location"]
        turned_away = "login" in target or target == reverse("wagtailadmin_home")
        return 403 if turned_away else 302
    status: int = response.status_code
    return status


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_screens_and_no_others(
    role: str, things: dict[str, list[Any]], feed_server: Any
) -> None:
    client = client_for(role)
    wrong = []
    for name, allowed in MAY.items():
        status = ask(client, name, things)
        expected = (200, 302) if role in allowed else (403,)
        if status not in expected:
            wrong.append(f"{name}: {status}")
    assert wrong == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_no_other_method_opens_what_is_closed_to_a_role(
    role: str, things: dict[str, list[Any]]
) -> None:
    client = client_for(role)
    addresses = {name: address(name, things) for name, roles in MAY.items() if role not in roles}
    if role not in EVERYBODY:
        addresses |= wagtails_addresses(things)
    before = everything_kept()
    wrong = [
        f"{method} {name}: {status}"
        for name, url in addresses.items()
        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
        if (status := status_of(client.generic(method, url))) not in (403, 405)
    ]
    assert wrong == []
    assert everything_kept() == before


@pytest.mark.django_db
def test_what_is_pressed_does_nothing_when_it_is_only_looked_at(
    things: dict[str, list[Any]],
) -> None:
    client = client_for("superuser")
    before = everything_kept()
    for name in sorted(POST - CONFIRMED_FIRST):
        assert client.get(address(name, things)).status_code == 405, name
    for name in CONFIRMED_FIRST:
        client.get(address(name, things))
    assert everything_kept() == before
