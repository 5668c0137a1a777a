"""What an entry becomes, once, however many feeds carry it."""

from __future__ import annotations

import unicodedata
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _
from wagtail.search import index
from wagtail.search.queryset import SearchableQuerySetMixin

from newsletter.feeds.models import Feed


class Story(models.Model):
    """Articles that tell the same news."""

    created_at = models.DateTimeField(auto_now_add=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("stories")

    def __str__(self) -> str:
        return f"story {self.pk}"


class ArticleQuerySet(SearchableQuerySetMixin, models.QuerySet["Article"]):
    def accepted(self) -> ArticleQuerySet:
        return self.filter(state=Article.State.ACCEPTED)

    def to_triage(self) -> ArticleQuerySet:
        """New articles; not those of a story that an accepted article tells already."""
        # Without a story there is none to be told: "or no story" beside it would have PostgreSQL
        # read every accepted article.
        told = Article.objects.accepted().filter(story=OuterRef("story"))
        return self.filter(~Exists(told), state=Article.State.NEW)

    def one_per_story(self) -> ArticleQuerySet:
        """Of each story's articles among these, the first that told it."""
        earlier = Q(listed_at__lt=OuterRef("listed_at")) | Q(
            listed_at=OuterRef("listed_at"), pk__lt=OuterRef("pk")
        )
        told_before = self.order_by().filter(earlier, story=OuterRef("story"))
        return self.filter(~Exists(told_before))

    def latest_first(self) -> ArticleQuerySet:
        return self.order_by("-listed_at", "-pk")


class Article(index.Indexed, models.Model):  # type: ignore[django-manager-missing]
    class State(models.TextChoices):
        NEW = "new", _("To triage")
        ACCEPTED = "accepted", _("Accepted")
        REJECTED = "rejected", _("Rejected")
        WITHDRAWN = "withdrawn", _("Withdrawn by the publisher")

    # The feed that brought it first; other places are its sightings.
    feed = models.ForeignKey(
        Feed, on_delete=models.SET_NULL, null=True, blank=True, related_name="articles"
    )
    story = models.ForeignKey(
        Story, on_delete=models.SET_NULL, null=True, blank=True, related_name="articles"
    )
    url = models.URLField(_("address"), max_length=2000)
    title = models.CharField(_("title"), max_length=500)
    excerpt = models.TextField(_("excerpt"), blank=True)  # plain text, ends at a sentence
    body_html = models.TextField(_("text"), blank=True)  # cleaned, safe to show
    body_text = models.TextField(blank=True, editable=False)  # plain, for search and themes
    language = models.CharField(_("language"), max_length=10, blank=True)  # "it", "en", …
    author = models.CharField(_("author"), max_length=255, blank=True)
    categories = models.JSONField(_("feed categories"), default=list, blank=True)
    image_url = models.URLField(_("image"), max_length=2000, blank=True)
    image_alt = models.CharField(_("image description"), max_length=500, blank=True)

    # A repost's source line: "(Fonte) Zelin Wang – 13 agosto 2025".
    original_author = models.CharField(_("original author"), max_length=255, blank=True)
    original_source = models.CharField(_("original source"), max_length=255, blank=True)
    original_date = models.DateField(_("original date"), null=True, blank=True)
    original_url = models.URLField(_("original address"), max_length=2000, blank=True)
    # What a "first appeared on" footer says: the blog's name and address.
    attribution_title = models.CharField(_("first appeared on"), max_length=255, blank=True)
    attribution_url = models.URLField(max_length=2000, blank=True)

    published_at = models.DateTimeField(_("published"), null=True, blank=True)  # None: undated
    arrived_at = models.DateTimeField(_("arrived"))
    changed_at = models.DateTimeField(_("changed"))  # of the content, by us or upstream
    # Sort key of listings and the archive: published_at, or arrived_at when undated or future.
    listed_at = models.DateTimeField(editable=False)
    content_hash = models.CharField(max_length=64, editable=False)

    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEW)
    triaged_at = models.DateTimeField(null=True, blank=True, editable=False)
    triaged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
    )

    # The editors' own words; empty means the publisher's.
    editor_title = models.CharField(_("title for the digest"), max_length=500, blank=True)
    editor_excerpt = models.TextField(_("excerpt for the digest"), blank=True)
    note = models.TextField(_("why it matters"), blank=True)

    objects = ArticleQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    search_fields: ClassVar = [
        index.SearchField("title", boost=3),
        index.SearchField("editor_title", boost=3),
        index.SearchField("body_text"),
        # PostgreSQL's search takes "perché" and "perche" for two words (SQLite's does not).
        index.SearchField("accentless"),
        index.SearchField("original_author"),
        index.AutocompleteField("title"),
        index.FilterField("state"),
        index.FilterField("language"),
        index.FilterField("feed"),
        index.FilterField("listed_at"),
        index.FilterField("arrived_at"),
        # The desk sorts by it and narrows a search to what its filters found.
        index.FilterField("id"),
    ]

    class Meta:
        verbose_name = _("article")
        verbose_name_plural = _("articles")
        ordering: ClassVar = ["-listed_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["state", "-listed_at", "-id"], name="article_listing"),
            models.Index(fields=["state", "arrived_at"], name="article_arrival"),
            models.Index(fields=["state", "triaged_at"], name="article_triage"),
            # To undo a decision. Most of a large archive was decided upon by nobody: with those in
            # it, SQLite takes such an index for useless and reads every article.
            models.Index(
                fields=["triaged_at"], condition=Q(triaged_at__isnull=False), name="article_decided"
            ),
            models.Index(fields=["changed_at"], name="article_changed"),
            models.Index(fields=["language"], name="article_language"),
        ]
        permissions: ClassVar = [("triage_article", _("Can accept, reject and retag articles"))]

    def __str__(self) -> str:
        return self.display_title

    @property
    def display_title(self) -> str:
        return self.editor_title or self.title

    @property
    def display_excerpt(self) -> str:
        return self.editor_excerpt or self.excerpt

    @property
    def slug(self) -> str:
        """The readable end of the archive's address; the id before it is what counts."""
        return slugify(self.title)[:60].strip("-") or "articolo"

    def accentless(self) -> str:
        """The accented words of the text once more without accents, for the search index."""
        text = " ".join((self.title, self.editor_title, self.body_text, self.original_author))
        if text.isascii():
            return ""
        words = {word for word in text.split() if not word.isascii()}
        folded = unicodedata.normalize("NFKD", " ".join(sorted(words)))
        return "".join(sign for sign in folded if not unicodedata.combining(sign))

    @property
    def source_name(self) -> str:
        """Who published it, as a reader would say: the blog's name."""
        return self.attribution_title or (self.feed.title if self.feed else "")


