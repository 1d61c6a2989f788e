"""Drawings in notebooks, on the command line and in docs/drawings.md.

`python tests/test_notebook.py` rewrites the last ones.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from drawn import NAMES, check_is_safe
from view_browser import CHROMIUM, Browser

import qwasmc
from qwasmc.backends import crumble
from qwasmc.backends.drawing.circuit import circuit_svg
from qwasmc.backends.drawing.program import program_svg
from qwasmc.backends.drawing.surgery import surgery_svg
from qwasmc.backends.view import scene
from qwasmc.cli import run
from qwasmc.notebook import summary

ROOT = Path(__file__).parent.parent
EXAMPLES, PICTURES = ROOT / "examples", ROOT / "docs" / "pictures"

# -- notebooks -------------------------------------------------------------------------------------


def test_every_representation_shows_itself():
    artifact: Any = qwasmc.compile(EXAMPLES / "bell.qwasm", verify=True)
    program: Any = qwasmc.parse(EXAMPLES / "repeat.ll")
    assert artifact.program._repr_svg_() == circuit_svg(artifact.program)
    assert artifact.surgery._repr_svg_() == surgery_svg(artifact.surgery)
    assert program._repr_svg_() == program_svg(program)
    page = artifact._repr_html_()
    ET.fromstring(f"<div>{page}</div>")
    assert surgery_svg(artifact.surgery, artifact.program) in page
    assert summary(artifact)["physical_qubits"] == artifact.circuit.num_qubits
    assert summary(artifact)["verify: distance"] == "proved"


def test_a_program_with_loops_shows_itself():
    artifact: Any = qwasmc.compile(EXAMPLES / "repeat.ll", emit="qasm3", level=0)
    assert program_svg(artifact.ir) in artifact._repr_html_()
    assert "keeps its control flow" in summary(artifact)["note"]


def test_what_is_too_large_says_so(monkeypatch: pytest.MonkeyPatch):
    surgery: Any = qwasmc.compile(EXAMPLES / "bell.qwasm", emit="surgery").surgery
    monkeypatch.setattr(scene, "MAX_TILES", 2)
    text = surgery._repr_svg_()
    check_is_safe(text)
    assert "the chip has 4 x 4 tiles" in text


def test_names_in_the_table_are_only_text():
    source = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1]; measure q -> c;'
    artifact: Any = qwasmc.compile(source)
    artifact.verification = [{"check": NAMES, "result": "<script>", "detail": ""}]
    assert "<script>" not in artifact._repr_html_()


def test_jupyter_finds_the_drawings():
    formatters = pytest.importorskip("IPython.core.formatters")
    formatter = formatters.DisplayFormatter()
    artifact = qwasmc.compile(EXAMPLES / "bell.qwasm")
    data, _ = formatter.format(artifact.program)
    assert data["image/svg+xml"] == circuit_svg(artifact.program)
    assert data["text/plain"].startswith("<Circuit: ")
    data, _ = formatter.format(artifact)
    assert data["text/html"].startswith("<table>")
    assert data["text/plain"] == "<Artifact: stim of distance 3>"


# -- the command line ------------------------------------------------------------------------------


def test_draw_writes_what_the_functions_draw(tmp_path: Path):
    for emit, draw in (("program", program_svg), ("circuit", circuit_svg)):
        path = tmp_path / f"{emit}.svg"
        assert run(["draw", str(EXAMPLES / "teleport.qwasm"), "--emit", emit, "-o", str(path)]) == 0
        artifact = qwasmc.compile(EXAMPLES / "teleport.qwasm", emit=emit)
        assert path.read_text() == draw(artifact.ir)  # type: ignore[operator]
    assert run(["draw", str(EXAMPLES / "bell.qwasm"), "--slab", "1"]) == 2
    page = ["view", str(EXAMPLES / "bell.qwasm"), "--target", "superconducting"]
    assert run([*page, "-o", str(tmp_path / "bell.html")]) == 0
    assert run(["draw", str(path), "-o", str(path)]) == 2


def test_the_link_to_crumble_is_that_of_stim(capsys: pytest.CaptureFixture[str]):
    assert run(["compile", str(EXAMPLES / "bell.qwasm"), "--emit", "crumble"]) == 0
    circuit = qwasmc.compile(EXAMPLES / "bell.qwasm").circuit
    assert capsys.readouterr().out == circuit.to_crumble_url() + "\n"
    assert (
        run(
            ["compile", str(EXAMPLES / "bell.qwasm"), "--emit", "crumble", "--noise", "uniform:0.1"]
        )
        == 2
    )


@pytest.mark.parametrize(("most", "said"), [(5000, "would have 8041"), (50, "more than 50")])
def test_links_that_no_browser_takes_are_refused(
    most: int, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(crumble, "MAX_URL", most)
    assert run(["compile", str(EXAMPLES / "bell.qwasm"), "--emit", "crumble"]) == 3
    found = capsys.readouterr()
    assert not found.out
    assert said in found.err


# -- documentation ---------------------------------------------------------------------------------


def pictures() -> dict[str, str]:
    """The pictures of docs/drawings.md."""
    magic = qwasmc.compile(EXAMPLES / "magic.qwasm", emit="surgery")
    adder: Any = qwasmc.compile(EXAMPLES / "adder.qasm", emit="circuit", level=3)
    repeat: Any = qwasmc.parse(EXAMPLES / "repeat.ll")
    teleport: Any = qwasmc.run_passes(qwasmc.parse(EXAMPLES / "teleport.qwasm"), ["specialise"])
    return {
        "teleport.svg": circuit_svg(teleport),
        "adder.svg": circuit_svg(adder.ir),
        "repeat.svg": program_svg(repeat),
        "magic.svg": surgery_svg(magic.surgery, magic.program),
    }


def test_pictures_in_the_documentation_are_current():
    for name, text in pictures().items():
        assert (PICTURES / name).read_text() == text, name


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_browser_lays_texts_out_as_planned(tmp_path: Path):
    """Every text is as wide as its box was made for, in whichever font the browser has."""
    with Browser(tmp_path) as browser:
        for name in ("adder.svg", "repeat.svg"):
            browser.open((PICTURES / name).as_uri())
            wrong = browser.value(
                "[...document.querySelectorAll('text')].filter(t => Math.abs("
                "t.getComputedTextLength() - t.getAttribute('textLength')) > 1).length"
            )
            assert wrong == 0
            assert not browser.log


if __name__ == "__main__":
    for picture, content in pictures().items():
        (PICTURES / picture).write_text(content)
