"""Approval settles what an issue says; later edits change nothing of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from newsletter.articles.models import Article
from newsletter.digests.content import DigestContent, content_as_edited, content_of
from newsletter.digests.freeze import freeze_content, make_variant
from newsletter.digests.models import Digest, DigestItem
from newsletter.exceptions import DigestNotReady
from tests.builders import NOW, make_article, make_digest, make_feed, make_newsletter, make_theme

pytestmark = pytest.mark.django_db


def frozen(digest: Digest) -> DigestContent:
    digest.refresh_from_db()
    assert digest.content is not None
    return DigestContent.from_json(digest.content)


def edit(digest: Digest, **fields: Any) -> Digest:
    """What saving the admin's form does: a new revision, the row as it was."""
    draft = Digest.objects.get(pk=digest.pk).get_latest_revision_as_object()
    for name, value in fields.items():
        setattr(draft, name, value)
    draft.save_revision()
    return draft


def test_the_latest_edit_is_what_is_frozen():
    digest = make_digest(articles=[make_article("Prima")])
    edit(
        digest,
        subject="Scritto a mano",
        items=[DigestItem(article=make_article("Scelta dopo"), is_lead=True)],
    )
    content = freeze_content(digest, now=NOW)
    assert content.subject == "Scritto a mano"
    assert [item.title for item in content.items] == ["Scelta dopo"]
    assert (digest.status, digest.approved_at, digest.live) == ("approved", NOW, True)
    assert [item.article.title for item in Digest.objects.get().items.all()] == ["Scelta dopo"]


def test_who_approved_is_kept():
    user = get_user_model().objects.create_superuser("nadia", "nadia@union.example", "x")
    digest = make_digest(articles=[make_article()])
    freeze_content(digest, now=NOW, by=user)
    assert digest.approved_by == user


def test_freezing_twice_changes_nothing():
    digest = make_digest(articles=[make_article()])
    first = freeze_content(digest, now=NOW)
    edit(digest, subject="Troppo tardi")
    second = freeze_content(digest, now=NOW + timedelta(hours=1))
    assert second == first
    assert digest.approved_at == NOW


def test_an_edit_after_the_freeze_does_not_change_the_content_even_when_published():
    digest = make_digest(articles=[make_article("Approvata")])
    content = freeze_content(digest, now=NOW)
    Digest.objects.filter(pk=digest.pk).update(status="sending")
    edit(digest, subject="Altro", slot=NOW + timedelta(days=9), items=[])
    Digest.objects.get(pk=digest.pk).get_latest_revision().publish()
    assert frozen(digest) == content
    assert digest.content_hash == content.hash()
    assert (digest.status, digest.slot, digest.approved_at) == ("sending", NOW, NOW)


def test_an_edit_of_an_article_after_the_freeze_does_not_change_the_content():
    article = make_article("Com’era")
    digest = make_digest(articles=[article])
    freeze_content(digest, now=NOW)
    article.title = "Come sarebbe"
    article.save()
    assert [item.title for item in frozen(digest).items] == ["Com’era"]


def test_publishing_does_not_undo_what_a_worker_wrote_in_the_meantime():
    digest = make_digest(articles=[make_article()])
    freeze_content(digest, now=NOW)
    edit(digest, introduction="Una riga")
    read_before = Digest.objects.get(pk=digest.pk).get_latest_revision().as_object()
    Digest.objects.filter(pk=digest.pk).update(status="sent", sent_at=NOW)
    read_before.save()
    digest.refresh_from_db()
    assert (digest.status, digest.sent_at) == ("sent", NOW)
    assert digest.introduction == "Una riga"


def test_who_listens_to_publishing_finds_the_digest_frozen(django_capture_on_commit_callbacks: Any):
    from wagtail.signals import published

    found: list[Any] = []

    def listen(sender: Any, instance: Digest, **kwargs: Any) -> None:
        found.append((instance.is_frozen, freeze_content(instance, now=NOW).subject))

    digest = make_digest(articles=[make_article()])
    published.connect(listen, sender=Digest)
    try:
        freeze_content(digest, now=NOW)
    finally:
        published.disconnect(listen, sender=Digest)
    assert found == [(True, digest.subject)]


def test_a_held_issue_can_still_be_approved():
    digest = make_digest(articles=[make_article()], status="held", status_reason="Nessuno")
    freeze_content(digest, now=NOW)
    assert (digest.status, digest.status_reason) == ("approved", "")


def test_a_skipped_issue_that_an_editor_filled_gets_a_number():
    newsletter = make_newsletter()
    digest = Digest.objects.create(
        newsletter=newsletter, slot=NOW, subject="Vuoto", status="skipped", live=False
    )
    edit(digest, items=[DigestItem(article=make_article())])
    freeze_content(digest, now=NOW)
    assert (digest.status, digest.number) == ("approved", 1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"articles": []}, "no articles"),
        ({"status": "cancelled"}, "cancelled"),
    ],
)
def test_what_cannot_be_approved_says_why_and_stays_as_it_is(fields: dict[str, Any], says: str):
    digest = make_digest(**{"articles": [make_article()]} | fields)
    with pytest.raises(DigestNotReady, match=says):
        freeze_content(digest, now=NOW)
    digest.refresh_from_db()
    assert (digest.content, digest.approved_at) == (None, None)


