"""The archive: one page, put where the editors like it; everything else lives under it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin
from wagtail.models import Page


class ArchivePageMixin(RoutablePageMixin):
    """The archive's routes, for a site whose base page is its own (Wagtail 8 lets it swap)."""


class ArchivePage(ArchivePageMixin, Page):
    introduction = models.TextField(_("introduction"), blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("introduction")]
    max_count = 1
    template = "newsletter/archive/home.html"

    class Meta:
        verbose_name = _("newsletter archive")
        verbose_name_plural = _("newsletter archives")
