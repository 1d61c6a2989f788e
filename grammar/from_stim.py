"""Reader of Stim circuits as programs: stim.Circuit or its text -> Program.

    H 0                      %a1 = "qw.h"(%a)
    M 0                      %a2, %m = "qw.measure_z"(%a1)
    CX rec[-1] 1             "qw.x" on %b, predicated on %m
    S[T] 1                   %b2 = "qw.t"(%b1)
    OBSERVABLE_INCLUDE(0) rec[-1]                          a result "obs[0]"

The results are the observables, which are parities of measurements, or all measurements if there
are no observables.  A program has no noise, so noise is refused; detectors, coordinates and ticks
say nothing about what a program computes.  A circuit without REPEAT is a straight line.  Otherwise
loops stay loops, and measurements and observables are kept in memory, in spaces of these names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import pi
from pathlib import Path
from typing import Any

import stim

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Locations
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.evaluator import Limits, LineError
from qwasmc.grammar.source import Sources
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Program, Value
from qwasmc.ops import OPS, Type

__all__ = ["read"]

MAX_QUBITS = 1_000_000
MAX_OPERATIONS = 10_000_000
"""Operations, loops counted once."""
MAX_RESULTS = 1_000_000
MAX_RECORD = 1 << 62
"""Measurements, loops written out: their numbers fit 64 bits."""
MAX_DEPTH = 64
"""Loops in loops."""
MAX_LINE = 1 << 22
"""Characters of a line."""

ROWS = {spec.stim: spec.name for spec in OPS if spec.is_gate and spec.stim}
TAGGED = {("S", "T"): "t", ("S_DAG", "T"): "tdg"}
"""Gates that Stim's language has tags for."""
MEASURED = {"M": "measure_z", "MX": "measure_x", "MY": "measure_y"}
RESET = {"R": (), "RX": ("h",), "RY": ("h", "s")}
"""By name, what turns |0> into the state."""
MEASURED_RESET = {"MR": ("M", "R"), "MRX": ("MX", "RX"), "MRY": ("MY", "RY")}
PAIRS = {"MXX": "XX", "MYY": "YY", "MZZ": "ZZ"}
MEASURING = frozenset({*MEASURED, *MEASURED_RESET, *PAIRS, "MPP", "MPAD"})
ROTATIONS = {"SPP": 0.5, "SPP_DAG": -0.5}
"""Angles about a Pauli product, in units of pi; half as much with the tag T."""
FEEDBACK = {"CX": "x", "CY": "y", "CZ": "z", "XCZ": "x", "YCZ": "y"}
"""What a gate does to its qubit where a measurement is its control."""
SILENT = frozenset({"TICK", "QUBIT_COORDS", "SHIFT_COORDS", "I", "II"})

_PIECE = re.compile(r"[ \t\r]*(?:(?P<close>\})|(?P<code>(?:[^#{}\[]++|\[[^\]]*\])++\{?)|(?:#.*)?$)")
_SHORT = re.compile(r"\s*(T|T_DAG)(?=[\s]|$)")
_ROTATION_TAG = re.compile(r"R_|U3|T\b|CC")


@dataclass(slots=True)
class _Node:
    """An instruction, or a loop with its body."""

    loc: int
    instruction: Any = None
    repeat: int = 0
    body: list[_Node] = field(default_factory=list)
    measured: int = 0
    """Measurements, loops written out."""


def read(circuit: stim.Circuit | str | bytes, name: str = "<circuit>") -> Program:
    """The program that a circuit, or its text, is."""
    text = str(circuit) if isinstance(circuit, stim.Circuit) else circuit
    with collector_paused():
        return _Reader(text, name).program()


# -- text


