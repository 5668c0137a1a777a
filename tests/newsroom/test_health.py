"""The site as its supervisor sees it: it starts on an empty disk and says whether it can serve."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from tests.private_servers import free_port

ROOT = Path(__file__).resolve().parents[2]
HOST = "union.example"


def health(port: int) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/health/", headers={"Host": HOST})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def test_a_public_server_starts_in_an_empty_folder_and_is_asked_without_a_proxy(
    tmp_path: Path,
) -> None:
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "newsroom.settings.production",
        "DATA_DIR": str(tmp_path), "SECRET_KEY": "only for this test", "ALLOWED_HOSTS": HOST,
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite3", "BROKER_URL": "memory://",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "web", f"--bind=127.0.0.1:{port}"]
    with (tmp_path / "log").open("wb") as log:
        site = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 40
        while True:
            try:
                assert health(port) == 200
                break
            except OSError:
                assert site.poll() is None, (tmp_path / "log").read_text()[-1000:]
                assert time.monotonic() < deadline, "it does not listen"
                time.sleep(0.2)
    finally:
        site.terminate()
        site.wait(20)


@pytest.mark.django_db
def test_without_its_database_the_site_is_not_well(client: Client) -> None:
    assert client.get("/health/").status_code == 200

    def away(*args: object) -> None:
        raise DatabaseError("gone")

    with connection.execute_wrapper(away):
        assert client.get("/health/").status_code == 503
