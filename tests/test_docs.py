"""Documentation agrees with the code; `python tests/test_docs.py` rewrites what is generated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import qwasmc
from qwasmc.backends.stats import stats
from qwasmc.backends.stim.simulate import simulate
from qwasmc.pipeline import ORDER, PASSES

ROOT = Path(__file__).parent.parent
PASSES_PAGE = ROOT / "docs" / "passes.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def passes_page() -> str:
    """The page on passes: its hand-written head, then the pass table."""
    head, marker, _ = PASSES_PAGE.read_text().partition("test_docs.py`. -->\n")
    lines = ["", "| pass | from | to | level | what it does |", "|---|---|---|---|---|"]
    for row in PASSES:
        level = "on request" if row.level is None else f"-O{row.level}"
        lines.append(f"| `{row.name}` | {row.takes} | {row.gives} | {level} | {row.doc} |")
    lines += ["", "## Why in this order", ""]
    lines += [f"- `{o.before}` before `{o.after}`: {o.reason}." for o in ORDER]
    return head + marker + "\n".join(lines) + "\n"


def test_passes_page_is_current():
    assert PASSES_PAGE.read_text() == passes_page()


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


if __name__ == "__main__":
    PASSES_PAGE.write_text(passes_page())
