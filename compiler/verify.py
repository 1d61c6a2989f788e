"""Is this IR well-formed?  `verify` raises a CompileError that lists what is wrong with it.

Program: operations fit the op table, values are defined before they are used, each qubit value
is used exactly once and none is leaked; only qubits still live at the end of `main` may be.

Circuit: the same on columns, with numpy: 1e6 operations take tens of milliseconds.

Surgery: rows are well-formed, a tile holds one patch at a time and is in one region per slab,
and each joint measurement is a tree of merged tiles whose frames agree (see `_JoinCheck`).

What an operation or a row may hold is read from the op table and the row table.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.diagnostics import CompileError, Diagnostic, Locations
from qwasmc.ir.circuit import MAX_FIXED, VARIADIC, Circuit
from qwasmc.ir.program import Block, Function, Op, Program, Value
from qwasmc.ir.surgery import (
    ROWS,
    STEP,
    Join,
    Letter,
    Magic,
    Row,
    Side,
    Surgery,
    Tile,
    decode_join,
)
from qwasmc.ops import BY_NAME, CODE, OPS, OpSpec, Type

MAX_PROBLEMS = 20
"""Problems listed at most."""

TERMINATOR = BY_NAME["return"]


def verify(ir: Program | Circuit | Surgery) -> None:
    """Raise a CompileError that lists the problems of a representation, if it has any."""
    problems = _Problems(ir.locations)
    if isinstance(ir, Program):
        _verify_program(ir, problems)
    elif isinstance(ir, Circuit):
        _verify_circuit(ir, problems)
    else:
        _verify_surgery(ir, problems)
    if problems.found:
        raise CompileError(problems.found)


@dataclass(slots=True)
class _Problems:
    """Collects diagnostics, up to a limit."""

    locations: Locations
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, message: str, loc: int = -1) -> None:
        """A problem, at a source position if there is one."""
        if len(self.found) < MAX_PROBLEMS:
            known = loc if loc < len(self.locations.file) else -1
            self.found.append(self.locations.diagnostic(message, known))


def may_be_predicated(spec: OpSpec) -> bool:
    """Whether an operation can depend on a bit: not if it makes or ends a value, or the block."""
    makes_or_ends = spec.makes_qubit or spec.ends_qubit or spec.makes_bit
    return not (makes_or_ends or spec.bits or spec is TERMINATOR)


def _paulis_problem(letters: str, count: int) -> str:
    if len(letters) != count:
        return f"{len(letters)} Pauli letters for {count} qubits"
    if not letters or letters.strip("XYZ"):
        return f"'{letters[:64]}' is not a product of X, Y and Z"
    return ""


# -- program -----------------------------------------------------------------------------------


def _verify_program(program: Program, problems: _Problems) -> None:
    names = Counter(function.name for function in program.functions)
    for name, count in names.items():
        if count > 1:
            problems.add(f"there are {count} functions named '{name}'")
    if "main" not in names:
        problems.add("there is no function named 'main'")
    for function in program.functions:
        if not function.blocks:
            problems.add(f"function '{function.name}' has no blocks")
        for number, block in enumerate(function.blocks):
            if number:
                problems.add(f"no operation leads to block {number} of function '{function.name}'")
            _BlockCheck(function, block, problems).run()


@dataclass(slots=True)
class _BlockCheck:
    """A walk over a block.  No operation branches, so what dominates a use stands before it."""

    function: Function
    block: Block
    problems: _Problems
    live: dict[Value, int] = field(default_factory=dict)
    """Qubit values not yet used, with the location they were made at."""
    spent: set[Value] = field(default_factory=set)
    """Qubit values that were used."""
    classical: set[Value] = field(default_factory=set)

    def run(self) -> None:
        """Check the operations in order, then what is left."""
        for argument in self.block.args:
            self.define(argument, -1)
        results: set[str] = set()
        for op in self.block.ops:
            self.operation(op)
            if op.name == "result":
                name = str((op.attrs or {}).get("name", ""))
                if name in results:
                    self.problems.add(f"there are two results named '{name}'", op.loc)
                results.add(name)
        self.end()

    def operation(self, op: Op) -> None:
        """One operation against its row, its operands against the values so far."""
        for message in _misfits(op):
            self.problems.add(f"'{op.name}': {message}", op.loc)
        for value in op.operands:
            self.use(value, op)
        if op.cond is not None:
            self.use(op.cond, op)
        for value in op.results:
            self.define(value, op.loc)
        if op.spec is TERMINATOR and op is not self.block.ops[-1]:
            self.problems.add(f"'{op.name}' is not the last operation of its block", op.loc)

    def use(self, value: Value, op: Op) -> None:
        """An operand."""
        if value in self.spent:
            self.problems.add(f"'{op.name}': {_called(value)} was already used", op.loc)
        elif value.type == Type.QUBIT and value in self.live:
            del self.live[value]
            self.spent.add(value)
        elif value not in self.classical:
            self.problems.add(f"'{op.name}': {_called(value)} is not defined here", op.loc)

    def define(self, value: Value, loc: int) -> None:
        """A result or an argument."""
        if value in self.live or value in self.spent or value in self.classical:
            self.problems.add(f"{_called(value)} is defined twice", loc)
        elif value.type == Type.QUBIT:
            self.live[value] = loc
        else:
            self.classical.add(value)

    def end(self) -> None:
        """The block ends in a terminator, and leaks no qubit."""
        name = self.function.name
        if not self.block.ops or self.block.ops[-1].spec is not TERMINATOR:
            loc = self.block.ops[-1].loc if self.block.ops else -1
            self.problems.add(f"a block of function '{name}' does not end in a return", loc)
        if name != "main":
            for value, loc in self.live.items():
                self.problems.add(f"{_called(value)} is still live at the end of '{name}'", loc)


def _called(value: Value) -> str:
    kind = "qubit" if value.type == Type.QUBIT else "value"
    return f"{kind} %{value.name}" if value.name else f"a {kind}"


def _misfits(op: Op) -> Iterator[str]:
    """What does not fit the row of an operation's spec."""
    spec = op.spec
    n_qubits = len(op.operands) if spec.qubits < 0 else spec.qubits
    n_bits = len(op.operands) if spec.bits < 0 else spec.bits
    made = 1 if spec.makes_qubit else 0 if spec.ends_qubit else n_qubits
    takes = [Type.QUBIT] * n_qubits + [Type.I1] * n_bits
    makes = [Type.QUBIT] * made + [Type.I1] * spec.makes_bit
    if [value.type for value in op.operands] != takes:
        yield f"takes {_listed(takes)}, not {_listed([value.type for value in op.operands])}"
    if [value.type for value in op.results] != makes:
        yield f"makes {_listed(makes)}, not {_listed([value.type for value in op.results])}"
    if op.cond is not None and not may_be_predicated(spec):
        yield "cannot depend on a bit, because it is more than a change of qubits"
    if op.cond is not None and op.cond.type != Type.I1:
        yield f"a condition is an i1, not {op.cond.type.value}"
    yield from _attribute_misfits(op, n_qubits)


