"""Where the links of a mail lead, asked of real servers and never twice a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.digests.content import content_of
from newsletter.digests.following import (
    FollowedLink,
    answers_for,
    follow,
    follow_drafts,
    links_to_follow,
    meaning,
)
from newsletter.digests.models import Digest
from newsletter.feeds.models import Turn
from tests.builders import NOW, make_article, make_digest, make_newsletter
from tests.conftest import Named
from tests.digests.blocks import action, event, put, text
from tests.servers import FeedServer

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def digest(feed_server: FeedServer) -> Digest:
    feed_server.serve("/bene/", "<p>Eccomi</p>")
    feed_server.serve("/lungo/", "x" * 500_000)
    feed_server.serve("/chiuso/", status=403)
    feed_server.serve("/rotto/", status=503)
    feed_server.serve("/spostato/", status=301, headers={"Location": "/bene/"})
    newsletter = make_newsletter()
    articles = [
        make_article(title, url=f"{feed_server.url}/{title}/")
        for title in ("bene", "lungo", "chiuso", "rotto", "spostato", "sparito")
    ]
    return make_digest(newsletter, articles=articles, slot=NOW + HOUR)


def verdicts(digest: Digest) -> dict[str, str]:
    links = links_to_follow(content_of(digest))
    return {links[url]: row.verdict for url, row in answers_for(links).items()}


def test_each_link_is_asked_and_its_answer_understood(digest: Digest) -> None:
    assert not follow(links_to_follow(content_of(digest)), now=NOW, seconds=20)
    assert verdicts(digest) == {
        "bene": "alive",
        "lungo": "alive",
        "spostato": "alive",
        "chiuso": "unclear",
        "rotto": "silent",
        "sparito": "dead",
    }


def test_a_good_answer_is_believed_for_a_day_and_a_bad_one_for_an_hour(
    digest: Digest, feed_server: FeedServer
) -> None:
    links = links_to_follow(content_of(digest))

    def asked_at(moment: timedelta) -> set[str]:
        feed_server.requests.clear()
        follow(links, now=NOW + moment, seconds=20)
        return {request.path for request in feed_server.requests}

    assert len(asked_at(timedelta(0))) == 6
    assert asked_at(HOUR / 2) == set()
    assert asked_at(HOUR * 2) == {"/chiuso/", "/rotto/", "/sparito/"}
    assert "/bene/" in asked_at(timedelta(hours=25))
    assert FollowedLink.objects.count() == 6


def test_a_members_own_links_and_the_issues_own_pages_are_never_opened(digest: Digest) -> None:
    put(digest, event(), text('<p><a href="mailto:a@b.example">a</a></p>'), action())
    links = links_to_follow(content_of(digest))
    assert "https://petizioni.example/1" in links
    assert not [url for url in links if "TOKEN" in url or "/newsletter/" in url or "@" in url]


def test_a_private_address_is_not_asked(digest: Digest, settings: object) -> None:
    settings.NEWSLETTER = settings.NEWSLETTER | {"ALLOW_PRIVATE_FEED_HOSTS": []}  # type: ignore[attr-defined]
    follow(links_to_follow(content_of(digest)), now=NOW, seconds=20)
    assert set(verdicts(digest).values()) == {"unclear"}


def test_a_host_that_is_being_asked_waits_for_its_turn(
    digest: Digest, feed_server: FeedServer
) -> None:
    Turn.objects.create(name="host:127.0.0.1", until=NOW + HOUR)
    assert not follow(links_to_follow(content_of(digest)), now=NOW, seconds=20)
    assert feed_server.requests == []


def test_when_time_is_up_the_rest_is_left_for_the_next_round(named: Named) -> None:
    urls = [named(f"uno.example/{n}") for n in range(3)] + [named("due.example/")]
    assert follow(urls, now=NOW, seconds=0.001)
    assert not FollowedLink.objects.exists()


def test_the_worker_follows_the_links_of_what_goes_within_a_day(
    digest: Digest, feed_server: FeedServer
) -> None:
    later = make_digest(
        digest.newsletter,
        articles=[make_article("dopo", url=f"{feed_server.url}/dopo/")],
        slot=NOW + timedelta(days=9),
    )
    while follow_drafts(now=NOW, seconds=3):
        pass
    assert verdicts(digest)["sparito"] == "dead"
    assert verdicts(later) == {}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, "alive"), (404, "dead"), (410, "dead"), (429, "unclear"), (500, "silent"),
        (None, "silent"),
    ],
)  # fmt: skip
def test_what_a_status_says(status: int | None, verdict: str) -> None:
    assert meaning(status) == verdict