def test_a_subject_of_white_space_is_none():
    digest = make_digest(articles=[make_article()], subject="–")
    Digest.objects.filter(pk=digest.pk).update(subject=" \n", has_unpublished_changes=False)
    with pytest.raises(DigestNotReady, match="no subject"):
        freeze_content(digest, now=NOW)


def test_two_issues_of_a_newsletter_cannot_go_out_at_once():
    newsletter = make_newsletter()
    make_digest(newsletter, articles=[make_article()])
    other = make_digest(newsletter, articles=[make_article()], slot=NOW + timedelta(days=1))
    draft = other.get_latest_revision_as_object()
    draft.slot = NOW
    draft.save_revision(clean=False)
    with pytest.raises(DigestNotReady, match="same moment"):
        freeze_content(other, now=NOW)


# --- what the content holds -----------------------------------------------------------------------


def test_content_survives_the_way_into_the_database_and_back():
    theme = make_theme("Pensioni", name_en="Pensions", glyph_text="§", colour="#5B3A8C")
    digest = make_digest(articles=[make_article(themes=[theme], note="Perché sì.\n\nDavvero.")])
    content = freeze_content(digest, now=NOW)
    assert frozen(digest) == content
    assert frozen(digest).hash() == digest.content_hash
    item = content.items[0]
    assert item.theme_name == {"it": "Pensioni", "en": "Pensions"}
    assert item.note == "Perché sì.\n\nDavvero."


def test_an_item_has_every_standing_theme_and_its_section():
    pensions, safety, section = make_theme("Pensioni"), make_theme("Sicurezza"), make_theme("Altro")
    article = make_article(themes=[pensions, safety])
    article.assignments.filter(theme=safety).update(decision="rejected")
    digest = make_digest()
    edit(digest, items=[DigestItem(article=article, theme=section)])
    assert content_of(Digest.objects.get()).items[0].theme_ids == sorted([pensions.pk, section.pk])


def test_the_words_of_the_item_come_before_the_editors_and_these_before_the_publishers():
    article = make_article("Del blog", body="Del blog.")
    assert [content_of(make_digest(articles=[article])).items[0].title] == ["Del blog"]
    article.editor_title, article.editor_excerpt = "Della redazione", "Della redazione."
    article.save()
    digest = make_digest(articles=[article], slot=NOW + timedelta(days=1))
    assert content_of(digest).items[0].title == "Della redazione"
    draft = edit(digest, items=[DigestItem(article=article, title="Di qui", excerpt="Di qui.")])
    item = content_of(Digest.objects.get(pk=draft.pk)).items[0]
    assert (item.title, item.excerpt) == ("Di qui", "Di qui.")
    article.refresh_from_db()
    assert article.title == "Del blog"


def test_a_long_excerpt_is_cut():
    long = make_article(body="Parole e ancora parole senza fine " * 20)
    assert len(content_of(make_digest(articles=[long])).items[0].excerpt) <= 240


def test_no_line_end_reaches_a_subject_or_a_title():
    article = make_article("Titolo\r\nBcc: tutti@posta.example")
    digest = make_digest(
        make_newsletter(sender_name="Il\nBollettino"),
        articles=[article],
        subject="Oggetto\r\nBcc: tutti@posta.example",
        preheader="Uno\ndue",
    )
    content = content_of(digest)
    assert content.subject == "Oggetto Bcc: tutti@posta.example"
    assert content.items[0].title == "Titolo Bcc: tutti@posta.example"
    assert content.newsletter.sender_name == "Il Bollettino"
    assert content.preheader == "Uno due"


def test_an_address_that_is_not_of_the_web_is_no_link():
    article = make_article(url="javascript:alert(1)")
    assert content_of(make_digest(articles=[article])).items[0].url == ""


def test_an_article_deleted_under_an_open_draft_is_left_out():
    kept, gone = make_article("Resta"), make_article("Va via")
    digest = make_digest(articles=[gone, kept])
    DigestItem.objects.filter(article=gone).delete()
    gone.delete()
    assert [item.title for item in content_of(digest).items] == ["Resta"]


def test_an_article_its_publisher_withdrew_does_not_go_out():
    gone, stays = make_article("Ritirato"), make_article("Rimane")
    digest = make_digest(articles=[gone, stays])
    Article.objects.filter(pk=gone.pk).update(state=Article.State.WITHDRAWN)
    assert [item.title for item in content_of(digest).items] == ["Rimane"]


def test_the_source_is_the_blogs_name():
    article = make_article(feed=make_feed(title="Coordinamento"))
    assert content_of(make_digest(articles=[article])).items[0].source == "Coordinamento"


def test_reading_the_content_costs_the_same_for_any_number_of_articles(
    django_assert_max_num_queries: Any,
):
    theme = make_theme()
    digest = make_digest(articles=[make_article(themes=[theme]) for _ in range(12)])
    digest = Digest.objects.get(pk=digest.pk)
    with django_assert_max_num_queries(5):
        assert len(content_as_edited(digest).items) == 12


# --- variants -------------------------------------------------------------------------------------


def test_a_variant_is_rendered_once_for_its_items_and_language():
    digest = make_digest(articles=[make_article("Una"), make_article("Due")])
    content = freeze_content(digest, now=NOW)
    first = make_variant(digest, content, (0, 1), "it")
    assert make_variant(digest, content, [1, 0], "it").pk == first.pk
    other = make_variant(digest, content, (1,), "it")
    assert "Una" in first.html
    assert "Una" not in other.html
    assert "Una" not in other.text
    assert other.subject == digest.subject
