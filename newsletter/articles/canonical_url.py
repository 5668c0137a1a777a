"""When two addresses, or two entries, are the same post."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from newsletter.feeds.parse import ParsedEntry

# Parameters that say how a reader came, never what is read.
_TRACKING = re.compile(
    r"(utm_|mtm_|pk_|piwik_|matomo_|hsa_|_hs|mc_|oly_|ns_|vero_|wt_|trk_|ga_|fb_|at_)\w*$|"
    r"(fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|li_fat_id|igshid|igsh|"
    r"wickedid|rb_clickid|s_cid|cmpid|ref_src|ref_url|mkt_tok|hsctatracking|epik|_openstat|"
    r"sfnsn|xtor|spm|guccounter|guce_referrer|guce_referrer_sig)$",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=4096)
def canonical_url(url: str) -> str:
    """The form in which addresses of one post are equal; for comparing, not for visiting.

    Scheme, `www.`, default ports, a slash at the end, the order of parameters, tracking
    parameters and the fragment make no difference. Returns what it cannot read as it is.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url.strip()
    if not host:
        return url.strip()
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        host = host.lower()
    host = host.removeprefix("www.")
    if port and port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    path = _encoded(re.sub(r"/{2,}", "/", parts.path)).rstrip("/")
    query = "&".join(sorted(_encoded(pair, "=+%") for pair in _own_parameters(parts.query)))
    # "#!/post/1" and "#/post/1" are the address of a page in a site made of scripts.
    fragment = parts.fragment if parts.fragment.startswith(("!", "/")) else ""
    return urlunsplit(("", host, path or "/", query, fragment))


@lru_cache(maxsize=4096)
def without_tracking(url: str) -> str:
    """`url` as a reader may visit it, minus the tracking parameters."""
    if "?" not in url and "#" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = "&".join(_own_parameters(parts.query)) if "=" in parts.query else parts.query
    # "#utm_source=rss": some feeds hide it there.
    fragment = "" if _TRACKING.match(parts.fragment.partition("=")[0]) else parts.fragment
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, fragment))


def host_of(url: str) -> str:
    return canonical_url(url).removeprefix("//").partition("/")[0].partition("?")[0]


def is_front_page(url: str) -> bool:
    """Whether `url` is a site's root: it names a site, never a post."""
    return canonical_url(url).rstrip("/").count("/") <= 2 and "?" not in canonical_url(url)


def identity_keys(entry: ParsedEntry, *, feed_id: int, feed_host: str) -> list[str]:
    """The names under which this entry's article is known, the most telling first.

    - its link, and a guid that is an address on the link's host ("/?p=41" in one feed may be the
      link in another);
    - a guid that is an address elsewhere, within the link's host: two blogs made from one
      staging site both have "http://staging.example/?p=1";
    - any other guid within the host, when it is long enough to be no mere counter;
    - its guid within its feed, which outlives a change of address;
    - without link and guid, its words within its feed.
    """
    names: list[str] = []
    host = host_of(entry.url) if entry.url else feed_host
    guid = entry.guid.strip()
    guid_is_address = bool(re.match(r"https?://", guid, re.IGNORECASE))
    if entry.url and not is_front_page(entry.url):
        names.append(f"link:{canonical_url(entry.url)}")
    if guid_is_address and not is_front_page(guid):
        canonical = canonical_url(guid)
        if host_of(guid) == host:
            names.append(f"link:{canonical}")
        else:
            names.append(f"guid:{host}:{canonical}")
        names.append(f"feed:{feed_id}:{canonical}")
    elif guid and not guid_is_address:
        if len(guid) >= 16 or guid.startswith(("tag:", "urn:")):
            names.append(f"guid:{host}:{guid}")
        names.append(f"feed:{feed_id}:{guid}")
    if not names:
        words = f"{entry.title}\n{entry.content_html or entry.summary_html}"
        names.append(f"words:{feed_id}:{hashlib.sha256(words.encode()).hexdigest()}")
    return [hashlib.sha256(name.encode()).hexdigest() for name in dict.fromkeys(names)]


def distinct_keys(entries: Iterable[tuple[ParsedEntry, list[str]]]) -> list[list[str]]:
    """The keys of a fetch's entries, without those that tell nothing apart.

    In one fetch a guid or a link that stands on entries with different titles (every item of some
    feeds points to the same page, or carries the same guid) names no post.
    """
    pairs = list(entries)
    titles: dict[str, set[str]] = {}
    for entry, keys in pairs:
        for key in keys:
            titles.setdefault(key, set()).add(entry.title.casefold())
    shared = Counter({key: len(found) for key, found in titles.items() if len(found) > 1})
    result: list[list[str]] = []
    for entry, keys in pairs:
        own = [key for key in keys if key not in shared]
        if not own:
            words = f"{entry.url}\n{entry.guid}\n{entry.title}\n{entry.published}"
            own = [hashlib.sha256(f"words:{words}".encode()).hexdigest()]
        result.append(own)
    return result


def _own_parameters(query: str) -> list[str]:
    return [
        pair
        for pair in query.split("&")
        if pair
        and not _TRACKING.match(pair.partition("=")[0])
        and not re.match(r"(source|ref)=rss\b", pair)
    ]


def _encoded(text: str, safe: str = "") -> str:
    """Percent-encoding in one spelling: needed escapes only, in upper case."""
    return quote(unquote(text), safe="/:@!$'()*,;~._-" + safe.replace("%", ""))
