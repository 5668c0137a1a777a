"""Approval settles what an issue says; from then on it is only copied."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from newsletter.digests.content import DigestContent, content_as_edited
from newsletter.digests.links import personal_links
from newsletter.digests.models import Digest, Newsletter, Variant
from newsletter.digests.pictures import keep_pictures, pictures_of_draft
from newsletter.digests.render import render
from newsletter.digests.slots import TOKEN_SLOT
from newsletter.digests.variants import variant_key
from newsletter.exceptions import DigestNotReady, SecondApprovalWanted


@transaction.atomic
def freeze_content(
    digest: Digest, *, now: datetime, by: AbstractBaseUser | None = None
) -> DigestContent:
    """Fix the latest revision as what is sent, publish it, and mark the digest approved.

    Frozen before: the content as it was then, whatever was edited since. Raises DigestNotReady
    with what is missing, and then nothing has changed. Where two people have to approve, a second
    one is wanted after the first (`give_first_word`): SecondApprovalWanted. Without `by` it is the
    clock, or the operator at the server's command line: that is no first word, but may be the
    second. `digest` itself is brought up to date.
    """
    row = Digest.objects.select_for_update(of=("self",)).get(pk=digest.pk)
    if row.status == Digest.Status.CANCELLED:
        raise DigestNotReady(
            _("%(digest)s was cancelled. Make a new digest.") % {"digest": str(row)}
        )
    if row.is_frozen:
        digest.refresh_from_db()
        return DigestContent.from_json(row.content or {})
    # With its own session's latest revision, not one the caller read a while ago.
    draft = row.get_latest_revision_as_object()
    content = content_as_edited(draft)
    _check(row, draft, content)
    if not _has_word_enough(row, draft.newsletter, content, by):
        raise SecondApprovalWanted(
            _("%(digest)s goes out when two people have approved it in the admin.")
            % {"digest": str(row)}
        )
    Digest.objects.filter(pk=row.pk).update(
        newsletter=draft.newsletter_id,
        number=content.number,
        slot=draft.slot,
        status=Digest.Status.APPROVED,
        status_reason="",
        approved_at=now,
        approved_by=by,
        content=content.to_json(),
        content_hash=content.hash(),
    )
    keep_pictures(row, pictures_of_draft(draft))
    # Published after the row is frozen: who listens to `published` and approves finds it done.
    _publish(row, by)
    digest.refresh_from_db()
    return content


@transaction.atomic
def give_first_word(digest_id: int, by: AbstractBaseUser) -> None:
    """Note that this person approves the issue as it stands, in the place of any earlier one.

    It holds for this very content: any change asks for both again.
    """
    row = Digest.objects.select_for_update(of=("self",)).get(pk=digest_id)
    content = content_as_edited(row.get_latest_revision_as_object())
    Digest.objects.filter(pk=row.pk, approved_at__isnull=True).update(
        first_approved_by=by, first_approved_hash=content.hash()
    )


def _has_word_enough(
    row: Digest, newsletter: Newsletter, content: DigestContent, by: AbstractBaseUser | None
) -> bool:
    if newsletter.needed_approvals < 2:
        return True
    first = row.first_approved_by_id
    another = first is not None and (by is None or first != by.pk)
    return another and row.first_approved_hash == content.hash()


def make_variant(
    digest: Digest, content: DigestContent, positions: Iterable[int], language: str
) -> Variant:
    """The variant for these items in this language; rendered once, whoever asks for it again."""
    shown = sorted(positions)
    key = variant_key(language, shown)
    if existing := Variant.objects.filter(digest=digest, key=key).first():
        return existing
    rendered = render(content, positions=shown, language=language)
    leave = personal_links(TOKEN_SLOT, content.newsletter.slug).unsubscribe
    # A site's own template may have lost it; nobody must get a mail that they cannot stop.
    if f'href="{leave}"' not in rendered.html or leave not in rendered.text:
        raise DigestNotReady(
            _("%(digest)s has no link to unsubscribe in its mail. Mend the template of the mail.")
            % {"digest": str(digest)}
        )
    try:
        with transaction.atomic():
            return Variant.objects.create(
                digest=digest,
                key=key,
                language=language,
                items=shown,
                subject=rendered.subject,
                html=rendered.html,
                text=rendered.text,
            )
    except IntegrityError:  # rendered by another process in the meantime
        return Variant.objects.get(digest=digest, key=key)


def _check(row: Digest, draft: Digest, content: DigestContent) -> None:
    name = {"digest": str(row)}
    if not content.items and not content.blocks:
        raise DigestNotReady(_("%(digest)s has no articles. Add at least one.") % name)
    if not content.subject:
        raise DigestNotReady(_("%(digest)s has no subject. Write one.") % name)
    if not content.newsletter.sender_email:
        raise DigestNotReady(_("%(digest)s has no sender: give the newsletter an address.") % name)
    if not content.addressees.whole:
        raise DigestNotReady(
            _("%(digest)s is addressed to a theme or newsletter that is gone. Choose anew.") % name
        )
    others = Digest.objects.filter(newsletter=draft.newsletter_id).exclude(pk=row.pk)
    if others.filter(slot=draft.slot).exists():
        raise DigestNotReady(
            _("%(digest)s goes out at the same moment as another issue. Change its time.") % name
        )
    if others.filter(number=content.number).exists():
        raise DigestNotReady(_("%(digest)s has the number of another issue. Change it.") % name)


def _publish(row: Digest, by: AbstractBaseUser | None) -> None:
    frozen = Digest.objects.get(pk=row.pk)
    if frozen.live and not frozen.has_unpublished_changes:
        return
    revision = frozen.get_latest_revision() or frozen.save_revision(user=by)
    revision.publish(user=by, skip_permission_checks=True)
