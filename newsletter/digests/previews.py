"""An issue beside its editor: the very mail that would be sent, in each of its dresses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.models import PreviewableMixin

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MailPreviews(PreviewableMixin):
    # What each kind of reader gets, named by `readers_mode`: filled in where they are known.
    reader_modes: Sequence[tuple[str, StrOrPromise]] = ()

    @property
    def preview_modes(self) -> list[tuple[str, StrOrPromise]]:
        return [
            ("mail", _("Mail")),
            ("dark", _("Mail, in the dark")),
            ("no-pictures", _("Mail, pictures hidden")),
            ("text", _("Plain text")),
            ("web", _("Web page")),
            *self.reader_modes,
        ]

    @property
    def preview_sizes(self) -> list[dict[str, Any]]:
        return [
            {
                "name": "phone",
                "icon": "mobile-alt",
                "device_width": 360,
                "label": _("Preview on a phone"),
            },
            {
                "name": "desktop",
                "icon": "desktop",
                "device_width": 1280,
                "label": _("Preview on a computer"),
            },
        ]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """What the send would render from this object as it is being edited."""
        from newsletter.digests.content import content_as_edited
        from newsletter.digests.pictures import pictures_of_draft
        from newsletter.digests.render import in_the_dark, render, without_pictures

        content = content_as_edited(self)
        language, article_ids = asked_readers(mode_name)
        rendered = render(
            content,
            positions=[
                item.position
                for item in content.items
                if not article_ids or item.article_id in article_ids
            ],
            language=language or content.newsletter.language,
            mode="web" if mode_name == "web" else "preview",
            pictures=pictures_of_draft(self),
        )
        if mode_name == "text":
            return HttpResponse(rendered.text, content_type="text/plain; charset=utf-8")
        dressed = {"dark": in_the_dark, "no-pictures": without_pictures}.get(mode_name, str)
        return HttpResponse(dressed(rendered.html))


def readers_mode(language: str, article_ids: Iterable[int]) -> str:
    """The preview of those who get these articles: by article, for places move while one edits."""
    return f"readers-{language}-{'.'.join(str(pk) for pk in article_ids)}"


def asked_readers(mode_name: str) -> tuple[str, frozenset[int]]:
    """Language and articles of a `readers_mode`; of any other, nothing in particular."""
    found = re.fullmatch(r"readers-(it|en)-([0-9.]*)", mode_name)
    if not found:
        return "", frozenset()
    return found[1], frozenset(int(pk) for pk in found[2].split(".") if pk)
