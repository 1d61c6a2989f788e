"""Runs the operations of a block in some of the runs of a program, and writes a circuit.

%a = "qw.addi"(%x, %y)             nothing: sums of what is known are known
%q1 = "qw.h"(%q0)                  h 0, or `h 0 if c` where c says which runs get here
%s = "qw.addi"(%x, %n)             x depends on a result: rows for the bits that are used
%q = "qw.extract"(%s)              one row for each qubit that it may be
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, NoReturn

from qwasmc.diagnostics import CompileError, Kind, Locations
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.program import Op, Value
from qwasmc.ops import OPS, OpSpec, Type
from qwasmc.passes import words
from qwasmc.passes.bits import Bits
from qwasmc.passes.cells import Cells
from qwasmc.passes.predicates import Decisions, Predicate
from qwasmc.passes.symbolic import (
    CONCRETE,
    Choice,
    Phi,
    Refusal,
    Symbol,
    Symbols,
    compute_known,
    same,
)
from qwasmc.passes.words import Integer
from qwasmc.scalars import WORD, float_bits

FRESH = 1 << 32
"""The first slot and the first address that a program gets; known ones are lower."""

MAX_ALLOCATION = 1 << 32
"""Most cells allocated at once."""

MAX_ROWS = 4096
"""Rows that one operation may become."""

DROPPED = ("pragma",)
"""Operations that mean nothing to a straight line of operations."""

RECORDED = {
    "result": "result",
    "result_i64": "result_int",
    "result_f64": "result_float",
    "result_int": "result_int",
    "result_float": "result_float",
}
"""The rows that operations which record a result become."""

Leaf = tuple[Type, Symbol]
"""What a cell of memory holds."""

Key = tuple[Any, ...]
"""("cell", space, address), ("slot", number), ("times", name) or ("result", row, name, time)."""


class Ended(Exception):
    """All the runs that got here are errors of the program."""


class Executor:
    """A circuit in the making, and the state of the runs that are at some point of the program."""

    def __init__(self, locations: Locations) -> None:
        self.locations = locations
        self.out = CircuitBuilder(locations=locations)
        self.bits = Bits(self.out)
        self.symbols = Symbols(self.bits)
        self.decisions = Decisions(self.bits)
        self.loc = -1
        # the runs that are here
        self.predicate: Predicate = self.decisions.all
        self.guard = 1
        """The bit of the predicate."""
        self.memory = Cells()
        self.local: dict[Value, Any] = {}
        """The values of a block."""
        # what all runs have in common
        self.wire: list[int] = []
        """The circuit's newest value of each qubit."""
        self.segments: dict[str, int] = {}
        """By segment, the runs that computed it last."""
        self.born: dict[int, Predicate] = {}
        """By qubit that not every run allocates: those that do."""
        self.freed: dict[int, Predicate] = {}
        self.keys: dict[Key, int] = {}
        """Numbers of memory cells."""
        self.key_of: list[Key] = []
        self.next_slot = self.next_address = FRESH
        self.times: dict[str, int] = {}
        """How often a result was recorded, while every run recorded the same."""
        self.deferred: dict[Key, int] = {}
        """Results that are written when all is done, with their locations, in order."""
        self.labels: set[str] = set()
        self.failures: dict[str, tuple[int, int]] = {}
        """By message: the runs that failed with it, and the first location."""

    def enter(self, predicate: Predicate, memory: Cells, local: dict[Value, Any]) -> None:
        """The runs that are run from now on."""
        self.predicate = predicate
        self.guard = self.decisions.bit(predicate)
        self.memory = memory
        self.local = local

    def run(self, ops: Sequence[Op], start: int, end: int) -> None:
        """Run operations; raises `Ended` if no run goes on after them."""
        for op in islice(ops, start, end):
            self.loc = self.bits.loc = op.loc
            HANDLERS[op.spec.name](self, op)

    # -- values

    def read(self, value: Value) -> Any:
        """A value, worked out."""
        symbol = self.local[value]
        if type(symbol) is Phi:
            symbol = self.local[value] = self.resolve(symbol, "this value was never computed")
        return symbol

    def resolve(self, symbol: Symbol, missing: str) -> Any:
        """A value, worked out; where it was never given, the program fails as `missing` says."""
        found, undefined = self.settle(symbol)
        if undefined:
            self.fault(undefined, missing)
        return found

    def settle(self, symbol: Symbol) -> tuple[Symbol, int]:
        """A value worked out for the runs here, and where it was never given."""
        while isinstance(symbol, Phi):
            known = self.decisions.known(self.predicate, symbol.bit)
            if known is None:
                break
            symbol = symbol.then if known else symbol.otherwise
        return self.symbols.settle(symbol)

    def compute(self, op: Op) -> None:
        """A classical operation with one result."""
        name, attrs = op.spec.name, op.attrs or {}
        values = [self.read(value) for value in op.operands]
        if name in KNOWABLE and all(type(value) in (int, float) for value in values):
            try:
                found: Any = compute_known(name, attrs, values)
            except ZeroDivisionError:
                self.fail("division by zero")
            except ValueError as wrong:
                self.fail(str(wrong))
        else:
            found = self.symbols.compute(name, attrs, values, self.fault)
        self.local[op.results[0]] = found

    def do_const(self, op: Op) -> None:
        """A known bit."""
        self.local[op.results[0]] = (op.attrs or {})["value"]

    def do_const_i64(self, op: Op) -> None:
        """A known integer."""
        self.local[op.results[0]] = (op.attrs or {})["int"]

    def do_const_f64(self, op: Op) -> None:
        """A known number."""
        self.local[op.results[0]] = float((op.attrs or {})["real"])

    # -- errors

    def fault(self, bit: int, message: str) -> None:
        """The program is wrong in the runs here in which a bit is 1.

        If those are all runs there are, it is refused; otherwise a result says which they are.
        """
        failed = self.bits.conj(self.guard, bit)
        if failed == 1:
            raise CompileError(self.locations.diagnostic(message, self.loc))
        self.failed(failed, message)
        if failed == self.guard:
            raise Ended

    def failed(self, bit: int, message: str) -> None:
        """The runs in which a bit is 1 are errors of the program."""
        if bit:
            before, loc = self.failures.get(message, (0, self.loc))
            self.failures[message] = self.bits.either(before, bit), loc

    def fail(self, message: str) -> NoReturn:
        """The program is wrong in all runs here."""
        self.fault(1, message)
        raise Ended

    def do_fail(self, op: Op) -> None:
        """A run that gets here is an error."""
        self.fail(str((op.attrs or {})["text"]))

    # -- segments and control regions

    def mark(self, op: Op) -> None:
        """A mark between rows; those around it have the condition, if there is one."""
        wires = [self.read(qubit) for qubit in op.operands]
        if any(isinstance(wire, Choice) for wire in wires):
            raise Refusal(f"which qubits '{op.name}' names depends on a measurement result")
        self.row(op, wires, 0.0, 1)
        self.local.update(zip(op.results, wires, strict=True))

    def do_rev_begin(self, op: Op) -> None:
        """The start of a segment."""
        self.mark(op)
        self.segments[str((op.attrs or {})["name"])] = self.guard

    def do_uncompute(self, op: Op) -> None:
        """Undo a segment, in all runs that have it."""
        name = str((op.attrs or {})["name"])
        if self.segments.get(name, self.guard) != self.guard:
            raise Refusal(
                f"segment '{name}' is not undone in just the runs that compute it",
                help="UNCOMPUTE it under the same condition, before the branches meet",
            )
        self.mark(op)

    # -- memory

    def key(self, key: Key) -> int:
        """The number of a cell."""
        if key not in self.keys:
            self.keys[key] = len(self.key_of)
            self.key_of.append(key)
        return self.keys[key]

    def put(self, key: Key, bit: int, type: Type, symbol: Symbol) -> None:
        """Give a cell a value in the runs in which a bit is 1."""
        number = self.key(key)
        if bit != 1:
            leaf: Leaf | None = self.memory.get(number)
            old = None if leaf is None else self.as_type(leaf, type)
            symbol = self.symbols.phi(type, bit, symbol, old)
        self.memory.set(number, (type, symbol))

    def as_type(self, leaf: Leaf, wanted: Type) -> Symbol:
        """What a cell holds, as a bit or an integer if it is the other; None if that cannot be."""
        type, symbol = leaf
        if type is wanted or symbol is None:
            return symbol
        found, undefined = self.symbols.settle(symbol)
        if undefined == 1 or {type, wanted} != {Type.I1, Type.I64}:
            return None
        assert isinstance(found, int | tuple)
        if wanted is Type.I64:
            assert isinstance(found, int)
            return self.symbols.phi(wanted, undefined, None, words.to_integer([found, 0]))
        lowest = words.to_word(found)[0]
        if not same(words.to_integer([lowest, 0]), found):
            return None
        return self.symbols.phi(wanted, undefined, None, lowest)

    def merge(self, number: int, bit: int, own: Leaf | None, other: Leaf | None) -> Leaf | None:
        """What a cell holds that holds `own` where a bit is 1, else `other`."""
        if own is None or other is None:
            key = self.key_of[number]
            start: Leaf | None = (
                (Type.I64, self.times.get(key[1], 0)) if key[0] == "times" else None
            )
            own, other = own or start, other or start
        if own is None or other is None:
            type = (own or other or (Type.I1,))[0]
        else:
            type = own[0]
            if {type, other[0]} == {Type.I1, Type.I64}:
                type = Type.I64
        x = None if own is None else self.as_type(own, type)
        y = None if other is None else self.as_type(other, type)
        symbol = self.symbols.phi(type, bit, x, y)
        return own if own is not None and symbol is own[1] and type is own[0] else (type, symbol)

    def load(self, op: Op) -> None:
        """Read a cell; at an address that depends on results, it is one of several."""
        space = str((op.attrs or {})["space"])
        type = op.results[0].type
        found = []
        missing = ""
        for bit, address in self.symbols.alternatives(self.read(op.operands[0]), self.guard):
            leaf: Leaf | None = self.memory.get(self.key(("cell", space, address)))
            symbol = None if leaf is None else self.as_type(leaf, type)
            missing = f"cell {address} of {space} is read before it is written"
            if leaf is not None and symbol is None:
                missing = f"cell {address} of {space} does not hold {HELD[type]}"
            found.append((bit, symbol, missing))
        self.local[op.results[0]] = self.one_of(type, found)

    def one_of(self, type: Type, items: Sequence[tuple[int, Symbol, str]]) -> Any:
        """The value whose bit is 1; the program fails with its message where it was not given."""
        if len(items) == 1:
            return self.resolve(items[0][1], items[0][2])
        found = []
        for bit, symbol, message in items:
            value, undefined = self.settle(symbol)
            self.fault(self.bits.conj(bit, undefined), message)
            if value is not None:
                found.append((bit, value))
        if not found:
            self.fail(items[0][2])
        return self.symbols.combine(type, found)

    def store(self, op: Op) -> None:
        """Write a cell; at an address that depends on results, it is one of several."""
        value, address = op.operands
        space = str((op.attrs or {})["space"])
        symbol = self.local[value]
        for bit, place in self.symbols.alternatives(self.read(address), self.guard):
            self.put(("cell", space, place), bit, value.type, symbol)

    def do_allocate(self, op: Op) -> None:
        """Fresh addresses, with a gap behind them."""
        counts = self.symbols.alternatives(self.read(op.operands[0]), self.guard)
        for bit, count in counts:
            if not 0 <= count <= MAX_ALLOCATION:
                self.fault(bit, f"{count} cells of memory cannot be allocated")
        self.local[op.results[0]] = self.next_address
        self.next_address += max(0, *(min(count, MAX_ALLOCATION) for _, count in counts)) + 1

    # -- qubits

    def do_alloc(self, op: Op) -> None:
        """A new qubit, in every run: where it is not used it does no harm."""
        wire = self.new_qubit(op)
        if self.guard != 1:
            self.born[wire] = self.predicate

    def new_qubit(self, op: Op) -> int:
        """A row that makes a qubit."""
        name = str((op.attrs or {})["name"])
        self.wire.append(self.out.add(op.spec.name, attr=name, loc=op.loc))
        wire = self.local[op.results[0]] = len(self.wire) - 1
        return wire

    def do_input(self, op: Op) -> None:
        """A qubit that enters."""
        self.new_qubit(op)

    def do_output(self, op: Op) -> None:
        """A qubit that leaves, which it must do in every run."""
        wire = self.read(op.operands[0])
        if self.guard != 1 or isinstance(wire, Choice):
            raise Refusal("which qubit leaves depends on a measurement result")
        name = str((op.attrs or {})["name"])
        self.out.add("output", [self.wire[wire]], attr=name, loc=op.loc)

    def do_free(self, op: Op) -> None:
        """Discard a qubit, if every run that has it does; otherwise it stays live to the end."""
        wire = self.read(op.operands[0])
        if isinstance(wire, Choice):
            return
        born = self.born.get(wire, self.decisions.all)
        freed = self.predicate
        if wire in self.freed:
            freed = self.decisions.settled([*self.freed[wire].nodes, *freed.nodes])
        self.freed[wire] = freed
        if self.decisions.covers(freed, self.decisions.settled(born.nodes)):
            del self.freed[wire]
            self.out.add("free", [self.wire[wire]], loc=op.loc)

    def do_slot(self, op: Op) -> None:
        """A slot that nothing else uses."""
        self.local[op.results[0]] = self.next_slot
        self.next_slot += 1

    def do_extract(self, op: Op) -> None:
        """Take the qubit out of a slot."""
        found = []
        for bit, slot in self.symbols.alternatives(self.read(op.operands[0]), self.guard):
            leaf: Leaf | None = self.memory.get(self.key(("slot", slot)))
            message = f"there is no qubit {slot} here: never allocated, freed, or in use already"
            found.append((bit, None if leaf is None else leaf[1], message))
            self.put(("slot", slot), bit, Type.QUBIT, None)
        self.local[op.results[0]] = self.one_of(Type.QUBIT, found)

    def do_insert(self, op: Op) -> None:
        """Put a qubit into an empty slot."""
        qubit, number = op.operands
        for bit, slot in self.symbols.alternatives(self.read(number), self.guard):
            leaf: Leaf | None = self.memory.get(self.key(("slot", slot)))
            if leaf is not None and leaf[1] is not None:
                full = self.settle(leaf[1])[1] ^ 1
                self.fault(self.bits.conj(bit, full), f"there is a qubit {slot} already")
            self.put(("slot", slot), bit, Type.QUBIT, self.local[qubit])

    # -- gates, measurements and resets

    def act_plainly(self, op: Op, angle: float = 0.0) -> None:
        """The common case: every run does the same to the same qubits."""
        local, spec = self.local, op.spec
        cond, bit = -1, 1
        if op.cond is not None:
            bit = local[op.cond]
        if self.guard != 1 or type(bit) is not int or not bit:
            self.act(op)
            return
        if bit > 1:
            cond = self.bits.value(bit)
        wires = [local.pop(qubit) for qubit in op.operands]
        current = self.wire
        try:
            values = [current[wire] for wire in wires]
        except TypeError:  # not an int: it depends on results which qubit it is
            local.update(zip(op.operands, wires, strict=True))
            self.act(op)
            return
        made = self.out.add(spec.name, values, cond=cond, angle=angle, loc=op.loc)
        for wire, value in zip(wires, op.results):  # noqa: B905 (a bit may follow)
            current[wire] = made
            local[value] = wire
            made += 1
        if spec.makes_bit:
            local[op.results[-1]] = self.bits.outcome(made, bit)

    def rotate(self, op: Op) -> None:
        """A gate with an angle, which may be known from the start."""
        angle = (op.attrs or {}).get("angle")
        if angle is None:
            self.act(op)
        else:
            self.act_plainly(op, float(angle))

    def act(self, op: Op) -> None:
        """A row for each case in which something is done to known qubits."""
        spec, results = op.spec, op.results
        count = len(results) - spec.makes_bit
        qubits = [self.read(qubit) for qubit in op.operands[:count]]
        outcome = 0
        for bit, wires, angle in self.cases(op, qubits):
            if not math.isfinite(angle):
                self.fault(bit, f"the angle {angle} is not a finite number")
            elif spec.name == "barrier":
                self.row(op, wires, 0.0, 1)
            else:
                outcome = self.bits.xor(outcome, self.row(op, wires, angle, bit))
        for result, qubit in zip(results, qubits):  # noqa: B905 (a bit may follow)
            self.local[result] = qubit
        if spec.makes_bit:
            self.local[results[-1]] = outcome

    def cases(self, op: Op, qubits: Sequence[Any]) -> list[tuple[int, list[int], float]]:
        """When which qubits and which angle are meant; never is left out."""
        guard = self.guard
        if op.cond is not None:
            cond = self.read(op.cond)
            known = self.decisions.known(self.predicate, cond)
            guard = self.bits.conj(guard, cond if known is None else known)
        angle: Any = float((op.attrs or {}).get("angle", 0.0))
        if len(op.operands) > len(qubits):
            angle = self.read(op.operands[-1])
        if not guard:
            return []
        if type(angle) is float and all(type(qubit) is int for qubit in qubits):
            return [(guard, list(qubits), angle)]
        parts = [self.symbols.alternatives(each) for each in (*qubits, angle)]
        if math.prod(map(len, parts)) > MAX_ROWS:
            raise Refusal(
                f"'{op.name}' would become more than {MAX_ROWS} rows",
                "what it acts on depends on measurement results",
            )
        found = []
        for case in product(*parts):
            bit = self.bits.conj(guard, *(each for each, _ in case))
            *wires, angle = (value for _, value in case)
            if bit and len(set(wires)) == len(wires):
                found.append((bit, wires, angle))
        return found

    def row(self, op: Op, wires: Sequence[int], angle: float, bit: int) -> int:
        """Append a row and return the bit it makes, or 0."""
        spec = op.spec
        attr = (op.attrs or {}).get(spec.attr, 0) if spec.attr else 0
        assert not isinstance(attr, float)
        made = self.out.add(
            spec.name,
            [self.wire[wire] for wire in wires],
            cond=-1 if bit == 1 else self.bits.value(bit),
            angle=angle,
            attr=attr,
            loc=op.loc,
        )
        for at, wire in enumerate(wires):
            self.wire[wire] = made + at
        return self.bits.outcome(made + len(wires), bit) if spec.makes_bit else 0

    def do_syndrome(self, op: Op) -> None:
        """Time passes in every run."""
        rounds = (op.attrs or {})["rounds"]
        assert isinstance(rounds, int)
        self.out.add("syndrome", attr=rounds, loc=op.loc)

    def do_require(self, op: Op) -> None:
        """The schedule has to keep to it in every run."""
        self.out.add("require", attr=str((op.attrs or {})["needs"]), loc=op.loc)

    # -- results

    def record(self, op: Op) -> None:
        """A result; one that not every run has is kept in memory until all is done."""
        assert op.attrs is not None
        name = op.attrs["name"]
        assert isinstance(name, str)
        row = RECORDED[op.spec.name]
        value = self.recorded(op)
        if self.guard == 1 and not self.deferred:
            self.times[name] = time = self.times.get(name, 0) + 1
            self.result(row, self.label(name, time), value)
            return
        leaf: Leaf | None = self.memory.get(self.key(("times", name)))
        times = self.times.get(name, 0) if leaf is None else self.resolve(leaf[1], name)
        try:
            cases = self.symbols.alternatives(times, self.guard)
        except Refusal as refusal:
            raise Refusal(
                f"how often '{name}' was recorded before depends on too many results",
                help="record it in every run",
            ) from refusal
        for bit, time in cases:
            key: Key = ("result", row, name, time + 1)
            self.deferred.setdefault(key, op.loc)
            self.put(key, bit, Type.I1 if row == "result" else Type.I64, value)
        self.put(("times", name), 1, Type.I64, words.add(self.bits, times, 1))

    def recorded(self, op: Op) -> Integer:
        """What is recorded: a bit, or an integer, which for a number has the same bits."""
        values = [self.read(value) for value in op.operands]
        if op.spec.name == "result":
            bit: int = values[0]
            return bit
        if op.spec.bits < 0:
            return words.to_integer(values or [0])
        if op.spec.name == "result_f64":
            found = [(bit, float_bits(each)) for bit, each in self.symbols.alternatives(values[0])]
            values = [self.symbols.combine(Type.I64, found)]
        value: Integer = values[0]
        return value

    def label(self, name: str, time: int = 1) -> str:
        """A name that no other result has: m, m.2, m.3."""
        label = name if time == 1 else f"{name}.{time}"
        while label in self.labels:
            time += 1
            label = f"{name}.{time}"
        self.labels.add(label)
        return label

    def result(self, row: str, label: str, value: Integer) -> None:
        """A row for a result."""
        bits: Sequence[int]
        if row == "result":
            assert isinstance(value, int)
            bits = [value]
        elif row == "result_int":
            bits = words.to_word(value)
        else:
            bits = words.widen(words.to_word(value), WORD)
        values = [self.bits.value(bit) for bit in bits]
        self.out.add(row, values, attr=label, loc=self.loc)

    def finish(self, memory: Cells, unfinished: Sequence[tuple[str, int, int]]) -> None:
        """The results that were put off, the bits of unfinished loops, and those of failures."""
        for key, loc in self.deferred.items():
            self.loc = self.bits.loc = loc
            _, row, name, time = key
            leaf: Leaf | None = memory.get(self.key(key))
            value: Any = 0
            if leaf is not None and leaf[1] is not None:
                found, undefined = self.symbols.settle(leaf[1])
                value = 0 if found is None else self.symbols.mux(leaf[0], undefined, 0, found)
            self.result(row, self.label(name, time), value)
        failures = [(f"fail: {text}", *found) for text, found in self.failures.items()]
        for name, bit, loc in (*unfinished, *failures):
            self.loc = self.bits.loc = loc
            self.result("result", self.label(name), bit)

    def limit(self, refusal: Refusal) -> CompileError:
        """A refusal as an error, at its place in the source."""
        loc = self.loc if refusal.loc is None else refusal.loc
        found = self.locations.diagnostic(refusal.message, loc, refusal.label, refusal.help)
        return CompileError(replace(found, kind=Kind.LIMIT))


def _handler(spec: OpSpec) -> Callable[[Executor, Op], None]:
    """What runs an operation."""
    if spec.name in DROPPED:
        return lambda executor, op: None
    if spec.name in RECORDED:
        return Executor.record
    own: Callable[[Executor, Op], None] | None = getattr(Executor, f"do_{spec.name}", None)
    if own is not None:
        return own
    if spec.is_marker:
        return Executor.mark
    if spec.qubits:
        if spec.qubits < 0:
            return Executor.act
        return Executor.rotate if spec.angle else Executor.act_plainly
    if spec.name.startswith(("load_", "store_")):
        return Executor.load if spec.makes else Executor.store
    return Executor.compute


HANDLERS = {spec.name: _handler(spec) for spec in OPS}
"""By operation, other than calls and those that end a block: what runs it."""

KNOWABLE = frozenset({*CONCRETE, "cmpi", "cmpf", "extsi", "mathf"})
"""Operations on integers and numbers, which may all be known."""

HELD = {Type.I1: "a bit", Type.I64: "an integer", Type.F64: "a number"}
"""What a cell of memory holds, by the type it is read as."""
