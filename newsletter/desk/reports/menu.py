"""The reports in Wagtail's own menu of reports, each for who may see what it counts."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail.admin.menu import MenuItem

from newsletter.desk.reports.bounces import BouncesView
from newsletter.desk.reports.deliveries import DeliveriesView
from newsletter.desk.reports.feeds import FeedsView
from newsletter.desk.reports.growth import GrowthView
from newsletter.desk.reports.report import ReportView
from newsletter.desk.reports.themes import ThemesView

# By the name of their address, in the menu's order.
REPORTS: dict[str, type[ReportView]] = {
    "deliveries": DeliveriesView,
    "bounces": BouncesView,
    "growth": GrowthView,
    "themes": ThemesView,
    "feeds": FeedsView,
}


class ReportMenuItem(MenuItem):
    def __init__(self, name: str, view: type[ReportView], order: int) -> None:
        self.view = view
        super().__init__(
            view.page_title,
            reverse(f"newsletter_reports:{name}"),
            name=f"newsletter-report-{name}",
            icon_name=view.header_icon,
            order=order,
        )

    def is_shown(self, request: HttpRequest) -> bool:
        return self.view.is_for(request.user)


def menu_item(name: str) -> Any:
    """What makes the item of one report: a function for Wagtail's hook."""
    order = 100 + list(REPORTS).index(name)
    return lambda: ReportMenuItem(name, REPORTS[name], order)


def addresses() -> list[URLResolver | URLPattern]:
    reports: list[Any] = [path(f"{name}/", REPORTS[name].as_view(), name=name) for name in REPORTS]
    return [path("reports/bollettino/", include((reports, "newsletter_reports")))]
