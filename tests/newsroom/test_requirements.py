"""What a server installs from requirements.txt alone runs on every database and broker offered.

The tools for tests bring packages of their own, which hide that one is missing.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"([A-Za-z0-9._-]+)(?:\[([\w,-]+)\])?")
# In a process that finds only what requirements.txt brings.
_RUN = """
import importlib, json, sys
hidden, wanted = json.loads(sys.argv[1])

class Hides:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"requirements.txt does not bring {name}", name=name)

sys.meta_path.insert(0, Hides())
importlib.import_module(wanted)
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought() -> set[str]:
    """The distributions of requirements.txt, with all that they need in turn."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    waiting = [line for line in lines if line and not line.startswith("#")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, _, _marker = waiting.pop().partition(";")
        found = _NAME.match(requirement.strip())
        assert found, requirement
        for extra in ["", *(found[2] or "").split(",")]:
            key = normal(found[1]), extra
            if key in seen:
                continue
            seen.add(key)
            try:
                needs = metadata.requires(found[1]) or []
            except metadata.PackageNotFoundError:
                continue  # for another system
            for need in needs:
                wanted_by = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", need)
                if (wanted_by[1] if wanted_by else "") == extra:
                    waiting.append(need)
    return {name for name, _extra in seen}


@pytest.mark.parametrize(
    "module",
    [
        "kombu.transport.redis",
        "kombu.transport.pyamqp",
        "django.db.backends.postgresql.base",
        "gunicorn.app.base",
        "celery.apps.beat",
        "celery.apps.worker",
    ],
)
def test_requirements_bring_all_that_a_server_loads(module: str) -> None:
    ours = brought()
    hidden = sorted(
        name
        for name, owners in metadata.packages_distributions().items()
        if not {normal(owner) for owner in owners} & ours
    )
    assert "pytest" in hidden
    done = subprocess.run(
        [sys.executable, "-c", _RUN, json.dumps([hidden, module])],
        env={"DJANGO_SETTINGS_MODULE": "newsroom.settings.test", "PYTHONPATH": f"{ROOT / 'site'}"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
