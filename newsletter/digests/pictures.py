"""Pictures that travel inside the mail: nothing is fetched when somebody opens it.

A draft's picture is whatever Wagtail's image library holds. With the approval its bytes are kept
beside the digest, so that neither a new crop nor a deleted file changes what was approved.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.files.images import get_image_dimensions
from django.db import models
from django.utils.translation import gettext_lazy as _
from wagtail.images.exceptions import InvalidFilterSpecError
from wagtail.images.models import Filter, SourceImageIOError

if TYPE_CHECKING:
    from newsletter.digests.models import Digest

logger = logging.getLogger(__name__)

# Twice the column of the mail, for sharp screens; some 100 KB for a photograph.
FILTER = "max-1120x1680|format-jpeg|jpegquality-72|bgcolor-faf6ee"
COLUMN = 560  # CSS pixels


class Picture(models.Model):
    """The bytes of a picture, a JPEG, as they were approved."""

    digest = models.ForeignKey(
        "newsletter.Digest", on_delete=models.CASCADE, related_name="pictures"
    )
    sha256 = models.CharField(max_length=64)  # hexadecimal
    data = models.BinaryField()

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["digest", "sha256"], name="picture_once_per_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.digest_id} {self.sha256[:12]}"


@dataclass(frozen=True)
class Scaled:
    sha256: str
    data: bytes
    width: int  # as it is shown
    height: int


# An editor who writes sees the same few again with each preview.
_scaled: dict[tuple[Any, ...], Scaled] = {}
_MOST_SCALED = 12


def scaled(image: Any) -> Scaled | None:
    """The image as the mail carries it; None when its file is gone or is no picture."""
    wanted = Filter(spec=FILTER)
    # A file is never written over: a new one gets a new name.
    known = (image.pk, image.created_at, image.file.name, wanted.get_cache_key(image))
    if known not in _scaled:
        try:
            with image.generate_rendition_file(wanted) as file:
                width, height = get_image_dimensions(file)
                file.seek(0)
                data = file.read()
        except (OSError, SourceImageIOError, InvalidFilterSpecError):
            logger.warning("Image %s cannot be read: it is left out of the mail.", image.pk)
            return None
        if not width or not height:
            return None
        shown = min(width, COLUMN)
        sha256 = hashlib.sha256(data).hexdigest()
        if len(_scaled) >= _MOST_SCALED:
            _scaled.pop(next(iter(_scaled)), None)
        _scaled[known] = Scaled(sha256, data, shown, round(height * shown / width))
    return _scaled.get(known)


def pictures_of_draft(draft: Digest) -> dict[str, bytes]:
    """By SHA-256, the pictures that this very object shows."""
    found: dict[str, bytes] = {}
    for stream in (draft.opening, draft.closing):
        for child in stream:
            image = child.value["image"] if child.block_type == "picture" else None
            if image and (picture := scaled(image)):
                found[picture.sha256] = picture.data
    return found


def keep_pictures(digest: Digest, pictures: Mapping[str, bytes]) -> None:
    Picture.objects.bulk_create(
        [Picture(digest=digest, sha256=sha256, data=data) for sha256, data in pictures.items()],
        ignore_conflicts=True,
    )


def kept_pictures(digest_id: int, wanted: Iterable[str]) -> dict[str, bytes]:
    """The bytes as they were approved, by SHA-256."""
    rows = Picture.objects.filter(digest=digest_id, sha256__in=list(wanted))
    return {sha256: bytes(data) for sha256, data in rows.values_list("sha256", "data")}
