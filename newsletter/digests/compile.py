"""Proposes the next issue of a newsletter from what was accepted since the last one."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.digests.models import Digest, DigestItem, Newsletter, next_number
from newsletter.digests.proposal import Candidate, Chosen, ThemeScore, choose_articles
from newsletter.digests.schedule import next_slot, previous_slot
from newsletter.digests.wording import date_in_words, default_subject, one_line
from newsletter.themes.models import ThemeAssignment, ThemeAssignmentQuerySet

logger = logging.getLogger(__name__)

# More than any issue holds, so that a first issue over a long archive stays quick.
MOST_CANDIDATES = 500
# An ingest that was still running at the last compile carries earlier times; what is looked at
# twice does no harm, because an article goes into one issue of a newsletter only.
OVERLAP = timedelta(minutes=10)


def compile_digest(newsletter: Newsletter, *, slot: datetime, now: datetime) -> Digest:
    """The newsletter's digest for this slot: the one that is there, or a new draft.

    Candidates are the accepted articles that arrived, or were accepted, since the last issue was
    compiled, whatever date they carry, and that no issue of the newsletter has had, nor another
    piece of their story. With fewer
    than `min_items` the digest is `skipped`: it keeps a row with the reason but no number, and the
    articles stay candidates; until its slot comes, it is tried anew. An urgent notice without a
    schedule begins without articles, and moves nothing. What `max_items` leaves out
    is not carried over to the next issue. Safe to call from two processes at once: both get the
    same digest.
    """
    for attempt in (1, 2, 3):
        if existing := _settled(newsletter, slot, now).first():
            return existing
        try:
            with transaction.atomic():
                # Two compiles of one newsletter wait for each other, so numbers have no gap.
                Newsletter.objects.select_for_update().get(pk=newsletter.pk)
                if existing := _settled(newsletter, slot, now).first():
                    return existing
                newsletter.digests.filter(slot=slot).delete()
                return _compose(newsletter, slot=slot, now=now)
        except IntegrityError:
            if attempt == 3:
                raise
    raise AssertionError("unreachable")


def compile_due(*, now: datetime) -> list[Digest]:
    """Compile what has come within its hours to edit; the digests made now, skipped ones too.

    An issue with too few articles is decided at its slot, not before: more may come. A slot missed
    while nothing ran is made up within the grace period, later it is left to the next one.
    """
    made = []
    for newsletter in Newsletter.objects.filter(is_active=True).exclude(
        frequency=Newsletter.Frequency.MANUAL
    ):
        try:
            made += _compile_slots(newsletter, now)
        except Exception:
            # One newsletter that cannot be compiled must not stop the others; the next tick
            # tries again.
            logger.exception("newsletter %s: no digest could be made", newsletter.slug)
    return made


def candidates_for(
    newsletter: Newsletter, *, now: datetime, digest: Digest | None = None
) -> list[Candidate]:
    """What the next issue can choose from, the last to arrive first, in a fixed number of queries.

    With `digest`, what that draft could choose from were it not there yet.
    """
    scores = _scores()
    carried = DigestItem.objects.filter(digest__newsletter=newsletter, deferred=False).exclude(
        _never_sent("digest__")
    )
    if digest:
        carried = carried.exclude(digest=digest)
    had = carried.filter(article=OuterRef("pk"))
    # Another piece of a story that readers have had is no news to them.
    told = carried.filter(article__story=OuterRef("story"))
    last = _last_issue(newsletter, besides=digest)
    deferred = _deferred_since(newsletter, last, besides=digest)
    articles = Article.objects.accepted().filter(
        ~Exists(had), Q(story__isnull=True) | ~Exists(told), arrived_at__lte=now
    )
    waited = Q(pk__in=deferred)
    if last and last.window_end:
        since = last.window_end - OVERLAP
        articles = articles.filter(waited | Q(arrived_at__gt=since) | Q(triaged_at__gt=since))
    if chosen_themes := list(newsletter.themes.values_list("pk", flat=True)):
        of_its_themes = scores.filter(article=OuterRef("pk"), theme__in=chosen_themes)
        articles = articles.filter(waited | Exists(of_its_themes))
    rows = list(
        articles.only("listed_at", "story_id", "note", "image_url").order_by("-arrived_at", "-pk")[
            :MOST_CANDIDATES
        ]
    )
    themes: dict[int, list[ThemeScore]] = {}
    assignments = scores.filter(article__in=[row.pk for row in rows]).order_by(
        "theme__sort_order", "theme__name"
    )
    if chosen_themes:
        assignments = assignments.filter(theme__in=chosen_themes)
    places: dict[int, int] = {}
    for assignment in assignments:
        place = places.setdefault(assignment.theme_id, len(places))
        confirmed = assignment.decision == ThemeAssignment.Decision.CONFIRMED
        themes.setdefault(assignment.article_id, []).append(
            ThemeScore(assignment.theme_id, 1.0 if confirmed else assignment.confidence, place)
        )
    return [
        Candidate(
            article_id=row.pk,
            listed_at=row.listed_at,
            themes=tuple(themes.get(row.pk, ())),
            story_id=row.story_id,
            has_note=bool(row.note.strip()),
            has_image=bool(row.image_url),
            was_deferred=row.pk in deferred,
        )
        for row in rows
    ]


def _compile_slots(newsletter: Newsletter, now: datetime) -> list[Digest]:
    made = []
    for slot in _due_slots(newsletter, now):
        if _settled(newsletter, slot, now).exists():
            continue
        if slot > now and len(_proposal(newsletter, now)) < max(newsletter.min_items, 1):
            continue
        made.append(compile_digest(newsletter, slot=slot, now=now))
    return made


def _settled(newsletter: Newsletter, slot: datetime, now: datetime) -> QuerySet[Digest]:
    """The slot's digest, unless it was skipped too early and nobody has touched it since."""
    settled = Digest.objects.filter(newsletter=newsletter, slot=slot)
    if slot > now:
        settled = settled.exclude(status=Digest.Status.SKIPPED, latest_revision__isnull=True)
    return settled


