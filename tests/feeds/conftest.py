"""A server that misbehaves on the wire, where `feed_server` always answers properly."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import RawServer


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()
