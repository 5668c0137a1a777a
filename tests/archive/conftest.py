"""An archive at the site's root, and issues as the freeze leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from wagtail.models import Locale, Page, Site

from newsletter.archive.models import ArchivePage
from newsletter.articles.models import Article
from newsletter.digests.content import content_of
from newsletter.digests.models import Digest, Newsletter
from tests.builders import NOW, make_digest


@pytest.fixture(autouse=True)
def nothing_counted_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def archive(db: None) -> ArchivePage:
    # A test with real transactions leaves the database without what migrations put there.
    Locale.objects.get_or_create(language_code=settings.LANGUAGE_CODE)
    root = Page.get_first_root_node() or Page.add_root(title="Root", slug="root")
    page: ArchivePage = root.add_child(
        instance=ArchivePage(title="Archivio", slug="archivio", introduction="Notizie dal lavoro.")
    )
    Site.objects.update_or_create(
        is_default_site=True,
        defaults={"hostname": "localhost", "root_page": page.page_ptr, "site_name": "Bollettino"},
    )
    Site.clear_site_root_paths_cache()
    return page


@pytest.fixture
def make_issue(db: None) -> Callable[..., Digest]:
    def make(
        *articles: Article,
        newsletter: Newsletter | None = None,
        status: str = Digest.Status.SENT,
        **fields: Any,
    ) -> Digest:
        digest = make_digest(newsletter, articles=articles, **fields)
        digest.content = content_of(digest).to_json()
        digest.status = status
        digest.approved_at = NOW
        digest.save()
        return digest

    return make
