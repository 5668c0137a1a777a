"""What to look at before a digest goes: what blocks it, and what a careful editor would mend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.articles.models import Article, ArticleVersion
from newsletter.desk.sentences import moment_in_words
from newsletter.digests.content import DigestContent, content_of
from newsletter.digests.models import Digest, DigestItem, Newsletter
from newsletter.digests.render import render
from newsletter.members.models import Subscription

LARGE = 80_000  # bytes of HTML; Gmail cuts a mail at 102 KB


@dataclass(frozen=True)
class Check:
    passed: bool
    blocking: bool
    text: str


def readers_of(newsletter: Newsletter) -> int:
    return Subscription.objects.filter(
        newsletter=newsletter,
        state=Subscription.State.ACTIVE,
        member__confirmed_at__isnull=False,
    ).count()


def going_sentence(digest: Digest, readers: int, *, now: datetime) -> str:
    """ "Thursday 16 July 2026, 08:00: to 1,284 readers of Every week"."""
    to = ngettext(
        "to %(readers)s reader of %(newsletter)s",
        "to %(readers)s readers of %(newsletter)s",
        readers,
    ) % {"readers": f"{readers:,}".replace(",", "\u202f"), "newsletter": digest.newsletter.name}
    if digest.slot <= now:
        return _("As soon as it is approved, %(to)s") % {"to": to}
    return f"{capfirst(moment_in_words(digest.slot, digest.newsletter))}: {to}"


def check(digest: Digest) -> list[Check]:
    """Run on the very mail that would be sent from the latest revision."""
    content = content_of(digest)
    readers = readers_of(digest.newsletter)
    checks = [
        Check(bool(content.items), True, _articles(content)),
        Check(
            bool(content.subject),
            True,
            _("It has a subject.") if content.subject else _("The subject is missing."),
        ),
        Check(
            bool(content.newsletter.sender_email),
            True,
            _("It has a sender.")
            if content.newsletter.sender_email
            else _("The newsletter has no sender's address."),
        ),
        Check(
            readers > 0,
            False,
            _("It has readers.") if readers else _("Nobody has subscribed to this newsletter yet."),
        ),
    ]
    checks += _of_the_publishers(digest)
    if content.items:
        checks += [_size(content), _sent_before(digest, content)]
    if digest.slot <= timezone.now():
        checks.append(Check(False, False, _("Its time has passed: approved, it goes at once.")))
    return checks


def _of_the_publishers(digest: Digest) -> list[Check]:
    """What the publishers did to the articles after somebody chose them."""
    draft = digest.get_latest_revision_as_object()
    chosen = Article.objects.filter(pk__in=[item.article_id for item in draft.items.all()])
    standing = chosen.exclude(state=Article.State.WITHDRAWN)
    since = Coalesce("article__triaged_at", "article__arrived_at")
    edits = ArticleVersion.objects.filter(article__in=standing, replaced_at__gt=since)
    found = [
        (
            _("Left out, because the publisher withdrew it: %(titles)s"),
            chosen.filter(state=Article.State.WITHDRAWN),
        ),
        (
            _("Missing at its address; it is left out if it still is in a while: %(titles)s"),
            standing.filter(address__missing__gt=0),
        ),
        (
            _("Changed by its publisher since it was accepted: %(titles)s"),
            standing.filter(pk__in=edits.values("article_id")),
        ),
    ]
    return [
        Check(False, False, said % {"titles": "; ".join(a.display_title for a in articles)})
        for said, articles in found
        if articles
    ]


def _articles(content: DigestContent) -> str:
    if not content.items:
        return _("It has no articles yet.")
    count = len(content.items)
    return ngettext("It has %(count)d article.", "It has %(count)d articles.", count) % {
        "count": count
    }


def _size(content: DigestContent) -> Check:
    positions = [item.position for item in content.items]
    rendered = render(content, positions=positions, language=content.newsletter.language)
    size = len(rendered.html.encode())
    kilobytes = {"size": round(size / 1000)}
    if size < LARGE:
        return Check(True, False, _("The mail weighs %(size)d KB.") % kilobytes)
    return Check(
        False,
        False,
        _("The mail weighs %(size)d KB: Gmail cuts off what is beyond 102.") % kilobytes,
    )


def _sent_before(digest: Digest, content: DigestContent) -> Check:
    ids = [item.article_id for item in content.items]
    again = (
        DigestItem.objects.filter(article__in=ids, digest__newsletter=digest.newsletter_id)
        .filter(digest__approved_at__isnull=False)
        .exclude(digest=digest.pk)
        .exclude(digest__status=Digest.Status.CANCELLED)
        .values_list("article__title", flat=True)
        .distinct()
    )
    titles = list(again)
    if not titles:
        return Check(True, False, _("No article was in an earlier issue."))
    return Check(
        False, False, _("In an earlier issue already: %(titles)s") % {"titles": "; ".join(titles)}
    )
