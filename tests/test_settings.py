"""The plugin's settings: documented, checked at start-up."""

from pathlib import Path

import pytest
from django.core import checks

from newsletter import conf

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"


@pytest.mark.parametrize("key", sorted(conf.DEFAULTS))
def test_every_setting_has_a_row_in_the_reference(key):
    assert f"| `{key}` |" in REFERENCE.read_text(encoding="utf-8")


def ids(**newsletter):
    return [message.id for message in checks.run_checks(tags=["newsletter"])]


def test_a_sound_configuration_says_nothing():
    assert ids() == []


def test_a_misspelt_setting_is_named_with_the_nearest_one(settings):
    settings.NEWSLETTER = {**settings.NEWSLETTER, "BACH_SIZE": 10}

    (message,) = checks.run_checks(tags=["newsletter"])

    assert message.id == "newsletter.E001"
    assert "BACH_SIZE" in message.msg
    assert message.hint == "Did you mean BATCH_SIZE?"


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("SITE_URL", "union.example", "newsletter.E002"),
        ("SMTP_URL", "mail.example:25", "newsletter.E003"),
        ("SMTP_URL", "http://mail.example", "newsletter.E003"),
        ("SMTP_URL", "smtp://mail.example:99999", "newsletter.E003"),
        ("SMTP_URL", "smtp://mail.example?tls=startls", "newsletter.E003"),
        ("BATCH_SIZE", 0, "newsletter.E004"),
        ("IN_FLIGHT", 0, "newsletter.E004"),
        ("BOUNCE_MAILBOX", "mail.union.example", "newsletter.E007"),
        ("PROVIDER", "anymail.backends.pigeon.EmailBackend", "newsletter.E008"),
        ("BOUNCE_DOMAIN", "b@union.example", "newsletter.E006"),
    ],
)
def test_a_value_that_cannot_work_is_refused_at_start_up(settings, key, value, expected):
    settings.NEWSLETTER = {**settings.NEWSLETTER, key: value}

    assert ids() == [expected]


def test_a_worker_that_acknowledges_early_is_warned_about(settings):
    settings.CELERY_TASK_ACKS_LATE = False

    messages = checks.run_checks(tags=["newsletter"], include_deployment_checks=True)

    assert "newsletter.W001" in [message.id for message in messages]


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("smtp://user:secret@mail.example", True),
        ("smtp://mail.example", False),
        ("smtp://user:secret@127.0.0.1:1025", False),
        ("smtp://user:secret@mail.example:587?tls=starttls", False),
        ("smtps://user:secret@mail.example", False),
    ],
)
def test_a_password_in_the_clear_is_warned_about_before_it_is_sent(settings, url, warned):
    settings.NEWSLETTER = {**settings.NEWSLETTER, "SMTP_URL": url}

    messages = checks.run_checks(tags=["newsletter"], include_deployment_checks=True)

    assert ("newsletter.W002" in [message.id for message in messages]) is warned
    assert "secret" not in str(messages)
