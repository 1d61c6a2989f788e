"""Reads programs: a source in any language becomes the IR that its language describes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qwasmc.diagnostics import Diagnostic, Kind, error
from qwasmc.languages import BY_NAME, Language, detect
from qwasmc.options import Options, Watch
from qwasmc.output import STDIO
from qwasmc.pipeline import load

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.ir.program import Program
    from qwasmc.ir.surgery import Surgery

    IR = Program | Circuit | Surgery

TRANSLATIONS = {
    ("qwasm", "qvm"): "qwasmc.grammar.qvm:from_text",
    ("qvm", "qwasm"): "qwasmc.grammar.qvm:to_text",
}
"""Who writes the text of one language in another, without compiling it."""

CIRCUIT_READERS = {
    "qiskit": "qwasmc.grammar.from_qiskit:read",
    "stim": "qwasmc.grammar.from_stim:read",
}
"""Who reads the circuit objects of other packages."""

STDIN = "<stdin>"
"""The name of a program from standard input."""

QPY = b"QISKIT"
"""How Qiskit's binary format begins, of which old versions run code when they are read."""

MAX_INPUT_BYTES = 1 << 28
"""Longest input that is read at all, so that memory is bounded on any input."""


@dataclass(frozen=True, slots=True)
class Source:
    """A program as it came in: its name, for diagnostics, and its bytes.

    A program of the Python API may also be another package's circuit; then `data` is empty.
    """

    name: str
    data: bytes
    circuit: object = None


def read_source(path: str) -> Source:
    """The bytes of a file; `-` is standard input."""
    try:
        with nullcontext(sys.stdin.buffer) if path == STDIO else open(path, "rb") as file:
            data = file.read(MAX_INPUT_BYTES + 1)
    except OSError as refused:
        raise error(f"cannot read '{path}': {refused.strerror}", kind=Kind.USAGE) from refused
    if len(data) > MAX_INPUT_BYTES:
        raise error(f"'{path}' is longer than {MAX_INPUT_BYTES} bytes", kind=Kind.LIMIT)
    return Source(STDIN if path == STDIO else path, data)


def read(source: Source, options: Options, watch: Watch) -> IR:
    """The program in a source, as the IR that its language describes."""
    with watch.timed("read"):
        if source.circuit is not None:
            reader = CIRCUIT_READERS[type(source.circuit).__module__.partition(".")[0]]
            return _warned(load(reader)(source.circuit, source.name), watch)
        if source.data.startswith(QPY):
            raise error(
                f"'{source.name}' is in Qiskit's binary format, which is not read",
                kind=Kind.USAGE,
                help="write it with qiskit.qasm3.dump, or give the circuit to qwasmc.compile",
            )
        named = options.language
        row = BY_NAME[named] if named else detect(source.name, source.data)
        for name, option in ONLY_SOME.items():
            if getattr(options, name) and name not in row.options:
                watch.warn(Diagnostic(f"{row.name} has no use for {option}", severity="warning"))
        if row.name == "ir":
            return _read_ir(source, row)
        arguments = {name: READER_OPTIONS[name](options) for name in row.options}
        ir = _warned(load(row.function)(source.data, source.name, **arguments), watch)
        if row.name == "qir" and kind_of(ir) == "program":
            # Nobody has yet checked that LLVM's values are defined where they are used.
            verify_ir(ir)
        return ir


READER_OPTIONS: dict[str, Callable[[Options], Any]] = {
    "entry": lambda options: options.entry,
    "params": lambda options: options.params,
    "include_dirs": lambda options: [Path(folder) for folder in options.include_dirs],
    "limits": lambda options: load("qwasmc.grammar.evaluator:Limits")(**options.limits),
}
"""How readers get the options that they take."""


ONLY_SOME = {"entry": "--entry", "params": "--param"}
"""Options that readers of some languages take, and what they are on the command line."""


def _warned(ir: IR, watch: Watch) -> IR:
    """A program whose warnings have been passed on."""
    for warning in getattr(ir, "warnings", ()):
        watch.warn(warning)
    return ir


def _read_ir(source: Source, row: Language) -> IR:
    text = source.data.decode("utf-8", "replace")
    ir = cast("IR", load(row.function)(text, source.name))
    verify_ir(ir)
    return ir


def translate(source: Source, options: Options) -> str:
    """A program of the graph style as a QVM graph, or the other way round."""
    row = BY_NAME[options.language] if options.language else detect(source.name, source.data)
    function = TRANSLATIONS.get((row.name, options.emit))
    if function is None:
        ways = " or ".join(f"--from {one} --emit {other}" for one, other in TRANSLATIONS)
        message = f"cannot write {row.name} as {options.emit}"
        raise error(message, kind=Kind.USAGE, help=f"possible is {ways}")
    names = row.options if row.name == "qwasm" else ("limits",)
    arguments = {name: READER_OPTIONS[name](options) for name in names}
    text = source.data.decode("utf-8", "replace") if row.name == "qwasm" else source.data
    return cast(str, load(function)(text, source.name, **arguments))


def kind_of(ir: IR) -> str:
    """The name of a representation, as in `pipeline.IRS`."""
    return type(ir).__name__.lower()


def verify_ir(ir: IR) -> None:
    """Raise a CompileError unless an IR is well formed."""
    load("qwasmc.verify:verify")(ir)


def print_ir(ir: IR) -> str:
    """An IR as text."""
    return cast(str, load("qwasmc.text:print_ir")(ir))
