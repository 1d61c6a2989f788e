"""Whatever a file holds, each reader answers soon, with a program or a diagnostic."""

from __future__ import annotations

import random
import time
from contextlib import suppress

import pytest

from qwasmc import reading
from qwasmc.diagnostics import MAX_MESSAGE, CompileError, Kind, render
from qwasmc.grammar import qir
from qwasmc.languages import LANGUAGES
from qwasmc.options import Options, Watch
from qwasmc.reading import Source

NAMES = [language.name for language in LANGUAGES]

GARBAGE = {
    "empty": b"",
    "lines": b"\n" * 10_000,
    "a byte order mark": b"\xef\xbb\xbf",
    "returns": b"\r\r\r",
    "NUL": bytes(1000),
    "random": random.Random(5).randbytes(5000),
    "bitcode": b"BC\xc0\xde" + random.Random(6).randbytes(3000),
    "wrapped bitcode": b"\xde\xc0\x17\x0b" + random.Random(7).randbytes(3000),
    "UTF-16": "H 0".encode("utf-16"),
    "a surrogate": b"\xed\xa0\x80 h q;",
}
NOT_TEXT = {"NUL", "random", "bitcode", "wrapped bitcode", "UTF-16", "a surrogate"}

LONG = 50_000_000
"""Bytes."""

HEAD2 = 'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; '
HEAD3 = 'OPENQASM 3.0; include "stdgates.inc"; qubit[1] q; '
LINES = [
    ("qwasm", "H q0; ", ""),
    ("qwasm", "a", ""),
    ("qvm", '{"id":1},', '{"program":{"nodes":['),
    ("qvm", '{"a":', ""),
    ("qir", "declare void @a() ", ""),
    ("qasm2", "a", HEAD2),
    ("qasm2", ";", HEAD2),
    ("qasm3", "a", HEAD3),
    ("qasm3", "h q[0]; ", HEAD3),
    ("stim", "H 0 ", ""),
    ("stim", "a", ""),
    ("ir", '"', ""),
    ("ir", '%0 = "qw.alloc"() : () -> !qw.qubit ', '"builtin.module"() ({ '),
]
"""Lines that go on and on: what is repeated, and what comes before."""


def refusal(data: bytes, language: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        reading.read(Source("test", data), Options(language=language), Watch())
    return caught.value


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage(language: str, garbage: str):
    if garbage in NOT_TEXT:
        assert refusal(GARBAGE[garbage], language).exit_code == Kind.PROGRAM
        return
    with suppress(CompileError):
        reading.read(Source("test", GARBAGE[garbage]), Options(language=language), Watch())


@pytest.mark.slow
@pytest.mark.parametrize(("language", "unit", "head"), LINES)
def test_one_long_line(language: str, unit: str, head: str):
    data = head.encode() + unit.encode() * (LONG // len(unit))
    start = time.process_time()
    wrong = refusal(data, language)
    assert time.process_time() - start < 10
    assert all(len(render(found)) < 2 * MAX_MESSAGE for found in wrong.diagnostics)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("call void @generalizedInvokeWithRotationsControlsTargets()\nret void", "not 0"),
        (
            "br label %a\na:\n%x = add i64 1, 2\n%y = phi i64 [0, %0]\nret void",
            "a phi must be at the beginning",
        ),
        ("%y = phi i64 [0, %0]\nret void", "and not of the first"),
    ],
)
def test_llvm_that_llvm_would_refuse(body: str, message: str):
    text = f'define void @main() "entry_point" {{\n{body}\n}}\n'
    with pytest.raises(CompileError, match=message):
        qir.read(text.encode(), "test.ll")


def test_values_that_are_not_defined_on_every_way():
    body = "br i1 true, label %b, label %a\na:\n%x = add i64 1, 2\nbr label %b\nb:\n"
    body += "%y = add i64 %x, 2\nret i64 %y"
    text = f'define i64 @main() "entry_point" {{\n{body}\n}}\n'
    (found,) = refusal(text.encode(), "qir").diagnostics
    assert "not defined on every way" in found.message
    assert found.place is not None
    assert found.place.line == 7
