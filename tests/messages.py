"""Is every string on the screen translated? Extracts anew and compares with the catalogue.

python -m tests.messages
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
APPS = (ROOT / "newsletter", ROOT / "site/newsroom")
CATALOGUE = Path("locale/it/LC_MESSAGES/django.po")


def read(path: Path) -> Catalog:
    with path.open("rb") as source:
        # What is merely odd is a warning when compiled: the first words of a newcomer's `make run`.
        return read_po(source, locale="it", abort_invalid=True)


def extracted(app: Path) -> Catalog:
    """The app's catalogue as `make messages` would leave it."""
    with tempfile.TemporaryDirectory(prefix="bollettino-messages-") as folder:
        copy = Path(folder) / app.name
        shutil.copytree(app, copy, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
        (copy / CATALOGUE.parent).mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "it", "--no-location"],
            cwd=copy,
            check=True,
            capture_output=True,
        )
        return read(copy / CATALOGUE)


def faults(app: Path) -> list[str]:
    stored = read(app / CATALOGUE)
    wanted = extracted(app)
    found = []
    for message in wanted:
        if not message.id:
            continue
        known = stored.get(message.id, message.context)
        name = message.id if isinstance(message.id, str) else message.id[0]
        translations = [message.string] if isinstance(message.string, str) else message.string
        if known is None:
            found.append(f"not in the catalogue (run `make messages`): {name!r}")
        elif message.fuzzy:
            found.append(f"fuzzy: {name!r}")
        elif not all(translations):
            found.append(f"not translated: {name!r}")
        elif any("'" in translation for translation in translations):
            found.append(f"' where ’ is right: {name!r}")
        else:
            found += [f"{error}: {name!r}" for error in message.check(wanted)]
    return found


def main() -> int:
    found = [f"{app.relative_to(ROOT)}: {fault}" for app in APPS for fault in faults(app)]
    for line in found:
        sys.stdout.write(line + "\n")
    sys.stdout.write(f"{len(found)} faults in the message catalogues\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
