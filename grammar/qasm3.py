"""Reader of OpenQASM 3: text -> Program, by Qiskit's importer.

    OPENQASM 3.0;
    include "stdgates.inc";
    qubit[2] q;                %a = "qw.alloc"() {name = "q[0]"} ...
    bit c;
    for int i in [0:9] {       "qw.br"()[^loop(%0)]; ...
        rx(i * pi / 10) q[0];
    }

qasm_text.py puts in included files, qasm3_import.py makes Qiskit's circuit and keeps the positions
that it does not have, from_qiskit.py gives the circuit its meaning.  What the importer cannot read
goes through the compiler of the QDK, if that is installed, and is then read as QIR.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qwasmc.diagnostics import CompileError
from qwasmc.grammar import from_qiskit, qir
from qwasmc.grammar.qasm3_import import OutsideSubset, import_qasm3
from qwasmc.grammar.qasm3_qdk import Unavailable, qasm_to_qir
from qwasmc.grammar.qasm_text import Text
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program


def read_qasm3(
    data: str | bytes, name: str, *, include_dirs: Sequence[Path] = ()
) -> Program | Circuit:
    """The program that a text in OpenQASM 3 spells.

    `name` is the path of the text; files are included from its folder and `include_dirs`.
    """
    text = Text(data, name, include_dirs)
    try:
        return from_qiskit.program(*import_qasm3(text))
    except OutsideSubset as wrong:
        return _by_qdk(text, name, wrong)


def _by_qdk(text: Text, name: str, outside: OutsideSubset) -> Program | Circuit:
    """The program by way of QIR, to whose text its positions refer."""
    try:
        program = qir.read(qasm_to_qir(text), f"{name} (as QIR)")
    except Unavailable:
        raise outside from None
    except CompileError as wrong:
        note = outside.diagnostics[0].message
        found = [replace(diagnostic, notes=(note,)) for diagnostic in wrong.diagnostics]
        raise CompileError(found) from None
    program.locations.paths = text.locations.paths
    program.locations.absent = text.locations.absent
    return program
