"""Which column and which line of a circuit diagram each operation is drawn on.

Lines are for qubits, from above in order of their start, and one below them for bits.  Every
operation stands as far to the left as the lines it crosses allow.  A qubit without a name, which
a pass has made, begins right before its first gate, where it can on a line that is free again.

    q0 |0> -[H]-.-[M]        columns 0, 1, 2
    q1 |0> -----+-----
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from qwasmc.backends.drawing.kinds import MARKER, MEASUREMENT, Kind, angle_text, kind_of
from qwasmc.backends.drawing.svg import clipped
from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import RESULTS, Circuit, result_bits
from qwasmc.ops import CODE, OPS, OpSpec

CONTROL, TARGET, CROSS, METER, RIM, MORE = "•", "⊕", "✕", "◠", "|", "⋮"
"""Marks on a line; any other one is a text in a box.

The basis follows METER; RIM is an end of a dashed line, and MORE stands for hidden qubits."""

MARKS = {
    "cx": TARGET,
    "ccx": TARGET,
    "cy": "Y",
    "cz": CONTROL,
    "ccz": CONTROL,
    "swap": CROSS,
    "cswap": CROSS,
    "cp": "P",
    "crz": "Rz",
    "sdg": "S†",
    "t": "T",
    "tdg": "T†",
    "sx": "√X",
    "sxdg": "√X†",
    "rx": "Rx",
    "ry": "Ry",
    "rz": "Rz",
    "reset": "|0⟩",
}
"""What stands on the qubits of an operation that are no controls; by default its name."""

MOST_LETTERS = 24
"""Most letters of a name or an expression."""

MOST_NOTES = 6
"""Most computed results that are told of."""

SILENT = ("pragma", "require", *RESULTS)
"""Operations that are not drawn."""


@dataclass(slots=True)
class Symbol:
    """An operation: its `marks` by line, joined by a line, with one to the bits if it has any.

    `condition` and `outcome` are expressions for these bits; an outcome that no condition reads is
    in the `caption`, above the marks.
    """

    marks: list[tuple[int, str]]
    kind: Kind
    caption: str
    condition: str
    outcome: str
    column: int = 0
    title: str = ""


@dataclass(slots=True)
class Life:
    """A qubit on its line, from a column to the one before `last`, where it is discarded."""

    line: int
    first: int
    last: int | None = None


@dataclass(slots=True)
class Placed:
    """A diagram: symbols in columns, and the names of the lines."""

    symbols: list[Symbol] = field(default_factory=list)
    lives: list[Life] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    columns: int = 0
    bits: bool = False
    """Whether there is a line of bits."""
    hidden: bool = False
    """Whether there are further qubits, on a line of their own that stands for all of them."""
    notes: list[str] = field(default_factory=list)
    """Results that are no measurement's outcome, and what is left out."""


def place(circuit: Circuit, most_columns: int, most_qubits: int) -> Placed:
    """The diagram of a circuit, as far as there is room."""
    return _Placer(circuit, most_columns, most_qubits).place()


