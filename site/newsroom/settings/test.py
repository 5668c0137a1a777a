"""What pytest uses: the embedded default, or what DATABASE_URL and BROKER_URL name."""

from newsroom.settings.base import *  # noqa: F403
from newsroom.settings.base import DATA_DIR, DATABASES, INSTALLED_APPS, NEWSLETTER, env

# In memory, threads share one connection; some tests need as many as there are threads.
if env.bool("TEST_ON_DISK", default=False) and not env.str("DATABASE_URL", default=""):
    DATABASES["default"]["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
# The extra for mail providers; each test names its own settings.
INSTALLED_APPS = [*INSTALLED_APPS, "anymail"]
SECRET_KEY = "only-for-tests"  # noqa: S105
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LANGUAGE_CODE = "en"
ALLOWED_HOSTS = ["*"]
SITE_URL = "http://testserver"
CELERY_TASK_ALWAYS_EAGER = False
WAGTAILADMIN_BASE_URL = SITE_URL
NEWSLETTER = NEWSLETTER | {
    "SITE_URL": SITE_URL,
    "SMTP_URL": "smtp://127.0.0.1:9",
    "ALLOW_PRIVATE_FEED_HOSTS": ["127.0.0.1", "localhost"],
}
# Static files are found where they lie; no test needs a collected copy of them.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
# Bells that a test rings by the way reach nobody; tests of the broker name their own.
if not env.str("BROKER_URL", default=""):
    CELERY_BROKER_URL = "memory://"