def _listed(types: Sequence[Type]) -> str:
    shown = ", ".join(type.value for type in types[:8])
    return f"({shown}{', ...' if len(types) > 8 else ''})"


def _attribute_misfits(op: Op, n_qubits: int) -> Iterator[str]:
    spec, attrs = op.spec, op.attrs or {}
    wanted = {key for key in (spec.attr, "angle" if spec.angle else "") if key}
    for key in sorted(wanted - attrs.keys()):
        yield f"needs the attribute '{key}'"
    for key in sorted(attrs.keys() - wanted):
        yield f"has no attribute '{key}'"
    if spec.angle and "angle" in attrs:
        angle = attrs["angle"]
        if not isinstance(angle, int | float) or not math.isfinite(angle):
            yield f"the angle {angle!r} is not a finite number"
    if spec.attr in attrs:
        yield from _attr_misfits(spec, attrs[spec.attr], n_qubits)


def _attr_misfits(spec: OpSpec, value: str | int | float, n_qubits: int) -> Iterator[str]:
    if not isinstance(value, str if spec.attr_is_text else int):
        yield f"'{spec.attr}' must be {'text' if spec.attr_is_text else 'an integer'}"
    elif isinstance(value, str):
        if spec.attr == "paulis" and (problem := _paulis_problem(value, n_qubits)):
            yield problem
    elif value < 0 or (spec.attr == "value" and value > 1):
        yield f"{spec.attr} = {value} is out of range"


# -- circuit -----------------------------------------------------------------------------------

Bools = NDArray[np.bool_]
Ints = NDArray[Any]


def _table(value: Callable[[OpSpec], int]) -> NDArray[np.int32]:
    """A column of the op table."""
    return np.array([value(spec) for spec in OPS], dtype=np.int32)


