"""Lists about people, searched by a whole address."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.functional import cached_property

from newsletter.exceptions import InvalidMember
from newsletter.members.address import address_hash, canonical_address


class WholeAddressSearch:
    """For a list whose rows have an `address_hash`.

    A part of an address finds nothing: it would let people be listed by name or employer.
    """

    is_searching: Any
    search_query: str

    def search_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.is_searching:
            return queryset
        if not self.is_an_address:
            return queryset.none()
        address = canonical_address(self.search_query)
        return queryset.filter(address_hash=address_hash(address))

    @cached_property
    def is_an_address(self) -> bool:
        try:
            canonical_address(self.search_query)
        except InvalidMember:
            return False
        return True
