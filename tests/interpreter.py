"""Runs programs the slow and obvious way: one op after the other, memory in a dict.

Qubits are numbers and measurements take their outcomes from an iterator; what is seen of a run is
the list of what it does to qubits and what results it gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from qwasmc import scalars
from qwasmc.ir.program import Block, Function, Op, Program, Value


class Stopped(Exception):
    """The run ends here; the argument says why."""


@dataclass
class Run:
    """One run; `fuel` is how many blocks it may enter."""

    program: Program
    outcomes: Iterator[int]
    fuel: int = 1000
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    memory: dict[tuple[str, int], Any] = field(default_factory=dict)
    slots: dict[int, int] = field(default_factory=dict)
    fresh: int = 1 << 40
    qubits: int = 0

    def main(self) -> str:
        """Run the program; returns why it ended."""
        try:
            self.call(self.program.main, [])
        except Stopped as stopped:
            return str(stopped)
        return "return"

    def call(self, function: Function, args: list[Any]) -> list[Any]:
        values: dict[Value, Any] = {}
        block = function.blocks[0]
        while True:
            self.fuel -= 1
            if not self.fuel:
                raise Stopped("no fuel")
            values.update(zip(block.args, args, strict=True))
            for op in block.ops[:-1]:
                operands = [values[value] for value in op.operands]
                cond = True if op.cond is None else values[op.cond]
                values.update(zip(op.results, self.step(op, operands, cond), strict=True))
            last = block.ops[-1]
            operands = [values[value] for value in last.operands]
            if last.name == "return":
                return operands
            block, args = self.branch(last, operands, values)

    def branch(
        self, last: Op, operands: list[Any], values: dict[Value, Any]
    ) -> tuple[Block, list[Any]]:
        if last.name in ("halt", "fail"):
            raise Stopped(last.name)
        target = last.targets[0 if last.name == "br" or operands[0] else 1]
        return target.block, [values[value] for value in target.args]

    def step(self, op: Op, operands: list[Any], cond: bool) -> list[Any]:
        name, attrs = op.name, op.attrs or {}
        if name == "call":
            callee = next(f for f in self.program.functions if f.name == attrs["callee"])
            return self.call(callee, operands)
        if op.spec.qubits or op.spec.makes_qubit or name.startswith("result"):
            return self.visible(op, operands, cond)
        if "space" in attrs:
            return self.access(name, str(attrs["space"]), operands)
        return [self.compute(name, attrs, operands)]

    def visible(self, op: Op, operands: list[Any], cond: bool) -> list[Any]:
        name, attrs = op.name, dict(op.attrs or {})
        if name == "extract":
            if operands[0] not in self.slots:
                raise Stopped("empty slot")
            return [self.slots.pop(operands[0])]
        if name == "insert":
            if operands[1] in self.slots:
                raise Stopped("full slot")
            self.slots[operands[1]] = operands[0]
            return []
        self.seen.append((name, *operands, attrs, bool(cond)))
        if name == "alloc":
            self.qubits += 1
            return [self.qubits]
        bits = [next(self.outcomes) & int(cond)] if op.spec.makes_bit else []
        return [*operands[: len(op.results) - len(bits)], *bits]

    def access(self, name: str, space: str, operands: list[Any]) -> list[Any]:
        if name == "allocate":
            self.fresh += operands[0]
            return [self.fresh - operands[0]]
        type = name.partition("_")[2]
        if name.startswith("store"):
            self.memory[space, operands[1]] = (type, operands[0])
            return []
        stored, value = self.memory.get((space, operands[0]), ("", 0))
        if stored != type:
            raise Stopped("unwritten")
        return [value]

    def compute(self, name: str, attrs: dict[str, Any], operands: list[Any]) -> Any:
        if name.startswith("const"):
            (value,) = attrs.values()
            return value
        if name == "xor":
            return sum(operands) % 2
        if name == "and":
            return int(all(operands))
        if name.startswith("select"):
            return operands[1] if operands[0] else operands[2]
        if name == "cmpi":
            return int(scalars.INTEGER_PREDICATES[attrs["predicate"]](*operands))
        if name == "cmpf":
            return int(scalars.FLOAT_PREDICATES[attrs["predicate"]](*operands))
        if name == "extui":
            return operands[0]
        if name == "sitofp":
            return float(operands[0])
        if name == "fptosi":
            return int(operands[0])
        if name == "trunci":
            return operands[0] & 1
        if name == "slot":
            self.fresh += 1
            return self.fresh
        try:
            return {**scalars.INTEGER, **scalars.FLOAT}[name](*operands)
        except ZeroDivisionError:
            raise Stopped("division") from None
