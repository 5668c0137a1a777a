"""`make screenshots`: the demo's screens in both languages, on a phone and on a laptop.

python -m tests.screenshots [--into var/screenshots]

Every picture goes into that folder; those that the README shows also, small, into docs/images.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.newsroom.instance import wait_until
from tests.private_servers import free_port

ROOT = Path(__file__).resolve().parent.parent
SIZES = {"phone": (360, 740), "laptop": (1280, 860)}
LANGUAGES = ("it", "en")
CHROMIUM = "/usr/bin/chromium"
ADMIN = "/admin/bollettino/"
SCREENS = {
    "archive": "/",
    "home": "/admin/",
    "inbox": f"{ADMIN}articles/?state=new",
    "digests": f"{ADMIN}digests/",
    "digest": f"{ADMIN}digests/1/",
    "new-digest": f"{ADMIN}digests/add/",
    "newsletters": f"{ADMIN}newsletters/",
    "themes": f"{ADMIN}themes/",
    "theme": f"{ADMIN}themes/inspect/1/",
    "feeds": f"{ADMIN}feeds/",
    "feed": f"{ADMIN}feeds/inspect/1/",
    "members": f"{ADMIN}members/",
    "suppressions": f"{ADMIN}suppressions/",
}
# “reading” is the inbox on a phone with an article open.
README = {("inbox", "en", "laptop"): "inbox", ("reading", "en", "phone"): "inbox-phone"}


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """The demo on a port of its own, once it has done its first round; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "run.log"
    env = os.environ | {"DATA_DIR": str(folder), "PORT": str(port), "SITE_URL": url}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "run", "--demo"],
            cwd=ROOT, env=env, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        wait_until(lambda: "Done after" in log.read_text(), seconds=180, what="the demo is there")
        urllib.request.urlopen(f"{url}/admin/login/", timeout=30).close()
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def logged_in(browser: Browser, url: str, language: str, size: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale=language)
    page.goto(f"{url}/admin/login/")
    page.fill("[name=username]", "demo")
    page.fill("[name=password]", "bollettino")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/admin/")
    return page


def take(page: Page, url: str, into: Path, language: str, size: str) -> None:
    def shoot(name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        path = into / f"{name}-{language}-{size}.png"
        page.screenshot(path=path, animations="disabled")
        if small := README.get((name, language, size)):
            # 64 colours: a screen has few, and the repository keeps every version for ever.
            image = Image.open(path).convert("RGB").quantize(64)
            image.save(ROOT / "docs" / "images" / f"{small}.png", optimize=True)

    for name, path in SCREENS.items():
        page.goto(url + path)
        shoot(name)
        if name == "inbox" and size == "phone":
            page.locator(".desk-article .title-wrapper a").first.click()
            page.locator(".desk-read").wait_for()
            shoot("reading")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "var" / "screenshots")
    into: Path = parser.parse_args().into
    into.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="bollettino-screenshots-") as folder,
        demo(Path(folder)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in LANGUAGES:
            for size in SIZES:
                page = logged_in(browser, url, language, size)
                take(page, url, into, language, size)
                page.context.close()
        browser.close()
    sys.stdout.write(f"{len(list(into.glob('*.png')))} pictures in {into}\n")


if __name__ == "__main__":
    main()
