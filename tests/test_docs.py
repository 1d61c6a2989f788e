"""Documentation agrees with the code, and its links lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import physics_pictures
import pytest
import reference_pages

import qwasmc
from qwasmc.backends.stats import stats
from qwasmc.backends.stim.simulate import simulate

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_page_made_from_tables_is_current(name: str):
    page = (ROOT / "docs" / name).read_text("utf-8")
    assert page == reference_pages.PAGES[name](), "run python tests/reference_pages.py"


@pytest.mark.parametrize("name", physics_pictures.PICTURES)
def test_picture_is_current(name: str):
    drawn = (physics_pictures.FOLDER / name).read_text("utf-8")
    assert drawn == physics_pictures.PICTURES[name](), "run python tests/physics_pictures.py"


def documented_keys(command: str) -> list[str]:
    """The keys in the table of a section of the page on JSON."""
    page = (ROOT / "docs" / "json.md").read_text()
    section = page.partition(f"## `{command}")[2].partition("\n## ")[0]
    first_column = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return re.findall(r"`(\w+)`", " ".join(first_column))


def test_json_page_lists_every_key():
    artifact = qwasmc.compile(ROOT / "examples" / "bell.qwasm")
    assert documented_keys("compile --report") == list(artifact.report)
    assert documented_keys("stats --json") == list(stats(artifact.program))
    assert documented_keys("simulate") == list(simulate(artifact.program, 1, 0))


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """The files that a page links to, with the sections, if any."""
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text("utf-8")):
        path, _, section = target.partition("#")
        yield (page.parent / path if path else page), section


def sections(page: Path) -> set[str]:
    """The names by which a page's sections are linked to, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path):
    for path, section in links(page):
        assert path.exists(), f"{page.name} links to {path}"
        assert not section or section in sections(path), f"{path.name} has no section {section}"


def test_every_page_is_in_the_index():
    index = ROOT / "docs" / "index.md"
    linked = {path.resolve() for path, _ in links(index)}
    assert {page.resolve() for page in (ROOT / "docs").rglob("*.md")} <= linked | {index}
