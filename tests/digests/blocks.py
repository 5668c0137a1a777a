"""Free blocks as an editor leaves them, and a picture in Wagtail's library."""

from __future__ import annotations

import io
from typing import Any

from django.core.files.images import ImageFile
from PIL import Image as PillowImage
from wagtail.images import get_image_model

from newsletter.digests.models import Digest

EVENT_ID = "6f0f1f0e-7d5e-4c58-9a52-1b1f5e1c0a01"


def make_image(title: str = "Piazza", *, size: tuple[int, int] = (1600, 900)) -> Any:
    file = io.BytesIO()
    PillowImage.new("RGB", size, "#B21F1F").save(file, "PNG")
    return get_image_model().objects.create(
        title=title, file=ImageFile(file, name="IMG_0042.png"), width=size[0], height=size[1]
    )


def text(html: str, heading: str = "") -> dict[str, Any]:
    return {"type": "text", "value": {"heading": heading, "text": html}}


def picture(image: Any, **value: Any) -> dict[str, Any]:
    defaults = {"image": image.pk, "alt": "Una piazza piena di bandiere", "caption": "", "link": ""}
    return {"type": "picture", "value": defaults | value}


def event(**value: Any) -> dict[str, Any]:
    defaults = {
        "title": "Assemblea generale",
        "starts": "2026-07-23T10:00:00+02:00",
        "ends": "2026-07-23T12:30:00+02:00",
        "place": "Sala grande, edificio 36",
        "text": "",
        "link": "",
    }
    return {"type": "event", "id": EVENT_ID, "value": defaults | value}


def action(**value: Any) -> dict[str, Any]:
    link = "https://petizioni.example/1"
    defaults = {"heading": "", "text": "Mancano 40 firme.", "label": "Firma", "link": link}
    return {"type": "action", "value": defaults | value}


def poll(**value: Any) -> dict[str, Any]:
    link = "https://sondaggi.example/1"
    defaults = {"question": "Turni di notte?", "text": "", "link": link, "closes": "2026-07-31"}
    return {"type": "poll", "value": defaults | value}


def put(digest: Digest, *opening: dict[str, Any], closing: tuple[dict[str, Any], ...] = ()) -> None:
    """Save a draft that has these blocks."""
    draft = digest.get_latest_revision_as_object()
    field = Digest._meta.get_field("opening")
    draft.opening = field.to_python(list(opening))
    draft.closing = field.to_python(list(closing))
    draft.save_revision()
    digest.refresh_from_db()
