"""What the public templates ask for: the masthead, addresses in the archive, glyphs, dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import select_template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from lxml.html import Element, HtmlElement, fragment_fromstring, tostring

from newsletter.archive.links import Links, find_links
from newsletter.archive.published import issues_out
from newsletter.archive.site_name import site_name
from newsletter.digests.models import Digest
from newsletter.digests.wording import own_subject, shorten

register = template.Library()
_GLYPH = re.compile(r"[a-z][a-z0-9-]{0,29}")


@dataclass(frozen=True)
class Masthead:
    name: str
    links: Links | None
    newest: Digest | None

    @property
    def home(self) -> str:
        return self.links.root if self.links else "/"


def _links(context: Context) -> Links | None:
    """The archive's, from the page being shown or looked up once for a request."""
    if "links" not in context:
        context.dicts[0]["links"] = find_links()
    links: Links | None = context["links"]
    return links


@register.simple_tag(takes_context=True)
def masthead(context: Context) -> Masthead:
    request = context.get("request")
    newest = issues_out(timezone.now()).defer("content").first()
    return Masthead(site_name(request), _links(context), newest)


@register.simple_tag(takes_context=True)
def address(context: Context, what: str, *args: Any) -> str:
    """`{% address "article" article %}`: a path in the archive, named as in archive.links."""
    links = _links(context)
    return str(getattr(links, what)(*args)) if links else ""


@register.simple_tag
def glyph(name: str) -> SafeString:
    """A theme's drawing, to be set in the colour of the text around it."""
    names = [f"newsletter/glyphs/{name}.svg"] if _GLYPH.fullmatch(name or "") else []
    drawing = select_template([*names, "newsletter/glyphs/default.svg"])
    # Our own files, not what anybody typed.
    return mark_safe(drawing.render().strip())  # noqa: S308


@register.filter
def shortened(text: str, length: int) -> str:
    """At most `length` signs, ending where a sentence or a word does."""
    return shorten(text, length)


@register.filter
def issue_subject(digest: Digest) -> str:
    """Its subject, for lists that name the newsletter and the number themselves."""
    series = digest.newsletter
    return own_subject(digest.subject, series.name, digest.number or 0, series.language)


@register.filter
def begins_with_letter(text: str) -> bool:
    """Whether an initial can be set large: an emoji or a quotation mark would leave a hole."""
    return text[:1].isalpha()


@register.filter
def without_remote_images(html: str) -> SafeString:
    """Cleaned HTML, its images as links to them: reading here tells no other server who reads."""
    if "<img" not in html:
        return mark_safe(html)  # noqa: S308  (articles.cleaning wrote it)
    tree = fragment_fromstring(html, create_parent="div")
    for image in list(tree.iter("img")):
        image.addprevious(_stand_in(image))
        image.drop_tree()
    # What lxml parses and writes again is as clean as it was.
    inner = tostring(tree, encoding="unicode").removeprefix("<div>").removesuffix("</div>")
    return mark_safe(inner)  # noqa: S308


def _stand_in(image: HtmlElement) -> HtmlElement:
    alt, source = image.get("alt", "").strip(), image.get("src", "")
    inside_link = any(parent.tag == "a" for parent in image.iterancestors())
    is_link = not inside_link and source.startswith(("http://", "https://"))
    stand_in: HtmlElement = Element("a" if is_link else "span")
    stand_in.set("class", "image-stand-in")
    if is_link:
        stand_in.set("href", source)
        stand_in.set("rel", "noopener")
    stand_in.text = _("Image: %(what)s") % {"what": alt} if alt else _("Image")
    return stand_in


@register.filter
def day(value: date | datetime | str | None) -> str:
    """16 luglio 2026; from a date, a moment (its local day) or an ISO date."""
    if not value:
        return ""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime) and timezone.is_aware(value):
        value = timezone.localtime(value)
    # Django gives Italian months a capital, which only English has.
    words = date_format(value, "j F Y", use_l10n=False)
    return words if (get_language() or "").startswith("en") else words.lower()


@register.filter
def month(value: date) -> str:
    words = date_format(value, "F Y", use_l10n=False)
    return words if (get_language() or "").startswith("en") else words.lower()
