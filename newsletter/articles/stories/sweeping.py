"""Traces of articles that were deleted."""

from __future__ import annotations

from itertools import pairwise

from django.db.models import Exists, OuterRef

from newsletter.articles.models import Article, Story
from newsletter.articles.stories.models import Fingerprint, Shingle

# Of a large index, a part at a time: nobody waits long for what is deleted.
_PARTS = 64
_HIGHEST = 1 << 63


def sweep() -> int:
    """Forget the words of texts that no article has, and stories without articles; how many rows.

    No signal of a deletion would do: a database deletes what hangs on an article without telling.
    """
    article = Article.objects.filter(story=OuterRef("pk"))
    swept = Story.objects.filter(~Exists(article)).delete()[0]
    standing = Fingerprint.objects.filter(text=OuterRef("text"))
    left = Shingle.objects.exclude(text=Shingle.EVERYWHERE).filter(~Exists(standing))
    bounds = [_HIGHEST // _PARTS * part for part in range(_PARTS)]
    for low, high in pairwise([*bounds, _HIGHEST - 1]):
        swept += left.filter(value__gte=low, value__lte=high).delete()[0]
    return swept
