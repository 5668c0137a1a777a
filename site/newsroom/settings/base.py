"""Settings every instance shares. What differs comes from the environment or from `.env`.

`embedded` is what `make run` starts, `production` what an operator deploys, `test` what pytest
uses. Nothing outside this folder reads an environment variable.
"""

from pathlib import Path
from typing import Any

import django
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from newsroom.settings.environment import Environment

ROOT = Path(__file__).resolve().parents[3]
SITE_DIR = ROOT / "site" / "newsroom"

env = Environment()
Environment.read_env(ROOT / ".env")

# Everything an instance writes lies under this one folder.
DATA_DIR = Path(env.str("DATA_DIR", default=str(ROOT / "var"))).expanduser().resolve()

DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

try:
    PORT = env.int("PORT", default=8000)
except ImproperlyConfigured:
    PORT = 0
if not 0 < PORT < 65536:
    raise ImproperlyConfigured(
        f"PORT={env.str('PORT')} is not a port. Choose a number from 1 to 65535."
    )
# Where members and readers find the site: links in mails are made from it.
SITE_URL = env.str("SITE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")

INSTALLED_APPS = [
    "newsroom.home",
    "newsletter",
    "wagtail.contrib.redirects",
    "wagtail.contrib.routable_page",
    "wagtail.contrib.settings",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "newsroom.urls"
WSGI_APPLICATION = "newsroom.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SITE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
            ],
        },
    }
]


