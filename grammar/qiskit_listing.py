"""Source positions of Qiskit circuits.

A circuit that was read from a text has the positions of its statements.  One that a program has
built gets a listing, which diagnostics and locations refer to:

    qubit q[0]
    qubit q[1]
    h q[0]
    if_else q[1], c[0] {
      x q[1]
    }
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from qiskit.circuit import Bit, QuantumCircuit

from qwasmc.diagnostics import Locations
from qwasmc.grammar.qiskit_gates import MAX_DEPTH

Where: TypeAlias = "int | tuple[int, Sequence[Sequence[Where]]]"
"""The position of an instruction, and those of the instructions in its blocks."""

MAX_TEXT = 40
"""Characters of a parameter in a listing."""


@dataclass(slots=True)
class Origin:
    """Where a circuit came from."""

    locations: Locations
    body: Sequence[Where]
    qubits: Sequence[int]
    """Position of each qubit's declaration."""
    names: Mapping[Bit, str] = field(default_factory=dict)
    """Names of bits, where Qiskit's registers do not have the right ones."""


def bit_names(circuit: QuantumCircuit, bits: Sequence[Bit], loose: str) -> list[str]:
    """Names of bits: by the first register that has them, else the number among the `loose`."""
    names: list[str] = []
    used: set[str] = set()
    without = 0
    for bit in bits:
        registers = circuit.find_bit(bit).registers
        if registers:
            register, at = registers[0]
            name = f"{register.name}[{at}]"
        else:
            name = f"{loose}[{without}]"
            without += 1
        while name in used:
            name += "_"
        used.add(name)
        names.append(name)
    return names


def listing(circuit: QuantumCircuit, name: str) -> Origin:
    """The positions of a circuit in a listing of it."""
    locations = Locations()
    lister = _Lister(locations, locations.add_file(name, ""))
    qubits = [lister.line(f"qubit {name}") for name in bit_names(circuit, circuit.qubits, "qubit")]
    body = lister.block(circuit, _names(circuit), 0)
    locations.texts[lister.file] = "".join(lister.lines)
    return Origin(locations, body, qubits)


def _names(circuit: QuantumCircuit) -> dict[Bit, str]:
    return {
        **dict(zip(circuit.qubits, bit_names(circuit, circuit.qubits, "qubit"), strict=True)),
        **dict(zip(circuit.clbits, bit_names(circuit, circuit.clbits, "clbit"), strict=True)),
    }


class _Lister:
    def __init__(self, locations: Locations, file: int) -> None:
        self.locations = locations
        self.file = file
        self.lines: list[str] = []

    def line(self, text: str, depth: int = 0) -> int:
        """Write a line; its position."""
        self.lines.append(f"{'  ' * depth}{text}\n")
        column = 2 * depth + 1
        return self.locations.add(self.file, len(self.lines), column, column + len(text))

    def block(self, circuit: QuantumCircuit, names: Mapping[Bit, str], depth: int) -> list[Where]:
        """Write a line for each instruction; their positions."""
        return [self.instruction(inst, names, depth) for inst in circuit.data]

    def instruction(self, inst: Any, names: Mapping[Bit, str], depth: int) -> Where:
        bits = [*inst.qubits, *inst.clbits]
        text = f"{inst.name} {', '.join([names[bit] for bit in bits])}".rstrip()
        if not inst.is_control_flow():
            if inst.params:
                text = (
                    f"{inst.name}({', '.join(map(_shown, inst.params))})" + text[len(inst.name) :]
                )
            return self.line(text, depth)
        if depth > MAX_DEPTH:
            return self.line(f"{text} {{ ... }}", depth)
        loc = self.line(f"{text} {{", depth)
        places = []
        for number, block in enumerate(inst.operation.blocks):
            if number:
                self.line("} {", depth)
            inner = [*block.qubits, *block.clbits]
            outer = {bit: names[mine] for bit, mine in zip(inner, bits, strict=True)}
            places.append(self.block(block, outer, depth + 1))
        self.line("}", depth)
        return loc, places


def _shown(parameter: Any) -> str:
    """A parameter in one line."""
    text = f"{parameter:.6g}" if isinstance(parameter, float) else str(parameter)
    text = " ".join(text.split())
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."
