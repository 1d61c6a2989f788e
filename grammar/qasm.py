"""Reader of OpenQASM 2: text -> Program, by Qiskit's parser.

    OPENQASM 2.0;
    include "qelib1.inc";
    qreg q[2];                 %a = "qw.alloc"() {name = "q[0]"} ...
    h q[0];                    %a1 = "qw.h"(%a)
    cx q[0], q[1];             %a2, %b1 = "qw.cx"(%a1, %b)

qasm_text.py puts in included files, qasm2_survey.py keeps the positions that Qiskit's circuits do
not have, from_qiskit.py gives the circuit its meaning.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import library

from qwasmc.diagnostics import CompileError, Diagnostic, Kind
from qwasmc.grammar import from_qiskit
from qwasmc.grammar.qasm2_survey import Survey
from qwasmc.grammar.qasm_text import Text
from qwasmc.grammar.qiskit_listing import Origin
from qwasmc.ir.program import Program

__all__ = ["read_qasm2"]

GATES = [
    replace(gate, constructor=lambda _: library.IGate()) if gate.name == "u0" else gate
    for gate in qasm2.LEGACY_CUSTOM_INSTRUCTIONS
]
"""The gates that programs use without a definition; u0(n) waits for n cycles."""

_POSITION = re.compile(r"<input>:(\d+),(\d+): (.*)")
"""How Qiskit's parser begins a message."""


def read_qasm2(data: str | bytes, name: str, *, include_dirs: Sequence[Path] = ()) -> Program:
    """The program that a text in OpenQASM 2 spells.

    `name` is the path of the text; files are included from its folder and `include_dirs`.
    """
    text = Text(data, name, include_dirs)
    survey = Survey(text).run()
    circuit = _parse_qasm2(text, survey)
    body = survey.instructions
    if len(body) != len(circuit.data):  # a wrong position would be worse than none
        body = [-1] * len(circuit.data)
    origin = Origin(text.locations, body, survey.qubits)
    return from_qiskit.program(circuit, origin, by_name=True)


def _parse_qasm2(text: Text, survey: Survey) -> QuantumCircuit:
    """Qiskit's circuit.  A gate that the program defines is what it says, whatever its name."""
    known = [gate for gate in GATES if gate.name not in survey.sizes]
    try:
        return qasm2.loads(
            text.text,
            include_path=(),
            custom_instructions=known,
            custom_classical=qasm2.LEGACY_CUSTOM_CLASSICAL,
        )
    except BaseException as wrong:  # a panic in Qiskit's parser is no Exception
        if isinstance(wrong, KeyboardInterrupt | SystemExit):
            raise
        raise _refused(text, wrong) from None


def _refused(text: Text, wrong: BaseException) -> CompileError:
    """What Qiskit's parser says, at the position that it names."""
    said = str(wrong).strip("\"'").partition("\n")[0]
    found = _POSITION.fullmatch(said)
    if found is None:
        kind = Kind.LIMIT if isinstance(wrong, RecursionError | MemoryError) else Kind.PROGRAM
        message = f"Qiskit's parser gave up: {said or type(wrong).__name__}"
        return CompileError(Diagnostic(message, kind=kind))
    return text.error_at(found[3], int(found[1]), int(found[2]))
