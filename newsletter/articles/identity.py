"""When two entries are the same post.

An article is known by keys. Some name a post by themselves (its link); others only together with
its words, because many blogs, or one blog at different times, use them for different posts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from newsletter.articles.canonical_url import canonical_url, is_front_page, loose_url, server_of
from newsletter.feeds.parse import ParsedEntry

# Links of these say which feed was read, not what: the guid names the post.
_FORWARDERS = re.compile(
    r"(?:^|\.)(?:feedproxy\.google\.com|feeds\d?\.feedburner\.com|feedburner\.com|feedsportal\.com|"
    r"feedblitz\.com|feedpress\.(?:me|it)|feeds\.wordpress\.com|rss\.com\.track)$"
)
# Fragments that lead into a post; any other names one of several on a page (a log of changes).
_INTO_A_POST = re.compile(
    r"^(?:more(?:-\d+)?|comments?|respond|reply|content|main(?:-content)?|top|rss|feed|atom|"
    r"disqus_thread|primary|readmore|:~:.*|(?:\w*utm_|xtor|ref|at_|source|intcid|cmp|echobox|ns_|"
    r"from|tk|sf\d+)\w*=.*)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
# "12", "item-3": a place in a list, or a row of whose knows which table.
_COUNTER = re.compile(r"(?:[a-z]{1,6}[-_#:. ]?)?\d{1,6}$", re.IGNORECASE)


def identity_keys(
    entry: ParsedEntry, *, feed_id: int, feed_host: str, site_url: str = ""
) -> list[str]:
    """The names under which this entry's article is known, the most telling first.

    - its link, unless that is the site's front page;
    - with its words: its link and its guid in every spelling of one address ("/1/amp/",
      "m.blog.example"), "?p=41" within one blog, any other guid within its host, and the tag: and
      urn:uuid: of Atom anywhere (RFC 4151, RFC 4122), as a blog may have two hosts;
    - its guid within its feed, which outlives a change of address or of words, but not of both
      and of the date: such a guid was given to another post;
    - without link and guid, its words and date within its host.
    """
    guid = entry.guid.strip()
    guid_address = guid if _ADDRESS.match(guid) and not _is_no_post(guid, site_url) else ""
    link = entry.url
    if not link or _is_no_post(link, site_url) or _FORWARDERS.search(server_of(link)):
        link = ""
    blog = _blog(link or guid_address, feed_host, site_url)
    words = _words(entry)
    names: list[str] = []
    said: list[str] = []  # names that count only together with the words
    if link:
        names.append(f"link:{canonical_url(link)}{_item(link)}")
        said.append(_address(link, blog))
    if guid_address:
        said.append(_address(guid_address, blog))
    elif guid and not _ADDRESS.match(guid):
        name = _spelled(guid)
        anywhere = re.match(r"tag:|urn:uuid:", name, re.IGNORECASE)
        if anywhere or len(name) >= 16 or name.startswith("urn:"):
            said.append(f"guid:{'' if anywhere else server_of(f'//{blog}') or blog}:{name}")
    if guid and not (_ADDRESS.match(guid) and is_front_page(guid)):
        own = f"feed:{feed_id}:{canonical_url(guid) if guid_address else _spelled(guid)}"
        if _COUNTER.match(guid):
            said.append(own)
        elif not entry.published or not link:
            names.append(own)
        else:
            said.append(own)
            names.append(f"{own} of {entry.published.isoformat()}")
    if words:
        names += [f"{name} as {words}" for name in said]
    if not link and not guid_address:
        names.append(f"words:{feed_host}:{words}:{entry.published}:{'' if guid else _text(entry)}")
    return [hashlib.sha256(name.encode()).hexdigest() for name in dict.fromkeys(names)]


def distinct_keys(entries: Iterable[tuple[ParsedEntry, list[str]]]) -> list[list[str]]:
    """The keys of a fetch's entries, without those that tell nothing apart.

    In one fetch a guid or a link that stands on different posts (every item of some feeds points
    to the same page, or carries the same guid) names none.
    """
    pairs = list(entries)
    first: dict[str, ParsedEntry] = {}
    shared: set[str] = set()
    for entry, keys in pairs:
        for key in keys:
            if _differ(first.setdefault(key, entry), entry):
                shared.add(key)
    result: list[list[str]] = []
    for entry, keys in pairs:
        own = [key for key in keys if key not in shared] if shared else keys
        if not own:
            told = f"{entry.url}\n{entry.guid}\n{entry.title}\n{entry.published}\n{_text(entry)}"
            own = [hashlib.sha256(f"words:{told}".encode()).hexdigest()]
        result.append(own)
    return result


def _differ(one: ParsedEntry, other: ParsedEntry) -> bool:
    """Whether two entries of one fetch are certainly not the same post listed twice."""
    if one is other:
        return False
    if _words(one) != _words(other) or _item(one.url) != _item(other.url):
        return True
    same_guid = bool(one.guid) and _spelled(one.guid) == _spelled(other.guid)
    if same_guid and canonical_url(one.url) == canonical_url(other.url):
        return False
    if one.published and other.published:
        return one.published != other.published
    return not same_guid and _text(one) != _text(other)


def _is_no_post(url: str, site_url: str) -> bool:
    return is_front_page(url) or bool(
        site_url and not _item(url) and canonical_url(url) == canonical_url(site_url)
    )


def _blog(address: str, feed_host: str, site_url: str) -> str:
    """The host, and the folder of a blog that shares it with others."""
    host = server_of(address) if address else feed_host
    home = canonical_url(site_url).removeprefix("//").rstrip("/") if site_url else ""
    inside = home.startswith(f"{host}/") and "?" not in home
    if inside and canonical_url(address).removeprefix("//").startswith(f"{home}/"):
        return home
    return host


def _address(url: str, blog: str) -> str:
    loose = loose_url(url)
    parts = urlsplit(loose)
    if parts.netloc and parts.path in {"", "/"} and parts.query:
        return f"id:{blog}:{loose}"  # "?p=41": of which of the blogs at this host?
    if parts.netloc and parts.query and blog.partition("/")[0] != parts.netloc:
        # Two blogs made from one copy both have "http://copy.example/index.php?id=1".
        return f"id:{blog}:{loose}"
    return f"like:{loose}"


def _item(url: str) -> str:
    """The fragment, when it names one of several posts on a page."""
    fragment = url.partition("#")[2]
    if not fragment or fragment.startswith(("!", "/")) or _INTO_A_POST.match(fragment):
        return ""
    return f"#{fragment}"


def _spelled(guid: str) -> str:
    """ "12 at https://blog.example/" and "12 at http://www.blog.example" are one guid."""
    return re.sub(r"https?://(?:www\.)?", "//", guid.strip(), flags=re.IGNORECASE).rstrip("/")


def _words(entry: ParsedEntry) -> str:
    """The title, or what stands in for one."""
    if entry.title:
        return " ".join(entry.title.split()).casefold()
    return _text(entry)[:100].casefold()


def _text(entry: ParsedEntry) -> str:
    markup = entry.content_html or entry.summary_html
    return " ".join(re.sub(r"<[^<>]*>", " ", markup[:2_000]).split())
