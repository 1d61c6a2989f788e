"""Is this Program well-formed?

- Operations fit the op table, and the last one of each block, and no other, ends it.
- Targets and calls get the arguments that blocks and functions have.
- What defines a value dominates its uses; in a block that cannot be reached any value will do.
- A qubit value lives in one block, and is used exactly once on every way out of it.  Only where the
  program ends may qubits be left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import Type
from qwasmc.verify.dominance import Dominance
from qwasmc.verify.operation import listed, misfits
from qwasmc.verify.problems import Problems


def verify_program(program: Program, problems: Problems) -> None:
    """Add the problems of a program."""
    names = Counter(function.name for function in program.functions)
    for name, count in names.items():
        if count > 1:
            problems.add(f"there are {count} functions named '{name}'")
    if "main" not in names:
        problems.add("there is no function named 'main'")
    callees = {function.name: _Callee.of(function) for function in program.functions}
    if "main" in names and callees["main"].takes:
        problems.add("function 'main' has parameters, but nothing calls it")
    for function in program.functions:
        if not function.blocks:
            problems.add(f"function '{function.name}' has no blocks")
        _FunctionCheck(function, callees, problems).run()


@dataclass(frozen=True, slots=True)
class _Callee:
    """The types of a function."""

    takes: list[Type]
    makes: list[Type]

    @staticmethod
    def of(function: Function) -> _Callee:
        args = function.blocks[0].args if function.blocks else []
        return _Callee([arg.type for arg in args], list(function.results))


class _FunctionCheck:
    """A walk over the blocks of a function, each after the blocks that dominate it."""

    def __init__(
        self, function: Function, callees: Mapping[str, _Callee], problems: Problems
    ) -> None:
        self.function = function
        self.callees = callees
        self.problems = problems
        self.number = {block: number for number, block in enumerate(function.blocks)}
        self.dominance = Dominance([self.successors(block) for block in function.blocks])
        self.defined: dict[Value, int] = {}
        """Values defined so far, with the block they were defined in."""
        self.here = 0
        """The block in which we are, and whether it can be reached."""
        self.reached = True
        self.live: dict[Value, int] = {}
        """Qubit values of this block not yet used, with the location they were made at."""

    def successors(self, block: Block) -> list[int]:
        """The numbers of the blocks that a block leads to."""
        targets = block.ops[-1].targets if block.ops else ()
        return [self.number[target.block] for target in targets if target.block in self.number]

    def run(self) -> None:
        """Check the blocks."""
        for number in self.dominance.order:
            self.block(number)
        self.reached = False
        dead = [number for number, place in enumerate(self.dominance.enter) if place < 0]
        # Their values first, as they may be used anywhere among them.
        for number in dead:
            self.here = number
            for value, loc in _definitions(self.function.blocks[number]):
                self.define(value, loc)
        for number in dead:
            self.block(number)

    def block(self, number: int) -> None:
        """The arguments and operations of a block in order, then how it ends."""
        block = self.function.blocks[number]
        self.here = number
        self.live = {}
        self.make(block.args, -1)
        last = block.ops[-1] if block.ops else None
        for op in block.ops:
            self.operation(op)
            if op.spec.ends_block and op is not last:
                self.problem(op, "is not the last operation of its block")
        if last is None or not last.spec.ends_block:
            name, loc = self.function.name, last.loc if last else -1
            message = f"a block of function '{name}' does not end in a return or a branch"
            self.problems.add(message, loc)
        else:
            self.leave(last)

    def problem(self, op: Op, message: str) -> None:
        """A problem with an operation."""
        self.problems.add(f"'{op.name}': {message}", op.loc)

    # -- operations

    def operation(self, op: Op) -> None:
        """One operation against its row, its operands against the values so far."""
        for message in misfits(op):
            self.problem(op, message)
        for value in op.operands:
            self.use(value, op)
        if op.cond is not None:
            self.use(op.cond, op)
        self.make(op.results, op.loc)
        if op.spec.flexible:
            self.types(op)

    def use(self, value: Value, op: Op) -> None:
        """An operand."""
        at = self.defined.get(value, -1)
        if at < 0:
            self.problem(op, f"{_called(value)} is not defined here")
        elif value.type is Type.QUBIT:
            if self.live.pop(value, None) is None:
                used = "was already used" if at == self.here else "is of another block"
                self.problem(op, f"{_called(value)} {used}")
        elif at != self.here and self.reached and not self.dominance.dominates(at, self.here):
            self.problem(op, f"{_called(value)} is not defined on every way here")

    def make(self, values: Sequence[Value], loc: int) -> None:
        """Results of an operation, or arguments of a block."""
        for value in values:
            if self.reached:
                self.define(value, loc)
            if value.type is Type.QUBIT:
                self.live[value] = loc

    def define(self, value: Value, loc: int) -> None:
        """The place where a value is defined."""
        if value in self.defined:
            self.problems.add(f"{_called(value)} is defined twice", loc)
        else:
            self.defined[value] = self.here

    def types(self, op: Op) -> None:
        """What a call or a return takes and makes, against the function called or left."""
        name = self.function.name
        if op.name == "call":
            name = str((op.attrs or {}).get("callee", ""))
            if name not in self.callees:
                self.problem(op, f"there is no function named '{name[:64]}'")
                return
        callee = self.callees[name]
        takes, makes = (callee.takes, callee.makes) if op.name == "call" else (callee.makes, [])
        taken = [value.type for value in op.operands]
        made = [value.type for value in op.results]
        if taken != takes:
            verb = "takes" if op.name == "call" else "returns"
            self.problem(op, f"'{name}' {verb} {listed(takes)}, not {listed(taken)}")
        if made != makes:
            self.problem(op, f"'{name}' returns {listed(makes)}, not {listed(made)}")

    # -- the end of a block

    def leave(self, op: Op) -> None:
        """The last operation of a block: it hands on each qubit, or ends the program."""
        live = self.live
        for target in op.targets:
            self.live = dict(live)
            self.target(op, target)
            for value in self.live:
                self.problem(op, f"{_called(value)} is not handed on")
        ends_program = op.name in ("halt", "fail") or self.function.name == "main"
        if not op.targets and not ends_program:
            for value, loc in live.items():
                name = self.function.name
                self.problems.add(f"{_called(value)} is still live at the end of '{name}'", loc)

    def target(self, op: Op, target: Target) -> None:
        """A target of the last operation, and its arguments."""
        number = self.number.get(target.block, -1)
        if number < 0:
            self.problem(op, "leads to a block of another function")
        elif number == 0:
            self.problem(op, "leads to the first block of its function")
        wanted = [value.type for value in target.block.args]
        given = [value.type for value in target.args]
        if wanted != given:
            self.problem(op, f"block {number} takes {listed(wanted)}, not {listed(given)}")
        for value in target.args:
            self.use(value, op)


def _definitions(block: Block) -> list[tuple[Value, int]]:
    """The values that a block defines, with their locations."""
    found = [(value, -1) for value in block.args]
    found += ((value, op.loc) for op in block.ops for value in op.results)
    return found


def _called(value: Value) -> str:
    kind = "qubit" if value.type is Type.QUBIT else "value"
    return f"{kind} %{value.name}" if value.name else f"a {kind}"
