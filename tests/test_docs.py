"""The documentation is true: its links lead somewhere, and nothing a user meets is missing."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.dispatch import Signal
from django.urls import URLPattern, URLResolver

from newsletter import signals
from newsletter.archive.models import ArchivePage
from newsletter.delivery.models import Batch, Delivery, Exclusion
from newsletter.digests.models import Digest
from newsletter.urls import urlpatterns

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
# The decisions are read by going through their folder.
GUIDED = [page for page in sorted(DOCS.rglob("*.md")) if not re.match(r"\d{4}-", page.name)]
OURS = ("newsletter", "newsroom.home")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    return FENCE.sub("", text_of(page))


def links_of(page: Path) -> list[str]:
    return [first or second for first, second in LINK.findall(prose_of(page))]


def anchors_of(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_of(*apps: str) -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in apps)


def routes(patterns: list[URLPattern | URLResolver]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for one in patterns:
        if isinstance(one, URLResolver):
            found += routes(one.url_patterns)
        else:
            found.append((re.sub(r"<\w+:(\w+)>", r"<\1>", str(one.pattern)), str(one.name)))
    return found


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_a_heading(document):
    broken = []
    for link in links_of(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("document", GUIDED, ids=lambda one: str(one.relative_to(ROOT)))
def test_every_page_can_be_reached_from_the_first(document):
    reached = {ROOT / "README.md"}
    frontier = set(reached)
    while frontier:
        targets = {
            (one.parent / link.partition("#")[0]).resolve()
            for one in frontier
            for link in links_of(one)
            if link.partition("#")[0].endswith(".md") and "://" not in link
        }
        frontier = {target for target in targets if target.exists()} - reached
        reached |= frontier
    assert document in reached


@pytest.mark.parametrize("name", commands_of(*OURS))
def test_every_command_has_a_section_with_its_options(name):
    sections = re.split(r"^### ", text_of(REFERENCE / "commands.md"), flags=re.MULTILINE)
    section = next((one for one in sections if one.startswith(f"{name}\n")), None)
    assert section is not None, f"no section for {name}"

    parser = load_command_class(get_commands()[name], name).create_parser("manage.py", name)
    inherited = {"-h", "--help", "--version", "-v", "--verbosity", "--settings", "--pythonpath"}
    inherited |= {"--traceback", "--no-color", "--force-color", "--skip-checks"}
    inherited |= {"--parent"}  # between our own processes
    options = {option for action in parser._actions for option in action.option_strings} - inherited
    assert [option for option in sorted(options) if option not in section] == []


def test_the_reference_names_no_command_that_is_gone():
    text = text_of(REFERENCE / "commands.md")
    assert set(re.findall(r"^### (\w+)$", text, re.MULTILINE)) == set(commands_of(*OURS))


def test_every_signal_has_a_row_and_no_row_is_left_over():
    existing = {name for name, value in vars(signals).items() if isinstance(value, Signal)}
    rows = re.findall(r"^\| `(\w+)` \|", text_of(REFERENCE / "signals.md"), re.MULTILINE)
    assert set(rows) == existing


@pytest.mark.parametrize(("route", "name"), routes(urlpatterns), ids=lambda value: value)
def test_every_address_of_the_plugin_has_a_row(route, name):
    row = rf"\| `/newsletter/{re.escape(route)}` \| `{name}` \|"
    assert re.search(row, text_of(REFERENCE / "urls.md"))


def test_every_route_of_the_archive_has_a_row():
    text = text_of(REFERENCE / "urls.md")
    first_words = set()
    for route in ArchivePage.get_subpage_urls():
        pattern = str(route.pattern).lstrip("^")
        first_words.add(re.match(r"\w*", pattern).group())
    assert first_words, "the archive has routes"
    assert [word for word in sorted(first_words) if f"`/{word}" not in text] == []


@pytest.mark.parametrize(
    "state",
    [*Digest.Status.values, *Delivery.State.values, *Exclusion.Reason.values],
)
def test_every_state_is_explained_in_the_ledger(state):
    assert f"| `{state}` |" in text_of(REFERENCE / "ledger.md")


@pytest.mark.parametrize("state", Batch.State.values)
def test_every_state_of_a_batch_is_in_its_diagram(state):
    assert re.search(rf"--> {state}\b", text_of(REFERENCE / "ledger.md"))


def test_every_variable_that_the_site_reads_is_in_the_reference():
    folder = ROOT / "site" / "newsroom" / "settings"
    read = {
        name
        for file in folder.glob("*.py")
        if file.stem != "test"
        for name in re.findall(r"\benv\.\w+\(\s*\"([A-Z_]+)\"", text_of(file))
    }
    assert read, "the settings read the environment"
    table = text_of(REFERENCE / "settings.md").partition("## The site's environment")[2]
    assert [name for name in sorted(read) if f"`{name}`" not in table] == []


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "docs/tutorial/first-digest.md"]
)
def test_every_make_command_that_a_page_names_exists(document):
    text = text_of(ROOT / document)
    targets = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", text, re.MULTILINE))
    existing = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    assert targets
    assert targets <= existing


@pytest.mark.parametrize("document", PAGES, ids=lambda one: str(one.relative_to(ROOT)))
def test_every_manage_command_that_a_page_names_exists(document):
    named = set(re.findall(r"manage\.py ([a-z]\w*)", text_of(document)))
    assert named <= set(get_commands())


def required(file: str) -> list[str]:
    lines = text_of(ROOT / file).splitlines()
    return [re.match(r"[\w.-]+", line).group() for line in lines if re.match(r"\w", line)]


def test_every_dependency_has_its_reason():
    declared = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", one).group() for one in declared}
    names |= {*required("requirements.txt"), *required("requirements-dev.txt")}
    page = text_of(DOCS / "dependencies.md").lower()
    first_cells = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    words = set(re.split(r"[,\s]+", first_cells))
    assert [name for name in sorted(names) if name.lower() not in words] == []


def test_what_the_package_needs_is_pinned_for_make_run():
    declared = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["dependencies"]
    names = {re.match(r"[\w.-]+", one).group().lower() for one in declared}
    assert names <= {name.lower() for name in required("requirements.txt")}


def test_make_help_names_what_the_readme_offers():
    said = subprocess.run(
        shlex.split("make --no-print-directory help"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "make run" in said
    assert "make test" in said


def test_every_decision_has_a_number_of_its_own() -> None:
    pages = sorted((DOCS / "decisions").glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for number, page in enumerate(pages, start=1):
        assert text_of(page).startswith(f"# {number}. ")