def sqlite(path: Path) -> dict[str, Any]:
    """A SQLite database that several processes share safely.

    WAL lets readers work while one writes; IMMEDIATE takes the write lock at the start, so that
    a transaction waits instead of failing half-way; synchronous=FULL keeps the ledger's last
    commit through a power cut (https://www.sqlite.org/pragma.html#pragma_synchronous).
    Pages are read through memory maps: a search for a word of every second article reads tens of
    thousands of them, and takes a third of the time (https://www.sqlite.org/mmap.html).
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": (
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32000;"
                "PRAGMA mmap_size=1073741824;"
            ),
        },
    }


if env.str("DATABASE_URL", default=""):
    DATABASES = {"default": env.database("DATABASE_URL")}
    if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        DATABASES["default"] = sqlite(Path(DATABASES["default"]["NAME"]))
    else:
        DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
        DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
else:
    DATABASES = {"default": sqlite(DATA_DIR / "bollettino.sqlite3")}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="it")
LANGUAGES = WAGTAILADMIN_PERMITTED_LANGUAGES = [("it", _("Italian")), ("en", _("English"))]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
TIME_ZONE = env.time_zone("TIME_ZONE", default="Europe/Rome")
WAGTAIL_USER_TIME_ZONES = [TIME_ZONE]
USE_I18N = True
USE_TZ = True
LOCALE_PATHS = [SITE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [SITE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = DATA_DIR / "media"
SERVE_MEDIA = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

WAGTAIL_SITE_NAME = env.str("SITE_NAME", default="Bollettino")
WAGTAILADMIN_BASE_URL = SITE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False  # nothing is fetched at run time
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

# --- Celery: the broker is a doorbell, the database the truth ------------------------------------

BROKER_URL = env.str("BROKER_URL", default="filesystem://localhost")
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Three kinds of work, so that on a large site each can have workers of its own. A worker that is
# told nothing else does all three.
CELERY_TASK_QUEUES: dict[str, dict[str, Any]] = {
    name: {"exchange": name, "routing_key": name} for name in ("poll", "compile", "send")
}
CELERY_TASK_DEFAULT_QUEUE = "compile"  # the tick, themes, drafts
CELERY_TASK_ROUTES = {
    "newsletter.poll_due": {"queue": "poll"},
    "newsletter.poll_feed": {"queue": "poll"},
    "newsletter.follow_digest_links": {"queue": "poll"},
    "newsletter.errands": {"queue": "poll"},
    "newsletter.start_digest": {"queue": "send"},
    "newsletter.send_digest": {"queue": "send"},
    "newsletter.send_confirmations": {"queue": "send"},
    "newsletter.sweep": {"queue": "send"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
TICK_SECONDS = env.float("TICK_SECONDS", default=60)
CELERY_BEAT_SCHEDULE = {
    # A lost tick is made up by the next one: one that waited for so long is not worth running.
    "tick": {
        "task": "newsletter.tick",
        "schedule": TICK_SECONDS,
        "options": {"expires": TICK_SECONDS},
    },
}
if BROKER_URL.startswith("filesystem"):
    _broker_dir = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        "data_folder_in": str(_broker_dir / "queue"),
        "data_folder_out": str(_broker_dir / "queue"),
        "processed_folder": str(_broker_dir / "processed"),
        "control_folder": str(_broker_dir / "control"),
        "store_processed": False,
        "polling_interval": 0.25,  # seconds between looks into the folder
    }
elif BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Above the longest batch: a task that outlives it would be handed to a second worker.
        "visibility_timeout": 3600,
        "unacked_restore_throttle": 1,
    }
else:
    # RabbitMQ: quorum queues survive the loss of a node.
    for _queue in CELERY_TASK_QUEUES.values():
        _queue["queue_arguments"] = {"x-queue-type": "quorum"}
    CELERY_TASK_DEFAULT_QUEUE_TYPE = "quorum"
    CELERY_BROKER_TRANSPORT_OPTIONS = {"confirm_publish": True}

# --- Mail ----------------------------------------------------------------------------------------

# smtp://user:password@host:587/?tls=starttls and smtps://host:465 (see docs/reference).
SMTP_URL = env.str("SMTP_URL", default="smtp://127.0.0.1:1025")
_smtp = env.mail_server(
    "SMTP_URL",
    SMTP_URL.replace("smtps://", "smtp+ssl://", 1)
    if SMTP_URL.startswith("smtps://")
    else SMTP_URL.split("?")[0].replace(
        "smtp://", "smtp+tls://" if "tls=starttls" in SMTP_URL else "smtp://", 1
    ),
)
_mailer = {
    "host": _smtp["EMAIL_HOST"],
    "port": _smtp["EMAIL_PORT"],
    "username": _smtp["EMAIL_HOST_USER"] or "",
    "password": _smtp["EMAIL_HOST_PASSWORD"] or "",
    "use_tls": _smtp.get("EMAIL_USE_TLS", False),
    "use_ssl": _smtp.get("EMAIL_USE_SSL", False),
    "timeout": 30,
}
if django.VERSION >= (6, 1):
    MAILERS = {
        "default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": _mailer}
    }
else:
    EMAIL_HOST = _mailer["host"]
    EMAIL_PORT = _mailer["port"]
    EMAIL_HOST_USER = _mailer["username"]
    EMAIL_HOST_PASSWORD = _mailer["password"]
    EMAIL_USE_TLS = _mailer["use_tls"]
    EMAIL_USE_SSL = _mailer["use_ssl"]
    EMAIL_TIMEOUT = _mailer["timeout"]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="bollettino@localhost.example")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# --- The plugin ----------------------------------------------------------------------------------

# A mail provider's settings, as django-anymail wants them, in JSON; it must be installed then.
ANYMAIL: dict[str, Any] = env.json("ANYMAIL", default={})
if ANYMAIL:
    INSTALLED_APPS.append("anymail")

NEWSLETTER: dict[str, Any] = {
    "SITE_URL": SITE_URL,
    "SMTP_URL": SMTP_URL,
    "PROVIDER": env.str("PROVIDER", default=""),
    "ALLOW_PRIVATE_FEED_HOSTS": env.list("ALLOW_PRIVATE_FEED_HOSTS", default=[]),
    "WEBSUB": env.bool("WEBSUB", default=False),
    "RATE_LIMITS": env.dict("RATE_LIMITS", default={}),
    "WARM_UP": env.dict("WARM_UP", default={}),
    "PAUSE_AT_REFUSALS": env.str("PAUSE_AT_REFUSALS", default=""),
    "QUIET_HOURS": env.str("QUIET_HOURS", default=""),
    "DKIM_KEYS": env.list("DKIM_KEYS", default=[]),
    "METRICS_TOKEN": env.str("METRICS_TOKEN", default=""),
    "BOUNCE_DOMAIN": env.str("BOUNCE_DOMAIN", default=""),
    "BOUNCE_MAILBOX": env.str("BOUNCE_MAILBOX", default=""),
    "JOURNAL_DIR": env.str("JOURNAL_DIR", default=""),
    "SENDERS": env.int("SENDERS", default=1),
    "PRIVACY_POLICY_URL": env.str("PRIVACY_POLICY_URL", default=""),
    "PRIVACY_POLICY_VERSION": env.str("PRIVACY_POLICY_VERSION", default="1"),
    # All others, in JSON: {"GRACE_HOURS": 6, "EVIDENCE": [{"class": "…"}]}.
    **env.json("NEWSLETTER", default={}),
}

# --- Logs: to the terminal, never an address ----------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        # Warns of tasks with an ETA in RabbitMQ's quorum queues; no task here has one.
        "kombu.transport.native_delayed_delivery": {"level": "ERROR"},
        "feedparser": {"level": "ERROR"},
        # Whoever asks an address of the internet for anything: a line for each, with a traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL", "propagate": False},
        "mail.log": {"level": "WARNING"},  # aiosmtpd writes every address it hears
        "django_tasks": {"level": "WARNING"},  # one line for each object that is indexed
    },
}