class _Parser:
    """The instructions of a text, with their positions."""

    def __init__(self, text: str | bytes, name: str, locations: Locations) -> None:
        self.locations = locations
        self.source = Sources(locations, Limits(), []).load(text, name, Path(name).parent)
        self.operations = 0
        self._known: dict[str, tuple[Any, int]] = {}

    def error(self, message: str, loc: int, kind: Kind = Kind.PROGRAM) -> CompileError:
        found = self.locations.diagnostic(message, loc)
        return CompileError(replace(found, kind=kind))

    def parse(self) -> _Node:
        """The whole circuit, as the body of a loop that runs once."""
        stack = [_Node(-1, repeat=1)]
        for loc, code in self.pieces():
            if code == "}":
                if len(stack) == 1:
                    raise self.error("'}' without '{'", loc)
                self.close(stack)
                continue
            if code.endswith("{"):
                if len(stack) > MAX_DEPTH:
                    message = f"limit passed: loops may be nested {MAX_DEPTH} deep"
                    raise self.error(message, loc, Kind.LIMIT)
                (block,) = self.parsed(f"{code}\nTICK\n}}", loc)
                stack.append(_Node(loc, repeat=block.repeat_count))
                continue
            node = self.instruction(code, loc)
            stack[-1].body.append(node)
            stack[-1].measured += node.measured
        if len(stack) > 1:
            raise self.error("'{' without '}'", stack[-1].loc)
        return stack[0]

    def close(self, stack: list[_Node]) -> None:
        """The innermost loop ends."""
        loop = stack.pop()
        stack[-1].body.append(loop)
        stack[-1].measured += loop.repeat * loop.measured
        if stack[-1].measured > MAX_RECORD:
            raise self.error("limit passed: too many measurements", loop.loc, Kind.LIMIT)

    def pieces(self) -> Iterator[tuple[int, str]]:
        """The instructions, and the heads and ends of loops, with their positions."""
        for number, line in enumerate(self.source.text.split("\n"), 1):
            if len(line) > MAX_LINE:
                loc = self.locations.add(self.source.file, number, 1, 2)
                message = f"limit passed: a line may have {MAX_LINE:,} characters"
                raise self.error(message, loc, Kind.LIMIT)
            at = 0
            while (found := _PIECE.match(line, at)) and found.end() > at:
                at = found.end()
                code = (found["close"] or found["code"] or "").rstrip()
                if code:
                    start = found.end() - len(found[0].lstrip())
                    place = number, start + 1, start + len(code) + 1
                    yield self.locations.add(self.source.file, *place), code
            if at < len(line):
                loc = self.locations.add(self.source.file, number, at + 1, at + 2)
                raise self.error("a tag without ']'", loc)

    def parsed(self, code: str, loc: int) -> Any:
        try:
            return stim.Circuit(code)
        except ValueError as wrong:
            raise self.error(str(wrong), loc) from None

    def instruction(self, code: str, loc: int) -> _Node:
        """One instruction."""
        if code not in self._known:
            if short := _SHORT.match(code):
                gate = "S[T]" if short[1] == "T" else "S_DAG[T]"
                parsed = self.parsed(gate + code[short.end() :], loc)
            else:
                parsed = self.parsed(code, loc)
            self._known[code] = parsed[0], parsed.num_measurements
        instruction, measured = self._known[code]
        self.operations += 1 + len(instruction.targets_copy())
        if self.operations > MAX_OPERATIONS:
            message = f"limit passed: a circuit may have {MAX_OPERATIONS:,} operations"
            raise self.error(message, loc, Kind.LIMIT)
        return _Node(loc, instruction, measured=measured)


# -- program


