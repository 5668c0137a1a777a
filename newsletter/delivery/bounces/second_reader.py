"""Reports that are no RFC 3464: qmail, Exim and the like, in words.

flufl.bounce knows their forms. It does not look at the status code, though: a mail refused for our
server's reputation is to it like one to a mailbox that does not exist. So it only says that this is
a report; what it means is read from the codes in its words, and without one it means little.
"""

from __future__ import annotations

import logging
import re
from email.message import Message

from flufl.bounce import all_failures

from newsletter.delivery.bounces.report import Report, Said
from newsletter.delivery.bounces.status import status_of
from newsletter.delivery.bounces.words import plain, text_of

logger = logging.getLogger(__name__)
# It tells of every form that it tries, and shows the mail when it stumbles.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

# Its patterns go over every line of the mail.
MOST_BYTES = 100_000
_QUOTED = re.compile(
    r"^(?:-+ ?(?:this is a copy|below this line|original|the header|enclosed|included)"
    r"|return-path:|received:)",
    re.IGNORECASE | re.MULTILINE,
)
_MOST_WORDS = 20_000


def read_words(message: Message) -> Report | None:
    """None when it does not look like a report either."""
    try:
        temporary, permanent = all_failures(message)
    except Exception as error:
        # Other people's code on strangers' mails.
        logger.debug("flufl.bounce gave up: %s", type(error).__name__)
        return None
    if not permanent:
        return Report(Said.DELAYED) if temporary else None
    words = _QUOTED.split(text_of(message, _MOST_WORDS))[0]
    return Report(Said.FAILED, status=status_of("", words), detail=plain(words, 500))
