"""The Python API: `qwasmc.compile` and friends.

A program is a `str` or `bytes` that holds it, a path object that leads to it, or a circuit object
of Qiskit or Stim.  Options have the names and defaults of `options.Options`, which are those of the
command line.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from qwasmc import driver, reading, running
from qwasmc.artifact import Artifact
from qwasmc.diagnostics import CompileError, Diagnostic, render
from qwasmc.notebook import attach
from qwasmc.options import Options, Watch
from qwasmc.pipeline import named
from qwasmc.reading import Source
from qwasmc.verify import verify

if TYPE_CHECKING:
    import qiskit
    import stim

    from qwasmc.reading import IR

    Input: TypeAlias = str | bytes | os.PathLike[str] | qiskit.QuantumCircuit | stim.Circuit

__all__ = ["Artifact", "CompileError", "compile", "parse", "run_passes", "verify"]


def compile(program: Input, **options: Any) -> Artifact:
    """Compile a program: `qwasmc.compile(Path("bell.qwasm"), distance=5).circuit`."""
    return driver.compile_source(_source(program), Options(**options), Watch(warn=_warn))


def parse(program: Input, **options: Any) -> IR:
    """Read a program into its first IR."""
    return reading.read(_source(program), Options(**options), Watch(warn=_warn))


def run_passes(ir: IR, passes: Sequence[str], **options: Any) -> IR:
    """Run exactly the named passes on an IR."""
    for row in named(passes, reading.kind_of(ir)):
        ir = running.run_pass(ir, row, Options(**options), Watch())
    return ir


def _warn(diagnostic: Diagnostic) -> None:
    warnings.warn(render(diagnostic), stacklevel=4)


def _source(program: Input) -> Source:
    if isinstance(program, os.PathLike):
        return reading.read_source(os.fspath(program))
    if isinstance(program, str | bytes):
        return Source("<string>", program.encode() if isinstance(program, str) else program)
    return Source("<circuit>", b"", program)


attach()
