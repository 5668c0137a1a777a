"""An issue beside its editor: the very mail that would be sent, in each of its dresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from wagtail.models import PreviewableMixin

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class MailPreviews(PreviewableMixin):
    @property
    def preview_modes(self) -> list[tuple[str, StrOrPromise]]:
        return [
            ("mail", _("Mail")),
            ("dark", _("Mail, in the dark")),
            ("text", _("Plain text")),
            ("web", _("Web page")),
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
        from newsletter.digests.render import in_the_dark, render

        content = content_as_edited(self)
        rendered = render(
            content,
            positions=[item.position for item in content.items],
            language=content.newsletter.language,
            mode="web" if mode_name == "web" else "preview",
            pictures=pictures_of_draft(self),
        )
        if mode_name == "text":
            return HttpResponse(rendered.text, content_type="text/plain; charset=utf-8")
        return HttpResponse(in_the_dark(rendered.html) if mode_name == "dark" else rendered.html)
