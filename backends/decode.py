"""Prepares a Program for execution: operations become closures on a list of registers.

    %q1 = "qw.h"(%q)                       r: h(r[0])          a qubit keeps its register
    %q2, %m = "qw.measure_z"(%q1)          r: r[1] = measure(r[0])
    %s = "qw.addi"(%a, %b)                 r: r[4] = add(r[2], r[3])

Each call of a function has its own registers; constants are in them from the start.  A block
becomes one `Segment`, or several if it calls functions: a segment ends where execution may go on
elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from qwasmc.backends.classical import classical, move, store
from qwasmc.backends.clifford import MEASURED, Gate, is_clifford, product, turn
from qwasmc.backends.machine import FRAME, Frame, Label, Machine, Registers, Run, Segment
from qwasmc.backends.results import decode as decode_bits
from qwasmc.backends.results import spell
from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import Type

IGNORED = frozenset({"barrier", "syndrome", "rev_begin", "rev_end", "require", "pragma", "output"})
"""Operations that do nothing to ideal qubits."""

CONSTANTS = {"const": "value", "const_i64": "int", "const_f64": "real"}
"""Operations that make a constant, with its attribute."""

RESULTS = {
    **{"result": "bit", "result_int": "int", "result_float": "float"},
    **{"result_i64": "int", "result_f64": "float"},
}
"""Operations that record a result, with its kind."""

REFUSED = {
    "input": "'input' has no state to start from",
    **dict.fromkeys(
        ("uncompute", "ctrl_begin", "ctrl_end"),
        "segments and control regions need a program whose operations are known before it runs",
    ),
}

End = Callable[[Registers], tuple[Segment, Registers] | None]


def reachable(program: Program) -> dict[str, list[Block]]:
    """The blocks that execution may get to, by function, its first block first."""
    functions = {function.name: function for function in program.functions}
    found: dict[str, list[Block]] = {}
    todo = ["main"]
    while todo:
        name = todo.pop()
        if name not in found:
            found[name] = _reachable_blocks(functions[name])
            todo += [str(op.attrs["callee"]) for op in _calls(found[name]) if op.attrs]
    return found


def _calls(blocks: Sequence[Block]) -> Iterator[Op]:
    return (op for block in blocks for op in block.ops if op.name == "call")


def _reachable_blocks(function: Function) -> list[Block]:
    seen = {function.blocks[0]}
    todo = [function.blocks[0]]
    while todo:
        for target in todo.pop().ops[-1].targets:
            if target.block not in seen:
                seen.add(target.block)
                todo.append(target.block)
    return [block for block in function.blocks if block in seen]


def _constants(blocks: dict[str, list[Block]]) -> dict[Value, int | float]:
    """Values that are constants."""
    found: dict[Value, int | float] = {}
    for op in (op for part in blocks.values() for block in part for op in block.ops):
        if op.name in CONSTANTS:
            value = (op.attrs or {})[CONSTANTS[op.name]]
            assert not isinstance(value, str)
            found[op.results[0]] = float(value) if op.name == "const_f64" else value
    return found


def is_clifford_program(program: Program) -> bool:
    """Whether every gate that execution may get to is Clifford, as far as can be told."""
    blocks = reachable(program)
    constants = _constants(blocks)
    return all(
        is_clifford(op.spec, _angle(op, constants), _paulis(op))
        for part in blocks.values()
        for block in part
        for op in block.ops
        if op.spec.is_gate
    )


def _angle(op: Op, constants: dict[Value, int | float]) -> float | None:
    """The angle of a rotation, if it is known."""
    attrs = op.attrs or {}
    if "angle" in attrs:
        return float(attrs["angle"])
    return constants.get(op.operands[-1]) if op.spec.angle else None


def _paulis(op: Op) -> str:
    return str((op.attrs or {}).get("paulis", ""))


@dataclass(slots=True)
class Code:
    """A function, ready to run."""

    entry: Segment
    registers: Registers = field(default_factory=list)
    """What its registers hold at first."""
    parameters: tuple[int, ...] = ()


def decode(program: Program, machine: Machine) -> Code:
    """The `main` of a program; the closures act on `machine`."""
    blocks = reachable(program)
    constants = _constants(blocks)
    codes = {name: Code(Segment()) for name in blocks}
    for name, part in blocks.items():
        _Decoder(machine, codes, constants, codes[name]).run(part)
    return codes["main"]


class _Decoder:
    """One function."""

    def __init__(
        self,
        machine: Machine,
        codes: dict[str, Code],
        constants: dict[Value, int | float],
        code: Code,
    ) -> None:
        self.machine = machine
        self.codes = codes
        self.constants = constants
        self.code = code
        self.register: dict[Value, int] = {}
        self.entries: dict[Block, Segment] = {}

    def run(self, blocks: Sequence[Block]) -> None:
        self.entries = {block: Segment() for block in blocks}
        self.entries[blocks[0]] = self.code.entry
        self.code.parameters = self.at(blocks[0].args)
        for block in blocks:
            self.block(block)

    def at(self, values: Sequence[Value]) -> tuple[int, ...]:
        """The registers of values."""
        return tuple(map(self.place, values))

    def place(self, value: Value) -> int:
        """The register of a value."""
        found = self.register.get(value)
        if found is None:
            found = self.register[value] = len(self.code.registers)
            self.code.registers.append(self.constants.get(value))
        return found

    def block(self, block: Block) -> None:
        segment, body = self.entries[block], list[Run]()
        loc = -1
        for op in block.ops:
            loc = op.loc if op.loc >= 0 else loc
            if op.spec.ends_block or op.name == "call":
                following = Segment()
                segment.end = self.call(op, following) if op.name == "call" else self.end(op)
                segment.body, segment.steps, segment.loc = tuple(body), len(body) + 1, loc
                segment, body = following, []
            elif op.name in IGNORED:
                self.keep(op)
            elif op.name not in CONSTANTS:
                body.append(self.operation(op))

    # -- ends of segments

    def end(self, op: Op) -> End:
        """The end of a block."""
        if op.name == "br":
            return self.jump(op.targets[0])
        if op.name == "cond_br":
            return self.branch(op)
        if op.name == "return":
            return self.leave(op)
        if op.name == "fail":
            return self.fail(op)
        return lambda r: None

    def jump(self, target: Target) -> Callable[[Registers], tuple[Segment, Registers]]:
        segment = self.entries[target.block]
        copy = move(self.at(target.args), self.at(target.block.args))

        def end(r: Registers) -> tuple[Segment, Registers]:
            copy(r, r)
            return segment, r

        return end

    def branch(self, op: Op) -> End:
        bit = self.place(op.operands[0])
        then, otherwise = map(self.jump, op.targets)
        return lambda r: then(r) if r[bit] else otherwise(r)

    def call(self, op: Op, following: Segment) -> End:
        code = self.codes[str((op.attrs or {})["callee"])]
        sources, into = self.at(op.operands), self.at(op.results)
        machine = self.machine

        def end(r: Registers) -> tuple[Segment, Registers]:
            registers = code.registers.copy()
            machine.enter(Frame(following, r, into), len(registers), op.loc)
            for source, parameter in zip(sources, code.parameters, strict=True):
                registers[parameter] = r[source]
            return code.entry, registers

        return end

    def leave(self, op: Op) -> End:
        sources = self.at(op.operands)
        machine = self.machine

        def end(r: Registers) -> tuple[Segment, Registers] | None:
            if not machine.stack:
                return None
            machine.registers -= len(r) + FRAME
            segment, registers, into = machine.stack.pop()
            for source, at in zip(sources, into, strict=True):
                registers[at] = r[source]
            return segment, registers

        return end

    def fail(self, op: Op) -> End:
        text = str((op.attrs or {})["text"])

        def end(r: Registers) -> None:
            raise self.machine.fault(text, op.loc)

        return end

    # -- operations

    def operation(self, op: Op) -> Run:
        """An operation inside a segment."""
        if op.name in REFUSED:
            raise self.machine.fault(REFUSED[op.name], op.loc)
        if op.spec.is_gate or op.spec.may_be_predicated:
            return self.predicated(op)
        if op.name in RESULTS:
            return self.result(op)
        operands = self.at(op.operands)
        if op.name.startswith("store_"):
            return store(self.machine, op, *operands)
        if op.name in ("free", "insert"):
            return self.put(op, *operands)
        into = self.place(op.results[0])
        run = classical(self.machine, op, into, operands) or self.take(op, into, *operands)
        assert run is not None, op.name
        return run

    def take(self, op: Op, into: int, slot: int = -1) -> Run | None:
        """An operation that makes a qubit, or the number of a slot."""
        machine, loc = self.machine, op.loc

        def alloc(r: Registers) -> None:
            r[into] = machine.alloc(loc)

        def extract(r: Registers) -> None:
            r[into] = machine.extract(r[slot], loc)

        def fresh(r: Registers) -> None:
            r[into] = machine.fresh_slot()

        return {"alloc": alloc, "extract": extract, "slot": fresh}.get(op.name)

    def put(self, op: Op, qubit: int, slot: int = -1) -> Run:
        """The end of a qubit value."""
        machine, loc = self.machine, op.loc

        def free(r: Registers) -> None:
            machine.qubits.free(r[qubit])

        def insert(r: Registers) -> None:
            machine.insert(r[qubit], r[slot], loc)

        return free if op.name == "free" else insert

    def result(self, op: Op) -> Run:
        kind = RESULTS[op.name]
        number = len(self.machine.labels)
        self.machine.labels.append(Label(str((op.attrs or {})["name"]), kind))
        operands = self.at(op.operands)
        record = self.machine.record
        if op.name in ("result_int", "result_float"):
            return lambda r: record(
                number, spell(kind, decode_bits(kind, [r[a] for a in operands]))
            )
        (value,) = operands
        return lambda r: record(number, spell(kind, r[value]))

    # -- qubits

    def predicated(self, op: Op) -> Run:
        """A gate, measurement or reset, under its condition."""
        run = self.act(op)
        if op.cond is None:
            return run
        bit = self.place(op.cond)
        into = self.place(op.results[-1]) if op.spec.makes_bit else -1

        def conditional(r: Registers) -> None:
            if r[bit]:
                run(r)
            elif into >= 0:
                r[into] = 0

        return conditional

    def keep(self, op: Op) -> tuple[int, ...]:
        """The registers of the qubits of an operation, which stay what they are."""
        qubits = self.at([value for value in op.operands if value.type is Type.QUBIT])
        if not op.spec.ends_qubit:
            self.register.update(zip(op.results, qubits, strict=False))
        return qubits

    def act(self, op: Op) -> Run:
        """A gate, measurement or reset."""
        qubits = self.keep(op)
        if op.spec.makes_bit:
            return self.measure(MEASURED.get(op.name) or _paulis(op), qubits, op)
        if op.spec.angle:
            return self.rotate(op, qubits)
        if op.name == "reset":
            return _on(self.machine.qubits.reset, qubits)
        return _on(self.machine.qubits.gates[op.name], qubits)

    def gates(self, gates: Sequence[Gate], qubits: Sequence[int]) -> list[Run]:
        known = self.machine.qubits.gates
        return [_on(known[gate.name], [qubits[at] for at in gate.on]) for gate in gates]

    def measure(self, paulis: str, qubits: Sequence[int], op: Op) -> Run:
        """A measurement of a Pauli product; of nothing, it is 0."""
        into = self.place(op.results[-1])
        made = product(paulis)
        measure = self.machine.qubits.measure
        target = qubits[made.target] if made.target >= 0 else -1

        def run(r: Registers) -> None:
            r[into] = measure(r[target]) if target >= 0 else 0

        gather, scatter = self.gates(made.gather, qubits), self.gates(made.scatter, qubits)
        return _in_turn([*gather, run, *scatter])

    def rotate(self, op: Op, qubits: Sequence[int]) -> Run:
        """A gate with an angle: by name if it is Clifford and known to be."""
        angle = _angle(op, self.constants)
        if angle is not None and not math.isfinite(angle):
            angle = None  # refused when it is run
        gates = None if angle is None else turn(op.name, angle, _paulis(op))
        if gates is not None:
            return _in_turn(self.gates(gates, qubits))
        if op.name != "ppr":
            return self.turned(op, op.name, angle, qubits)
        made = product(_paulis(op))
        if made.target < 0:
            return _in_turn([])
        gather, scatter = self.gates(made.gather, qubits), self.gates(made.scatter, qubits)
        return _in_turn([*gather, self.turned(op, "rz", angle, [qubits[made.target]]), *scatter])

    def turned(self, op: Op, name: str, angle: float | None, qubits: Sequence[int]) -> Run:
        """A rotation by a known angle, or by the one in a register."""
        action = self.machine.qubits.turns[name]
        if angle is not None:
            return _on(lambda *on: action(angle, *on), qubits)
        source = self.place(op.operands[-1])
        machine = self.machine

        def run(r: Registers) -> None:
            if not math.isfinite(r[source]):
                raise machine.fault(f"the angle {r[source]} is not a finite number", op.loc)
            action(r[source], *[r[at] for at in qubits])

        return run


def _on(action: Callable[..., None], qubits: Sequence[int]) -> Run:
    """An action on the qubits in registers."""
    if len(qubits) == 1:
        (a,) = qubits
        return lambda r: action(r[a])
    if len(qubits) == 2:
        a, b = qubits
        return lambda r: action(r[a], r[b])
    return lambda r: action(*[r[at] for at in qubits])


def _in_turn(runs: Sequence[Run]) -> Run:
    """Several closures as one."""
    if len(runs) == 1:
        return runs[0]

    def run(r: Registers) -> None:
        for step in runs:
            step(r)

    return run
