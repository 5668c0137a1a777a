"""`make screenshots`: the demo's screens in both languages, on a phone and on a laptop.

python -m tests.screenshots [--into var/screenshots]

Every picture goes into that folder; those that the README shows also, small, into docs/images.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
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
REPORTS = "/admin/reports/bollettino/"
# The numbers are those of a new demo: its one sent digest, then the five of MORE.
SENT, DRAFT = f"{ADMIN}digests/1/", f"{ADMIN}digests/2/"
SCREENS = {
    "home": "/admin/",
    "inbox": f"{ADMIN}articles/?state=new",
    "articles": f"{ADMIN}articles/",
    "article": f"{ADMIN}articles/edit/1/",
    "digests": f"{ADMIN}digests/",
    "new-digest": f"{ADMIN}digests/add/",
    "editor": f"{ADMIN}digests/edit/2/",
    "send": DRAFT,
    "sent": SENT,
    "paused": f"{ADMIN}digests/3/",
    "half-sent": f"{ADMIN}digests/4/",
    "half-sent-paused": f"{ADMIN}digests/5/",
    "missed": f"{ADMIN}digests/6/",
    "missed-list": f"{ADMIN}digests/6/undelivered/",
    "undelivered": f"{SENT}undelivered/",
    "newsletters": f"{ADMIN}newsletters/",
    "newsletter": f"{ADMIN}newsletters/edit/2/",
    "themes": f"{ADMIN}themes/",
    "theme": f"{ADMIN}themes/inspect/1/",
    "feeds": f"{ADMIN}feeds/",
    "feed": f"{ADMIN}feeds/inspect/1/",
    "members": f"{ADMIN}members/",
    "member": f"{ADMIN}members/inspect/1/",
    "suppressions": f"{ADMIN}suppressions/",
    "bounces": f"{ADMIN}bounces/",
    "proof-lists": f"{ADMIN}proof-lists/",
    **{
        f"report-{name}": f"{REPORTS}{name}/"
        for name in ("deliveries", "bounces", "growth", "themes", "feeds")
    },
    "archive": "/",
    "archive-articles": "/articoli/",
    "archive-theme": "/tema/salute-e-sicurezza/",
    "archive-issues": "/archivio/",
    "archive-issue": "/numero/ogni-settimana/1/",
    "archive-search": "/cerca/?q=contratto",
    "sign-up": "/newsletter/subscribe/",
}
MORE = """
from datetime import timedelta

from django.utils import timezone
from newsletter.articles.models import Article
from newsletter.delivery.control import pause
from newsletter.delivery.freeze import approve
from newsletter.digests.compile import compile_digest
from newsletter.digests.models import Newsletter
from tests.builders import have_sent, make_digest, make_member

now = timezone.now().replace(microsecond=0)
for slug, days in (("ogni-settimana", 2), ("ogni-mese", 3)):
    newsletter = Newsletter.objects.get(slug=slug)
    digest = compile_digest(newsletter, slot=now + timedelta(days=days), now=now)
approve(digest.pk, now=now)
pause(digest.pk, now=now)

# Going out, paused half-way, and sent except to some.
daily = Newsletter.objects.get(slug="ogni-giorno")
for number in range(40):
    make_member(f"iscritta{number}@iscritti.example", newsletter=daily)
half, missed = {"sent": 23, "deferred": 2}, {"sent": 38, "expired": 3}
for number, so_far in enumerate((half, half, missed)):
    articles = Article.objects.filter(state="accepted")[number:8 + number]
    slot = now + timedelta(hours=number + 1)
    digest = make_digest(daily, articles=articles, slot=slot, subject="Il mattino in cinque minuti")
    approve(digest.pk, now=now)
    have_sent(digest, now=now, **so_far)
    if number == 1:
        pause(digest.pk, now=now)
"""
PERSONAL = re.compile(r"https?://[^\s\"<>]+/newsletter/m/[\w-]+/(?=[\s\"<>])")
# The admin scrolls inside its window: as high as what it holds.
WHOLE = """() => Math.max(innerHeight, ...['html', '#main', '.content-wrapper']
  .map((one) => document.querySelector(one)?.scrollHeight ?? 0))"""
# “reading” is the inbox on a phone with an article open.
# These scroll inside, or show what a visitor sees first.
WINDOWS = {"home", "inbox", "reading", "editor", "archive"}
README = {
    ("inbox", "en", "laptop"): "inbox",
    ("reading", "en", "phone"): "inbox-phone",
    ("archive", "it", "laptop"): "archive",
}


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
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-c", MORE], cwd=ROOT, env=env, check=True
        )
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)


def choices_address(folder: Path) -> str:
    """A member's own page, as their mail of the demo links it."""
    for path in sorted((folder / "mailbox").glob("*.eml")):
        mail = message_from_bytes(path.read_bytes(), policy=policy.default)
        part = mail.get_body(("plain",))
        if part and (found := PERSONAL.search(part.get_content())):
            return found.group()
    raise RuntimeError("No mail of the demo links a member's choices")


def logged_in(browser: Browser, url: str, language: str, size: str) -> Page:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale=language)
    page.goto(f"{url}/admin/login/")
    page.fill("[name=username]", "demo")
    page.fill("[name=password]", "bollettino")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/admin/")
    return page


def take(page: Page, addresses: dict[str, str], into: Path, language: str, size: str) -> None:
    width, height = SIZES[size]

    def shoot(name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        path = into / f"{name}-{language}-{size}.png"
        if name not in WINDOWS:
            page.set_viewport_size({"width": width, "height": page.evaluate(WHOLE)})
        page.screenshot(path=path, animations="disabled", full_page=name not in WINDOWS)
        page.set_viewport_size({"width": width, "height": height})
        if small := README.get((name, language, size)):
            # 64 colours: a screen has few, and the repository keeps every version for ever.
            image = Image.open(path).convert("RGB").quantize(64)
            image.save(ROOT / "docs" / "images" / f"{small}.png", optimize=True)

    for name, address in addresses.items():
        page.goto(address)
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
        addresses = {name: url + path for name, path in SCREENS.items()}
        addresses["choices"] = choices_address(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language in LANGUAGES:
            for size in SIZES:
                page = logged_in(browser, url, language, size)
                take(page, addresses, into, language, size)
                page.context.close()
        browser.close()
    sys.stdout.write(f"{len(list(into.glob('*.png')))} pictures in {into}\n")


if __name__ == "__main__":
    main()
