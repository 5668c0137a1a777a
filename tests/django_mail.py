"""Django's own mail, sent through what a test names, before and after `MAILERS` (Django 6.1)."""

from __future__ import annotations

from typing import Any

import django

LOCMEM = "django.core.mail.backends.locmem.EmailBackend"
SMTP = "django.core.mail.backends.smtp.EmailBackend"
NOBODY_LISTENS = 9


def send_through(settings: Any, backend: str, *, port: int | None = None) -> None:
    """`port`: of a server on loopback, for the SMTP backend."""
    if django.VERSION >= (6, 1):
        options = {} if port is None else {"OPTIONS": {"host": "127.0.0.1", "port": port}}
        settings.MAILERS = {"default": {"BACKEND": backend} | options}
    else:
        settings.EMAIL_BACKEND = backend
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port or 25