class _Placer:
    """Goes through a circuit, row by row."""

    def __init__(self, circuit: Circuit, most_columns: int, most_qubits: int) -> None:
        self.circuit, self.most_columns, self.most = circuit, most_columns, most_qubits
        self.placed = Placed(bits=bool((circuit.cond >= 0).any()))
        self.next = [0] * (most_qubits + 2)
        """By line, the first column that is free; the last two are hidden qubits and bits."""
        self.line: dict[int, int] = {}
        self.name: dict[int, str] = {}
        self.life: dict[int, Life] = {}
        self.waiting: set[int] = set()
        """Lines with a qubit that has not been drawn yet."""
        self.begun = 0
        self.spare: list[int] = []
        self.bit = dict(self._results())
        """Names of bits and expressions for them."""
        self.read = set(circuit.cond.tolist())
        """Bits that conditions depend on."""
        self.used: set[int] = set()
        """Bits that others are computed from."""
        self._find_uses()

    def _results(self) -> Iterator[tuple[int, str]]:
        """The results that bits are, in an order in which the first name of several is the last."""
        circuit = self.circuit
        rows = np.flatnonzero(np.isin(circuit.op, [CODE[name] for name in RESULTS]))
        for row in reversed(rows.tolist()):
            name = str(circuit.attribute(row))
            for text, bit in result_bits(OPS[circuit.op[row]].name, name, circuit.values(row)):
                yield bit, clipped(text, MOST_LETTERS)

    def _find_uses(self) -> None:
        circuit = self.circuit
        rows = np.flatnonzero(np.isin(circuit.op, (CODE["xor"], CODE["and"])))
        for row in reversed(rows.tolist()):
            values = circuit.values(row)
            self.used.update(values)
            if int(circuit.first[row]) in self.read:
                self.read.update(values)

    def place(self) -> Placed:
        """The diagram."""
        circuit, symbols = self.circuit, self.placed.symbols
        columns = circuit.op.tolist(), circuit.first.tolist(), circuit.cond.tolist()
        for row, (code, first, cond, values) in enumerate(
            zip(*columns, circuit.all_values(), strict=False)
        ):
            spec = OPS[code]
            if spec.makes_qubit:
                self._begin(first, str(circuit.attribute(row)), spec.name)
            elif spec.ends_qubit:
                self._end(values[0], spec.name)
            elif spec.makes_bit and not spec.qubits:
                self._compute(row, spec, first, values)
            elif spec.name not in SILENT:
                symbol = self._symbol(row, spec, first, cond, values)
                if symbol is not None and symbol.column >= self.most_columns:
                    break
                symbols += [symbol] if symbol else []
        lives = self.placed.lives
        self.placed.lives = [life for life in lives if life.line not in self.waiting]
        self.placed.columns = 1 + max((symbol.column for symbol in symbols), default=0)
        self.placed.notes = self._notes()
        return self.placed

    # -- qubits

    def _begin(self, value: int, name: str, how: str) -> None:
        placed, late = self.placed, how == "alloc" and not name
        if late and self.spare:
            line = self.spare.pop()
        elif len(placed.labels) < self.most:
            line = len(placed.labels)
            ket = " |0⟩" if how == "alloc" and name else ""
            placed.labels.append(clipped(name, MOST_LETTERS) + ket)
        else:
            self.line[value] = self.most
            placed.hidden = True
            return
        self.begun += 1
        self.line[value], self.name[line] = line, clipped(name, MOST_LETTERS)
        self.life[line] = Life(line, 0)
        placed.lives.append(self.life[line])
        if late:
            self.next[line] += 1  # room for the ket
            self.waiting.add(line)

    def _end(self, value: int, how: str) -> None:
        line = self.line.pop(value)
        if line == self.most:
            return
        life = self.life.pop(line)
        if line in self.waiting:  # it was never used
            self.waiting.remove(line)
            self.placed.lives.remove(life)
            self.next[line] -= 1
        if how == "free":
            life.last = self.next[line]
            self.spare.append(line)

    # -- bits

    def _compute(self, row: int, spec: OpSpec, bit: int, values: list[int]) -> None:
        """The text of a computed bit."""
        if spec.name == "const":
            text = str(self.circuit.attribute(row))
        else:
            sign = "⊕" if spec.name == "xor" else "∧"
            text = sign.join(self._bit_text(value, inside=True) for value in values) or "0"
        if bit in self.bit:
            self.placed.notes.append(f"{self.bit[bit]} = {clipped(text, 3 * MOST_LETTERS)}")
        else:
            self.bit[bit] = clipped(text, MOST_LETTERS)

    def _bit_text(self, bit: int, inside: bool = False) -> str:
        """The name of a bit or an expression for it, in parentheses where it is part of another."""
        text = self.bit.get(bit, f"b{bit}")
        return f"({text})" if inside and ("⊕" in text or "∧" in text) else text

    # -- operations

    def _symbol(
        self, row: int, spec: OpSpec, first: int, cond: int, values: list[int]
    ) -> Symbol | None:
        """The symbol of an operation; None if all of its qubits are hidden."""
        lines = [self.line.pop(value) for value in values]
        self.line.update(zip(range(first, first + len(lines)), lines, strict=True))
        marks = self._marks(row, spec, lines)
        if not marks:
            return None
        kind, bit = kind_of(spec), first + len(lines)
        condition = self._bit_text(cond) if cond >= 0 else ""
        read = kind is MEASUREMENT and bit in self.read
        caption = "" if read else self._caption(row, spec, bit)
        symbol = Symbol(marks, kind, caption, condition, self._bit_text(bit) if read else "")
        symbol.title = self._title(row, spec, lines, condition)
        self._take(symbol, lines)
        return symbol

    def _take(self, symbol: Symbol, lines: list[int]) -> None:
        """Choose the column, and with it those of the kets in front."""
        among = [*lines, *(line for line, _ in symbol.marks)]
        last = self.most + 1 if symbol.condition or symbol.outcome else max(among)
        crossed = range(min(among), last + 1)
        symbol.column = max(self.next[line] for line in crossed)
        for line in crossed:
            self.next[line] = symbol.column + 1
        for line in self.waiting.intersection(lines):
            self.life[line].first = symbol.column
        self.waiting.difference_update(lines)

    def _marks(self, row: int, spec: OpSpec, lines: list[int]) -> list[tuple[int, str]]:
        """What stands on each qubit; nothing if all are hidden."""
        across = spec.is_marker or spec.name == "syndrome"
        shown = len(self.placed.labels)
        rims = [(0, RIM), (shown - 1, RIM)] if across and shown else []
        marks = zip(lines, self._mark(row, spec, len(lines)), strict=True)
        seen = rims + [(line, mark) for line, mark in marks if line < self.most]
        return [*seen, (self.most, MORE)] if seen and self.most in lines else seen

    def _mark(self, row: int, spec: OpSpec, count: int) -> list[str]:
        if spec.attr == "paulis":
            return list(str(self.circuit.attribute(row)))
        if kind_of(spec) is MEASUREMENT:
            return [METER + spec.name[-1].upper()]
        if spec.name == "ctrl_begin":
            return [CONTROL] * count
        if kind_of(spec) is MARKER:
            return [RIM] * count
        mark = MARKS.get(spec.name, spec.name.upper())
        if spec.angle:
            mark += f"({angle_text(float(self.circuit.angle[row]))})"
        return [CONTROL] * spec.controls + [mark] * (count - spec.controls)

    def _caption(self, row: int, spec: OpSpec, bit: int) -> str:
        """What stands above: the outcome's name, the angle of a product, or what is marked."""
        if kind_of(spec) is MEASUREMENT:
            return self._bit_text(bit) if bit in self.bit or bit in self.used else ""
        if spec.name == "ppr":
            return angle_text(float(self.circuit.angle[row]))
        if spec.name == "syndrome":
            return f"{self.circuit.attribute(row) or 'd'} rounds"
        if spec.is_marker:
            name = self.circuit.attribute(row) if spec.attr else ""
            return clipped(f"{spec.name} {name}".rstrip(), MOST_LETTERS)
        return ""

    def _title(self, row: int, spec: OpSpec, lines: list[int], condition: str) -> str:
        circuit = self.circuit
        angle = f"({angle_text(float(circuit.angle[row]))})" if spec.angle else ""
        paulis = f" {circuit.attribute(row)}" if spec.attr == "paulis" else ""
        qubits = ", ".join(self.name.get(line) or "·" for line in lines)
        when = f" if {condition}" if condition else ""
        place = place_text(circuit.locations, int(circuit.loc[row]))
        return clipped(f"{spec.name}{angle}{paulis} {qubits}", 160) + when + place

    # -- notes

    def _notes(self) -> list[str]:
        notes = self.placed.notes
        if len(notes) > MOST_NOTES:
            notes = [*notes[:MOST_NOTES], f"and {len(notes) - MOST_NOTES:,} more results"]
        counts = np.bincount(self.circuit.op, minlength=len(OPS)).tolist()
        left = sum(n for n, spec in zip(counts, OPS, strict=True) if _is_drawn(spec))
        left -= len(self.placed.symbols)
        qubits = sum(n for n, spec in zip(counts, OPS, strict=True) if spec.makes_qubit)
        qubits -= self.begun
        if left or qubits:
            notes = [*notes, f"left out: {left:,} operations, {qubits:,} qubits"]
        return notes


def _is_drawn(spec: OpSpec) -> bool:
    bits_only = spec.makes_bit and not spec.qubits
    return not (spec.makes_qubit or spec.ends_qubit or bits_only or spec.name in SILENT)


def place_text(locations: Locations, loc: int) -> str:
    """Where an operation stands in the source, for a title; nothing if it is not known."""
    if loc < 0:
        return ""
    file = Path(locations.files[locations.file[loc]]).name
    return f" at {file}:{locations.line[loc]}:{locations.column[loc]}"
