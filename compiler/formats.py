"""The output table: what a compilation can end in, and who writes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A row: `function` ("module:name") writes what `takes` says.

    `takes` is a representation, which is printed; `logical`, a Circuit, or a Program whose control
    flow no circuit can hold; or `physical`, patches as qubits, gates and measurements.
    `circuit` ("module:name") makes the object of the tool that the format is for.
    Without --emit, an output whose name ends in one of `suffixes` is in this format.  Only a
    `noisy` one can hold errors.
    """

    name: str
    takes: str
    function: str
    doc: str
    suffixes: tuple[str, ...] = ()
    circuit: str = ""
    noisy: bool = False


FORMATS: tuple[Format, ...] = (
    Format("program", "program", "qwasmc.text:print_lines", "the Program IR, as it was read"),
    Format("circuit", "circuit", "qwasmc.text:print_lines", "the Circuit IR, optimised"),
    Format("surgery", "surgery", "qwasmc.text:print_lines", "the Surgery IR: patches and joins"),
    Format(
        "stim",
        "physical",
        "qwasmc.backends.physical:stim_text",
        "Stim: physical qubits, detectors, observables, noise",
        (".stim",),
        "qwasmc.backends.physical:stim_circuit",
        noisy=True,
    ),
    Format(
        "tsim",
        "physical",
        "qwasmc.backends.tsim:write",
        "Stim's language as tsim runs it, with true T gates",
        (".tsim",),
        noisy=True,
    ),
    Format(
        "cirq",
        "physical",
        "qwasmc.backends.cirq:write",
        "Cirq's JSON of the physical circuit",
        (".cirq.json",),
        "qwasmc.backends.cirq:to_cirq",
        noisy=True,
    ),
    Format(
        "crumble",
        "physical",
        "qwasmc.backends.crumble:write",
        "a link that opens the physical circuit in Crumble, Stim's editor; no noise",
    ),
    Format(
        "qiskit-physical",
        "physical",
        "qwasmc.backends.qiskit_physical:write_qpy",
        "QPY: patches as registers, true T gates, corrections under if_test; no noise",
        (),
        "qwasmc.backends.qiskit_physical:to_qiskit",
    ),
    Format(
        "qiskit",
        "logical",
        "qwasmc.backends.qiskit_logical:write_qpy",
        "QPY: the logical circuit, with its control flow",
        (".qpy",),
        "qwasmc.backends.qiskit_logical:to_qiskit",
    ),
    Format(
        "qasm3",
        "logical",
        "qwasmc.backends.qasm3:write",
        "OpenQASM 3: the logical circuit, with its control flow",
        (".qasm", ".qasm3"),
    ),
    Format(
        "qir",
        "logical",
        "qwasmc.backends.qir:write",
        "QIR as LLVM assembly, in the base or adaptive profile",
        (".ll",),
    ),
    Format(
        "qir-bitcode",
        "logical",
        "qwasmc.backends.qir:write_bitcode",
        "QIR as LLVM bitcode",
        (".bc",),
    ),
)

DRAWINGS = {
    "program": "qwasmc.backends.drawing.program:program_svg",
    "circuit": "qwasmc.backends.drawing.circuit:circuit_svg",
    "surgery": "qwasmc.backends.drawing.surgery:surgery_svg",
}
"""Who draws a representation as SVG, "module:name"."""

BY_NAME = {row.name: row for row in FORMATS}
"""Row by name."""


def of_suffix(path: str) -> Format | None:
    """The format that the name of a file asks for, in upper or lower case."""
    found = [row for row in FORMATS if path.lower().endswith(row.suffixes or "\0")]
    return max(found, key=lambda row: max(len(s) for s in row.suffixes)) if found else None
