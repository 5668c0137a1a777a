"""Domains that belong together: whichever of a company's is named, all of them are meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import Q

from newsletter import conf


def groups() -> dict[str, str]:
    """MAIL_HOSTS by domain."""
    hosts: dict[str, Sequence[str]] = conf.get("MAIL_HOSTS")
    return {domain: group for group, domains in hosts.items() for domain in domains}


def group_of(domain: str, groups: Mapping[str, str]) -> str:
    """The group of the domain; its own name, where it has none."""
    return groups.get(domain.lower(), domain.lower())


def at_host(group: str, groups: Mapping[str, str]) -> Q:
    """Of what has a `member`: the address is at one of the group's domains."""
    others = {domain for domain, its_group in groups.items() if its_group == group}
    found = Q(pk__in=[])
    for domain in sorted(others if groups.get(group, group) != group else others | {group}):
        found |= Q(member__address__endswith=f"@{domain}")
    return found
