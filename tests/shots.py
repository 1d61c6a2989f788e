"""One run of a Program or a Circuit for given outcomes: what it does to qubits, and its results.

For the same outcomes both do the same to the same qubits, in the same order, if one was made from
the other; that needs no quantum state.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from interpreter import Run, Stopped

from qwasmc import scalars
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Op, Program
from qwasmc.ops import OPS

UNSEEN = ("alloc", "free", "barrier")
"""What a circuit may do elsewhere or in more runs."""


class Tape(Iterator[int]):
    """Outcomes: the given ones, then zeros."""

    def __init__(self, given: tuple[int, ...]) -> None:
        self.given = given
        self.read = 0

    def __next__(self) -> int:
        self.read += 1
        return self.given[self.read - 1] if self.read <= len(self.given) else 0


@dataclass
class Shot:
    """What was done to which qubits, numbered as they were met first, and what was recorded."""

    acts: list[tuple[Any, ...]] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    end: str = "return"
    numbers: dict[int, int] = field(default_factory=dict)

    def act(self, name: str, qubits: list[int], *how: Any) -> None:
        numbers = [self.numbers.setdefault(qubit, len(self.numbers)) for qubit in qubits]
        self.acts.append((name, numbers, *how))


class ProgramRun(Run):
    """The interpreter, with an outcome for each measurement that is made."""

    def __init__(self, program: Program, tape: Tape) -> None:
        super().__init__(program, tape, fuel=5000)
        self.shot = Shot()
        self.times: Counter[str] = Counter()

    def run(self) -> Shot:
        self.shot.end = self.main()
        return self.shot

    def branch(self, last: Op, operands: list[Any], values: dict) -> Any:
        if last.name == "fail":
            raise Stopped(f"fail: {(last.attrs or {})['text']}")
        return super().branch(last, operands, values)

    def visible(self, op: Op, operands: list[Any], cond: bool) -> list[Any]:
        name, attrs = op.name, op.attrs or {}
        if name.startswith("result"):
            label = attrs["name"]
            self.times[label] += 1
            self.shot.results[numbered(label, self.times[label])] = operands[0]
            return []
        if name in ("extract", "insert", "alloc"):
            return super().visible(op, operands, cond)
        count = len(op.results) - op.spec.makes_bit
        if cond and name not in UNSEEN:
            angle = operands[count] if len(operands) > count else attrs.get("angle", 0.0)
            if not math.isfinite(angle):
                raise Stopped("angle")
            self.shot.act(name, operands[:count], attrs.get("paulis"), angle)
        bits = [next(self.outcomes) if cond else 0] if op.spec.makes_bit else []
        return [*operands[:count], *bits]

    def compute(self, name: str, attrs: dict[str, Any], operands: list[Any]) -> Any:
        table = {
            "cmpf": lambda a, b: int(scalars.FLOAT_PREDICATES[attrs["predicate"]](a, b)),
            "extsi": lambda a: scalars.signed(a, attrs["bits"]),
            "mathf": lambda a: scalars.FUNCTIONS[attrs["function"]](a),  # noqa: PLW0108
            "sitofp": float,
            "uitofp": lambda a: float(a % 2**64),
            "fptosi": scalars.to_integer,
            "fptoui": scalars.to_integer,
        }
        try:
            return table[name](*operands) if name in table else super().compute(
                name, attrs, operands
            )  # fmt: skip
        except ValueError:
            raise Stopped("range") from None


def numbered(label: str, time: int) -> str:
    return label if time == 1 else f"{label}.{time}"


def circuit_shot(circuit: Circuit, tape: Tape) -> Shot:
    """A walk over the rows; a row whose condition is 0 is skipped and makes the bit 0."""
    shot = Shot()
    wires = circuit.wires().tolist()
    bits: dict[int, int] = {}
    for row, code in enumerate(circuit.op.tolist()):
        spec, values, attr = OPS[code], circuit.values(row), circuit.attribute(row)
        made = int(circuit.first[row + 1]) - 1
        cond = int(circuit.cond[row])
        runs = cond < 0 or bits[cond]
        if spec.qubits:
            if spec.makes_bit:
                bits[made] = next(tape) if runs else 0
            if runs and spec.name not in UNSEEN:
                paulis = attr if spec.attr == "paulis" else None
                angle = float(circuit.angle[row])
                shot.act(spec.name, [wires[value] for value in values], paulis, angle)
        elif spec.makes_bit:
            taken = [bits[value] for value in values]
            bits[made] = {"const": attr, "xor": sum(taken) % 2, "and": int(all(taken))}[spec.name]
        elif spec.name.startswith("result"):
            word = sum(bits[value] << at for at, value in enumerate(values))
            if spec.name == "result_int":
                word = scalars.signed(word, len(values))
            shot.results[attr] = scalars.bits_float(word) if spec.name == "result_float" else word
    return shot