class _Reader:
    """Writes the function of a circuit."""

    def __init__(self, text: str | bytes, name: str) -> None:
        self.locations = Locations()
        self.warnings: list[Diagnostic] = []
        self.build = FunctionBuilder("main")
        self.name = name
        self.root = _Parser(text, name, self.locations).parse()
        self.in_memory = _loops(self.root)
        self.records: list[Value] = []
        """Outcomes so far, in a straight line."""
        self.observables: dict[int, Value | None] = {}
        """Parities so far, in a straight line."""
        self.measured = 0
        """How many outcomes there are so far, if every loop is in its first round."""
        self.earlier: Value | None = None
        """How many outcomes the earlier rounds of the loops around gave."""

    def program(self) -> Program:
        """The whole program."""
        try:
            self.alloc()
            self.body(self.root)
            self.results()
        except LineError as wrong:
            found = self.locations.diagnostic(
                wrong.message, self.build.loc, wrong.label, wrong.help
            )
            raise CompileError(replace(found, kind=wrong.kind)) from None
        self.build.ret()
        function = self.build.function
        return Program([function], self.locations, self.warnings)

    def alloc(self) -> None:
        """Allocate the qubits and, if there are loops, clear the observables."""
        first: dict[int, int] = {}
        observables: set[int] = set()
        for node in _instructions(self.root):
            if node.instruction.name == "OBSERVABLE_INCLUDE":
                observables.add(int(node.instruction.gate_args_copy()[0]))
            elif node.instruction.name not in ("MPAD", "DETECTOR", *SILENT):
                for target in node.instruction.targets_copy():
                    if (qubit := target.qubit_value) is not None:
                        first.setdefault(qubit, node.loc)
        if len(first) > MAX_QUBITS:
            message = f"limit passed: a program may have {MAX_QUBITS:,} qubits"
            raise LineError(message, kind=Kind.LIMIT)
        for qubit in sorted(first):
            self.build.loc = first[qubit]
            self.build.alloc(qubit, f"q[{qubit}]")
        self.observables = dict.fromkeys(sorted(observables))
        if self.in_memory:
            for number in self.observables:
                self.store("observable", number, self.build.i1(0))

    def results(self) -> None:
        """Record the observables, or every measurement."""
        if not self.observables and self.measured > MAX_RESULTS:
            message = f"limit passed: a program may have {MAX_RESULTS:,} results"
            advice = "say which parities of them matter, with OBSERVABLE_INCLUDE"
            raise LineError(message, kind=Kind.LIMIT, help=advice)
        for number in self.observables:
            self.build.do("result", [self.observable(number)], {"name": f"obs[{number}]"})
        if not self.observables:
            for number in range(self.measured):
                self.build.do("result", [self.outcome(number)], {"name": f"m[{number}]"})

    # -- memory

    def store(self, space: str, address: int | Value, bit: Value) -> None:
        number = self.build.i64(address) if isinstance(address, int) else address
        self.build.do("store_i1", [bit, number], {"space": space})

    def load(self, space: str, address: int | Value) -> Value:
        number = self.build.i64(address) if isinstance(address, int) else address
        return self.build.op("load_i1", [number], {"space": space})

    def observable(self, number: int) -> Value:
        """The parity that an observable is so far."""
        if self.in_memory:
            return self.load("observable", number)
        return self.observables[number] or self.build.i1(0)

    def address(self, number: int) -> Value:
        """The number of an outcome, which it has in the first round of each loop."""
        known = self.build.i64(number)
        return known if self.earlier is None else self.build.op("addi", [self.earlier, known])

    def outcome(self, number: int) -> Value:
        """An outcome by its number."""
        if number < 0:
            raise LineError("there are not so many measurements before this")
        return self.load("record", self.address(number)) if self.in_memory else self.records[number]

    def record(self, bit: Value, inverted: bool) -> None:
        """The next outcome."""
        if inverted:
            bit = self.build.not_(bit)
        if self.in_memory:
            self.store("record", self.address(self.measured), bit)
        else:
            self.records.append(bit)
        self.measured += 1

    # -- instructions

    def body(self, loop: _Node) -> None:
        """The instructions of a loop, once."""
        for node in loop.body:
            self.build.loc = node.loc
            if node.instruction is None:
                self.loop(node)
            else:
                self.instruction(node.instruction)

    def loop(self, loop: _Node) -> None:
        """A loop, which stays one."""
        if loop.repeat == 1:
            self.body(loop)
            return
        build, outer = self.build, self.earlier
        header = build.new_block([Type.I64])
        build.br(header, [build.i64(0)])
        build.enter(header)
        (index,) = header.args
        body, after = build.new_block(), build.new_block()
        going = build.op("cmpi", [index, build.i64(loop.repeat)], {"predicate": "slt"})
        build.cond_br(going, body, after)
        build.enter(body)
        before = build.op("muli", [index, build.i64(loop.measured)])
        self.earlier = before if outer is None else build.op("addi", [outer, before])
        start = self.measured
        self.body(loop)
        self.measured = start + loop.repeat * loop.measured
        self.earlier = outer
        build.loc = loop.loc
        build.br(header, [build.op("addi", [index, build.i64(1)])])
        build.enter(after)

    def instruction(self, instruction: Any) -> None:
        """Write one instruction."""
        name, tag = instruction.name, instruction.tag
        if name in ("I", "II") and _ROTATION_TAG.match(tag):
            raise LineError(f"the gate '{name}[{tag}]' is not supported")
        if name in SILENT:
            return
        data = _gate_data(name)
        if data.is_noisy_gate and (name not in MEASURING or any(_args(instruction))):
            raise LineError(f"'{name}' is noise, and a program has none", help="remove the noise")
        for targets in instruction.target_groups():
            if data.is_unitary and data.takes_pauli_targets:
                self.rotation(name, tag, targets)
            elif data.is_unitary:
                self.gate(name, tag, targets)
            elif name in MEASURING:
                self.measurement(name, targets)
            elif name in RESET:
                self.reset(name, targets[0].value)
        if name == "OBSERVABLE_INCLUDE":
            self.include(int(_args(instruction)[0]), instruction.targets_copy())
        elif name == "DETECTOR" and not self.warnings:
            found = self.locations.diagnostic("detectors are ignored", self.build.loc)
            self.warnings.append(replace(found, severity="warning"))

    def gate(self, name: str, tag: str, targets: Sequence[Any]) -> None:
        """A gate on its qubits, or a Pauli that depends on an outcome."""
        if any(not target.is_qubit_target for target in targets):
            self.feedback(name, targets)
            return
        slots = [target.value for target in targets]
        row = TAGGED.get((name, tag)) or ROWS.get(name)
        if row is not None:
            self.build.gate(row, slots)
            return
        for gate, qubits in word(name):
            self.build.gate(gate, [slots[qubit] for qubit in qubits])

    def feedback(self, name: str, targets: Sequence[Any]) -> None:
        """A Pauli that depends on an outcome."""
        control, target = reversed(targets) if name in ("XCZ", "YCZ") else targets
        if name == "CZ" and control.is_qubit_target:
            control, target = target, control
        if control.is_sweep_bit_target or target.is_sweep_bit_target:
            raise LineError("a program has no sweep bits")
        if not control.is_measurement_record_target or not target.is_qubit_target:
            raise LineError(f"'{name}' cannot change a measurement that was made")
        bit = self.outcome(self.measured + control.value)
        self.build.gate(FEEDBACK[name], [target.value], cond=bit)

    def rotation(self, name: str, tag: str, targets: Sequence[Any]) -> None:
        """A rotation about a Pauli product, by a quarter or, with the tag T, by an eighth turn."""
        letters, slots, negative = product(targets)
        if slots:
            turns = ROTATIONS[name] * (0.5 if tag == "T" else 1.0) * (-1 if negative else 1)
            self.build.gate("ppr", slots, angle=turns * pi, attrs={"paulis": letters})

    def measurement(self, name: str, targets: Sequence[Any]) -> None:
        """A measurement, whose outcome a target with '!' inverts."""
        inverted = sum(target.is_inverted_result_target for target in targets) % 2 == 1
        slots = [target.value for target in targets]
        if name == "MPAD":
            self.record(self.build.i1(slots[0]), inverted)
        elif name == "MPP":
            letters, slots, negative = product(targets)
            self.record(self.parity(letters, slots), negative)
        elif name in PAIRS:
            self.record(self.parity(PAIRS[name], slots), inverted)
        elif name in MEASURED:
            self.record(self.build.measure(MEASURED[name], slots), inverted)
        else:
            measured, then = MEASURED_RESET[name]
            self.record(self.build.measure(MEASURED[measured], slots), inverted)
            self.reset(then, slots[0])

    def parity(self, letters: str, slots: Sequence[int]) -> Value:
        """The outcome of a Pauli product."""
        if not slots:
            return self.build.i1(0)
        return self.build.measure("ppm", slots, attrs={"paulis": letters})

    def reset(self, name: str, slot: int) -> None:
        """A qubit into an eigenstate of a Pauli."""
        self.build.gate("reset", [slot])
        for gate in RESET[name]:
            self.build.gate(gate, [slot])

    def include(self, number: int, targets: Sequence[Any]) -> None:
        """More outcomes in the parity that an observable is."""
        if any(not target.is_measurement_record_target for target in targets):
            raise LineError("an observable of a program is a parity of measurements")
        bits = [self.outcome(self.measured + target.value) for target in targets]
        if not bits:
            return
        if self.in_memory or self.observables[number] is not None:
            bits = [self.observable(number), *bits]
        total = bits[0] if len(bits) == 1 else self.build.op("xor", bits)
        if self.in_memory:
            self.store("observable", number, total)
        else:
            self.observables[number] = total


