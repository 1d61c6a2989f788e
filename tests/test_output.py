"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qwasmc.diagnostics import CompileError
from qwasmc.output import Outputs


@pytest.fixture(params=["nameless", "hidden"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, on a system with files that have no name and on one without."""
    if request.param == "hidden":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    return tmp_path


def test_files_appear_together_at_the_end(folder: Path):
    with Outputs() as outputs:
        outputs.open(str(folder / "a")).write("one")
        outputs.open(str(folder / "b")).write("two")
        assert not (folder / "a").exists()
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "one", "b": "two"}


def test_nothing_appears_after_a_failure(folder: Path):
    (folder / "old").write_text("old")
    with pytest.raises(KeyboardInterrupt), Outputs() as outputs:
        outputs.open(str(folder / "a")).write("one")
        outputs.open(str(folder / "old")).write("new")
        raise KeyboardInterrupt
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"old": "old"}


def test_an_existing_file_is_replaced_through_a_link(folder: Path):
    (folder / "file").write_text("old")
    (folder / "link").symlink_to(folder / "file")
    with Outputs() as outputs:
        outputs.open(str(folder / "link")).write("new")
    assert (folder / "link").is_symlink()
    assert (folder / "file").read_text() == "new"


def test_permissions_follow_the_umask(folder: Path):
    old = os.umask(0o027)
    try:
        with Outputs() as outputs:
            outputs.open(str(folder / "a"))
    finally:
        os.umask(old)
    assert (folder / "a").stat().st_mode & 0o777 == 0o640


def test_a_device_is_written_to_and_stays():
    with Outputs() as outputs:
        outputs.open(os.devnull).write("gone")
    assert Path(os.devnull).is_char_device()


def test_standard_output_gets_nothing_after_a_failure(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(ValueError, match="late"), Outputs() as outputs:
        outputs.open("-").write("text")
        raise ValueError("late")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("path", ["missing/file", "."])
def test_what_cannot_be_written_is_said(folder: Path, path: str):
    with pytest.raises(CompileError, match="cannot write") as refused, Outputs() as outputs:
        outputs.open(str(folder / path))
    assert refused.value.exit_code == 2


def test_two_outputs_to_one_file_are_refused(folder: Path):
    with pytest.raises(CompileError, match="two outputs"), Outputs() as outputs:
        outputs.open(str(folder / "a"))
        outputs.open(str(folder / "a"))
    assert not list(folder.iterdir())