_QUBITS = _table(lambda spec: spec.qubits)
_ARITY = _table(lambda spec: 0 if spec.qubits < 0 or spec.bits < 0 else spec.qubits + spec.bits)
_MAKES_BIT = _table(lambda spec: spec.makes_bit)
_MADE_QUBITS = _table(lambda spec: 1 if spec.makes_qubit else 0 if spec.ends_qubit else spec.qubits)
"""-1: as many as operands."""
_HAS_ANGLE = _table(lambda spec: spec.angle).astype(bool)
_MAY_BE_PREDICATED = _table(may_be_predicated).astype(bool)
_ATTR_LIMIT = _table(
    lambda spec: -1 if spec.attr_is_text else {"": 1, "value": 2}.get(spec.attr, 2**31 - 1)
)
"""Attributes are below this; -1: below the number of names."""


def _verify_circuit(circuit: Circuit, problems: _Problems) -> None:
    """The checks in stages: a later one may rely on what an earlier one has found to be right."""
    check = _CircuitCheck(circuit, problems)
    for stage in (check.shapes, check.rows, check.values, check.uses, check.texts):
        stage()
        if problems.found:
            return


class _CircuitCheck:
    """Vectorised checks of a circuit's columns."""

    def __init__(self, circuit: Circuit, problems: _Problems) -> None:
        self.circuit = circuit
        self.problems = problems

    def report(self, wrong: Bools, message: str, rows: Ints | None = None) -> None:
        """A problem for each true entry; entry i is about row rows[i] (or row i)."""
        if not wrong.any():
            return
        for entry in np.flatnonzero(wrong)[:MAX_PROBLEMS].tolist():
            row = entry if rows is None else int(rows[entry])
            code = int(self.circuit.op[row])
            name = OPS[code].name if code < len(OPS) else "?"
            loc = self.circuit.loc[row] if row < len(self.circuit.loc) else -1
            self.problems.add(f"operation {row} ('{name}'): {message}", int(loc))

    def shapes(self) -> None:
        """The columns belong together."""
        circuit = self.circuit
        n = len(circuit.op)
        expected = {
            "operands": (n, MAX_FIXED),
            "cond": (n,),
            "angle": (n,),
            "attr": (n,),
            "loc": (n,),
            "first": (n + 1,),
        }
        for name, shape in expected.items():
            if getattr(circuit, name).shape != shape:
                self.problems.add(f"the column '{name}' does not have the shape {shape}")
        self.report(circuit.op >= len(OPS), "there is no such op code")

    def rows(self) -> None:
        """Columns of each row by themselves."""
        circuit, report = self.circuit, self.report
        op = circuit.op
        report(~np.isfinite(circuit.angle), "the angle is not a finite number")
        report((circuit.angle != 0) & ~_HAS_ANGLE[op], "has an angle, but its row has none")
        limit = _ATTR_LIMIT[op]
        limit = np.where(limit < 0, len(circuit.names), limit)
        report((circuit.attr < 0) | (circuit.attr >= limit), "the attribute is out of range")
        places = len(circuit.locations.file)
        report((circuit.loc < -1) | (circuit.loc >= places), "there is no such location")
        predicated = circuit.cond >= 0
        report(circuit.cond < -1, "the condition is out of range")
        report(predicated & ~_MAY_BE_PREDICATED[op], "cannot depend on a bit")
        report(op[:-1] == CODE[TERMINATOR.name], "is not the last operation")

    def values(self) -> None:
        """Operands are where the columns say, and `first` counts the values made."""
        circuit, report = self.circuit, self.report
        op, operands = circuit.op, circuit.operands
        variadic = VARIADIC[op]
        start, count = operands[:, 0], operands[:, 1]
        end = start.astype(np.int64) + count
        outside = (start < 0) | (count < 0) | (end > len(circuit.pool)) | (operands[:, 2] != 0)
        report(variadic & outside, "its slice is not in the pool")
        unused = np.arange(MAX_FIXED, dtype=np.int32) >= _ARITY[op][:, None]
        extra = ((operands != -1) & unused).any(axis=1)
        report(~variadic & extra, "has more operands than its row")
        made = _MADE_QUBITS[op]
        made = np.where(made < 0, count, made) + _MAKES_BIT[op]
        report(np.diff(circuit.first) != made, "'first' does not count the values it makes")
        if circuit.first[0] != 0:
            self.problems.add("the first value does not have the number 0")

    def uses(self) -> None:
        """Operands are defined before, have the right type, and qubits are used once."""
        circuit = self.circuit
        value, row, is_bit = self.operands()
        defined = (value >= 0) & (value < circuit.first[row])
        self.report(~defined, "an operand is not defined before it", row)
        if not defined.all():
            return
        bit = np.zeros(circuit.n_values, dtype=bool)
        bit[circuit.first[1:][_MAKES_BIT[circuit.op] == 1] - 1] = True
        self.report(bit[value] & ~is_bit, "an operand is a bit and must be a qubit", row)
        self.report(~bit[value] & is_bit, "an operand is a qubit and must be a bit", row)
        consumed = value[~is_bit]
        times = np.bincount(consumed, minlength=circuit.n_values)
        if times.max(initial=0) > 1:
            by = row[~is_bit]
            self.report(self.repeated(consumed, by), "a qubit value is used again", by)

    def repeated(self, consumed: Ints, row: Ints) -> Bools:
        """Which entries use a value that an earlier entry, by row, used."""
        order = np.lexsort((row, consumed))
        again = np.zeros(len(consumed), dtype=bool)
        again[order[1:]] = consumed[order][1:] == consumed[order][:-1]
        return again

    def operands(self) -> tuple[Ints, Ints, Bools]:
        """All uses: the value, the row that uses it, whether that place is for a bit."""
        circuit = self.circuit
        op = circuit.op
        values, rows, bits = [], [], []
        for slot in range(MAX_FIXED):
            here = np.flatnonzero(_ARITY[op] > slot)
            values.append(circuit.operands[here, slot])
            rows.append(here)
            bits.append(slot >= _QUBITS[op[here]])
        variadic = np.flatnonzero(VARIADIC[op])
        start, count = circuit.operands[variadic, 0], circuit.operands[variadic, 1]
        before = np.cumsum(count) - count
        values.append(circuit.pool[np.arange(count.sum()) + np.repeat(start - before, count)])
        rows.append(np.repeat(variadic, count))
        bits.append(np.repeat(_QUBITS[op[variadic]] >= 0, count))
        predicated = np.flatnonzero(circuit.cond >= 0)
        values.append(circuit.cond[predicated])
        rows.append(predicated)
        bits.append(np.ones(len(predicated), dtype=bool))
        return np.concatenate(values), np.concatenate(rows), np.concatenate(bits)

    def texts(self) -> None:
        """Names of results differ; Pauli products have a letter for each qubit."""
        circuit = self.circuit
        results = np.flatnonzero(circuit.op == CODE["result"])
        names = Counter(circuit.names[attr] for attr in circuit.attr[results].tolist())
        for name, times in names.items():
            if times > 1:
                self.problems.add(f"there are {times} results named '{name}'")
        for spec in (spec for spec in OPS if spec.attr == "paulis"):
            rows = np.flatnonzero(circuit.op == CODE[spec.name])
            pairs = np.stack([circuit.attr[rows], circuit.operands[rows, 1]], axis=1)
            distinct, which = np.unique(pairs, axis=0, return_inverse=True)
            for number, (attr, count) in enumerate(distinct.tolist()):
                problem = _paulis_problem(circuit.names[attr], count)
                if problem:
                    self.report(which.reshape(-1) == number, problem, rows)


