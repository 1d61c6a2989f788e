"""Leaves out what the blocks of a function pass on to each other without need.

      "qw.br"(%a, %b)[^bb1] ... "qw.br"(%a, %c)[^bb1]     "qw.br"(%b)[^bb1] ... "qw.br"(%c)[^bb1]
    ^bb1(%x : i64, %y : i64):                         =>  ^bb1(%y : i64):
      uses %x and %y                                        uses %a and %y

An argument goes if it is the same value whichever way its block is reached, or if nothing uses it
but arguments that go; then a constant goes if nothing uses it.  Qubits are always used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwasmc.ir.program import Block, Function, Op, Target, Value
from qwasmc.ops import Type

CONSTANTS = frozenset({"const", "const_i64", "const_f64"})


def simplify(function: Function) -> Function:
    """The function with the arguments and the constants that it needs."""
    incoming = _incoming(function)
    same = _same(incoming)
    needed = _needed(function, incoming, same)
    gone = {argument for argument in incoming if argument in same or argument not in needed}
    blocks = _copies(function.blocks, gone, same)
    _drop_constants(blocks)
    return Function(function.name, blocks, function.results)


def renamed(op: Op, values: Mapping[Value, Value], targets: tuple[Target, ...] = ()) -> Op:
    """The op with other values in the place of some, and other targets."""
    operands = tuple([values.get(value, value) for value in op.operands])
    cond = None if op.cond is None else values.get(op.cond, op.cond)
    if operands == op.operands and cond is op.cond and not targets:
        return op
    return Op(op.spec, operands, op.results, op.attrs, cond, op.loc, targets)


def _incoming(function: Function) -> dict[Value, list[Value]]:
    """By argument, what it may be; those of the first block come from elsewhere."""
    found: dict[Value, list[Value]] = {
        argument: []
        for block in function.blocks[1:]
        for argument in block.args
        if argument.type is not Type.QUBIT
    }
    for block in function.blocks:
        for target in block.ops[-1].targets:
            for argument, value in zip(target.block.args, target.args, strict=True):
                if argument in found:
                    found[argument].append(value)
    return found


def _same(incoming: Mapping[Value, Sequence[Value]]) -> dict[Value, Value]:
    """By argument that is always the same value, that value."""
    users: dict[Value, list[Value]] = {}
    for argument, values in incoming.items():
        for value in values:
            if value in incoming:
                users.setdefault(value, []).append(argument)
    found: dict[Value, Value] = {}
    waiting = list(incoming)
    while waiting:
        changed: dict[Value, None] = {}
        for argument in waiting:
            if argument in found:
                continue
            others = {_last(found, value) for value in incoming[argument]} - {argument}
            if len(others) == 1:
                found[argument] = others.pop()
                changed.update(dict.fromkeys(users.get(argument, ())))
        waiting = list(changed)
    return {argument: _last(found, argument) for argument in found}


def _last(found: dict[Value, Value], value: Value) -> Value:
    """Where the way from a value ends; the way is made short."""
    end = value
    while end in found:
        end = found[end]
    while value in found:
        found[value], value = end, found[value]
    return end


def _needed(
    function: Function, incoming: Mapping[Value, Sequence[Value]], same: Mapping[Value, Value]
) -> set[Value]:
    """The arguments that an operation uses, if only by way of other arguments."""
    used = (value for block in function.blocks for op in block.ops for value in _inputs(op))
    waiting = [same.get(value, value) for value in used]
    found: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if value in incoming and value not in found:
            found.add(value)
            waiting += [same.get(other, other) for other in incoming[value]]
    return found


def _inputs(op: Op) -> Sequence[Value]:
    return op.operands if op.cond is None else (*op.operands, op.cond)


def _copies(blocks: Sequence[Block], gone: set[Value], same: Mapping[Value, Value]) -> list[Block]:
    """Copies of the blocks without some of their arguments."""
    copies = {block: Block([a for a in block.args if a not in gone]) for block in blocks}
    for block, copy in copies.items():
        for op in block.ops:
            targets = [
                Target(
                    copies[target.block],
                    tuple(
                        same.get(value, value)
                        for argument, value in zip(target.block.args, target.args, strict=True)
                        if argument not in gone
                    ),
                )
                for target in op.targets
            ]
            copy.ops.append(renamed(op, same, tuple(targets)))
    return list(copies.values())


def _drop_constants(blocks: Sequence[Block]) -> None:
    """Take out the constants that nothing uses."""
    used = {value for block in blocks for op in block.ops for value in _inputs(op)}
    used.update(
        value for block in blocks for target in block.ops[-1].targets for value in target.args
    )
    for block in blocks:
        block.ops = [
            op for op in block.ops if op.spec.name not in CONSTANTS or op.results[0] in used
        ]
