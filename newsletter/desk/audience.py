"""Who would get a draft were it approved now, who would not, and why. Nothing is written."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, CharField, Count, Exists, OuterRef, QuerySet, Value, When
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.delivery.models import Exclusion
from newsletter.delivery.pace.hosts import at_host, groups
from newsletter.desk.sentences import language_name
from newsletter.digests.addressees import Addressees
from newsletter.digests.content import DigestContent
from newsletter.digests.models import Newsletter
from newsletter.digests.previews import readers_mode
from newsletter.digests.variants import items_for
from newsletter.exceptions import InvalidMember
from newsletter.members.address import address_hash, canonical_address
from newsletter.members.addressed import addressed
from newsletter.members.models import Selection, Subscription, Suppression

MOST_MODES = 8


@dataclass(frozen=True)
class ExpectedVariant:
    language: str
    positions: tuple[int, ...]
    readers: int

    @property
    def items(self) -> str:
        """As the address of its preview names them."""
        return ",".join(str(position) for position in self.positions)

    @property
    def language_name(self) -> str:
        return language_name(self.language)


@dataclass
class Audience:
    variants: list[ExpectedVariant] = field(default_factory=list)  # the largest first
    exclusions: dict[str, int] = field(default_factory=dict)  # by Exclusion.Reason
    waiting: int = 0  # who could get it, were there anything in it
    at_hosts: dict[str, int] = field(default_factory=dict)  # readers at those that were asked for

    @property
    def readers(self) -> int:
        return sum(variant.readers for variant in self.variants)

    @property
    def subscribed(self) -> int:
        return self.readers + self.waiting + sum(self.exclusions.values())

    @property
    def addressed(self) -> int:
        """Of the subscribed; those who pause, for instance, are among them."""
        return self.subscribed - self.exclusions.get(Exclusion.Reason.UNADDRESSED.value, 0)


def _subscribed(newsletter: Newsletter, to: Addressees, now: datetime) -> QuerySet:
    """Each with the `reason` for which it is left out, or none."""
    suppressed = Suppression.objects.filter(address_hash=OuterRef("member__address_hash"))
    subscribed = Subscription.objects.filter(
        newsletter=newsletter,
        state=Subscription.State.ACTIVE,
        member__confirmed_at__isnull=False,
    )
    unaddressed = (
        []
        if to.everybody
        else [When(~addressed(to), then=Value(Exclusion.Reason.UNADDRESSED.value))]
    )
    return subscribed.annotate(
        reason=Case(
            *unaddressed,
            When(Exists(suppressed), then=Value(Exclusion.Reason.SUPPRESSED.value)),
            When(paused_until__gt=now, then=Value(Exclusion.Reason.PAUSED.value)),
            default=Value(""),
            output_field=CharField(),
        )
    )


def audience_of(
    newsletter: Newsletter, content: DigestContent, *, now: datetime, hosts: Collection[str] = ()
) -> Audience:
    """As the freeze would divide them (newsletter.delivery.freeze), in one query.

    `hosts`: groups of domains (newsletter.delivery.pace.hosts) whose readers are counted as well.
    """
    known = groups()
    at = [When(at_host(host, known), then=Value(host)) for host in hosts]
    rows = (
        _subscribed(newsletter, content.addressees, now)
        .annotate(host=Case(*at, default=Value(""), output_field=CharField()))
        .values_list("reason", "selection__key", "member__language", "host")
        .annotate(members=Count("pk"))
        .order_by()
    )
    found: dict[tuple[str, tuple[int, ...]], int] = {}
    audience = Audience(at_hosts=dict.fromkeys(hosts, 0))
    empty = not (content.items or content.blocks)
    for reason, chosen, language, host, members in rows:
        positions = None if reason else items_for(content, Selection(key=chosen).theme_ids)
        if positions is not None:
            same = (language, positions)
            found[same] = found.get(same, 0) + members
            if host:
                audience.at_hosts[host] += members
        elif empty and not reason:
            audience.waiting += members
        else:
            why = reason or Exclusion.Reason.NO_THEMES.value
            audience.exclusions[why] = audience.exclusions.get(why, 0) + members
    audience.variants = sorted(
        (ExpectedVariant(*same, readers) for same, readers in found.items()),
        key=lambda variant: (-variant.readers, variant.language, variant.positions),
    )
    return audience


def reader_modes(content: DigestContent, audience: Audience) -> list[tuple[str, str]]:
    """A preview for each kind of reader, the largest first, named with their number."""
    ids = {item.position: item.article_id for item in content.items}
    variants = audience.variants[:MOST_MODES]
    return [
        (
            readers_mode(one.language, (ids[position] for position in one.positions)),
            ngettext(
                "%(readers)s reader: %(language)s, %(articles)d of the articles",
                "%(readers)s readers: %(language)s, %(articles)d of the articles",
                one.readers,
            )
            % {
                "readers": one.readers,
                "language": one.language_name,
                "articles": len(one.positions),
            },
        )
        for one in variants
    ]


@dataclass(frozen=True)
class OneReader:
    """What a certain reader would get, or why nothing."""

    language: str = ""
    positions: tuple[int, ...] = ()
    why_not: str = ""


def one_reader(
    newsletter: Newsletter, content: DigestContent, written: str, *, now: datetime
) -> OneReader:
    """By the address that somebody typed; the answer does not repeat it."""
    try:
        known = address_hash(canonical_address(written))
    except InvalidMember as error:
        return OneReader(why_not=str(error))
    found = _subscribed(newsletter, content.addressees, now).filter(member__address_hash=known)
    row = found.values_list("reason", "selection__key", "member__language").first()
    if row is None:
        return OneReader(why_not=_("Nobody with that address gets this newsletter."))
    reason, chosen, language = row
    positions = None if reason else items_for(content, Selection(key=chosen).theme_ids)
    if positions is None:
        why = dict(Exclusion.Reason.choices)[reason or Exclusion.Reason.NO_THEMES.value]
        return OneReader(why_not=_("Not included: %(why)s.") % {"why": why})
    return OneReader(language, positions)