def _compose(newsletter: Newsletter, *, slot: datetime, now: datetime) -> Digest:
    if newsletter.is_notice:
        return _notice(newsletter, slot=slot)
    chosen = _proposal(newsletter, now)
    if len(chosen) < max(newsletter.min_items, 1):
        return _skip(newsletter, len(chosen), slot=slot, now=now)
    lead = Article.objects.get(pk=chosen[0].article_id)
    number = next_number(newsletter)
    digest = Digest(
        newsletter=newsletter,
        number=number,
        slot=slot,
        subject=default_subject(
            one_line(newsletter.name), number, one_line(lead.display_title), newsletter.language
        ),
        introduction=newsletter.introduction,
        window_end=now,
        live=False,
    )
    digest.items = [
        DigestItem(
            article_id=choice.article_id,
            theme_id=choice.theme_id,
            is_lead=choice.is_lead,
            lead_reason=choice.lead_reason,
            sort_order=place,
        )
        for place, choice in enumerate(chosen)
    ]
    digest.save()
    # The admin's editor opens the latest revision.
    digest.save_revision()
    return digest


def _notice(newsletter: Newsletter, *, slot: datetime) -> Digest:
    """Empty but for the place where its text is written: nobody waits for fifteen articles to be
    taken out of it.
    """
    number = next_number(newsletter)
    digest = Digest(
        newsletter=newsletter,
        number=number,
        slot=slot,
        subject=one_line(newsletter.name),
        introduction=newsletter.introduction,
        opening=[("text", {"heading": "", "text": ""})],
        live=False,
    )
    digest.save()
    digest.save_revision()
    return digest


def _proposal(newsletter: Newsletter, now: datetime) -> list[Chosen]:
    return choose_articles(candidates_for(newsletter, now=now), limit=newsletter.max_items)


def _skip(newsletter: Newsletter, found: int, *, slot: datetime, now: datetime) -> Digest:
    last = newsletter.digests.filter(window_end__isnull=False).exclude(_never_sent()).first()
    with translation.override(newsletter.language):
        if found:
            reason = ngettext(
                "Only %(count)d article was accepted, the newsletter wants at least %(fewest)d.",
                "Only %(count)d articles were accepted, the newsletter wants at least %(fewest)d.",
                found,
            ) % {"count": found, "fewest": newsletter.min_items}
        elif last:
            reason = _("No article was accepted since N. %(number)s of %(date)s.") % {
                "number": last.number,
                "date": date_in_words(
                    last.slot.astimezone(newsletter.zone).date(), newsletter.language
                ),
            }
        else:
            reason = _("No article was accepted yet.")
    return Digest.objects.create(
        newsletter=newsletter,
        slot=slot,
        subject=one_line(newsletter.name),
        introduction=newsletter.introduction,
        status=Digest.Status.SKIPPED,
        status_reason=reason,
        window_end=now,
        live=False,
    )


def _last_issue(newsletter: Newsletter, *, besides: Digest | None) -> Digest | None:
    """The one up to which everything was considered."""
    issues = newsletter.digests.filter(window_end__isnull=False).exclude(_never_sent())
    if besides:
        issues = issues.exclude(pk=besides.pk)
    return issues.order_by("-window_end").defer("content").first()


def _deferred_since(
    newsletter: Newsletter, last: Digest | None, *, besides: Digest | None
) -> frozenset[int]:
    """What editors left out of the last issue, or of one made by hand after it, for the next."""
    left = DigestItem.objects.filter(digest__newsletter=newsletter, deferred=True).exclude(
        _never_sent("digest__")
    )
    if last:
        left = left.filter(digest__pk__gte=last.pk)
    if besides:
        left = left.exclude(digest=besides)
    return frozenset(left.values_list("article_id", flat=True))


def _never_sent(prefix: str = "") -> Q:
    """Issues that nobody got and nobody will: their articles are still news."""
    return Q(**{f"{prefix}status": Digest.Status.SKIPPED}) | Q(
        **{f"{prefix}status": Digest.Status.CANCELLED, f"{prefix}sending_at__isnull": True}
    )


def _scores() -> ThemeAssignmentQuerySet:
    said = Q(decision=ThemeAssignment.Decision.CONFIRMED) | Q(
        confidence__gte=conf.get("SUGGEST_THRESHOLD")
    )
    return ThemeAssignment.objects.standing().filter(said, theme__is_active=True)


def _due_slots(newsletter: Newsletter, now: datetime) -> list[datetime]:
    slots = []
    grace = timedelta(hours=conf.get("GRACE_HOURS"))
    last = previous_slot(newsletter, now)
    if last and last > now - grace and last > newsletter.created_at:
        slots.append(last)
    coming = next_slot(newsletter, now)
    if coming and coming - timedelta(hours=newsletter.lead_hours) <= now:
        slots.append(coming)
    return slots
