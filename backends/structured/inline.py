"""Program -> Function: calls are replaced by what they call.

    main:                          main:
      %1 = call f(%0)                br ^f
      use %1                =>     ^f:
    f(%n):                           %m = addi %0, %0
      %m = addi %n, %n               br ^rest(%m)
      return %m                    ^rest(%1):
                                     use %1

A `return` of `main` and a `halt` anywhere end the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qwasmc.backends.refusals import refusal
from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import BY_NAME

MAX_OPS = 1_000_000
"""Most operations with all calls in place."""


@dataclass(slots=True)
class _Call:
    """A copy of a function that is being made."""

    function: Function
    values: dict[Value, Value]
    """The copies of its values."""
    after: Block | None
    """Where a return leads; None for `main`."""
    chain: tuple[str, ...]
    """The functions that have not returned yet, this one last."""


def inlined(program: Program) -> Function:
    """`main` with all calls in place; the program itself is not changed.

    Raises CompileError for recursion, and for more than `MAX_OPS` operations.
    """
    return _Inliner(program).run()


class _Inliner:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.functions = {function.name: function for function in program.functions}
        self.made = Function("main")
        self.size = 0
        self.waiting: list[tuple[_Call, Block]] = []
        """Calls whose blocks are still to be copied, and the block that goes on there."""

    def run(self) -> Function:
        main = self.functions["main"]
        self.copy(_Call(main, {}, None, ("main",)), None)
        while self.waiting:
            call, caller = self.waiting.pop()
            self.copy(call, caller)
        return self.made

    def copy(self, call: _Call, caller: Block | None) -> None:
        """Append copies of the blocks of a function, the first of which goes on in `caller`."""
        copies: dict[Block, Block] = {}
        for at, block in enumerate(call.function.blocks):
            if at == 0 and caller is not None:
                copies[block] = caller
                continue
            copies[block] = Block([_copied(value) for value in block.args])
            call.values.update(zip(block.args, copies[block].args, strict=True))
            self.made.blocks.append(copies[block])
        # All values first: a block may use what one further down defines.
        for block in call.function.blocks:
            for op in block.ops:
                call.values.update((value, _copied(value)) for value in op.results)
        for block in call.function.blocks:
            self.fill(copies[block], block, copies, call)

    def fill(self, into: Block, block: Block, copies: dict[Block, Block], call: _Call) -> None:
        for op in block.ops:
            self.size += 1
            if self.size > MAX_OPS:
                message = f"limit passed: with its calls the program has over {MAX_OPS} operations"
                raise refusal(self.program.locations, message, op.loc)
            if op.name == "call":
                into = self.call(into, op, call)
            elif op.name == "return" and call.after is not None:
                args = tuple(call.values[value] for value in op.operands)
                into.ops.append(_jump(call.after, args, op.loc))
            else:
                into.ops.append(_op(op, copies, call.values))

    def call(self, into: Block, op: Op, call: _Call) -> Block:
        """Leave a block for a function; what follows the call goes into the block returned."""
        name = str((op.attrs or {})["callee"])
        if name in call.chain:
            message = f"'{name}' calls itself"
            help = "nested statements have no recursion"
            raise refusal(self.program.locations, message, op.loc, help)
        callee = self.functions[name]
        after = Block([call.values[value] for value in op.results])
        self.made.blocks.append(after)
        args = [call.values[value] for value in op.operands]
        values = dict(zip(callee.blocks[0].args, args, strict=True))
        self.waiting.append((_Call(callee, values, after, (*call.chain, name)), into))
        return after


def _copied(value: Value) -> Value:
    return Value(value.type, value.name)


def _jump(block: Block, args: tuple[Value, ...], loc: int) -> Op:
    return Op(BY_NAME["br"], (), (), None, None, loc, (Target(block, args),))


def _op(op: Op, copies: dict[Block, Block], values: dict[Value, Value]) -> Op:
    targets: Sequence[Target] = [
        Target(copies[target.block], tuple(values[value] for value in target.args))
        for target in op.targets
    ]
    return Op(
        op.spec,
        tuple(values[value] for value in op.operands),
        tuple(values[value] for value in op.results),
        op.attrs,
        None if op.cond is None else values[op.cond],
        op.loc,
        tuple(targets),
    )
