"""One small server, nothing else to install: SQLite and a folder as the broker."""

import secrets

from newsroom.settings.base import *  # noqa: F403
from newsroom.settings.base import BROKER_URL, DATA_DIR, SECRET_KEY

DATA_DIR.mkdir(parents=True, exist_ok=True)
if BROKER_URL.startswith("filesystem"):
    for _name in ("queue", "processed", "control"):
        (DATA_DIR / "broker" / _name).mkdir(parents=True, exist_ok=True)

if not SECRET_KEY:
    # Made once and kept: links in mails already sent are signed with it.
    _key_file = DATA_DIR / "secret-key"
    if not _key_file.exists():
        _key_file.touch(mode=0o600)
        _key_file.write_text(secrets.token_urlsafe(50), encoding="ascii")
    SECRET_KEY = _key_file.read_text(encoding="ascii").strip()
