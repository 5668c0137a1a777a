"""The plugin's settings: the keys of `NEWSLETTER` in Django's settings, each with its default.

Read `conf.get("FETCH_TIMEOUT")`, never `settings.NEWSLETTER[...]`: a test that changes a setting
then needs no reload. Every key has a row in docs/reference/settings.md (a test holds that).
"""

from typing import Any

from django.conf import settings

DEFAULTS: dict[str, Any] = {
    # The site's own address, for links in mails: scheme and host, no slash at the end.
    "SITE_URL": "http://127.0.0.1:8000",
    # --- feeds
    "USER_AGENT": "Bollettino/0.1 (+{site_url})",
    "FETCH_TIMEOUT": 20.0,  # seconds, the whole exchange
    "FETCH_MAX_BYTES": 10_000_000,  # after decoding
    "FETCH_MAX_REDIRECTS": 5,
    "ALLOW_PRIVATE_FEED_HOSTS": [],  # host names or addresses that may be loopback or private
    "POLL_MIN_MINUTES": 5,
    "POLL_MAX_MINUTES": 24 * 60,
    "POLL_IN_FLIGHT": 32,  # servers that a poller waits for at once
    "WEBSUB": False,  # let hubs tell of news at once; SITE_URL must be reachable for them
    # --- articles
    "MAX_ENTRY_BYTES": 500_000,
    "MAX_ENTRY_DEPTH": 100,
    "MAX_ENTRIES_PER_FETCH": 1_000,
    "PAGE_TEXTS_PER_POLL": 20,  # posts whose own page is read, where a feed gives excerpts
    "ADDRESS_CHECK_HOURS": 3,  # before a digest goes, its articles' addresses are asked so often
    # --- themes
    "SUGGEST_THRESHOLD": 0.5,  # below this confidence nothing is said
    # --- members
    "CONFIRMATION_DAYS": 7,  # an unconfirmed address is deleted after these
    "SIGNUPS_PER_HOUR_PER_IP": 5,
    "SIGNUPS_PER_HOUR": 500,
    "TRUSTED_PROXIES": 0,  # in front of the site, each adding to X-Forwarded-For
    "PRIVACY_POLICY_URL": "",
    "PRIVACY_POLICY_VERSION": "1",
    # --- digests
    "GRACE_HOURS": 12,  # after the slot, nothing goes without a person's word
    "REMIND_HOURS": 12,  # before the slot, editors of an unapproved draft are reminded
    # --- delivery
    "SMTP_URL": "",  # empty: what Django's own mail settings say
    "PROVIDER": "",  # a backend of django-anymail that digests go out by, in place of SMTP
    # Private keys that sign each mail: "selector:/path/to/key.pem"; empty: the mail server signs.
    "DKIM_KEYS": [],
    # How many mails may go: {"*": "5000/h", "gmail.com": "10/s"}, "*" being all of them together;
    # and how many at once: {"libero.it": {"rate": "600/m", "connections": 2}}.
    "RATE_LIMITS": {},
    # Domains that one company's servers take mail for, and share a limit: {"google": [domain, …]}.
    "MAIL_HOSTS": {
        "gmail.com": ["gmail.com", "googlemail.com"],
        "outlook.com": [
            "outlook.com",
            "outlook.it",
            "hotmail.com",
            "hotmail.it",
            "live.com",
            "live.it",
            "msn.com",
        ],
        "yahoo.com": ["yahoo.com", "yahoo.it", "ymail.com", "aol.com"],
        "icloud.com": ["icloud.com", "me.com", "mac.com"],
        "libero.it": ["libero.it", "virgilio.it", "inwind.it", "iol.it", "blu.it"],
        "tim.it": ["tim.it", "alice.it", "tin.it"],
    },
    # {"begins": "2026-12-01", "first_day": 200, "growth": 1.5, "until": 50000, "gmail.com": 50}
    "WARM_UP": {},
    "PAUSE_AT_REFUSALS": "",  # "20/100": more than 20 of a sender's last 100 mails; empty: never
    "QUIET_HOURS": "",  # "22:00-07:00" on the newsletter's clocks; urgent notices go all the same
    "MESSAGE_DOMAIN": "",  # of Message-ID and List-Id; empty: the sender's domain
    "BATCH_SIZE": 1_000,  # deliveries claimed at once, at most
    "LEASE_SECONDS": 120,
    "IN_FLIGHT": 1,  # mails a killed worker may leave uncertain
    # A folder on this machine's own disk, in which senders note each mail before it goes out;
    # empty: they note it in the database, which costs a commit for each.
    "JOURNAL_DIR": "",
    "JOURNAL_WAIT_SECONDS": 900,  # for the machine that has the journal of a vanished sender
    "RETRY_MINUTES": [5, 15, 30, 67],  # after a temporary refusal; the last repeats
    "DELIVERY_DEADLINE_HOURS": 120,
    "DELIVERY_DAYS": 180,  # after the sending, who got what is forgotten; the counts stay
    # Where to look for uncertain mails: [{"class": "dotted.path", …arguments}], see
    # newsletter.delivery.evidence.
    "EVIDENCE": [],
    # --- what comes back
    "BOUNCE_DOMAIN": "",  # mails come back to b+<token>@ here; empty: to the newsletter's sender
    "BOUNCE_MAILBOX": "",  # imaps://user:password@host/INBOX or pop3s://…: where they lie
    "RETURN_PATH_DAYS": 30,  # after the sending, no report about a mail counts any more
    "BOUNCE_DAYS": 180,  # after these it is forgotten which mails came back
    # --- watching
    "METRICS_TOKEN": "",  # who brings it may read /newsletter/metrics/; empty: nobody
    "SENDERS": 1,  # send tasks rung at once for one digest
}


def get(key: str) -> Any:
    """The setting's value; KeyError for a key that the plugin does not know."""
    configured: dict[str, Any] = getattr(settings, "NEWSLETTER", {})
    return configured[key] if key in configured and key in DEFAULTS else DEFAULTS[key]


def site_url(path: str = "") -> str:
    """The absolute address of a path of this site."""
    return str(get("SITE_URL")).rstrip("/") + path


def user_agent() -> str:
    return str(get("USER_AGENT")).format(site_url=site_url())
