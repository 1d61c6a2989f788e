"""Writes one function of a program as LLVM assembly: its blocks, jumps, calls and ends.

    ^bb2(%n: i64): br ^bb2(%k)       b2:
                                       %a0 = phi i64 [ 0, %b1 ], [ %v1, %b2 ]
                                       br label %b2

Operations on values and on qubits are in `classical` and `quantum`.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.backends.live import unique_names
from qwasmc.backends.machine import Label
from qwasmc.backends.qir.classical import BINARY, TYPES, Shared
from qwasmc.backends.qir.gates import GATES, MEASUREMENTS, REASONS
from qwasmc.backends.qir.module import Record
from qwasmc.backends.qir.quantum import Quantum
from qwasmc.backends.qir.survey import callee
from qwasmc.ir.program import Block, Op, Value
from qwasmc.ops import Type

SILENT = frozenset(
    {"const", "const_i64", "const_f64", "slot", "extract", "insert", "free", "store_i1"}
    | {"barrier", "syndrome", "require", "pragma"}
)
"""Operations that append nothing, so that what is conditional may go on behind them."""

ZEROEXT = {Type.I1: "zeroext "}


class FunctionWriter(Quantum):
    """One walk over the blocks, in an order in which values are defined before they are used."""

    def __init__(self, shared: Shared, name: str) -> None:
        super().__init__(shared, name)
        self.phis: list[tuple[int, Block, int]] = []
        """Where in the body there is to be a phi, and which argument of which block it is."""
        self.ways: dict[Block, list[tuple[list[str], str]]] = {}
        """What blocks get as arguments, and from where."""

    def lines(self) -> list[str]:
        """The lines of the function."""
        head = self.head()
        for number in self.flow.order:
            self.here = number
            self.block(self.function.blocks[number])
        for line, block, place in self.phis:
            self.body.lines[line] += self.phi(block, place)
        self.module.returns |= self.flow.ends > 1
        return [head, *self.body.lines, "}"]

    def head(self) -> str:
        """The first line; parameters get their names."""
        if self.is_main:
            return "define i64 @main() #0 {"
        parts = []
        qubits = self.shared.parameters[self.function.name]
        for place, argument in enumerate(self.function.blocks[0].args):
            if place in qubits:
                self.parameters[argument] = f"ptr %p{place}"
                parts.append(self.parameters[argument])
            else:
                self.names[argument] = f"%p{place}"
                self.uses(argument.type)
                parts.append(self.argument(argument))
        returned = self.returned(self.function.results)
        return f"define {returned} @{self.shared.names[self.function.name]}({', '.join(parts)}) {{"

    def returned(self, types: Sequence[Type]) -> str:
        """What a function returns."""
        return f"{ZEROEXT.get(types[0], '')}{TYPES[types[0]]}" if types else "void"

    def argument(self, value: Value) -> str:
        """An argument with its type."""
        return f"{TYPES[value.type]} {ZEROEXT.get(value.type, '')}{self.names[value]}"

    def operation(self, op: Op) -> None:
        """Write an operation; neighbours that depend on the same bit share a branch."""
        name = op.name
        if name in GATES or name in MEASUREMENTS:
            self.act(op)
            return
        if name in REASONS:
            raise self.refusal(f"'{name}': {REASONS[name]}", op)
        if name not in SILENT:
            self.body.under()
        if name in BINARY:
            self.define(op, f"{BINARY[name]} {', '.join(self.operands(op.operands, op))}")
            return
        getattr(self, f"_{name}")(op)

    # -- blocks

    def block(self, block: Block) -> None:
        """Write a block; its arguments are phis, which are completed at the end."""
        body = self.body
        body.start(f"b{self.here}" if self.here else "entry")
        for place, argument in enumerate(block.args if self.here else ()):
            self.names[argument] = f"%a{len(self.phis)}"
            self.uses(argument.type)
            self.phis.append((len(body.lines), block, place))
            body.do(f"{self.names[argument]} = phi {TYPES[argument.type]} ")
        if self.is_main and not self.here:
            body.do(self.module.runtime("initialize", "ptr null"))
        for op in block.ops:
            self.operation(op)

    def phi(self, block: Block, place: int) -> str:
        """What an argument of a block is, by where it comes from."""
        ways = self.ways[block]
        return ", ".join(f"[ {values[place]}, %{label} ]" for values, label in ways)

    def go(self, block: Block, values: list[str]) -> str:
        """The operand for a block to go on in, with these arguments."""
        self.ways.setdefault(block, []).append((values, self.body.block))
        return f"label %b{self.flow.number[block]}"

    def _br(self, op: Op) -> None:
        (target,) = op.targets
        self.body.do(f"br {self.go(target.block, self.operands(target.args, op))}")

    def _cond_br(self, op: Op) -> None:
        bit = self.operand(op.operands[0], op)
        then, other = op.targets
        ways = [self.operands(target.args, op) for target in op.targets]
        if then.block is not other.block:
            one, two = self.go(then.block, ways[0]), self.go(other.block, ways[1])
            self.body.do(f"br i1 {bit}, {one}, {two}")
            return
        chosen = []
        for value, a, b in zip(then.args, *ways, strict=True):
            type = TYPES[value.type]
            chosen.append(self.body.value(f"select i1 {bit}, {type} {a}, {type} {b}"))
        self.body.do(f"br {self.go(then.block, chosen)}")

    # -- ends

    def _return(self, op: Op) -> None:
        if self.is_main:
            self._halt(op)
            return
        if len(op.operands) > 1:
            raise self.refusal("QIR has no functions with several values", op)
        values = self.operands(op.operands, op)
        self.body.do(f"ret {TYPES[op.operands[0].type]} {values[0]}" if values else "ret void")

    def _halt(self, op: Op) -> None:
        if not self.is_main:
            raise self.refusal("a program of QIR ends in its entry point", op)
        records: list[Record] = []
        at = self.here
        while at >= 0:
            records[:0] = self.records.get(at, [])
            at = self.flow.dominator[at]
        names = unique_names([Label(record.name, "") for record in records])
        renamed = [record._replace(name=n.name) for record, n in zip(records, names, strict=True)]
        self.module.record(self.body, renamed)
        self.body.do("ret i64 0")

    def _fail(self, op: Op) -> None:
        if not self.is_main:
            raise self.refusal("a program of QIR fails in its entry point", op)
        self.body.do("ret i64 1")

    def _call(self, op: Op) -> None:
        if len(op.results) > 1:
            raise self.refusal("QIR has no functions with several values", op)
        self.called = True
        name = callee(op)
        qubits = self.shared.parameters[name]
        arguments = [
            self.qubit(value, op) if place in qubits else self.passed(value, op)
            for place, value in enumerate(op.operands)
        ]
        returned = self.returned([value.type for value in op.results])
        code = f"call {returned} @{self.shared.names[name]}({', '.join(arguments)})"
        if op.results:
            self.define(op, code)
        else:
            self.body.do(code)

    def passed(self, value: Value, op: Op) -> str:
        """An argument of a call with its type."""
        self.operand(value, op)
        return self.argument(value)
