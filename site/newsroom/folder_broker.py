"""Kombu's filesystem broker, safe when one process puts a message while another looks for one.

Kombu 5.7 creates a message's file and writes it afterwards; a worker that looks in between takes
an empty file, cannot read it as JSON, and ends (`_put` and `_get` in kombu.transport.filesystem).
"""

from __future__ import annotations

import json
import logging
import os
import time
import uuid
from pathlib import Path
from queue import Empty
from typing import Any

from kombu.transport import filesystem

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        """The message appears in the folder whole, or not at all."""
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}"
        unfinished = folder / f"{name}.part"
        unfinished.write_text(json.dumps(message), encoding="utf-8")
        os.replace(unfinished, folder / f"{name}.{queue}.msg")

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        try:
            return super()._get(queue)
        except ValueError:
            # Left behind by a power cut. The tick rings again for whatever it was.
            logger.warning("An unreadable message was dropped from the folder %s", queue)
            raise Empty from None


class Transport(filesystem.Transport):
    Channel = Channel
