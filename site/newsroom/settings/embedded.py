"""One small server, nothing else to install: SQLite and a folder as the broker."""

import secrets
import tempfile

from django.core.exceptions import ImproperlyConfigured

from newsroom.settings.base import *  # noqa: F403
from newsroom.settings.base import BROKER_URL, DATA_DIR, MIDDLEWARE, SECRET_KEY

_folders = [DATA_DIR, DATA_DIR / "tmp", DATA_DIR / "media", DATA_DIR / "static"]
if BROKER_URL.startswith("filesystem"):
    _folders += [DATA_DIR / "broker" / name for name in ("queue", "processed", "control")]
_key_file = DATA_DIR / "secret-key"
try:
    for _folder in _folders:
        _folder.mkdir(parents=True, exist_ok=True)
    if not SECRET_KEY:
        # Made once and kept: links in mails already sent are signed with it.
        if not _key_file.exists() or not _key_file.stat().st_size:
            _key_file.touch(mode=0o600)
            _key_file.write_text(secrets.token_urlsafe(50), encoding="ascii")
        SECRET_KEY = _key_file.read_text(encoding="ascii").strip()
except OSError as _error:
    raise ImproperlyConfigured(
        f"The data folder {DATA_DIR} can't be written ({_error.strerror}). "
        "Make room or give it to this user, or choose another: DATA_DIR=/path/to/folder"
    ) from _error

# The filesystem broker moves each message through the temporary folder: a rename only while both
# lie on one disk, and everything an instance writes stays under its own folder.
tempfile.tempdir = str(DATA_DIR / "tmp")

# No collectstatic to remember: static files are served from where the apps keep them.
WHITENOISE_USE_FINDERS = True
MIDDLEWARE = ["newsroom.compression.GzipStaticMiddleware", *MIDDLEWARE]
SERVE_MEDIA = True
