"""Feeds of comments, which are no posts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

# "Comments on: A post", as WordPress says it in the languages of its translations.
_COMMENTS_ON = re.compile(
    r"^(?:comments?\s+(?:on|for)|commenti?\s+(?:a|al|all['’]|per|su|di)|kommentare?\s+(?:zu|für)|"
    r"commentaires?\s+(?:sur|pour)|comentarios?\s+(?:en|de|para)|coment[áa]rios?\s+(?:sobre|em|para|a)|"
    r"reacties?\s+(?:op|voor)|komentarze\s+(?:do|dla)|comentaris\s+(?:a|de|per)|"
    r"kommentarer\s+(?:till|på|för|til))\b",
    re.IGNORECASE,
)
_COMMENT_BY = re.compile(
    r"^(?:by|di|da|von|par|por|door|autor|przez|per|av|af)\s?:\s|^(?:comment\s+on|commenti?\s+(?:a|su|per)|"
    r"kommentar\s+(?:zu|till|på)|commentaire\s+sur|comentario\s+en|coment[áa]rio\s+(?:sobre|em)|"
    r"reactie\s+op|komentarz\s+do|comentari\s+a|in\s+reply\s+to|in\s+risposta\s+a|re\s?:)\s",
    re.IGNORECASE,
)
_COMMENT_PLACE = re.compile(r"#comment-?\d+|[?&]showcomment=\d+|#c\d{5,}$", re.IGNORECASE)
_PATH = re.compile(r"/comments/(?:feed|rss2?|atom|rdf|default)\b")
_QUERY = re.compile(r"(?:^|&)(?:feed=comments-|withcomments=1)")


def carries_comments(
    title: str, addresses: Iterable[str], entries: Sequence[tuple[str, str]]
) -> bool:
    """Whether a feed of this title at one of these addresses, with entries of these (title,
    address), is one of comments.
    """
    for address in addresses:
        parts = urlsplit(address)
        if _PATH.search(parts.path) or _QUERY.search(parts.query):
            return True
    named = bool(_COMMENTS_ON.match(title))
    if not entries:
        return named and ":" in title
    # A blog may be called "Commenti su tutto": the entries decide.
    return all(
        _COMMENT_PLACE.search(url) or (named and _COMMENT_BY.match(heading))
        for heading, url in entries
    )
