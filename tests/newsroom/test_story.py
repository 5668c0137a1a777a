"""What `run` tells of the main job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.digests.models import Digest
from newsroom.running.story import Story
from tests.builders import make_article, make_digest, make_newsletter


@pytest.mark.django_db
def test_an_issue_scheduled_for_another_day_is_not_waited_for() -> None:
    now = datetime.now(UTC)
    newsletter = make_newsletter()
    first = make_digest(newsletter, articles=[make_article("Una")], slot=now - timedelta(days=1))
    Digest.objects.filter(pk=first.pk).update(status=Digest.Status.SENT, sent_at=now)
    make_digest(newsletter, articles=[make_article("Due")], slot=now + timedelta(days=3))
    said: list[str] = []
    story = Story(lambda stage, words: said.append(f"{stage} {words}"), lambda: None)
    story._sent(story._compiled(newsletter))
    assert said[0].startswith("Digest N. 1 of “Ogni settimana” was sent before")
    assert said[1] == "Mail 0 of 0 delivered"
