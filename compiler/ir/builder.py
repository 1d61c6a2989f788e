"""Writes functions of the Program IR: what every frontend shares.

Qubits are named by slots: integers that are known, or i64 values.  Within a block, gates on known
slots act on the qubit values themselves; qubits go back into their slots (`insert`) when a block
ends, when a function is called and before a slot is used whose number is computed.  A `main` of one
block that only uses known slots has no slots at all:

    build.alloc(0, "a")                    %a = "qw.alloc"() {name = "a"}
    build.gate("h", [0])                   %a1 = "qw.h"(%a)
    bit = build.measure("measure_z", [0])  %a2, %bit = "qw.measure_z"(%a1)
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.ir.program import Attr, Block, Function, Target, Value
from qwasmc.ops import BY_NAME, Type

Slot = int | Value
"""A qubit by its number, known or computed."""


class FunctionBuilder:
    """Appends ops to the blocks of one function.  `loc` is the location that new ops get."""

    def __init__(
        self, name: str, params: Sequence[Type] = (), results: Sequence[Type] = ()
    ) -> None:
        self.function = Function(name, [], tuple(results))
        self.loc = -1
        self._held: dict[int, Value] = {}
        """Qubit values of this block, by known slot."""
        self._constants: dict[tuple[str, Attr], Value] = {}
        self.block = self.new_block(params)

    # -- blocks

    def new_block(self, arguments: Sequence[Type] = ()) -> Block:
        """A block at the end of the function; go on in it with `enter`."""
        block = Block([Value(type) for type in arguments])
        self.function.blocks.append(block)
        return block

    @property
    def ended(self) -> bool:
        """Whether the current block has its last op."""
        return bool(self.block.ops) and self.block.ops[-1].spec.ends_block

    def enter(self, block: Block) -> None:
        """Append to this block from now on; the current one must have ended."""
        assert self.ended
        self.block = block
        self._constants.clear()

    def br(self, block: Block, args: Sequence[Value] = ()) -> None:
        """End the block: go on in another one."""
        self._flush()
        self._append("br", targets=(Target(block, tuple(args)),))

    def cond_br(
        self,
        bit: Value,
        then: Block,
        otherwise: Block,
        then_args: Sequence[Value] = (),
        otherwise_args: Sequence[Value] = (),
    ) -> None:
        """End the block: go on in `then` if the bit is 1, else in `otherwise`."""
        self._flush()
        targets = (Target(then, tuple(then_args)), Target(otherwise, tuple(otherwise_args)))
        self._append("cond_br", [bit], targets=targets)

    def ret(self, values: Sequence[Value] = ()) -> None:
        """End the function; the qubits of `main` may stay live."""
        if self.function.name != "main":
            self._flush()
        self._held.clear()
        self._append("return", values)

    def halt(self) -> None:
        """End the program."""
        self._flush()
        self._append("halt")

    def fail(self, text: str) -> None:
        """End the block: a run that gets here is an error."""
        self._flush()
        self._append("fail", attrs={"text": text})

    def call(
        self, callee: str, args: Sequence[Value], results: Sequence[Type] = ()
    ) -> tuple[Value, ...]:
        """Run another function."""
        self._flush()
        return self._append("call", args, attrs={"callee": callee}, makes=results)

    # -- classical values

    def i1(self, value: int) -> Value:
        """A constant bit."""
        return self._constant("const", "value", value)

    def i64(self, value: int) -> Value:
        """A constant integer."""
        return self._constant("const_i64", "int", value)

    def f64(self, value: float) -> Value:
        """A constant number."""
        return self._constant("const_f64", "real", float(value))

    def op(
        self,
        name: str,
        operands: Sequence[Value] = (),
        attrs: dict[str, Attr] | None = None,
        hint: str = "",
    ) -> Value:
        """A classical operation with one result."""
        return self._append(name, operands, attrs=attrs, names=(hint,))[0]

    def do(
        self, name: str, operands: Sequence[Value] = (), attrs: dict[str, Attr] | None = None
    ) -> None:
        """An operation without results and qubits: `store_*`, `result`, `pragma`, `syndrome`."""
        self._append(name, operands, attrs=attrs)

    def not_(self, bit: Value) -> Value:
        """The other value of a bit."""
        return self.op("xor", [bit, self.i1(1)])

    def or_(self, a: Value, b: Value) -> Value:
        """Whether one of two bits is 1."""
        return self.op("xor", [a, b, self.op("and", [a, b])])

    # -- qubits

    def alloc(self, slot: Slot, name: str = "") -> None:
        """A new qubit in |0>, in an empty slot."""
        (qubit,) = self._append("alloc", attrs={"name": name}, names=(name,))
        self._put([slot], [qubit])

    def free(self, slot: Slot) -> None:
        """Discard the qubit in a slot."""
        self._append("free", self._take([slot]))

    def gate(
        self,
        name: str,
        slots: Sequence[Slot],
        *,
        angle: float | Value | None = None,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
    ) -> None:
        """A gate, reset or barrier, predicated on a bit if there is one."""
        self._act(name, slots, angle, attrs, cond)

    def measure(
        self,
        name: str,
        slots: Sequence[Slot],
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
        hint: str = "",
    ) -> Value:
        """The outcome of a measurement, which leaves its qubits in place."""
        return self._act(name, slots, None, attrs, cond, hint)[-1]

    def _act(
        self,
        name: str,
        slots: Sequence[Slot],
        angle: float | Value | None,
        attrs: dict[str, Attr] | None,
        cond: Value | None,
        hint: str = "",
    ) -> tuple[Value, ...]:
        operands = self._take(slots)
        names = [*(qubit.name for qubit in operands), *([hint] if BY_NAME[name].makes_bit else ())]
        if isinstance(angle, Value):
            operands.append(angle)
        elif angle is not None:
            attrs = {**(attrs or {}), "angle": angle}
        results = self._append(name, operands, attrs=attrs, cond=cond, names=names)
        self._put(slots, results[: len(slots)])
        return results

    def _take(self, slots: Sequence[Slot]) -> list[Value]:
        """The qubits of slots, taken out."""
        if any(isinstance(slot, Value) for slot in slots):
            self._flush()
        return [
            self._held.pop(slot) if isinstance(slot, int) and slot in self._held
            else self._append("extract", [self._number(slot)])[0]
            for slot in slots
        ]  # fmt: skip

    def _put(self, slots: Sequence[Slot], qubits: Sequence[Value]) -> None:
        """Put qubits into slots.  If one is full, a run of the program fails at the `insert`."""
        for slot, qubit in zip(slots, qubits, strict=True):
            if isinstance(slot, int) and slot not in self._held:
                self._held[slot] = qubit
            else:
                self._flush()
                self._append("insert", [qubit, self._number(slot)])

    def _flush(self) -> None:
        """Put every qubit back into its slot."""
        for slot, qubit in self._held.items():
            self._append("insert", [qubit, self.i64(slot)])
        self._held.clear()

    # -- appending

    def _number(self, slot: Slot) -> Value:
        return self.i64(slot) if isinstance(slot, int) else slot

    def _constant(self, name: str, attr: str, value: Attr) -> Value:
        key = (name, repr(value))  # as text: 0.0 and -0.0 are equal
        if key not in self._constants:
            self._constants[key] = self._append(name, attrs={attr: value})[0]
        return self._constants[key]

    def _append(
        self,
        name: str,
        operands: Sequence[Value] = (),
        *,
        attrs: dict[str, Attr] | None = None,
        cond: Value | None = None,
        names: Sequence[str] = (),
        makes: Sequence[Type] = (),
        targets: tuple[Target, ...] = (),
    ) -> tuple[Value, ...]:
        return self.block.append(
            name,
            operands,
            attrs=attrs,
            cond=cond,
            loc=self.loc,
            names=names,
            makes=makes,
            targets=targets,
        )
