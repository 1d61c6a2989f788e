"""Gates under any number of controls, from gates of the op table.

One control has a textbook form (Barenco et al., PRA 52, 3457); more are first collected into one:
a chain of Toffolis computes their conjunction into fresh qubits and is undone afterwards.

    x under a, b, c, d on t       p = a & b; q = p & c; ccx q d t; q, p undone
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi
from typing import Protocol, TypeVar

from qwasmc.ir.program import Value
from qwasmc.ops import BY_NAME

Qubit = TypeVar("Qubit")
Angle = float | Value | None
"""In radians, perhaps computed; None for a gate that has none."""


class Machine(Protocol[Qubit]):
    """Where gates go."""

    def apply(self, name: str, qubits: Sequence[Qubit], angle: Angle = None) -> None:
        """Apply a gate of the op table."""

    def borrow(self) -> Qubit:
        """A fresh qubit in |0>."""

    def give_back(self, qubit: Qubit) -> None:
        """Take back a borrowed qubit, which is in |0> again."""


BASE = {
    **{"cx": "x", "cy": "y", "cz": "z", "cp": "p", "crz": "rz"},
    **{"ccx": "x", "ccz": "z", "cswap": "swap"},
}
"""What a gate that has controls does to the rest of its qubits."""

# Each step is a gate on the control (0), the target (1) or both, with an angle if it has one.
_Step = tuple[str, tuple[int, ...], Angle]


def _conjugated(gates: Sequence[str], inner: Sequence[_Step]) -> tuple[_Step, ...]:
    """`gates` on the target, then `inner`, then the gates undone."""
    before = [(name, (1,), None) for name in gates]
    after = [(str(BY_NAME[name].inverse), (1,), None) for name in reversed(gates)]
    return (*before, *inner, *after)


def _phase(angle: float) -> tuple[_Step, ...]:
    return (("cp", (0, 1), angle),)


CONTROLLED: dict[str, tuple[_Step, ...]] = {
    "x": (("cx", (0, 1), None),),
    "y": (("cy", (0, 1), None),),
    "z": (("cz", (0, 1), None),),
    "h": _conjugated(("s", "h", "t"), [("cx", (0, 1), None)]),
    "s": _phase(pi / 2),
    "sdg": _phase(-pi / 2),
    "t": _phase(pi / 4),
    "tdg": _phase(-pi / 4),
    "sx": _conjugated(("h",), _phase(pi / 2)),
    "sxdg": _conjugated(("h",), _phase(-pi / 2)),
}
"""Gates without an angle under one control."""

_TURNED: dict[str, tuple[str, tuple[str, ...]]] = {
    "p": ("cp", ()),
    "rz": ("crz", ()),
    "rx": ("crz", ("h",)),
    "ry": ("crz", ("sdg", "h")),
}
"""Gates with an angle under one control: the gate, and what goes before it on the target."""


def can_be_controlled(name: str) -> bool:
    """Whether `controlled` takes a gate."""
    base = BASE.get(name, name)
    return base in CONTROLLED or base in _TURNED or base == "swap"


def controlled(
    machine: Machine[Qubit],
    name: str,
    controls: Sequence[Qubit],
    qubits: Sequence[Qubit],
    angle: Angle = None,
) -> None:
    """Apply a gate of the op table where all of `controls` are |1>."""
    n_own = BY_NAME[name].controls
    every, targets = [*controls, *qubits[:n_own]], list(qubits[n_own:])
    base = BASE.get(name, name)
    if not every:
        machine.apply(base, targets, angle)
    elif base == "swap":
        a, b = targets
        machine.apply("cx", [b, a])
        _on_one(machine, "x", [*every, a], b, None)
        machine.apply("cx", [b, a])
    else:
        _on_one(machine, base, every, targets[0], angle)


def _on_one(
    machine: Machine[Qubit],
    base: str,
    controls: Sequence[Qubit],
    target: Qubit,
    angle: Angle,
) -> None:
    """A gate on one qubit, under at least one control."""
    native = {"x": "ccx", "z": "ccz"}.get(base) if len(controls) > 1 else None
    if base == "y" and len(controls) > 1:
        machine.apply("sdg", [target])
        _on_one(machine, "x", controls, target, None)
        machine.apply("s", [target])
        return
    collected = controls[:-1] if native else controls
    held: list[tuple[Qubit, Qubit, Qubit]] = []
    last = collected[0]
    for control in collected[1:]:
        both = machine.borrow()
        machine.apply("ccx", [last, control, both])
        held.append((last, control, both))
        last = both
    if native:
        machine.apply(native, [last, controls[-1], target])
    elif base in _TURNED:
        gate, before = _TURNED[base]
        for step in _conjugated(before, [(gate, (0, 1), angle)]):
            _apply(machine, step, last, target)
    else:
        for step in CONTROLLED[base]:
            _apply(machine, step, last, target)
    for a, b, both in reversed(held):
        machine.apply("ccx", [a, b, both])
        machine.give_back(both)


def _apply(machine: Machine[Qubit], step: _Step, control: Qubit, target: Qubit) -> None:
    name, on, angle = step
    machine.apply(name, [(control, target)[place] for place in on], angle)
