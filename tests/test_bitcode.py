"""Bitcode becomes text, whatever happens to the process that reads it."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pyqir
import pytest
from llvm_oracle import FILES, corpus, walk

from qwasmc.diagnostics import CompileError, Kind, render
from qwasmc.grammar import bitcode
from qwasmc.grammar.bitcode import is_bitcode, to_text
from qwasmc.grammar.llvm import parse

TEXT = "define void @main() {\n  call void @h(ptr inttoptr (i64 3 to ptr))\n  ret void\n}\n"
TEXT += "declare void @h(ptr)\n"
BITCODE = pyqir.Module.from_ir(pyqir.Context(), TEXT).bitcode


def refusal(data: bytes) -> CompileError:
    with pytest.raises(CompileError) as caught:
        to_text(data, "a.bc")
    (diagnostic,) = caught.value.diagnostics
    assert "a.bc" in render(diagnostic)
    return caught.value


def test_bitcode_is_told_by_its_first_bytes():
    assert is_bitcode(BITCODE)
    assert is_bitcode(wrapped(BITCODE))
    assert not is_bitcode(TEXT.encode())
    assert not is_bitcode(b"")


def wrapped(data: bytes) -> bytes:
    """Bitcode with the header that Apple's tools give it."""
    found = struct.pack("<5I", 0x0B17C0DE, 0, 20, len(data), 7) + data
    return found + bytes(-len(found) % 16)


@pytest.mark.parametrize("data", [BITCODE, wrapped(BITCODE)], ids=["plain", "wrapped"])
def test_text_says_what_the_bitcode_says(data):
    text = to_text(data, "a.bc")
    assert walk(text.decode()) == walk(TEXT)
    assert list(parse(text, "a.bc").functions) == ["main", "h"]


@pytest.mark.slow
@corpus([path for path in FILES if path.suffix == ".bc"])
def test_bitcode_of_all_producers(path: Path):
    data = path.read_bytes()
    assert is_bitcode(data)
    functions = parse(to_text(data, path.name), path.name).functions
    module = pyqir.Module.from_bitcode(pyqir.Context(), data)
    counts = {f.name: [len(b.instructions) for b in f.basic_blocks] for f in module.functions}
    found = {f.name: [len(b.instructions) for b in f.blocks] for f in functions.values()}
    assert found == counts


@pytest.mark.parametrize("data", [b"", b"BC\xc0\xde", BITCODE[:-40], b"BC\xc0\xde" * 99])
def test_damaged_bitcode_is_refused(data):
    problem = refusal(data)
    assert problem.exit_code == Kind.PROGRAM
    assert str(problem).startswith("'a.bc' is not valid bitcode: ")


@pytest.mark.slow
def test_flipped_bits_are_read_or_refused():
    chance = random.Random(5)
    outcomes = set()
    for _ in range(25):
        data = bytearray(BITCODE)
        for _ in range(3):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        try:
            to_text(bytes(data), "a.bc")
            outcomes.add("read")
        except CompileError as refused:
            outcomes.add(refused.exit_code)
    assert outcomes == {"read", Kind.PROGRAM}


def child(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, code: str) -> None:
    """Let other code run in place of the child's."""
    path = tmp_path / "child.py"
    path.write_text(code)
    monkeypatch.setattr(bitcode, "CHILD", path)


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("import os; os.abort()", Kind.PROGRAM, "it crashes PyQIR (signal 6)"),
        ("import sys; sys.exit(77)", Kind.PROGRAM, "it crashes PyQIR (exit code 77)"),
        ("import time; time.sleep(60)", Kind.LIMIT, "takes more than 1 s to read"),
    ],
)
def test_a_child_that_fails_is_an_error(monkeypatch, tmp_path, code, kind, said):
    child(monkeypatch, tmp_path, code)
    monkeypatch.setattr(bitcode, "TIMEOUT", 1.0)
    problem = refusal(BITCODE)
    assert problem.exit_code == kind
    assert said in str(problem)
    assert "llvm-dis" in problem.diagnostics[0].help


def test_the_text_has_a_limit(monkeypatch):
    monkeypatch.setattr(bitcode, "MAX_TEXT", 100)
    problem = refusal(BITCODE)
    assert problem.exit_code == Kind.LIMIT
    assert str(problem) == (
        "limit passed: the text of bitcode may have 100 bytes, that of 'a.bc' has more"
    )


def test_without_pyqir_it_is_said_what_is_missing(monkeypatch, tmp_path):
    (tmp_path / "pyqir.py").write_text("raise ImportError('no PyQIR for this machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    problem = refusal(BITCODE)
    assert problem.exit_code == Kind.USAGE
    assert "cannot be loaded: no PyQIR for this machine" in str(problem)
    assert "llvm-dis" in problem.diagnostics[0].help


def test_modules_in_the_working_directory_are_not_run(monkeypatch, tmp_path):
    (tmp_path / "pyqir.py").write_text("raise SystemExit(77)")
    monkeypatch.chdir(tmp_path)
    assert to_text(BITCODE, "a.bc")


def test_without_an_interpreter_it_is_said(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))
    problem = refusal(BITCODE)
    assert problem.exit_code == Kind.USAGE
    assert "another process" in str(problem)


def test_the_exit_codes_are_those_of_the_child():
    source = bitcode.CHILD.read_text()
    assert "UNAVAILABLE, TOO_LARGE = 3, 4" in source
    assert (bitcode._UNAVAILABLE, bitcode._TOO_LARGE) == (3, 4)


def test_this_process_does_not_load_pyqir():
    code = (
        "import sys; from qwasmc.grammar import bitcode;"
        "assert bitcode.to_text(sys.stdin.buffer.read(), 'a.bc');"
        "assert 'pyqir' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], input=BITCODE, check=True)
