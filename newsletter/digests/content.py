"""What an issue says, apart from how it looks: the form that is frozen and never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from django.db.models import Case, F, Q, Value, When

from newsletter import conf
from newsletter.articles.models import Article
from newsletter.digests.addressees import Addressees, addressees_as_edited
from newsletter.digests.block_content import BlockContent, blocks_as_edited
from newsletter.digests.models import Digest, DigestItem, next_number
from newsletter.digests.pictures import kept_pictures, pictures_of_draft
from newsletter.digests.wording import one_line, paragraphs, shorten
from newsletter.themes.models import Theme, ThemeAssignment

EXCERPT_LENGTH = 240
# An editor's own words are trusted further, but a whole article is no excerpt.
EDITED_EXCERPT_LENGTH = 900


@dataclass(frozen=True)
class NewsletterContent:
    slug: str
    name: str
    language: str
    sender_name: str
    sender_email: str
    reply_to: str
    postal_address: str
    time_zone: str = "UTC"
    urgent: bool = False


@dataclass(frozen=True)
class ItemContent:
    position: int
    article_id: int
    title: str
    excerpt: str = ""
    note: str = ""
    url: str = ""  # the source; empty when the article has no http(s) address
    archive_path: str = ""  # "<id>-<slug>", the end of the article's address in the archive
    source: str = ""
    published: str = ""  # ISO date
    original_author: str = ""
    original_source: str = ""
    original_date: str = ""  # ISO date
    theme_id: int | None = None  # the section
    theme_name: Mapping[str, str] = field(default_factory=dict)  # by language
    theme_slug: str = ""
    theme_glyph: str = ""
    theme_glyph_text: str = ""
    theme_colour: str = ""
    theme_ids: list[int] = field(default_factory=list)  # every standing theme
    is_lead: bool = False
    image_url: str = ""
    image_alt: str = ""
    language: str = ""

    def section_name(self, language: str) -> str:
        return self.theme_name.get(language) or self.theme_name.get("it") or ""


@dataclass(frozen=True)
class DigestContent:
    digest_uid: str
    newsletter: NewsletterContent
    number: int
    slot: str  # ISO, UTC
    subject: str
    preheader: str
    introduction: str
    items: tuple[ItemContent, ...]
    opening: tuple[BlockContent, ...] = ()  # above the articles
    closing: tuple[BlockContent, ...] = ()  # below them
    addressees: Addressees = field(default_factory=Addressees)

    def to_json(self) -> dict[str, Any]:
        """What Digest.content keeps."""
        data = asdict(self)
        if self.addressees.everybody:
            del data["addressees"]
        return data | {name: list(data[name]) for name in ("items", "opening", "closing")}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The content again; keys of another version are left out or take their default."""
        return cls(
            **_known(cls, data)
            | {
                "newsletter": NewsletterContent(**_known(NewsletterContent, data["newsletter"])),
                "items": tuple(ItemContent(**_known(ItemContent, item)) for item in data["items"]),
                "opening": _blocks(data.get("opening", ())),
                "closing": _blocks(data.get("closing", ())),
                "addressees": Addressees(**_known(Addressees, data.get("addressees", {}))),
            }
        )

    def hash(self) -> str:
        """Equal for equal content, whatever the order of keys."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def local_day(self) -> date:
        """The day it goes out, where the newsletter is at home."""
        zone = ZoneInfo(self.newsletter.time_zone)
        return datetime.fromisoformat(self.slot).astimezone(zone).date()

    @property
    def blocks(self) -> tuple[BlockContent, ...]:
        return self.opening + self.closing

    @property
    def lead(self) -> ItemContent | None:
        return next((item for item in self.items if item.is_lead), None)


def content_of(digest: Digest) -> DigestContent:
    """The content of the digest's latest revision."""
    return content_as_edited(digest.get_latest_revision_as_object())


def content_and_pictures(digest: Digest) -> tuple[DigestContent, dict[str, bytes]]:
    """What was approved or, of a draft, what its latest revision says; pictures by SHA-256."""
    if digest.content:
        content = DigestContent.from_json(digest.content)
        return content, kept_pictures(digest.pk, (block.picture for block in content.blocks))
    draft = digest.get_latest_revision_as_object()
    return content_as_edited(draft), pictures_of_draft(draft)


