"""Every registration in the Wagtail admin; the screens themselves are in `newsletter.desk`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import QuerySet
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.viewsets.base import ViewSetGroup
from wagtail.log_actions import LogActionRegistry

from newsletter.desk import bulk, feed_bulk
from newsletter.desk.account import MailPanel
from newsletter.desk.articles import ArticleChooserViewSet, ArticleViewSet
from newsletter.desk.bounces import BounceViewSet
from newsletter.desk.digest_editor import arrange_actions
from newsletter.desk.digests import DigestViewSet
from newsletter.desk.feeds import FeedViewSet
from newsletter.desk.home import NextStepItem, TwentyMinutesPanel
from newsletter.desk.members import MemberViewSet, SuppressionViewSet
from newsletter.desk.newsletters import NewsletterViewSet
from newsletter.desk.reports import menu
from newsletter.desk.test_mail import ProofListViewSet
from newsletter.desk.theme_teaching import TaughtFormatter, UntaughtFormatter
from newsletter.desk.themes import ThemeViewSet


class BollettinoGroup(ViewSetGroup):
    menu_label = "Bollettino"
    menu_name = "newsletter"
    menu_icon = "mail"
    menu_order = 150  # right after the pages
    items = (
        ArticleViewSet,
        DigestViewSet,
        NewsletterViewSet,
        ThemeViewSet,
        FeedViewSet,
        MemberViewSet,
        BounceViewSet,
        SuppressionViewSet,
    )


@hooks.register("register_admin_viewset")
def register_viewsets() -> list[Any]:
    return [
        BollettinoGroup(),
        ArticleChooserViewSet("newsletter_article_chooser"),
        ProofListViewSet(),
    ]


hooks.register("construct_snippet_action_menu", arrange_actions)
hooks.register("register_bulk_action", bulk.Accept)
hooks.register("register_bulk_action", bulk.Reject)
hooks.register("register_bulk_action", bulk.Retag)
hooks.register("register_bulk_action", feed_bulk.PollFeeds)
hooks.register("register_bulk_action", feed_bulk.PauseFeeds)
hooks.register("register_bulk_action", feed_bulk.ResumeFeeds)
hooks.register("register_bulk_action", bulk.Merge)


hooks.register("register_admin_urls", menu.addresses)
for report in menu.REPORTS:
    hooks.register("register_reports_menu_item", menu.menu_item(report))


@hooks.register("construct_homepage_summary_items")
def put_the_next_step_first(request: HttpRequest, items: list[Any]) -> None:
    items.append(NextStepItem(request))


@hooks.register("construct_homepage_panels")
def add_card(request: HttpRequest, panels: list[Any]) -> None:
    panels.append(TwentyMinutesPanel())


hooks.register("register_account_settings_panel", MailPanel)


@hooks.register("register_permissions")
def offer_permissions() -> QuerySet[Permission]:
    """The plugin's own permissions, beside add, change and delete, in the group editor."""
    return Permission.objects.filter(
        content_type__app_label="newsletter",
        codename__in=[
            "triage_article",
            "teach_theme",
            "approve_digest",
            "send_test_digest",
            "view_delivery",
            "view_bounce",
            "change_delivery",
        ],
    )


@hooks.register("register_log_actions")
def name_log_actions(actions: LogActionRegistry) -> None:
    for name, label, message in [
        ("accept", _("Accept"), _("Accepted")),
        ("reject", _("Reject"), _("Rejected")),
        ("to_triage", _("Back to the inbox"), _("Put back into the inbox")),
        ("undo", _("Undo"), _("Took the last decision back")),
        ("merge", _("One story"), _("Made one story of it and others")),
        ("split", _("Not the same news"), _("Took it out of its story")),
        ("keep_apart", _("Not the same news"), _("Said it is no duplicate")),
        ("undo_story", _("Undo"), _("Took back what was said of its story")),
        ("retag", _("Retag"), _("Changed the themes")),
        ("accept_on", _("Accept by itself"), _("Let sure suggestions pass by themselves")),
        ("accept_off", _("Accept by itself"), _("Let every suggestion wait for an editor")),
        ("approve", _("Approve"), _("Approved for sending")),
        ("address", _("Addressed to"), _("Changed whom it is addressed to")),
        ("first_approve", _("Approve"), _("Approved it first, of two people")),
        ("unschedule", _("Stop it"), _("Stopped it: a draft again")),
        ("send_now", _("Send now"), _("Told to go out at once")),
        ("pause", _("Pause"), _("Paused the sending")),
        ("resume", _("Resume"), _("Resumed the sending")),
        ("cancel", _("Cancel"), _("Cancelled")),
        ("retry_missed", _("Retry only the missed"), _("Sent it again to those who missed it")),
        ("call_off", _("Call off the retry"), _("Called off the retry")),
        ("settle_uncertain", _("Uncertain"), _("Said what became of a mail that was uncertain")),
        ("propose_anew", _("Propose it anew"), _("Proposed it anew")),
        ("test_send", _("Test"), _("Sent a test")),
        ("undelivered_export", _("Download"), _("Downloaded who did not get it")),
    ]:
        actions.register_action(f"newsletter.{name}", label, message)
    actions.register_action("newsletter.teach")(TaughtFormatter)
    actions.register_action("newsletter.unteach")(UntaughtFormatter)


@hooks.register("insert_global_admin_css")
def style() -> SafeString:
    return format_html('<link rel="stylesheet" href="{}">', static("newsletter/admin.css"))


@hooks.register("insert_global_admin_js")
def keys() -> SafeString:
    return format_html('<script defer src="{}"></script>', static("newsletter/admin.js"))