_gate_data = cache(stim.gate_data)


def _args(instruction: Any) -> list[float]:
    found: list[float] = instruction.gate_args_copy()
    return found


def _loops(node: _Node) -> bool:
    """Whether there is a loop that runs more than once."""
    return node.repeat > 1 or any(_loops(inner) for inner in node.body)


def _instructions(node: _Node) -> Iterator[_Node]:
    """Every instruction, loops once."""
    for inner in node.body:
        if inner.instruction is None:
            yield from _instructions(inner)
        else:
            yield inner


def product(targets: Sequence[Any]) -> tuple[str, list[int], bool]:
    """A product of Paulis: its letters, their qubits, and whether it has a minus sign."""
    qubits = sorted({target.value for target in targets})
    place = {qubit: at for at, qubit in enumerate(qubits)}
    total = stim.PauliString(len(qubits))
    for target in targets:
        factor = stim.PauliString(len(qubits))
        factor[place[target.value]] = target.pauli_type
        total = total * factor * (-1 if target.is_inverted_result_target else 1)
    if total.sign not in (1, -1):
        raise LineError("the product of these Paulis is not Hermitian")
    letters = str(total)[1:].replace("_", "I")
    kept = [at for at, letter in enumerate(letters) if letter != "I"]
    return "".join(letters[at] for at in kept), [qubits[at] for at in kept], total.sign == -1


@cache
def word(name: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """A Clifford gate that is no row as a word of H, S, Z and CX."""
    sizes = 2 if stim.gate_data(name).is_two_qubit_gate else 1
    circuit = stim.Circuit(f"{name} {' '.join(map(str, range(sizes)))}").decomposed()
    made: list[tuple[str, tuple[int, ...]]] = []
    turns = [0] * sizes
    for instruction in circuit:
        for targets in instruction.target_groups():
            qubits = tuple(target.value for target in targets)
            if instruction.name == "S":
                turns[qubits[0]] += 1
                continue
            made += _turned(turns, qubits)
            made.append((ROWS[instruction.name], qubits))
    return (*made, *_turned(turns, range(sizes)))


def _turned(turns: list[int], qubits: Sequence[int]) -> list[tuple[str, tuple[int, ...]]]:
    """The quarter turns about Z that are waiting on some qubits."""
    found = [(qubit, turns[qubit] % 4) for qubit in qubits]
    for qubit in qubits:
        turns[qubit] = 0
    names = ("", "s", "z", "sdg")
    return [(names[count], (qubit,)) for qubit, count in found if count]
