"""Every error message of the QWASM reader, as rendered, against a golden file.

Run with QWASMC_REGENERATE=1 to write the golden files anew, then read the difference.
"""

import os
from pathlib import Path

import pytest

from qwasmc.diagnostics import CompileError, render
from qwasmc.grammar.qwasm import Limits, read

FOLDER = Path(__file__).parent / "errors"
CASES = sorted(path.stem for path in FOLDER.glob("*.qwasm"))


@pytest.mark.parametrize("case", CASES)
def test_golden(case, monkeypatch):
    monkeypatch.chdir(FOLDER)
    name = f"{case}.qwasm"
    with pytest.raises(CompileError) as caught:
        read(Path(name).read_bytes(), name)
    rendered = "".join(map(render, caught.value.diagnostics))
    rendered += f"exit code {caught.value.exit_code}\n"
    golden = FOLDER / f"{case}.err"
    if os.environ.get("QWASMC_REGENERATE"):
        golden.write_text(rendered, "utf-8")
    assert rendered == golden.read_text("utf-8")


def test_every_golden_file_has_its_input():
    assert sorted(path.stem for path in FOLDER.glob("*.err")) == CASES


def test_no_more_errors_than_allowed(monkeypatch):
    monkeypatch.chdir(FOLDER)
    text = (FOLDER / "twenty.qwasm").read_text("utf-8")
    for most in (1, 7):
        with pytest.raises(CompileError) as caught:
            read(text, "twenty.qwasm", limits=Limits(errors=most))
        assert len(caught.value.diagnostics) == most
