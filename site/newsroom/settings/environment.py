"""The environment's variables; one that cannot be read is named, in one line, without its value."""

from __future__ import annotations

import warnings
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

_WANTED = {int: "a number", float: "a number", bool: "true or false"}


class Environment(environ.Env):  # type: ignore[misc]
    def get_value(self, var: Any, cast: Any = None, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().get_value(var, cast, *args, **kwargs)
        except ValueError as error:
            wanted = _WANTED.get(cast, "JSON, or name=value,name=value")
            raise ImproperlyConfigured(f"{var} can't be read: it should be {wanted}.") from error

    def database(self, var: str) -> dict[str, Any]:
        """As Django wants it. The address may hold a password, so nothing quotes it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an unknown engine is refused here
            found: dict[str, Any] = self.db(var)
        if not found.get("ENGINE"):
            raise ImproperlyConfigured(
                f"{var} is no address of a database. Write postgres://user:password@host:5432/name"
                " or sqlite:////path/to/file, or leave it out."
            )
        return found

    def time_zone(self, var: str, *, default: str) -> str:
        name: str = self.str(var, default=default)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ImproperlyConfigured(
                f"{var}={name} is no time zone. Write one such as Europe/Rome."
            ) from error
        return name

    def mail_server(self, var: str, url: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self.email_url_config(url)
        except (ImproperlyConfigured, ValueError) as error:
            raise ImproperlyConfigured(
                f"{var} is no address of a mail server. Write"
                " smtp://user:password@host:587/?tls=starttls or smtps://user:password@host:465."
            ) from error
        return found
