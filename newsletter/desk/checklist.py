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
from newsletter.desk.addressing import addressees_in_words
from newsletter.desk.audience import Audience, audience_of
from newsletter.desk.block_checks import oddities
from newsletter.desk.link_checks import of_the_links
from newsletter.desk.mail_checks import broken_links, leftovers, shortened_links
from newsletter.desk.sentences import moment_in_words
from newsletter.desk.warm_up_words import hosts_of_the_plan, warnings_of_the_plan
from newsletter.digests.addressees import Addressees
from newsletter.digests.content import DigestContent, content_and_pictures, content_of
from newsletter.digests.links import personal_links
from newsletter.digests.mail_links import links_and_words, to_follow
from newsletter.digests.models import Digest, DigestItem
from newsletter.digests.render import render
from newsletter.digests.slots import TOKEN_SLOT
from newsletter.digests.wording import one_line

SHOWN = 5  # of each kind of oddity
LARGE = 80_000  # bytes of HTML; Gmail cuts a mail at 102 KB


@dataclass(frozen=True)
class Check:
    passed: bool
    blocking: bool
    text: str
    by_following: bool = False  # what it says comes from following the links


def going_sentence(
    digest: Digest, audience: Audience, to_whom: Addressees, *, now: datetime
) -> str:
    """ "Thursday 16 July 2026, 08:00: to 1,284 readers of Every week"."""
    readers = audience.readers or audience.waiting
    to = ngettext(
        "to %(readers)s reader of %(newsletter)s",
        "to %(readers)s readers of %(newsletter)s",
        readers,
    ) % {"readers": f"{readers:,}".replace(",", "\u202f"), "newsletter": digest.newsletter.name}
    if who := addressees_in_words(to_whom):
        to = _("%(to)s, only those %(who)s") % {"to": to, "who": who}
    if audience.waiting:
        to = _("%(to)s, once something is in it") % {"to": to}
    if digest.slot <= now:
        return _("As soon as it is approved, %(to)s") % {"to": to}
    return f"{capfirst(moment_in_words(digest.slot, digest.newsletter))}: {to}"


def check(digest: Digest) -> list[Check]:
    """Run on the very mail that would be sent from the latest revision."""
    return checks_and_audience(digest, now=timezone.now())[0]


def checks_and_audience(digest: Digest, *, now: datetime) -> tuple[list[Check], Audience]:
    """The same with who would get it; what each of them would read is rendered once."""
    content, pictures = content_and_pictures(digest)
    hosts = hosts_of_the_plan()
    audience = audience_of(digest.newsletter, content, now=now, hosts=hosts)
    checks = [
        Check(bool(content.items or content.blocks), True, _articles(content)),
        Check(
            bool(content.subject),
            True,
            _("It has a subject.") if content.subject else _("The subject is missing."),
        ),
        *_bare_subject(content),
        Check(
            bool(content.newsletter.sender_email),
            True,
            _("It has a sender.")
            if content.newsletter.sender_email
            else _("The newsletter has no sender's address."),
        ),
        Check(audience.readers + audience.waiting > 0, True, _readers(audience)),
    ]
    if not content.addressees.everybody:
        checks.append(_addressees(content.addressees, audience))
    checks += _of_the_publishers(digest)
    checks += [Check(False, False, said) for said in oddities(content, pictures)]
    if content.items or content.blocks:
        mail = _whole_mail(content)
        checks += [*_of_the_mail(content, mail), _size(mail), _sent_before(digest, content)]
    checks += [
        Check(False, False, said)
        for said in warnings_of_the_plan(digest, audience.readers, audience.at_hosts, now=now)
    ]
    if digest.slot <= now:
        checks.append(Check(False, False, _("Its time has passed: approved, it goes at once.")))
    return checks, audience


def mail_weight(digest: Digest) -> int:
    """Bytes of HTML of the latest revision, for a reader who gets all of it."""
    return len(_whole_mail(content_of(digest)).encode())


def _whole_mail(content: DigestContent) -> str:
    positions = [item.position for item in content.items]
    return render(content, positions=positions, language=content.newsletter.language).html


def _addressees(to: Addressees, audience: Audience) -> Check:
    if not to.whole:
        gone = _("It is addressed to a theme or newsletter that is gone. Choose anew.")
        return Check(False, True, gone)
    said = ngettext(
        "It is addressed to %(addressed)d of %(all)d subscribed reader: those %(who)s.",
        "It is addressed to %(addressed)d of %(all)d subscribed readers: those %(who)s.",
        audience.subscribed,
    ) % {
        "addressed": audience.addressed,
        "all": audience.subscribed,
        "who": addressees_in_words(to),
    }
    return Check(audience.addressed > 0, True, said)


def _readers(audience: Audience) -> str:
    if audience.readers or audience.waiting:
        return _("It has readers.")
    if audience.subscribed and not audience.addressed:
        return _("Nobody would get it: it is addressed to nobody who subscribed.")
    if audience.subscribed:
        return _("Nobody would get it: all who subscribed are left out.")
    return _("Nobody has subscribed to this newsletter yet.")


def _of_the_mail(content: DigestContent, html: str) -> list[Check]:
    """What the compiled mail itself shows; only what is amiss, and that one can leave."""
    followed, words = links_and_words(html)
    links = [link.url for link in followed]
    leave = personal_links(TOKEN_SLOT, content.newsletter.slug).unsubscribe
    checks = [
        Check(True, True, _("Readers can unsubscribe with a link in it."))
        if leave in links
        else Check(False, True, _("The link to unsubscribe is missing."))
    ]
    found = [
        (_("Links that lead nowhere from a mailbox: %(which)s"), broken_links(links)),
        (_("Shortened links, which mail filters distrust: %(which)s"), shortened_links(links)),
        (_("Words that look left over from a template: %(which)s"), leftovers(words)),
    ]
    checks += [
        Check(False, False, said % {"which": "; ".join(which[:SHOWN])})
        for said, which in found
        if which
    ]
    if len(checks) == 1:
        checks.append(Check(True, False, _("Its links are whole, and nothing is left over.")))
    answers = of_the_links(to_follow(followed, content.digest_uid), shown=SHOWN)
    return checks + [Check(passed, False, said, by_following=True) for passed, said in answers]


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


def _bare_subject(content: DigestContent) -> list[Check]:
    """As a notice begins: readers would not know from it what has happened."""
    if content.subject != one_line(content.newsletter.name):
        return []
    said = _("The subject is only the newsletter's name: say what has happened.")
    return [Check(False, False, said)]


def _articles(content: DigestContent) -> str:
    if not content.items:
        if content.blocks:
            return _("It has no articles: everybody gets what you wrote around them.")
        if content.newsletter.urgent:
            return _("Nothing is in it yet: write what has happened.")
        return _("It has no articles yet.")
    count = len(content.items)
    return ngettext("It has %(count)d article.", "It has %(count)d articles.", count) % {
        "count": count
    }


def _size(html: str) -> Check:
    size = len(html.encode())
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
        .filter(digest__approved_at__isnull=False, deferred=False)
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
