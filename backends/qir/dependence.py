"""Which values of a program depend on measurements, and which kinds of loops it has.

    for i in 0..3 { h i }             i is known: an iteration
    while m { h 0; m = measure 0 }    m is not: a loop that a measurement ends

The Adaptive Profile wants loops declared by kind, and qubits numbered by what is known.
"""

from __future__ import annotations

from qwasmc.backends.qir.flow import Flow, Loop
from qwasmc.ir.program import Op, Value
from qwasmc.ops import Type

ITERATION, CONDITIONAL = 1, 2
"""Kinds of loops, as in the flag `backwards_branching`: the second ones end, or go on, when a
measurement says so.
"""


class Dependence:
    """What depends on measurements, through values or through the way taken."""

    def __init__(self, flows: dict[str, Flow]) -> None:
        self.flows = flows
        self.values: set[Value] = set()
        self._returns: set[str] = set()
        """Functions that return such a value."""
        self._branches: set[tuple[str, int]] = set()
        """Functions and blocks whose end has been followed."""
        self._lost: set[str] = set()
        """Functions whose ways are too long, or too tangled, to be followed."""
        before = -1
        while before < len(self.values) + len(self._returns):
            before = len(self.values) + len(self._returns)
            for name in (*flows, *reversed(flows)):  # arguments go down, values come up
                self._follow(name, flows[name])

    def loops(self) -> int:
        """The kinds of loops there are."""
        found = 0
        for flow in self.flows.values():
            if flow.loops is None:
                return ITERATION | CONDITIONAL
            for loop in flow.loops:
                found |= CONDITIONAL if self._is_conditional(flow, loop) else ITERATION
        return found

    def _is_conditional(self, flow: Flow, loop: Loop) -> bool:
        """Whether it depends on measurements how often a loop is run."""
        ends = (
            flow.function.blocks[block].ops[-1]
            for block in loop.blocks
            if not loop.blocks.issuperset(flow.successors[block])
        )
        return any(self._depends(op) for op in ends)

    def _depends(self, op: Op) -> bool:
        return any(value in self.values for value in op.operands)

    def _follow(self, name: str, flow: Flow) -> None:
        """One walk over a function."""
        blocks = flow.function.blocks
        for number in flow.order:
            for op in blocks[number].ops:
                self._operation(name, op)
            end = blocks[number].ops[-1]
            for target in end.targets:
                self._pass(target.args, target.block.args)
            if self._depends(end) and (name, number) not in self._branches:
                self._branches.add((name, number))
                self._meet(name, flow, number)
        if flow.loops is None:
            self._spread(name)
        for loop in flow.loops or ():
            if self._is_conditional(flow, loop):
                self.values.update(blocks[loop.header].args)

    def _meet(self, name: str, flow: Flow, branch: int) -> None:
        """Arguments of blocks where ways meet that a measurement has parted, and what is returned
        if some ways meet in the caller only.
        """
        if flow.ends > 1:
            self._returns.add(name)
        if name not in self._lost:
            joins = flow.joins(branch)
            if joins is None:
                self._spread(name)
            for join in joins or ():
                self.values.update(flow.function.blocks[join].args)

    def _spread(self, name: str) -> None:
        """Take it that all arguments of blocks depend on measurements."""
        if name not in self._lost:
            self._lost.add(name)
            blocks = self.flows[name].function.blocks
            self.values.update(value for block in blocks[1:] for value in block.args)

    def _operation(self, name: str, op: Op) -> None:
        callee = str((op.attrs or {})["callee"]) if op.name == "call" else ""
        depends = self._depends(op)
        if callee:
            self._pass(op.operands, self.flows[callee].function.blocks[0].args)
            depends |= callee in self._returns
        if depends or op.name == "load_i1" or (op.spec.makes_bit and op.spec.qubits):
            self.values.update(value for value in op.results if value.type is not Type.QUBIT)
            if op.name == "return" and depends:
                self._returns.add(name)

    def _pass(self, values: tuple[Value, ...], to: list[Value]) -> None:
        self.values.update(b for a, b in zip(values, to, strict=True) if a in self.values)
