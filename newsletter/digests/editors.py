"""Mail to those who work at the desk: who wants which, in whose language, and never twice."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from enum import StrEnum
from smtplib import SMTPConnectError
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from newsletter import conf
from newsletter.digests.models import Digest

logger = logging.getLogger(__name__)

# Whatever went wrong, nothing had been handed over yet: the only errors after which a second try
# cannot bring the same mail twice.
_NOT_CONNECTED = (ConnectionRefusedError, socket.gaierror, SMTPConnectError)


class Notice(StrEnum):
    """The kinds of mail; each is a field of `EditorMail`."""

    DRAFT_READY = "draft_ready"
    SLOT_NEAR = "slot_near"


class EditorMail(models.Model):
    """What somebody chose in their account; no row means all of it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="newsletter_mail"
    )
    draft_ready = models.BooleanField(_("a draft is ready"), default=True)
    slot_near = models.BooleanField(
        _("a draft's time comes near and nobody has approved it"), default=True
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("mail to an editor")
        verbose_name_plural = _("mail to editors")

    def __str__(self) -> str:
        return f"mail to {self.user_id}"


def tell(
    digest: Digest, notice: Notice, permission: str, write: Callable[[], tuple[str, str]]
) -> bool:
    """Mails subject and body, one mail each: colleagues' addresses are not everybody's business.

    `write` is called in each one's language. False only when the mail server could not be reached
    at all and nobody got anything: then it is worth a new try.
    """
    users = get_user_model()._default_manager.with_perm(
        permission, backend="django.contrib.auth.backends.ModelBackend"
    )
    wanted = users.filter(is_active=True).exclude(email="")
    unreached = 0
    tried = 0
    for user in wanted.exclude(**{f"newsletter_mail__{notice}": False}).order_by("pk"):
        tried += 1
        with translation.override(_language_of(user) or digest.newsletter.language):
            subject, body = write()
        try:
            EmailMessage(subject, body, to=[user.email]).send()
        except OSError as error:  # no mail server, or it refused (smtplib.SMTPException is one)
            # Not its words: they name the address.
            kind = type(error).__name__
            logger.warning("%s: editor %s could not be mailed: %s", digest, user.pk, kind)
            unreached += isinstance(error, _NOT_CONNECTED)
    return not unreached or unreached < tried


def edit_url(digest: Digest) -> str:
    try:
        # Also loads the admin's addresses: a worker has not needed any of them so far.
        home = reverse("wagtailadmin_home")
    except NoReverseMatch:  # a site without the admin
        return conf.site_url("/")
    viewset = getattr(Digest, "snippet_viewset", None)
    return conf.site_url(
        reverse(viewset.get_url_name("edit"), args=[digest.pk]) if viewset else home
    )


def account_url() -> str:
    try:
        return conf.site_url(reverse("wagtailadmin_account"))
    except NoReverseMatch:
        return conf.site_url("/")


def _language_of(user: Any) -> str:
    """What the user chose in Wagtail's account page; empty when nothing was chosen."""
    profile = getattr(user, "wagtail_userprofile", None)
    return profile.preferred_language if profile else ""