def content_as_edited(draft: Digest) -> DigestContent:
    """The content of this very object, saved or not (a preview). Two queries for its items.

    No text in it has a line end, except the introduction, the notes and the free blocks.
    """
    newsletter = draft.newsletter
    items = sorted(draft.items.all(), key=lambda item: item.sort_order or 0)
    there = Article.objects.exclude(state=Article.State.WITHDRAWN).select_related("feed")
    articles = there.in_bulk([item.article_id for item in items if item.article_id])
    themes = _themes_by_article(articles)
    # A place nobody chose a section for stands under its article's strongest theme.
    section_ids = {
        item.article_id: item.theme_id or next(iter(themes.get(item.article_id, [])), None)
        for item in reversed(items)
    }
    sections = Theme.objects.in_bulk([pk for pk in section_ids.values() if pk])
    # An article deleted or withdrawn under an open draft is left out; one chosen twice goes once.
    shown: dict[int, DigestItem] = {}
    for item in items:
        if item.article_id in articles and not item.deferred:
            shown.setdefault(item.article_id, item)
    zone = newsletter.zone
    lead_id = next((item.article_id for item in shown.values() if item.is_lead), None)
    return DigestContent(
        digest_uid=str(draft.uid),
        newsletter=NewsletterContent(
            slug=newsletter.slug,
            name=one_line(newsletter.name),
            language=newsletter.language,
            sender_name=one_line(newsletter.sender_name),
            sender_email=newsletter.sender_email,
            reply_to=newsletter.reply_to,
            postal_address=one_line(newsletter.postal_address),
            time_zone=newsletter.time_zone,
            urgent=newsletter.kind == newsletter.Kind.URGENT,
        ),
        number=draft.number or next_number(newsletter),
        slot=draft.slot.astimezone(UTC).isoformat(),
        subject=one_line(draft.subject),
        preheader=one_line(draft.preheader),
        introduction=paragraphs(draft.introduction),
        items=tuple(
            _item(
                position,
                item,
                articles[item.article_id],
                sections.get(section_ids[item.article_id]),
                sorted(themes.get(item.article_id, [])),
                is_lead=item.article_id == lead_id,
                zone=zone,
            )
            for position, item in enumerate(shown.values())
        ),
        opening=blocks_as_edited(draft.opening),
        closing=blocks_as_edited(draft.closing),
        addressees=addressees_as_edited(draft),
    )


def _item(
    position: int,
    item: DigestItem,
    article: Article,
    section: Theme | None,
    theme_ids: list[int],
    *,
    is_lead: bool,
    zone: ZoneInfo,
) -> ItemContent:
    edited = item.excerpt or article.editor_excerpt
    excerpt = (
        shorten(edited, EDITED_EXCERPT_LENGTH)
        if edited
        else shorten(article.excerpt or article.body_text[:2000], EXCERPT_LENGTH)
    )
    if section and section.pk not in theme_ids:
        theme_ids = sorted([*theme_ids, section.pk])
    return ItemContent(
        position=position,
        article_id=article.pk,
        title=one_line(item.title or article.display_title) or article.url,
        excerpt=excerpt,
        note=paragraphs(item.note or article.note),
        url=article.url if article.url.lower().startswith(("http://", "https://")) else "",
        archive_path=f"{article.pk}-{article.slug}",
        source=one_line(article.source_name),
        published=_iso_day(article.published_at, zone),
        original_author=one_line(article.original_author),
        original_source=one_line(article.original_source),
        original_date=article.original_date.isoformat() if article.original_date else "",
        theme_id=section.pk if section else None,
        theme_name={"it": section.name, "en": section.name_in("en")} if section else {},
        theme_slug=section.slug if section else "",
        theme_glyph=section.glyph if section else "",
        theme_glyph_text=section.glyph_text if section else "",
        theme_colour=section.colour if section else "",
        theme_ids=theme_ids,
        is_lead=is_lead,
        image_url=article.image_url,
        image_alt=one_line(article.image_alt),
        language=article.language,
    )


def _themes_by_article(article_ids: Iterable[int]) -> dict[int, list[int]]:
    """Each article's themes, the strongest first, as the proposal weighs them."""
    said = Q(decision=ThemeAssignment.Decision.CONFIRMED) | Q(
        confidence__gte=conf.get("SUGGEST_THRESHOLD")
    )
    pairs = (
        ThemeAssignment.objects.standing()
        .filter(said, article_id__in=list(article_ids))
        .annotate(
            weight=Case(
                When(decision=ThemeAssignment.Decision.CONFIRMED, then=Value(1.0)),
                default=F("confidence"),
            )
        )
        .order_by("-weight", "theme__sort_order", "theme_id")
        .values_list("article_id", "theme_id")
    )
    themes: dict[int, list[int]] = {}
    for article_id, theme_id in pairs:
        themes.setdefault(article_id, []).append(theme_id)
    return themes


def _iso_day(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).date().isoformat() if moment else ""


def _blocks(data: Iterable[Mapping[str, Any]]) -> tuple[BlockContent, ...]:
    return tuple(BlockContent(**_known(BlockContent, block)) for block in data)


def _known(kind: type[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in data.items() if name in names}