# -- surgery -----------------------------------------------------------------------------------


def _verify_surgery(surgery: Surgery, problems: _Problems) -> None:
    if not _surgery_columns(surgery, problems):
        return
    check = _SurgeryCheck(surgery, problems)
    for row in range(len(surgery)):
        check.row(row)
    check.tiles()


def _surgery_columns(surgery: Surgery, problems: _Problems) -> bool:
    """Whether the columns belong together and the pool is cut up in order."""
    n = len(surgery.kind)
    for name in ("slab", "x", "y", "aux", "loc"):
        if getattr(surgery, name).shape != (n,):
            problems.add(f"the column '{name}' does not have {n} entries")
    start = surgery.start
    if start.shape != (n + 1,):
        problems.add(f"the column 'start' does not have {n + 1} entries")
    elif start[0] != 0 or start[-1] != len(surgery.pool) or (np.diff(start) < 0).any():
        problems.add("the column 'start' does not cut the pool into slices")
    for row in np.flatnonzero(surgery.kind >= len(Row)).tolist():
        problems.add(f"row {row}: there is no such kind of row")
    return not problems.found


@dataclass(slots=True)
class _Patch:
    """A patch on a tile, from the start of the slab `born`; `used` is the last slab so far."""

    row: int
    born: int
    used: int
    joined: int = -1
    """The last slab in which it took part in a joint measurement."""


