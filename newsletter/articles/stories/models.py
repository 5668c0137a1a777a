"""What is kept of a text so that its copies are found, and what is known of two articles."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from newsletter.articles.models import Article


class Fingerprint(models.Model):
    """What an article's text was when it was last looked at; its absence means never."""

    article = models.OneToOneField(
        Article, on_delete=models.CASCADE, primary_key=True, related_name="fingerprint"
    )
    # Equal for articles with the same words; 0 when there are none.
    text = models.BigIntegerField(db_index=True)
    sample = models.BinaryField()  # the text's shingles in the index, packed (stories.words)
    # The identity key of the address that a repost names as its original.
    origin = models.CharField(max_length=64, blank=True, db_index=True)
    # When it was compared with all others; None: indexed, and the comparison was interrupted.
    compared_at = models.DateTimeField(null=True, db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("fingerprint")
        verbose_name_plural = _("fingerprints")

    def __str__(self) -> str:
        return f"text {self.text} of {self.article_id}"


class Shingle(models.Model):
    """Four words in a row that stand in a text: a hint where to look, never a proof.

    Some 50 rows a text. They name texts, not articles: a thousand copies of one text cost no more
    than one. A row whose text no article has any more does no harm, until it is
    swept (stories.sweeping).
    """

    EVERYWHERE = 0  # in place of a text: too many have it, so it tells nothing

    pk = models.CompositePrimaryKey("value", "text")
    value = models.BigIntegerField()
    text = models.BigIntegerField()  # Fingerprint.text

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("shingle")
        verbose_name_plural = _("shingles")

    def __str__(self) -> str:
        return f"{self.value} in {self.text}"


class ResemblanceQuerySet(models.QuerySet["Resemblance"]):
    """By ids only: a join on either side makes PostgreSQL read the whole table."""

    def apart(self) -> ResemblanceQuerySet:
        return self.filter(state=Resemblance.State.APART)

    def possible(self) -> ResemblanceQuerySet:
        return self.filter(state=Resemblance.State.POSSIBLE)

    def touching(self, article_ids: Collection[int]) -> ResemblanceQuerySet:
        return self.filter(models.Q(first__in=article_ids) | models.Q(second__in=article_ids))

    def other_sides(self, article_ids: Collection[int]) -> set[int]:
        """The articles that these are paired with."""
        pairs = self.touching(article_ids).values_list("first_id", "second_id")
        return {pk for pair in pairs for pk in pair} - set(article_ids)


class Resemblance(models.Model):
    """Two articles that look alike and are not one story: by doubt, or by an editor's word."""

    class State(models.TextChoices):
        POSSIBLE = "possible", _("Possible duplicate")
        APART = "apart", _("Not the same news")

    # The lower id first.
    first = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="+")
    share = models.FloatField(default=0)  # of the shorter text that stands in the longer
    state = models.CharField(max_length=10, choices=State, default=State.POSSIBLE)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = ResemblanceQuerySet.as_manager()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("resemblance")
        verbose_name_plural = _("resemblances")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["first", "second"], name="resemblance_once"),
            models.CheckConstraint(
                condition=models.Q(first__lt=models.F("second")), name="resemblance_in_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_id} and {self.second_id}"
