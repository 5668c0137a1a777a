"""Installs a built wheel in an empty environment and looks whether everything is inside.

python -m tests.wheel dist/wagtail_bollettino-0.1.0-py3-none-any.whl
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

# Run by the installed copy: a site that plugs Bollettino in, from nothing but the wheel.
PROBE = """
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="probe",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    ROOT_URLCONF="newsletter.urls",
    STATIC_URL="/static/",
    WAGTAIL_SITE_NAME="Probe",
    WAGTAILADMIN_BASE_URL="http://probe.example",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "newsletter", "wagtail.contrib.routable_page", "wagtail.sites", "wagtail.users",
        "wagtail.snippets", "wagtail.documents", "wagtail.images", "wagtail.search",
        "wagtail.admin", "wagtail", "modelcluster", "taggit", "django.contrib.auth",
        "django.contrib.contenttypes", "django.contrib.sessions", "django.contrib.messages",
        "django.contrib.staticfiles",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
)
django.setup()

from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.template.loader import get_template
from django.utils import translation
import newsletter

assert "site-packages" in newsletter.__file__, newsletter.__file__
call_command("migrate", verbosity=0)
get_template("newsletter/base.html")
get_template("newsletter/archive/home.html")
assert finders.find("newsletter/bulletin.css"), "static files are missing"
with translation.override("it"):
    assert str(translation.gettext("Approved")) == "Approvato", "compiled messages are missing"
print("the wheel holds templates, static files, migrations and compiled messages")
"""


def main(wheel: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="bollettino-wheel-") as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "--quiet", str(wheel)], check=True)
        # Not in the checkout, so that only the installed copy can be imported.
        return subprocess.run([python, "-c", PROBE], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
