"""A feed over HTTP: redirects, validators, errors. What comes back is bytes, not yet a feed."""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urljoin

from django.utils.translation import gettext as _
from urllib3 import HTTPHeaderDict
from urllib3.exceptions import LocationParseError
from urllib3.util import Url, parse_url

from newsletter import conf
from newsletter.exceptions import FeedGone, FeedRefused, FeedUnreachable
from newsletter.feeds.exchange import CPU_SECONDS, REDIRECTS, WHOLE, Answer, Exchange
from newsletter.feeds.memory import Place

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, text/html;q=0.5, */*;q=0.1"
)
PAGE = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"  # to accept, where no feed is wanted
_PERMANENT = {301, 308}
# A publisher may ask for patience, not for ever.
_LONGEST_WAIT = 7 * 24 * 3600.0
_LONGEST_REPLY = 100_000  # of a server that was told something


@dataclass(frozen=True)
class Fetched:
    url: str  # where the answer came from, after redirects
    permanent_url: str | None  # where the leading run of permanent redirects ends
    status: int
    body: bytes
    content_type: str
    etag: str
    last_modified: str
    body_hash: str
    not_modified: bool
    duration_ms: int
    retry_after: float | None
    max_age: float | None
    headers: HTTPHeaderDict = field(default_factory=HTTPHeaderDict)


def fetch(
    url: str,
    *,
    etag: str = "",
    last_modified: str = "",
    accept: str = ACCEPT,
    seconds: float = 0,
    max_bytes: int = 0,
    place: Place | None = None,
) -> Fetched:
    """GET `url` within the limits of the settings.

    Raises a FeedError whose message tells an editor what happened and what to do. `seconds`
    bounds the whole exchange, redirects included; 0 means FETCH_TIMEOUT. `max_bytes` 0 means
    FETCH_MAX_BYTES. A large answer takes `place`, which is the caller's to give back.
    """
    began, cpu_until = time.monotonic(), time.thread_time() + CPU_SECONDS
    seconds = seconds or float(conf.get("FETCH_TIMEOUT"))
    headers = {"User-Agent": conf.user_agent(), "Accept": accept, "Accept-Encoding": "gzip"}
    # Byte for byte what the publisher sent, and both: WordPress answers 304 only when both match.
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    current = _parsed(url)
    permanent: str | None = None
    permanent_so_far = True
    seen = {current.url}
    for _hop in range(int(conf.get("FETCH_MAX_REDIRECTS")) + 1):
        exchange = Exchange(
            current, until=began + seconds, cpu_until=cpu_until, max_bytes=max_bytes, place=place
        )
        answer = exchange.ask("GET", headers)
        if answer.status not in REDIRECTS or not answer.location:
            return _judged(url, current, answer, permanent, began, asked=headers)
        target = _parsed(_joined(current.url, answer.location))
        permanent_so_far = permanent_so_far and answer.status in _PERMANENT
        if permanent_so_far:
            permanent = target.url
        if target.url in seen:
            break
        seen.add(target.url)
        current = target
    raise FeedUnreachable(
        "too_many_redirects",
        _("%(url)s sends us round in circles. Open it in a browser and use the final address.")
        % {"url": url},
    )


def post_form(url: str, fields: dict[str, str], *, seconds: float = 0) -> int:
    """POST `fields` to `url`; the status of the answer, whose content is of no interest.

    Redirects are not followed: what is posted is meant for that address alone.
    """
    target = _parsed(url)
    until = time.monotonic() + (seconds or float(conf.get("FETCH_TIMEOUT")))
    headers = {
        "User-Agent": conf.user_agent(),
        "Accept-Encoding": "gzip",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    exchange = Exchange(target, until=until, max_bytes=_LONGEST_REPLY)
    return exchange.ask("POST", headers, urlencode(fields).encode()).status


def _judged(
    url: str,
    final: Url,
    answer: Answer,
    permanent: str | None,
    began: float,
    *,
    asked: dict[str, str],
) -> Fetched:
    retry_after = _seconds_until(answer.headers.get("Retry-After", ""))
    status = answer.status
    if status == 410:
        raise FeedGone(
            "gone", _("%(url)s was removed for good by its publisher.") % {"url": url},
            http_status=status,
        )  # fmt: skip
    # "Not modified" says nothing to one who has never seen it.
    unchanged = status == 304 and bool(asked.keys() & {"If-None-Match", "If-Modified-Since"})
    if status not in WHOLE and not unchanged:
        raise FeedUnreachable(
            f"http_{status}",
            _status_message(status) % {"url": url, "host": final.host, "status": status},
            http_status=status,
            retry_after=retry_after,
        )
    headers = answer.headers
    return Fetched(
        url=final.url,
        permanent_url=permanent,
        status=status,
        body=answer.body,
        content_type=headers.get("Content-Type", ""),
        etag=headers.get("ETag", ""),
        last_modified=headers.get("Last-Modified", ""),
        body_hash=hashlib.sha256(answer.body).hexdigest(),
        not_modified=unchanged,
        duration_ms=round((time.monotonic() - began) * 1000),
        retry_after=retry_after,
        max_age=_freshness(headers),
        headers=headers,
    )


def _status_message(status: int) -> str:
    if status in {401, 403}:
        return _("%(host)s does not let us read %(url)s (%(status)d). Ask its publisher.")
    if status == 404:
        return _("There is nothing at %(url)s (404). The blog may have moved.")
    if status == 429:
        return _("%(host)s asks us to come less often (429). We wait.")
    if status >= 500:
        return _("%(host)s has a problem of its own (%(status)d). We try again later.")
    return _("%(host)s answers %(status)d for %(url)s. Open the address in a browser to check it.")


def _joined(base: str, location: str) -> str:
    try:
        return urljoin(base, location)
    except ValueError:  # "http://[::1"
        return location


def _parsed(url: str) -> Url:
    """`url` in its normal form: host in ASCII, path percent-encoded, no fragment."""
    text = url.strip()
    if text.lower().startswith("feed:"):
        rest = text[5:].lstrip("/")
        text = rest if re.match("https?:", rest, re.IGNORECASE) else f"http://{rest}"
    try:
        parsed = parse_url(text)
    except LocationParseError:
        parsed = Url()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FeedRefused(
            "bad_address",
            _("“%(url)s” is not a web address. It must start with https:// or http://.")
            % {"url": text[:200]},
        )
    return parsed._replace(fragment=None, path=parsed.path or "/")


def _seconds_until(value: str) -> float | None:
    """Retry-After in seconds, from seconds or from an HTTP date."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(float(value[:12]), _LONGEST_WAIT)
    moment = _http_date(value)
    if moment is None:
        return None
    left = (moment - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _freshness(headers: HTTPHeaderDict) -> float | None:
    """How long the publisher calls this answer fresh (RFC 9111, 4.2.1)."""
    control = headers.get("Cache-Control", "").lower()
    if "no-cache" in control or "no-store" in control:
        return None
    if found := re.search(r"max-age\s*=\s*\"?(\d{1,10})", control):
        return min(float(found[1]), _LONGEST_WAIT)
    expires = _http_date(headers.get("Expires", ""))
    if expires is None:
        return None
    served = _http_date(headers.get("Date", "")) or datetime.now(UTC)
    return min(max((expires - served).total_seconds(), 0.0), _LONGEST_WAIT)