class _SurgeryCheck:
    """A walk over the rows, and then over what they did to each tile."""

    def __init__(self, surgery: Surgery, problems: _Problems) -> None:
        self.surgery = surgery
        self.problems = problems
        self.patch: dict[Tile, _Patch] = {}
        self.lives: dict[Tile, list[tuple[int, int, int]]] = {}
        """Patches that ended: first slab, last slab, row."""
        self.region: dict[tuple[Tile, int], int] = {}
        """The join that a tile takes part in, by tile and slab."""
        self.routes: list[tuple[Tile, int, int]] = []
        """Route tiles: tile, slab, row."""
        self.bits: set[int] = set()
        self.named: set[tuple[str, Row]] = set()
        self.waits: dict[int, int] = {}
        """The row of each slab that waits."""
        self.join_slabs: set[int] = set()

    def problem(self, row: int, message: str) -> None:
        """A problem with a row."""
        kind = Row(self.surgery.kind[row]).name.lower()
        self.problems.add(f"row {row} ('{kind}'): {message}", int(self.surgery.loc[row]))

    # -- rows ----------------------------------------------------------------------------------

    def row(self, row: int) -> None:
        """One row: its columns, then its effect."""
        kind = Row(self.surgery.kind[row])
        before = len(self.problems.found)
        self.columns(row, kind)
        if len(self.problems.found) > before:
            return
        effect = {
            Row.INPUT: self.appear,
            Row.PREPARE: self.appear,
            Row.INJECT: self.appear,
            Row.JOIN: self.join,
            Row.MEASURE: self.leave,
            Row.OUTPUT: self.leave,
            Row.WAIT: self.wait,
        }.get(kind)
        if effect is not None:
            effect(row)
        if ROWS[kind].makes_bit:
            self.bits.add(row)

    def columns(self, row: int, kind: Row) -> None:
        """The columns of a row by themselves, and the bits it reads."""
        surgery, spec = self.surgery, ROWS[kind]
        slab, aux, tile = int(surgery.slab[row]), int(surgery.aux[row]), surgery.tile(row)
        if slab < 0 or (slab and not spec.timed):
            self.problem(row, f"slab {slab} is out of range")
        if tile != (0, 0) and not spec.placed:
            self.problem(row, "has a tile, but happens on none")
        if not self.aux_in_range(spec.aux, aux):
            self.problem(row, f"{spec.aux or 'aux'} = {aux} is out of range")
        elif spec.aux == "name":
            self.name(row, kind, surgery.names[aux])
        operands = surgery.operands(row)
        if kind == Row.JOIN:
            return
        if kind == Row.OUTPUT and (not operands or operands.pop(0) not in (0, 1)):
            self.problem(row, "its label is not 0 or 1")
        if spec.bits >= 0 and len(operands) != spec.bits:
            self.problem(row, f"reads {len(operands)} bits instead of {spec.bits}")
        for bit in operands:
            if bit not in self.bits:
                self.problem(row, f"bit {bit} is not defined before it")

    def aux_in_range(self, meaning: str, aux: int) -> bool:
        """Whether a row's aux column makes sense."""
        if meaning == "letter":
            return aux in (Letter.X, Letter.Z)
        limits = {
            "": 1,
            "state": len(Magic),
            "value": 2,
            "name": len(self.surgery.names),
        }
        return 0 <= aux < limits.get(meaning, 2**31)

    def name(self, row: int, kind: Row, name: str) -> None:
        """A named row; names differ among rows of a kind."""
        if (name, kind) in self.named:
            self.problem(row, f"the name '{name}' is taken")
        self.named.add((name, kind))

    def appear(self, row: int) -> None:
        """A patch appears on a tile."""
        tile, slab = self.surgery.tile(row), int(self.surgery.slab[row])
        if tile in self.patch:
            self.problem(row, f"tile {tile} holds a patch already (row {self.patch[tile].row})")
        self.patch[tile] = _Patch(row, slab, slab)

    def leave(self, row: int) -> None:
        """A patch is measured out or handed over."""
        tile, slab = self.surgery.tile(row), int(self.surgery.slab[row])
        patch = self.patch.pop(tile, None)
        if patch is None:
            self.problem(row, f"tile {tile} holds no patch")
            return
        if slab < patch.used:
            self.problem(row, f"the patch on {tile} is used later, in slab {patch.used}")
        self.lives.setdefault(tile, []).append((patch.born, max(slab, patch.used), patch.row))

    def wait(self, row: int) -> None:
        """A slab of another length."""
        slab = int(self.surgery.slab[row])
        if slab in self.waits:
            self.problem(row, f"slab {slab} waits already (row {self.waits[slab]})")
        self.waits[slab] = row

    def join(self, row: int) -> None:
        """A joint measurement: its shape, and its patches."""
        slab = int(self.surgery.slab[row])
        try:
            join = _decoded(self.surgery.operands(row))
        except ValueError as wrong:
            self.problem(row, str(wrong))
            return
        for message in join_problems(join):
            self.problem(row, message)
        self.join_slabs.add(slab)
        for term in join.terms:
            self.use_patch(row, term.tile, slab)
        for tile in join.tiles():
            other = self.region.setdefault((tile, slab), row)
            if other != row:
                self.problem(row, f"tile {tile} is in the region of row {other} in the same slab")
        self.routes += ((route.tile, slab, row) for route in join.route)

    def use_patch(self, row: int, tile: Tile, slab: int) -> None:
        """A patch takes part in a joint measurement."""
        patch = self.patch.get(tile)
        if patch is None:
            self.problem(row, f"tile {tile} holds no patch")
        elif slab < patch.born:
            self.problem(row, f"the patch on {tile} appears later, in slab {patch.born}")
        elif slab <= patch.joined:
            self.problem(row, f"the patch on {tile} took part in a join of slab {patch.joined}")
        else:
            patch.used = patch.joined = slab

    # -- tiles ---------------------------------------------------------------------------------

    def tiles(self) -> None:
        """Over all rows: patches on a tile do not overlap, and routes keep clear of them."""
        for tile, patch in self.patch.items():
            self.lives.setdefault(tile, []).append((patch.born, 2**31, patch.row))
        for tile, lives in self.lives.items():
            lives.sort()
            for (_, last, _), (born, _, row) in pairwise(lives):
                if born <= last:
                    self.problem(row, f"tile {tile} still holds another patch in slab {born}")
        for tile, slab, row in self.routes:
            lives = self.lives.get(tile, [])
            at = bisect_right(lives, slab, key=lambda life: life[0]) - 1
            if at >= 0 and lives[at][1] >= slab:
                self.problem(row, f"route tile {tile} holds the patch of row {lives[at][2]}")
        for slab in sorted(self.waits.keys() & self.join_slabs):
            self.problem(self.waits[slab], f"slab {slab} waits, but holds a join")


