"""Makes functions of the blocks of a program in the machine style.

    CALL f           "qw.call"() {callee = "f"}; "qw.br"()[^rest]
    HALT             "qw.br"()[^end]
    f: QLH 0    =>   function f: ...
    RET              "qw.return"()

The blocks share no values.  Each label that is called becomes a function: a copy of the blocks that
can be reached from it.  So one piece of code may belong to several subroutines, and a jump from one
into another is what it is on a machine.  HALT leads to the end of `main`, where the results are; a
subroutine that may get to one returns a bit that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from qwasmc.ir.program import Attr, Block, Function, Op, Target, Value
from qwasmc.ops import Type

MAIN = ""
"""The body that is run, among those of labels."""


class Linker:
    """Blocks in the order of the text, the last one the end of the program; calls name labels."""

    def __init__(self, blocks: Sequence[Block], labels: Mapping[str, Block]) -> None:
        self.blocks = blocks
        self.end = blocks[-1]
        self.entries = {MAIN: blocks[0], **labels}
        self.place = {block: number for number, block in enumerate(blocks)}
        self.bodies: dict[str, list[Block]] = {}
        self.callees: dict[str, dict[str, None]] = {}
        self.halting: set[str] = set()
        """Bodies that may get to a HALT."""
        self.lost_return = -1
        """Where `main` certainly gets to a RET."""

    def link(self, charge: Callable[[int], None]) -> list[Function]:
        """The functions, `main` first; `charge` is told how many operations each has."""
        self._find_bodies(charge)
        self._find_halting()
        self.lost_return = self._certain_return()
        return [self._function(name) for name in self.bodies]

    def _find_bodies(self, charge: Callable[[int], None]) -> None:
        waiting = {MAIN: None}
        while waiting:
            name = next(iter(waiting))
            del waiting[name]
            body = self._reached(self.entries[name])
            charge(sum(len(block.ops) for block in body) if name != MAIN else 0)
            self.bodies[name] = body
            calls = dict.fromkeys(_callee(block) for block in body)
            calls.pop(MAIN, None)
            self.callees[name] = calls
            waiting.update((c, None) for c in self.callees[name] if c not in self.bodies)

    def _reached(self, entry: Block) -> list[Block]:
        found = {entry}
        waiting = [entry]
        while waiting:
            for target in waiting.pop().ops[-1].targets:
                if target.block not in found:
                    found.add(target.block)
                    waiting.append(target.block)
        return sorted(found, key=self.place.__getitem__)

    def _find_halting(self) -> None:
        callers: dict[str, list[str]] = {}
        for name, callees in self.callees.items():
            for callee in callees:
                callers.setdefault(callee, []).append(name)
        waiting = [
            name
            for name, body in self.bodies.items()
            if any(block.ops[-1].spec.name == "halt" for block in body)
        ]
        while waiting:
            name = waiting.pop()
            if name not in self.halting:
                self.halting.add(name)
                waiting += callers.get(name, ())

    def _certain_return(self) -> int:
        """The location of the RET that every run gets to in `main`; -1 if there is none."""
        block = self.entries[MAIN]
        seen: set[Block] = set()
        while block not in seen:
            seen.add(block)
            last = block.ops[-1]
            if last.spec.name == "return":
                return last.loc
            callee = _callee(block)
            if last.spec.name != "br" or (callee and callee in self.halting):
                return -1
            block = last.targets[0].block
        return -1

    # -- functions

    def _function(self, name: str) -> Function:
        """A body as a function."""
        body = self.bodies[name]
        copies = {block: Block() for block in body}
        stop = Block()
        """Where every HALT leads."""
        if name in self.halting:
            body = [*body, self.end] if name == MAIN else body
            copies[self.end] = stop
        for block in body:
            self._copy(name, block, copies, stop)
        results = (Type.I1,) if name in self.halting and name != MAIN else ()
        if results:
            _return(stop, 1, -1)
        entry = copies.pop(self.entries[name])
        blocks = [entry, *copies.values()]
        if any(target.block is entry for block in blocks for target in block.ops[-1].targets):
            start = Block()
            start.append("br", targets=(Target(entry),), loc=entry.ops[0].loc)
            blocks.insert(0, start)
        return Function(_function_name(name), blocks, results)

    def _copy(self, name: str, block: Block, copies: Mapping[Block, Block], stop: Block) -> None:
        """Copy a block of a body; HALT, RET and CALL become what they are in a function."""
        new = copies[block]
        values: dict[Value, Value] = {}
        *ops, last = block.ops
        for op in ops:
            new.ops.append(_copied(op, values))
        kind, loc = last.spec.name, last.loc
        callee = _callee(block)
        if callee and callee in self.halting:
            call = ops[-1]
            new.ops.pop()
            attrs: dict[str, Attr] = {"callee": _function_name(callee)}
            (halted,) = new.append("call", attrs=attrs, makes=(Type.I1,), loc=call.loc)
            ways = (Target(stop), Target(copies[last.targets[0].block]))
            new.append("cond_br", [halted], targets=ways, loc=loc)
        elif kind == "halt":
            new.append("br", targets=(Target(stop),), loc=loc)
        elif kind == "return" and name == MAIN and block is not self.end:
            new.append("fail", attrs={"text": "RET without CALL"}, loc=loc)
        elif kind == "return" and name in self.halting and name != MAIN:
            _return(new, 0, loc)
        else:
            targets = tuple(Target(copies[target.block]) for target in last.targets)
            new.ops.append(_copied(last, values, targets))


def _return(block: Block, halted: int, loc: int) -> None:
    """End a subroutine with the bit that says whether the program has ended."""
    (bit,) = block.append("const", attrs={"value": halted}, loc=loc)
    block.append("return", [bit], loc=loc)


def _copied(op: Op, values: dict[Value, Value], targets: tuple[Target, ...] = ()) -> Op:
    """A copy of an operation; `values` are the copies of values so far."""
    results = tuple(Value(value.type, value.name) for value in op.results)
    operands = tuple([values[value] for value in op.operands])
    cond = None if op.cond is None else values[op.cond]
    values.update(zip(op.results, results, strict=True))
    attrs = op.attrs
    if op.spec.name == "call":
        attrs = {"callee": _function_name(_called(op))}
    return Op(op.spec, operands, results, attrs, cond, op.loc, targets)


def _function_name(label: str) -> str:
    """What the function of a label is called; no label has a dot."""
    return "main" if label == MAIN else "main.label" if label == "main" else label


def _called(op: Op) -> str:
    return str((op.attrs or {})["callee"])


def _callee(block: Block) -> str:
    """The label that is called at the end of a block."""
    op = block.ops[-2] if len(block.ops) > 1 else None
    return _called(op) if op is not None and op.spec.name == "call" else MAIN
