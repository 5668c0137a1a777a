"""When two addresses are the same page."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit, urlunsplit

# Parameters that say how a reader came, never what is read.
_TRACKING = re.compile(
    r"(utm_|mtm_|pk_|piwik_|matomo_|hsa_|_hs|mc_|oly_|ns_|vero_|wt_|trk_|ga_|fb_|at_)\w*$|"
    r"(fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|li_fat_id|igshid|igsh|"
    r"wickedid|rb_clickid|s_cid|cmpid|ref_src|ref_url|mkt_tok|hsctatracking|epik|_openstat|"
    r"sfnsn|xtor|spm|guccounter|guce_referrer|guce_referrer_sig|srsltid|mibextid|_gl|_ga|gad_source|"
    r"gad_campaignid|vgo_ee|_ke|dm_i|mkcid|mkevt|trkcampaign|sc_campaign|sr_share|"
    r"echobox|ncid|ocid|intcid|smid|smtyp|wt\.\w+|itm_\w+|phpsessid|jsessionid)$",
    re.IGNORECASE,
)
# "source=rss----4": Medium and others; "feed=rss2" asks WordPress for the feed of a post.
_FROM_A_FEED = re.compile(
    r"(?:source|src|ref|from|via|campaign|cid|medium|output|partner|referrer)=(?:rss|atom|feed)\b",
    re.IGNORECASE,
)
_OTHER_SCREENS = re.compile(r"^(?:m|mobile|amp)\.(?=[^.]+\.)")
_OTHER_VIEWS = re.compile(r"(?:amp(?:=1|=true)?|m=[01]|outputtype=amp|output=amp)$", re.IGNORECASE)
# Blogger serves a blog under the reader's country ("x.blogspot.it").
_BLOGSPOT = re.compile(r"\.blogspot\.(?:[a-z]{2}|com?\.[a-z]{2})$")
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
    host = _BLOGSPOT.sub(".blogspot.com", host.removeprefix("www."))
    if port and port != _DEFAULT_PORTS.get(parts.scheme.lower()):
        host = f"{host}:{port}"
    path = re.sub(r"/{2,}", "/", parts.path.partition(";jsessionid=")[0])
    path = _encoded(path).rstrip("/")
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


def server_of(url: str) -> str:
    """Host and port, in the canonical form."""
    return canonical_url(url).removeprefix("//").partition("/")[0].partition("?")[0]


def is_front_page(url: str) -> bool:
    """Whether `url` is a site's root: it names a site, never a post."""
    return canonical_url(url).rstrip("/").count("/") <= 2 and "?" not in canonical_url(url)


def loose_url(url: str) -> str:
    """The form in which also a page for telephones or AMP is equal to the page itself.

    Only a hint: "/amp/" may be a page of its own.
    """
    parts = urlsplit(canonical_url(url))
    host = _OTHER_SCREENS.sub("", parts.netloc) or parts.netloc
    path = re.sub(r"(?:/amp|\.amp|/index\.(?:html?|php|aspx?))(?=$|/$)", "", parts.path) or "/"
    query = "&".join(p for p in parts.query.split("&") if not _OTHER_VIEWS.match(p))
    return urlunsplit(("", host, path, query, parts.fragment))


def _own_parameters(query: str) -> list[str]:
    return [
        pair
        for pair in query.split("&")
        if pair and not _TRACKING.match(pair.partition("=")[0]) and not _FROM_A_FEED.match(pair)
    ]


def _encoded(text: str, safe: str = "") -> str:
    """Percent-encoding in one spelling: needed escapes only, in upper case."""
    return quote(
        unicodedata.normalize("NFC", unquote(text)), safe="/:@!$'()*,;~._-" + safe.replace("%", "")
    )
