"""What a person may ask of us at any time: a copy of everything, and to be forgotten."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import models, transaction

from newsletter.members.consent import record
from newsletter.members.models import Consent, Lifting, Member, Subscription, Suppression
from newsletter.members.suppression import suppress
from newsletter.themes.models import Theme

# Told in words by the export itself.
_TOLD = {"subscriptions", "consents"}


def export(member: Member) -> dict[str, Any]:
    """Everything kept about a member, in plain values: what JSON and CSV are made from."""
    themes = dict(Theme.objects.values_list("pk", "name"))
    return {
        "address": member.email,
        "language": member.language,
        "since": _plain(member.created_at),
        "confirmed": _plain(member.confirmed_at),
        "subscriptions": [
            {
                "newsletter": one.newsletter.name,
                "state": one.state,
                "themes": [themes[pk] for pk in sorted(one.selection.theme_ids) if pk in themes],
                "paused_until": _plain(one.paused_until),
                "since": _plain(one.created_at),
                "ended": _plain(one.ended_at),
            }
            for one in member.subscriptions.select_related("newsletter", "selection")
        ],
        "consents": [
            {
                "event": one.event,
                "at": _plain(one.at),
                "newsletters": one.newsletter_slugs,
                "themes": one.theme_slugs,
                "text": one.text,
                "privacy_policy": one.policy_version,
                "form": one.form_url,
                "source": one.source,
                "network": one.ip_prefix,
            }
            for one in member.consents.all()
        ],
        # Whatever else points at a member, such as what was sent: this stage need not know it.
        "records": {
            relation.related_model._meta.model_name: [
                {name: _plain(value) for name, value in row.items()}
                for row in relation.related_model._base_manager.filter(
                    **{relation.field.name: member}
                ).values()
            ]
            for relation in Member._meta.related_objects
            if relation.get_accessor_name() not in _TOLD
        },
    }


def export_csv(member: Member) -> str:
    """The same as `export`, one value a line."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["what", "value"])
    writer.writerows((name, safe_in_a_sheet(value)) for name, value in _flat("", export(member)))
    return table.getvalue()


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _flat(f"{name}.{number}", inner)
    else:
        yield name, "" if value is None else value


def safe_in_a_sheet(value: Any) -> Any:
    """A value for a CSV file that no spreadsheet takes for a formula.

    See https://owasp.org/www-community/attacks/CSV_Injection.
    """
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float | list | dict | None) else str(value)


@transaction.atomic
def erase(member: Member, now: datetime) -> None:
    """Everything goes; a keyed hash stays, so that no import brings the address back.

    Mail that waits for this member is not sent: its rows lose their member here, at once.
    """
    newsletters = [
        one.newsletter
        for one in member.subscriptions.exclude(state=Subscription.State.ENDED).select_related(
            "newsletter"
        )
    ]
    suppress(member.address_hash, Suppression.Reason.ERASED, now=now)
    # What a person wrote about them, in their own words.
    Lifting.objects.filter(address_hash=member.address_hash).update(why="")
    record(member, Consent.Event.ERASED, newsletters, [], now=now, source="preferences")
    _blank_what_names(member)
    member.delete()


def _blank_what_names(member: Member) -> None:
    """Rows that outlive the member may quote the address, as a mail server's answer does."""
    for relation in Member._meta.related_objects:
        if relation.on_delete is not models.SET_NULL:
            continue
        for field in relation.related_model._meta.get_fields():
            if isinstance(field, models.CharField | models.TextField):
                naming = models.Q(**{f"{field.name}__icontains": member.address})
                naming |= models.Q(**{f"{field.name}__icontains": member.email})
                rows = relation.related_model._base_manager.filter(
                    naming, **{relation.field.name: member}
                )
                rows.update(**{field.name: ""})