class Identity(models.Model):
    """A name under which an article may come again: its link or its guid, made canonical.

    Outlives the article: a key whose article is gone is a tombstone, and the post does not
    come back.
    """

    # SHA-256 of "link:…" or "guid:…" (see articles.canonical_url), hexadecimal.
    key = models.CharField(max_length=64, unique=True)
    article = models.ForeignKey(
        Article, on_delete=models.SET_NULL, null=True, blank=True, related_name="identities"
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("identity")
        verbose_name_plural = _("identities")

    def __str__(self) -> str:
        return self.key


class Sighting(models.Model):
    """A feed in which an article was seen."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="sightings")
    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="sightings")
    guid = models.TextField(blank=True)
    url = models.URLField(max_length=2000, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("sighting")
        verbose_name_plural = _("sightings")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "feed"], name="sighting_once_per_feed"),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} in {self.feed_id}"


class ArticleVersion(models.Model):
    """What the publisher's text was before an edit upstream."""

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="versions")
    replaced_at = models.DateTimeField()
    title = models.CharField(max_length=500)
    body_html = models.TextField(blank=True)
    content_hash = models.CharField(max_length=64)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("earlier version")
        verbose_name_plural = _("earlier versions")
        ordering: ClassVar = ["-replaced_at"]
        indexes: ClassVar = [
            models.Index(fields=["article", "-replaced_at"], name="version_history")
        ]

    def __str__(self) -> str:
        return f"{self.article_id} until {self.replaced_at:%Y-%m-%d %H:%M}"


class ArticleAddress(models.Model):
    """What an article's own address answered when it was last asked (see articles.addresses)."""

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="address")
    asked_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)  # None: no answer
    missing = models.PositiveSmallIntegerField(default=0)  # how often in a row, by feed or by page
    gone_at = models.DateTimeField(null=True, blank=True)  # when that was believed

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")

    def __str__(self) -> str:
        return f"address of {self.article_id}: {self.http_status}"


class PageText(models.Model):
    """The text of an article's own page: to be fetched, there, or given up with a reason."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DONE = "done", _("Fetched")
        FAILED = "failed", _("Given up")

    article = models.OneToOneField(Article, on_delete=models.CASCADE, related_name="page_text")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    # Of the excerpt in the feed: as long as it is the same, the post is.
    entry_hash = models.CharField(max_length=64)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    fetched_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(_("error"), blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("text of a page")
        verbose_name_plural = _("texts of pages")
        indexes: ClassVar = [models.Index(fields=["state", "next_at"], name="page_text_due")]

    def __str__(self) -> str:
        return f"page of {self.article_id}: {self.state}"
