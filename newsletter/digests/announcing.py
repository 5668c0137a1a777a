"""A draft has been composed: those who may edit it learn of it, once."""

from __future__ import annotations

from datetime import datetime

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsletter.articles.models import Article
from newsletter.digests.editors import Notice, account_url, edit_url, tell
from newsletter.digests.models import Digest, Newsletter
from newsletter.digests.wording import inside_a_sentence, one_line

COUNT_UP_TO = 1000


def announce(*, now: datetime) -> list[Digest]:
    """Mail the editors, once per draft that composed itself; the drafts they were told of."""
    ready = (
        Digest.objects.filter(
            status=Digest.Status.DRAFT,
            approved_at__isnull=True,
            announced_at__isnull=True,
            window_end__isnull=False,  # one made by hand is known to whoever made it
            slot__gt=now,
        )
        .exclude(newsletter__frequency=Newsletter.Frequency.MANUAL)
        .select_related("newsletter")
        .order_by("slot", "pk")
    )
    told = []
    for digest in ready:
        # Claimed before it is sent: whatever happens next, nobody is told twice.
        unclaimed = Digest.objects.filter(pk=digest.pk, announced_at__isnull=True)
        if not unclaimed.update(announced_at=now):
            continue
        if tell(digest, Notice.DRAFT_READY, "newsletter.change_digest", _Words(digest)):
            told.append(digest)
        else:
            Digest.objects.filter(pk=digest.pk).update(announced_at=None)
    return told


class _Words:
    """Subject and body in the language that is active when it is called."""

    def __init__(self, digest: Digest) -> None:
        self.digest = digest
        draft = digest.get_latest_revision_as_object()
        self.items = sum(not item.deferred for item in draft.items.all())
        waiting = Article.objects.to_triage().one_per_story()
        self.waiting = waiting[:COUNT_UP_TO].count()

    def __call__(self) -> tuple[str, str]:
        digest, items, waiting = self.digest, self.items, self.waiting
        local = localtime(digest.slot, digest.newsletter.zone)
        by_itself = digest.newsletter.when_unapproved == Newsletter.WhenUnapproved.SEND
        lines = [
            ngettext(
                "%(digest)s is composed: %(count)d article is proposed.",
                "%(digest)s is composed: %(count)d articles are proposed.",
                items,
            )
            % {"digest": digest, "count": items},
            (
                _("It goes out on %(slot)s, as it is if nobody changes it.")
                if by_itself
                else _("It should go out on %(slot)s, once somebody has approved it.")
            )
            % {"slot": inside_a_sentence(date_format(local, "l j F, H:i"))},
        ]
        if waiting:
            lines.append(
                ngettext(
                    "%(count)d article more waits in the inbox.",
                    "%(count)d articles more wait in the inbox.",
                    waiting,
                )
                % {"count": waiting}
            )
        lines += [
            "",
            _("Look at it here:"),
            edit_url(digest),
            "",
            _("No such mails any more? Switch them off in your account:"),
            account_url(),
            "",
        ]
        subject = _("Draft ready: %(digest)s") % {"digest": one_line(str(digest))}
        return subject, "\n".join(lines)
