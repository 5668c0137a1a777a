"""Subjects, and why an article was given one."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from newsletter.articles.models import Article


class ThemeQuerySet(models.QuerySet["Theme"]):
    def active(self) -> ThemeQuerySet:
        return self.filter(is_active=True)


class Theme(models.Model):  # type: ignore[django-manager-missing]
    name = models.CharField(_("name"), max_length=80, unique=True)
    name_en = models.CharField(_("name in English"), max_length=80, blank=True)
    slug = models.SlugField(_("slug"), max_length=80, unique=True)
    description = models.CharField(_("description"), max_length=300, blank=True)
    glyph = models.CharField(
        _("glyph"),
        max_length=30,
        blank=True,
        help_text=_("The name of a drawing in templates/newsletter/glyphs."),
    )
    glyph_text = models.CharField(
        _("glyph in mail"), max_length=4, blank=True, help_text=_("One sign, such as ✊ or §.")
    )
    colour = models.CharField(
        _("colour"),
        max_length=7,
        default="#B21F1F",
        validators=[RegexValidator(r"^#[0-9A-Fa-f]{6}$", _("A colour such as #B21F1F."))],
    )
    keywords = models.TextField(
        _("keywords and phrases"),
        blank=True,
        help_text=_("One a line, in any language: endings, accents and capitals do not matter."),
    )
    exclusions = models.TextField(
        _("exclusions"), blank=True, help_text=_("One a line: these speak against the theme.")
    )
    feed_categories = models.TextField(
        _("feed categories"),
        blank=True,
        help_text=_("One a line: posts that the blog files here get this theme."),
    )
    accept_automatically = models.BooleanField(
        _("accept by itself"),
        default=False,
        help_text=_(
            "Confirms suggestions without an editor, once enough reviewed articles show that at "
            "least nine in ten are right."
        ),
    )
    is_active = models.BooleanField(_("in use"), default=True)
    sort_order = models.PositiveSmallIntegerField(_("order"), default=100)

    objects = ThemeQuerySet.as_manager()

    class Meta:
        verbose_name = _("theme")
        verbose_name_plural = _("themes")
        ordering: ClassVar = ["sort_order", "name"]
        permissions: ClassVar = [("teach_theme", _("Can teach a theme words from an article"))]

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str) -> str:
        return self.name_en if language.startswith("en") and self.name_en else self.name

    @property
    def local_name(self) -> str:
        """The name in the language the page is being shown in."""
        return self.name_in(get_language() or "it")


class ThemeAssignmentQuerySet(models.QuerySet["ThemeAssignment"]):
    def standing(self) -> ThemeAssignmentQuerySet:
        """Suggested or confirmed: what readers and digests see."""
        return self.exclude(decision=ThemeAssignment.Decision.REJECTED)


class ThemeAssignment(models.Model):
    class Source(models.TextChoices):
        RULE = "rule", _("Keywords")
        CATEGORY = "category", _("Feed category")
        LEARNED = "learned", _("Learned")
        EDITOR = "editor", _("Editor")

    class Decision(models.TextChoices):
        SUGGESTED = "suggested", _("Suggested")
        CONFIRMED = "confirmed", _("Confirmed")
        REJECTED = "rejected", _("Rejected")

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="assignments")
    theme = models.ForeignKey(Theme, on_delete=models.CASCADE, related_name="assignments")
    source = models.CharField(_("source"), max_length=10, choices=Source)
    confidence = models.FloatField(_("confidence"), default=1.0)  # 0 to 1
    # [{"term": "open source", "share": 0.6, "in_title": true}, …]: the words as the text has
    # them, share of the score, most telling first.
    evidence = models.JSONField(_("evidence"), default=list, blank=True)
    decision = models.CharField(
        _("decision"), max_length=10, choices=Decision, default=Decision.SUGGESTED
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ThemeAssignmentQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("theme of an article")
        verbose_name_plural = _("themes of articles")
        ordering: ClassVar = ["-confidence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["article", "theme"], name="theme_once_per_article"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["theme", "decision", "-article"], name="theme_listing"),
        ]

    def __str__(self) -> str:
        return f"{self.theme_id} for {self.article_id}"


class Tagging(models.Model):
    """When an article was last looked at for themes; its absence means never."""

    article = models.OneToOneField(
        Article, on_delete=models.CASCADE, primary_key=True, related_name="tagging"
    )
    tagged_at = models.DateTimeField()
    # An editor has looked at the themes: only such articles teach.
    reviewed_at = models.DateTimeField(null=True, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("tagging")
        verbose_name_plural = _("taggings")
        indexes: ClassVar = [
            # What is due when a theme's words have changed.
            models.Index(
                fields=["tagged_at"],
                condition=models.Q(reviewed_at__isnull=True),
                name="tagging_unreviewed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article_id} at {self.tagged_at:%Y-%m-%d %H:%M}"


class ArticleStems(models.Model):
    """An article's words as the learner reads them, so that it need not take them apart again."""

    article = models.OneToOneField(
        Article, on_delete=models.CASCADE, primary_key=True, related_name="stems"
    )
    fingerprint = models.CharField(max_length=32)  # of the text and of what took it apart
    packed = models.BinaryField()  # see themes.documents

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("words of an article")
        verbose_name_plural = _("words of articles")

    def __str__(self) -> str:
        return f"words of {self.article_id}"


class WordsInForce(models.Model):
    """One row: what all themes' words look like, and since when.

    Whatever was tagged before, and that no editor has reviewed, is looked at again.
    """

    fingerprint = models.CharField(max_length=64)
    since = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("words in force")
        verbose_name_plural = _("words in force")

    def __str__(self) -> str:
        return f"since {self.since:%Y-%m-%d %H:%M}"


class LearnedModelQuerySet(models.QuerySet["LearnedModel"]):
    def current(self) -> LearnedModelQuerySet:
        return self.filter(state=LearnedModel.State.CURRENT)


class LearnedModel(models.Model):
    """What was learned from the editors in one language; several, of which one is in use."""

    class State(models.TextChoices):
        TRAINING = "training", _("Being trained")
        CURRENT = "current", _("In use")
        REPLACED = "replaced", _("Replaced")
        REFUSED = "refused", _("Worse than the one before")
        EMPTY = "empty", _("Too little to learn from")

    language = models.CharField(_("language"), max_length=2)
    state = models.CharField(_("state"), max_length=10, choices=State)
    started_at = models.DateTimeField(_("trained"))
    # What the themes said when it was trained: an edited list is learned again.
    themes_hash = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(_("figures"), default=dict, blank=True)
    data = models.BinaryField(blank=True)  # an .npz of arrays and JSON, see themes.learned

    objects = LearnedModelQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("learned model")
        verbose_name_plural = _("learned models")
        ordering: ClassVar = ["-started_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["language", "state"],
                condition=models.Q(state__in=["training", "current"]),
                name="one_model_in_use_and_one_in_training",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["language", "-started_at"], name="latest_model"),
        ]

    def __str__(self) -> str:
        return f"{self.language}, {self.started_at:%Y-%m-%d %H:%M}"
