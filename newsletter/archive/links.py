"""Where things stand in the archive: one place knows the shape of its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import slugify
from wagtail.models import Page

if TYPE_CHECKING:
    from newsletter.articles.models import Article
    from newsletter.digests.models import Digest, Newsletter
    from newsletter.feeds.models import Feed
    from newsletter.themes.models import Theme


def article_tail(article_id: int, slug: str) -> str:
    return f"articolo/{article_id}-{slug}/"


def source_tail(feed: Feed) -> str:
    return f"fonte/{feed.pk}-{slugify(str(feed))[:60] or 'fonte'}/"


@dataclass(frozen=True)
class Links:
    """Paths under an archive page. `root` is that page's own path and ends with a slash."""

    root: str

    def article(self, article: Article) -> str:
        return self.root + article_tail(article.pk, article.slug)

    def articles(self) -> str:
        return f"{self.root}articoli/"

    def theme(self, theme: Theme) -> str:
        return f"{self.root}tema/{theme.slug}/"

    def themes(self) -> str:
        return f"{self.root}temi/"

    def source(self, feed: Feed) -> str:
        return self.root + source_tail(feed)

    def newsletter(self, newsletter: Newsletter) -> str:
        return f"{self.root}numero/{newsletter.slug}/"

    def issue(self, digest: Digest) -> str:
        return f"{self.newsletter(digest.newsletter)}{digest.number}/"

    def issue_feed(self, kind: str, newsletter: Newsletter) -> str:
        return f"{self.newsletter(newsletter)}feed/{kind}/"

    def issues(self) -> str:
        return f"{self.root}archivio/"

    def year(self, year: int) -> str:
        return f"{self.root}archivio/{year}/"

    def search(self) -> str:
        return f"{self.root}cerca/"

    def feed(self, kind: str, theme: Theme | None = None) -> str:
        return f"{self.theme(theme) if theme else self.root}feed/{kind}/"


def find_archive() -> Page | None:
    """The page that holds the archive: the first live one, whichever class a site gave it."""
    from newsletter.archive.models import ArchivePageMixin

    page: Page | None = Page.objects.live().type(ArchivePageMixin).order_by("pk").first()
    return page


def links_of(page: Page) -> Links:
    # Wagtail's own site record may name another host than the one mails point to: the path is
    # all that is taken from it.
    parts = page.get_url_parts()
    return Links(root=parts[2] if parts and parts[2] else "/")


def find_links() -> Links | None:
    page = find_archive()
    return links_of(page) if page else None
