"""Issues shelved by year."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.utils import timezone

from newsletter.digests.models import Digest


def issues_by_year(issues: Iterable[Digest]) -> list[tuple[int, list[Digest]]]:
    """In the order they come; a year is the local one."""
    years: dict[int, list[Digest]] = {}
    for digest in issues:
        years.setdefault(timezone.localtime(digest.out_at).year, []).append(digest)
    return list(years.items())


def years_with_issues(issues: QuerySet[Digest]) -> list[int]:
    return [day.year for day in issues.order_by().datetimes("out_at", "year", order="DESC")]
