"""What a mail that came back says, in our words."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Said(enum.Enum):
    FAILED = "failed"  # for good: nobody tries any more
    DELAYED = "delayed"  # still being tried
    DELIVERED = "delivered"
    COMPLAINT = "complaint"  # the recipient pressed "this is spam"
    AUTO_REPLY = "auto-reply"
    NOTHING = "nothing"  # a person's mail, a receipt, advertising


@dataclass(frozen=True)
class Report:
    """`tokens` are those of the return paths that it came to or quotes, not yet verified."""

    said: Said
    status: str = ""  # RFC 3463, as "5.1.1"; empty when there is none
    server: str = ""  # who refused
    detail: str = field(default="", repr=False)  # the server's words, without addresses
    tokens: tuple[str, ...] = field(default=(), repr=False)
