"""The archive: one page, put where the editors like it; everything else lives under it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.gzip import gzip_page
from wagtail.admin.panels import FieldPanel
from wagtail.contrib.routable_page.models import RoutablePageMixin, path, re_path
from wagtail.models import Page

from newsletter import conf
from newsletter.archive import published
from newsletter.archive.activity import counted_themes, months_of
from newsletter.archive.article import article_context
from newsletter.archive.feeds import KINDS, ArchiveFeed
from newsletter.archive.issue import issue_of
from newsletter.archive.issue_feeds import IssueFeed
from newsletter.archive.links import Links, links_of, source_tail
from newsletter.archive.listing import list_articles
from newsletter.archive.search import find_or_respell
from newsletter.archive.site_name import site_name
from newsletter.archive.years import issues_by_year, years_with_issues
from newsletter.articles.models import Article
from newsletter.digests.models import Newsletter
from newsletter.feeds.models import Feed
from newsletter.themes.models import Theme

LATEST = 9
MOST_LISTED = 40_000  # of the 50,000 addresses that a sitemap may have


class ArchivePageMixin(RoutablePageMixin):
    """The archive's routes, for a site whose base page is its own (Wagtail 8 lets it swap)."""

    @property
    def links(self) -> Links:
        return links_of(self)

    # Nothing in these pages is a secret that compression could give away (unlike the members').
    @method_decorator(gzip_page)
    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = super().serve(request, *args, **kwargs)
        return response

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        return context | {"links": self.links}

    def show(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        response: HttpResponse = self.render(
            request, context_overrides=context, template=f"newsletter/archive/{name}.html"
        )
        return response

    @path("")
    def front_page(self, request: HttpRequest) -> HttpResponse:
        newest = published.issues_out(timezone.now()).first()
        latest = published.for_listing(Article.objects.accepted().latest_first())[:LATEST]
        return self.show(
            request,
            "home",
            issue=issue_of(newest) if newest else None,
            latest=list(latest),
            themes=[one for one in counted_themes() if one.articles],
            current="home",
        )

    @path("articoli/")
    def every_article(self, request: HttpRequest) -> HttpResponse:
        listing = list_articles(Article.objects.accepted(), request.GET)
        return self.show(request, "articles", listing=listing, current="articles")

    @path("temi/")
    def every_theme(self, request: HttpRequest) -> HttpResponse:
        return self.show(request, "themes", themes=counted_themes(), current="themes")

    @path("tema/<slug:slug>/")
    def theme(self, request: HttpRequest, slug: str) -> HttpResponse:
        theme = get_object_or_404(Theme.objects.active(), slug=slug)
        articles = next((c.articles for c in counted_themes() if c.theme.pk == theme.pk), 0)
        return self.show(
            request,
            "theme",
            theme=theme,
            articles=articles,
            months=months_of(theme, now=timezone.now()),
            listing=list_articles(published.of_theme(theme.pk, articles=articles), request.GET),
            current="themes",
        )

    @re_path(r"^fonte/(\d{1,18})-([\w-]*)/$")
    def source(self, request: HttpRequest, pk: str, slug: str) -> HttpResponse:
        feed = get_object_or_404(Feed, pk=int(pk))
        if source_tail(feed) != f"fonte/{pk}-{slug}/":
            return HttpResponsePermanentRedirect(self.links.source(feed))
        listing = list_articles(Article.objects.accepted().filter(feed=feed), request.GET)
        if not listing.articles:
            raise Http404
        return self.show(request, "source", feed=feed, listing=listing, current="articles")

    @re_path(r"^articolo/(\d{1,18})(?:-([\w-]*))?/?$")
    def article(self, request: HttpRequest, pk: str, slug: str | None = None) -> HttpResponse:
        article: Article = get_object_or_404(
            published.readable_articles().select_related("feed"), pk=int(pk)
        )
        here = self.links.article(article)
        if request.path != here:
            return HttpResponsePermanentRedirect(here)
        return self.show(request, "article", **article_context(article))

    @path("archivio/")
    def issues(self, request: HttpRequest) -> HttpResponse:
        out = published.issues_out(timezone.now())
        return self.show(
            request,
            "issues",
            years=issues_by_year(out.defer("content")[:100]),
            every_year=years_with_issues(out),
            newsletters=Newsletter.objects.filter(is_public=True),
            current="issues",
        )

    @path("archivio/<int:year>/")
    def year(self, request: HttpRequest, year: int) -> HttpResponse:
        if not 1970 <= year <= 9000:
            raise Http404
        start, end = (
            timezone.make_aware(datetime(y, 1, 1)) for y in (year, year + 1)  # noqa: DTZ001
        )  # fmt: skip
        out = published.issues_out(timezone.now())
        issues = list(out.filter(out_at__gte=start, out_at__lt=end).defer("content")[:1000])
        listing = list_articles(
            Article.objects.accepted().filter(listed_at__gte=start, listed_at__lt=end),
            request.GET,
        )
        if not issues and not listing.articles:
            raise Http404
        return self.show(
            request,
            "year",
            year=year,
            issues=issues,
            every_year=years_with_issues(out),
            listing=listing,
            current="issues",
        )

    @path("numero/<slug:slug>/")
    def newsletter(self, request: HttpRequest, slug: str) -> HttpResponse:
        newsletter = get_object_or_404(Newsletter, slug=slug, is_public=True)
        out = published.issues_out(timezone.now()).filter(newsletter=newsletter)
        return self.show(
            request,
            "newsletter",
            newsletter=newsletter,
            years=issues_by_year(out.defer("content")[:500]),
            current="issues",
        )

    @path("numero/<slug:slug>/feed/<slug:kind>/")
    def issue_feed(self, request: HttpRequest, slug: str, kind: str) -> HttpResponse:
        if kind not in KINDS:
            raise Http404
        newsletter = get_object_or_404(Newsletter, slug=slug, is_public=True)
        view = IssueFeed(self.links, kind, newsletter, site_name=site_name(request))
        response: HttpResponse = view(request)
        return response

    @path("numero/<slug:slug>/<int:number>/")
    def issue(self, request: HttpRequest, slug: str, number: int) -> HttpResponse:
        digest = get_object_or_404(
            published.reachable_issues().select_related("newsletter"),
            newsletter__slug=slug,
            newsletter__is_public=True,
            number=min(number, 2**31 - 1),
        )
        neighbours = published.issues_out(timezone.now()).filter(newsletter=digest.newsletter)
        return self.show(
            request,
            "issue",
            issue=issue_of(digest),
            earlier=neighbours.filter(number__lt=digest.number).order_by("-number").first(),
            later=neighbours.filter(number__gt=digest.number).order_by("number").first(),
            current="issues",
        )

    @path("cerca/")
    def search(self, request: HttpRequest) -> HttpResponse:
        query = " ".join(request.GET.get("q", "").replace("\x00", " ").split())[:200]
        asked = request.GET.get("page", "")
        page = int(asked) if re.fullmatch("[0-9]{1,4}", asked) else 1
        found = find_or_respell(Article.objects.accepted(), query, page=page)
        themes = [one for one in counted_themes() if one.articles] if not found.articles else []
        return self.show(
            request, "search", query=query, found=found, themes=themes, current="search"
        )

    @path("feed/<slug:kind>/")
    def feed(self, request: HttpRequest, kind: str) -> HttpResponse:
        return self._feed(request, kind, theme=None)

    @path("tema/<slug:slug>/feed/<slug:kind>/")
    def theme_feed(self, request: HttpRequest, slug: str, kind: str) -> HttpResponse:
        return self._feed(request, kind, get_object_or_404(Theme.objects.active(), slug=slug))

    def _feed(self, request: HttpRequest, kind: str, theme: Theme | None) -> HttpResponse:
        if kind not in KINDS:
            raise Http404
        view = ArchiveFeed(self.links, kind, theme=theme, site_name=site_name(request))
        response: HttpResponse = view(request)
        return response

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[dict[str, Any]]:
        """The front page, the lists, themes and issues.

        Articles are not among them: they name their source as the original, or ask not to be
        indexed, and search engines complain of a list that says otherwise.
        """
        out = published.issues_out(timezone.now()).defer("content")
        newsletters = Newsletter.objects.filter(is_public=True)
        paths: list[tuple[str, date | None]] = [
            (path, None)
            for path in (
                self.links.root,
                self.links.articles(),
                self.links.themes(),
                self.links.issues(),
                *(self.links.theme(one.theme) for one in counted_themes() if one.articles),
                *(self.links.newsletter(newsletter) for newsletter in newsletters),
                *(self.links.year(year) for year in years_with_issues(out)),
            )
        ]
        paths += [(self.links.issue(digest), digest.out_at.date()) for digest in out[:MOST_LISTED]]
        return [{"location": conf.site_url(path), "lastmod": day} for path, day in paths]


class ArchivePage(ArchivePageMixin, Page):
    introduction = models.TextField(_("introduction"), blank=True)

    content_panels: ClassVar = [*Page.content_panels, FieldPanel("introduction")]
    max_count = 1
    template = "newsletter/archive/home.html"

    class Meta:
        verbose_name = _("newsletter archive")
        verbose_name_plural = _("newsletter archives")