def _decoded(values: list[int]) -> Join:
    """The join that a pool slice encodes; ValueError if it encodes none."""
    if len(values) < 3 or min(values[:3]) < 0:
        raise ValueError("does not encode a join")
    n_terms, n_route, n_edges = values[:3]
    if len(values) != 3 + 3 * n_terms + 3 * n_route + 4 * n_edges:
        raise ValueError("does not encode a join of the length it has")
    return decode_join(values)


def join_problems(join: Join) -> list[str]:
    """What is wrong with a joint measurement by itself, wherever and whenever it happens."""
    check = _JoinCheck(join)
    for stage in (check.parts, check.edges, check.attachments, check.shape):
        found = list(stage())
        if found:
            return found
    return []


class _JoinCheck:
    """The region of a join: merged tiles, as a graph.

    Without its Y terms the region is a tree, of which the Z and X terms are leaves.  A Y term
    has one edge for its Z part and one for its X part, and so closes exactly one loop with the
    tree; that loop holds exactly one mixed edge.  At each edge both sides carry the same letter,
    or different ones if it is mixed: a route tile carries its frame; a term carries Z at its
    north and south sides and X at its east and west sides.
    """

    def __init__(self, join: Join) -> None:
        self.join = join
        self.letter = {term.tile: term.letter for term in join.terms}
        self.frame = {route.tile: route.frame for route in join.route}
        self.neighbours: dict[Tile, list[tuple[Tile, Side, bool]]] = {
            tile: [] for tile in join.tiles()
        }

    def parts(self) -> Iterator[str]:
        """Terms and route."""
        if not self.join.terms:
            yield "measures nothing"
        if len(self.neighbours) != len(self.join.terms) + len(self.join.route):
            yield "a tile appears twice"
        for tile, letter in self.letter.items():
            if letter == Letter.I:
                yield f"the term at {tile} has no letter"
        for tile, frame in self.frame.items():
            if frame not in (Letter.X, Letter.Z):
                yield f"the route at {tile} carries {frame.name}"

    def edges(self) -> Iterator[str]:
        """Edges connect tiles of the region, each pair at most once; makes `neighbours`."""
        seen = set()
        for (x, y), side, mixed in self.join.edges:
            dx, dy = STEP[side]
            near, far = (x, y), (x + dx, y + dy)
            if side not in (Side.E, Side.S):
                yield f"an edge at {near} goes {side.name}; edges go E or S"
            elif near not in self.neighbours or far not in self.neighbours:
                yield f"the edge {near}-{far} leaves the region"
            elif (near, far) in seen:
                yield f"the edge {near}-{far} appears twice"
            else:
                seen.add((near, far))
                self.neighbours[near].append((far, side, mixed))
                self.neighbours[far].append((near, Side((side + 2) % 4), mixed))
                yield from self.frames(near, far, side, mixed)

    def frames(self, near: Tile, far: Tile, side: Side, mixed: bool) -> Iterator[str]:
        """Both sides of an edge carry the same letter, or different ones if it is mixed."""
        a, b = self.carried(near, side), self.carried(far, side)
        if (a != b) != mixed:
            kind = "mixed" if mixed else "plain"
            yield f"{near} carries {a.name} and {far} carries {b.name}, but their edge is {kind}"

    def carried(self, tile: Tile, side: Side) -> Letter:
        """The letter on a tile's side of an edge (opposite sides agree)."""
        if tile in self.frame:
            return self.frame[tile]
        return Letter.Z if side in (Side.N, Side.S) else Letter.X

    def attachments(self) -> Iterator[str]:
        """A term has one edge for each part of its letter, at a side that fits."""
        for tile, letter in self.letter.items():
            sides = [side for _, side, _ in self.neighbours[tile]]
            parts = sorted(self.carried(tile, side) for side in sides)
            wanted = [part for part in (Letter.X, Letter.Z) if letter & part]
            if parts != wanted:
                shown = ", ".join(side.name for side in sides) or "no side"
                yield f"the {letter.name} term at {tile} is attached at {shown}"

    def shape(self) -> Iterator[str]:
        """A tree, but for one loop with one mixed edge per Y term."""
        twists = [tile for tile, letter in self.letter.items() if letter == Letter.Y]
        rest = self.neighbours.keys() - twists
        if not rest:
            yield "a Y term has no route"
            return
        root = next(tile for tile in self.neighbours if tile in rest)
        above = self.tree(root, rest)
        n_ends = sum(far in rest for tile in rest for far, *_ in self.neighbours[tile])
        if len(above) != len(rest):
            yield "the region is not connected, or only through a Y term"
        elif n_ends != 2 * len(rest) - 2:
            yield "the region has a loop that no Y term closes"
        else:
            for tile in twists:
                yield from self.loop(tile, above)

    def tree(self, root: Tile, rest: Set[Tile]) -> dict[Tile, _Step]:
        """How each tile of `rest` that the root reaches is reached, breadth first."""
        above = {root: _Step(root, 0, 0)}
        queue = [root]
        for tile in queue:
            step = above[tile]
            for far, _, mixed in self.neighbours[tile]:
                if far in rest and far not in above:
                    above[far] = _Step(tile, step.depth + 1, int(mixed))
                    queue.append(far)
        return above

    def loop(self, twist: Tile, above: dict[Tile, _Step]) -> Iterator[str]:
        """The loop that a Y term closes: its two edges, and the path between their far ends."""
        (a, _, mixed_a), (b, _, mixed_b) = self.neighbours[twist]
        if a not in above or b not in above:
            yield f"the Y term at {twist} is attached to another Y term"
            return
        count = mixed_a + mixed_b
        while a != b:
            if above[a].depth < above[b].depth:
                a, b = b, a
            count += above[a].mixed
            a = above[a].parent
        if count != 1:
            yield f"the loop of the Y term at {twist} has {count} mixed edges instead of one"


class _Step(NamedTuple):
    """An edge of a tree, from a tile to the one it was reached from."""

    parent: Tile
    depth: int
    mixed: int
