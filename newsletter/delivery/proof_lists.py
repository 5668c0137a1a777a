"""Named lists of those who look at a test mail before an issue goes: people of the desk."""

from __future__ import annotations

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsletter.delivery.test_send import MOST_ADDRESSES


def addresses_in(written: str) -> list[str]:
    """Separated by commas, semicolons or lines; each once. Raises ValidationError."""
    found = [one.strip() for one in re.split(r"[,;\n]", written)]
    addresses = list(dict.fromkeys(one for one in found if one))
    if len(addresses) > MOST_ADDRESSES:
        raise ValidationError(_("Not more than ten addresses at once."))
    for address in addresses:
        validate_email(address)
    return addresses


class ProofList(models.Model):
    name = models.CharField(gettext_lazy("name"), max_length=80, unique=True)
    addresses = models.TextField(
        gettext_lazy("addresses"),
        help_text=gettext_lazy("Of colleagues, not of members; up to ten, one on each line."),
    )

    wagtail_reference_index_ignore = True

    class Meta:
        verbose_name = gettext_lazy("list for tests")
        verbose_name_plural = gettext_lazy("lists for tests")
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        try:
            self.addresses = "\n".join(addresses_in(self.addresses))
        except ValidationError as error:
            raise ValidationError({"addresses": error.messages}) from error
