"""Rotations that are Clifford gates, and Pauli products as gates on one and two qubits.

    rz 3/2 pi a      sdg a
    cp pi a b        cz a b
    ppr XZ t a b     h a; cx a b; rz t b; cx a b; h a

Global phases are dropped: they mean nothing where conditions are classical.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS, OpSpec

TOLERANCE = 1e-11
"""Farthest that a rounded angle may be from a multiple of a quarter turn, in radians."""


class Gate(NamedTuple):
    """A gate on some of the qubits of the operation that it is part of."""

    name: str
    on: tuple[int, ...]


class Product(NamedTuple):
    """How to turn a Pauli product into Z of one qubit (`target`, -1 if there is none) and back."""

    gather: tuple[Gate, ...]
    target: int
    scatter: tuple[Gate, ...]


MEASURED = {"measure_x": "X", "measure_y": "Y", "measure_z": "Z"}
"""The Pauli that a measurement of one qubit is of."""

TO_Z = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
"""Gates that turn a Pauli into Z."""


def _alone(*names: str) -> tuple[Gate, ...]:
    return tuple(Gate(name, (0,)) for name in names)


_ABOUT_Z = (2 * math.pi, (_alone(), _alone("s"), _alone("z"), _alone("sdg")))
_CZ = Gate("cz", (0, 1))

TURNS: dict[str, tuple[float, tuple[tuple[Gate, ...], ...]]] = {
    "rx": (2 * math.pi, (_alone(), _alone("sx"), _alone("x"), _alone("sxdg"))),
    "ry": (2 * math.pi, (_alone(), _alone("h", "x"), _alone("y"), _alone("x", "h"))),
    "rz": _ABOUT_Z,
    "p": _ABOUT_Z,
    "ppr": _ABOUT_Z,
    "cp": (2 * math.pi, (_alone(), (_CZ,))),
    "crz": (4 * math.pi, (_alone(), (*_alone("sdg"), _CZ), _alone("z"), (*_alone("s"), _CZ))),
}
"""By rotation: its period, up to global phase, and the gates at equal parts of it.

Those of `ppr` act on the qubit that the product is gathered on.
"""


@lru_cache(maxsize=4096)
def turn(name: str, angle: float, paulis: str = "") -> tuple[Gate, ...] | None:
    """The Clifford gates that a rotation is, or None if it is not Clifford."""
    period, turns = TURNS[name]
    step = period / len(turns)
    parts = math.remainder(angle, period) / step
    if abs(parts - round(parts)) * step > TOLERANCE:
        return None
    gates = turns[round(parts) % len(turns)]
    return gates if name != "ppr" else around(product(paulis), gates)


def around(made: Product, gates: Sequence[Gate]) -> tuple[Gate, ...]:
    """Gates on one qubit as gates on a product."""
    if made.target < 0:
        return ()
    inner = (Gate(gate.name, (made.target,)) for gate in gates)
    return (*made.gather, *inner, *made.scatter)


@lru_cache(maxsize=4096)
def product(paulis: str) -> Product:
    """The gates that turn a Pauli product into Z of its last qubit."""
    support = [at for at, letter in enumerate(paulis) if letter != "I"]
    if not support:
        return Product((), -1, ())
    target = support[-1]
    gather = [Gate(name, (at,)) for at in support for name in TO_Z[paulis[at]]]
    gather += [Gate("cx", (at, target)) for at in support[:-1]]
    scatter = [Gate(BY_NAME[gate.name].inverse or "", gate.on) for gate in reversed(gather)]
    return Product(tuple(gather), target, tuple(scatter))


def is_clifford(spec: OpSpec, angle: float | None, paulis: str = "") -> bool:
    """Whether a gate is Clifford; None is an angle that is not known."""
    if not spec.angle:
        return bool(spec.stim)
    known = angle is not None and math.isfinite(angle)
    return known and turn(spec.name, angle, paulis) is not None


def circuit_is_clifford(circuit: Circuit) -> bool:
    """Whether every gate of a circuit is Clifford."""
    return all(
        is_clifford(spec, float(circuit.angle[row]), _paulis(circuit, row))
        for row, spec in enumerate(map(OPS.__getitem__, circuit.op.tolist()))
        if spec.is_gate
    )


def _paulis(circuit: Circuit, row: int) -> str:
    return str(circuit.attribute(row)) if OPS[circuit.op[row]].attr == "paulis" else ""


def name_turns(circuit: Circuit) -> Circuit:
    """A Clifford circuit with gates in place of its rotations."""
    if not any(spec.angle for code in set(circuit.op.tolist()) if (spec := OPS[code])):
        return circuit
    builder = CircuitBuilder(locations=circuit.locations)
    number = [0] * circuit.n_values
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        values = [number[value] for value in circuit.values(row)]
        cond = int(circuit.cond[row])
        cond = number[cond] if cond >= 0 else -1
        first, following = int(circuit.first[row]), int(circuit.first[row + 1])
        if spec.angle:
            gates = turn(spec.name, float(circuit.angle[row]), _paulis(circuit, row))
            assert gates is not None, "the circuit is Clifford"
            number[first:following] = _append(builder, gates, values, cond, int(circuit.loc[row]))
        else:
            made = builder.copy(circuit, row, values, cond)
            number[first:following] = range(made, made + following - first)
    return builder.freeze()


def _append(
    builder: CircuitBuilder, gates: Sequence[Gate], values: list[int], cond: int, loc: int
) -> list[int]:
    """Append gates on qubit values; the values that the qubits have afterwards."""
    held = list(values)
    for gate in gates:
        made = builder.add(gate.name, [held[at] for at in gate.on], cond=cond, loc=loc)
        for slot, at in enumerate(gate.on):
            held[at] = made + slot
    return held
