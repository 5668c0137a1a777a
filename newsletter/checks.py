"""Misconfigurations that can be seen at start-up, each with an id."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from newsletter import conf
from newsletter.delivery import server as mail_server
from newsletter.delivery.bounces.mailbox import parse_url
from newsletter.delivery.dkim import read_key
from newsletter.delivery.pace.pace import check_limits

_DOMAIN = re.compile(r"[^\W_]([\w-]*\w)?(\.[^\W_]([\w-]*\w)?)+")
REQUIRED_APPS = (
    "wagtail.contrib.routable_page",
    "wagtail.snippets",
    "wagtail.search",
    "django.contrib.humanize",
)
BROKER_SETTINGS = {
    "CELERY_TASK_ACKS_LATE": True,
    "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
    "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
}


@checks.register("newsletter")
def check_settings(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    configured: dict[str, Any] = getattr(settings, "NEWSLETTER", {})
    found: list[checks.CheckMessage] = []
    for key in sorted(set(configured) - set(conf.DEFAULTS)):
        near = difflib.get_close_matches(key, conf.DEFAULTS, n=1)
        found.append(
            checks.Error(
                f"NEWSLETTER has a key that does not exist: {key}.",
                hint=f"Did you mean {near[0]}?" if near else "See docs/reference/settings.md.",
                id="newsletter.E001",
            )
        )
    site = urlsplit(str(conf.get("SITE_URL")))
    if site.scheme not in ("http", "https") or not site.hostname:
        found.append(
            checks.Error(
                f"NEWSLETTER['SITE_URL'] is not a web address: {conf.get('SITE_URL')!r}.",
                hint="Links in mails are made from it: write one such as https://union.example.",
                id="newsletter.E002",
            )
        )
    try:
        if smtp := str(conf.get("SMTP_URL")):
            mail_server.parse_url(smtp)
    except ImproperlyConfigured as error:
        found.append(checks.Error(str(error), id="newsletter.E003"))
    try:
        check_limits()
    except ImproperlyConfigured as error:
        found.append(checks.Error(str(error), id="newsletter.E009"))
    for entry in conf.get("DKIM_KEYS"):
        try:
            read_key(entry)
        except ImproperlyConfigured as error:
            found.append(checks.Error(str(error), id="newsletter.E008"))
    if int(conf.get("BATCH_SIZE")) < 1 or int(conf.get("IN_FLIGHT")) < 1:
        found.append(
            checks.Error(
                "NEWSLETTER['BATCH_SIZE'] and NEWSLETTER['IN_FLIGHT'] must be 1 or more.",
                id="newsletter.E004",
            )
        )
    if (domain := str(conf.get("BOUNCE_DOMAIN"))) and not _DOMAIN.fullmatch(domain.lower()):
        found.append(
            checks.Error(
                f"NEWSLETTER['BOUNCE_DOMAIN'] is not a domain: {domain!r}.",
                hint="Write the part after the @ alone, such as bounce.union.example.",
                id="newsletter.E006",
            )
        )
    try:
        if url := str(conf.get("BOUNCE_MAILBOX")):
            parse_url(url)
    except ImproperlyConfigured as error:
        found.append(checks.Error(str(error), id="newsletter.E007"))
    try:
        if path := str(conf.get("PROVIDER")):
            import_string(path)
    except ImportError as error:
        found.append(
            checks.Error(
                f"NEWSLETTER['PROVIDER'] cannot be imported: {error}",
                hint="Install django-anymail; write such as anymail.backends.mailgun.EmailBackend.",
                id="newsletter.E008",
            )
        )
    return found


@checks.register("newsletter")
def check_apps(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    return [
        checks.Error(
            f"{name} is not in INSTALLED_APPS.",
            hint="Bollettino's archive, digests, search or admin are built on it: add it.",
            id="newsletter.E005",
        )
        for name in REQUIRED_APPS
        if not apps.is_installed(name)
    ]


@checks.register("newsletter", deploy=True)
def check_celery(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """Settings without which a killed worker delays mail until the sweeper finds it."""
    return [
        checks.Warning(
            f"{name} is not {wanted}.",
            hint="A task of a killed worker would wait longer: see docs/how-to/deploy.md.",
            id="newsletter.W001",
        )
        for name, wanted in BROKER_SETTINGS.items()
        if getattr(settings, name, None) != wanted
    ]


@checks.register("newsletter", deploy=True)
def check_password(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[checks.CheckMessage]:
    try:
        server = mail_server.configured_server()
    except ImproperlyConfigured:
        return []  # told by check_settings
    if not server.user or server.tls != "none" or server.is_on_this_machine:
        return []
    return [
        checks.Warning(
            f"The password for the mail server {server} would go over the network unencrypted.",
            hint="Add ?tls=starttls to SMTP_URL, or write smtps://.",
            id="newsletter.W002",
        )
    ]
