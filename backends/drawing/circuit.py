"""Circuits as diagrams, with the symbols of the textbooks.

from IPython.display import SVG
SVG(circuit_svg(artifact.program))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qwasmc.backends.drawing.kinds import (
    AMBER,
    MARKER,
    Kind,
    legend,
)
from qwasmc.backends.drawing.placing import (
    CONTROL,
    CROSS,
    METER,
    MORE,
    RIM,
    TARGET,
    Placed,
    Symbol,
    place,
)
from qwasmc.backends.drawing.svg import (
    GREY,
    INK,
    MARGIN,
    PAGE,
    WHITE,
    document,
    path,
    shape,
    text,
    titled,
    width_of,
)
from qwasmc.ir.circuit import Circuit

LINE, BOX, ABOVE = 42.0, 26.0, 24.0
"""Pixels between lines, of a box, and above the first line."""

NOTE = 18.0
"""Pixels of a line of notes."""

KET = "|0⟩"


def circuit_svg(circuit: Circuit, most_columns: int = 100, most_qubits: int = 32) -> str:
    """A circuit as a diagram, in rows where it is wide.

    Of a large one the first columns and qubits are drawn, and a line says what is left out.
    """
    return _Diagram(place(circuit, most_columns, most_qubits)).svg()


@dataclass(slots=True)
class _Row:
    """Columns that stand beside each other: from `first` up to `last`, with their left edges."""

    first: int
    last: int
    left: list[float]
    """One more than there are columns: the last one is the right edge."""
    top: float = 0.0


class _Diagram:
    def __init__(self, placed: Placed) -> None:
        self.placed = placed
        lines = len(placed.labels)
        self.height = ABOVE + LINE * (lines + placed.hidden + placed.bits)
        self.last = lines - 1 + placed.hidden
        self.label = max((width_of(each) for each in placed.labels), default=0.0) + 14
        self.rows = self._rows()

    def svg(self) -> str:
        """The drawing."""
        shapes: list[str] = []
        for row in self.rows:
            shapes += self._lines(row)
        for symbol in sorted(self.placed.symbols, key=lambda each: each.column):
            row = next(row for row in self.rows if symbol.column < row.last)
            shapes.append(titled(symbol.title, self._symbol(symbol, row)))
        y = self.rows[-1].top + self.height + NOTE / 2
        colours, end = legend({symbol.kind for symbol in self.placed.symbols}, MARGIN, y)
        shapes += colours
        for note in self.placed.notes:
            y += NOTE
            shapes.append(text(MARGIN, y, note, size=11, fill=GREY))
        wide = [end, *(row.left[-1] for row in self.rows)]
        wide += [MARGIN + width_of(note, 11) for note in self.placed.notes]
        return document(max(wide) + MARGIN, y + NOTE / 2 + MARGIN, shapes)

    def _rows(self) -> list[_Row]:
        """Columns as wide as what is in them, in rows that fit a page."""
        widths = [24.0] * self.placed.columns
        for symbol in self.placed.symbols:
            widths[symbol.column] = max(widths[symbol.column], _width(symbol) + 12)
        for life in self.placed.lives:
            if life.first:
                widths[life.first - 1] = max(widths[life.first - 1], width_of(KET) + 8)
        start = MARGIN + self.label
        rows = [_Row(0, 0, [start])]
        for column, wide in enumerate(widths):
            if rows[-1].left[-1] + wide > PAGE and len(rows[-1].left) > 1:
                rows.append(_Row(column, column, [start]))
            rows[-1].left.append(rows[-1].left[-1] + wide)
            rows[-1].last = column + 1
        for number, row in enumerate(rows):
            row.top = MARGIN + number * (self.height + 10)
        return rows

    def _y(self, row: _Row, line: int) -> float:
        """The height of a line; bits are on the one below all others."""
        return row.top + ABOVE + LINE * line

    # -- lines

    def _lines(self, row: _Row) -> Iterator[str]:
        """Names, and the lines of qubits and bits."""
        x, right = row.left[0], row.left[-1]
        for line, label in enumerate(self.placed.labels):
            ket = label.endswith(KET) and row.first > 0
            shown = label.removesuffix(KET).rstrip() if ket else label
            yield text(x - 8, self._y(row, line), shown, anchor="end")
        for life in self.placed.lives:
            last = self.placed.columns if life.last is None else life.last
            if life.first >= row.last or last <= row.first:
                continue
            y = self._y(row, life.line)
            start = row.left[max(life.first - row.first, 0)]
            end = row.left[min(last, row.last) - row.first]
            yield path(f"M{start:.6g} {y:.6g}H{end:.6g}")
            if life.last is not None and life.last <= row.last:
                yield path(f"M{end:.6g} {y - 6:.6g}V{y + 6:.6g}")
        for life in self.placed.lives:
            if row.first < life.first <= row.last:
                at = row.left[life.first - row.first] - 2
                yield text(at, self._y(row, life.line), KET, anchor="end")
        if self.placed.hidden:
            yield text(x - 8, self._y(row, self.last), MORE, fill=GREY, anchor="end")
        if self.placed.bits:
            y = self._y(row, self.last + 1)
            yield text(x - 8, y, "bits", fill=GREY, anchor="end")
            yield _double(f"M{x:.6g} {y:.6g}H{right:.6g}")

    # -- symbols

    def _symbol(self, symbol: Symbol, row: _Row) -> Iterator[str]:
        at = symbol.column - row.first
        x = (row.left[at] + row.left[at + 1]) / 2
        heights = [self._y(row, line) for line, _ in symbol.marks]
        top, bottom = min(heights), max(heights)
        if symbol.condition or symbol.outcome:
            yield from self._bits(symbol, row, x, bottom)
        if symbol.kind is MARKER:
            yield path(f"M{x:.6g} {top - 16:.6g}V{bottom + 16:.6g}", GREY, stroke_dasharray="4 3")
        elif top < bottom:
            yield path(f"M{x:.6g} {top:.6g}V{bottom:.6g}", symbol.kind.rim, 1.6)
        for (_, mark), y in zip(symbol.marks, heights, strict=True):
            yield from _mark(mark, symbol.kind, x, y)
        if symbol.caption:
            above = 23 if symbol.kind is MARKER else BOX / 2 + 6
            yield text(x, top - above, symbol.caption, size=10, fill=GREY, anchor="middle")

    def _bits(self, symbol: Symbol, row: _Row, x: float, bottom: float) -> Iterator[str]:
        """The double line from or to the bits."""
        y = self._y(row, self.last + 1)
        yield _double(f"M{x:.6g} {bottom:.6g}V{y:.6g}")
        if symbol.condition:
            yield shape("circle", cx=x, cy=y, r=4.0, fill=INK)
        else:
            tip = f"M{x - 5:.6g} {y - 7:.6g}h10l-5 7z"
            yield shape("path", d=tip, fill=AMBER)
        yield text(x, y + 12, _below(symbol), size=10, anchor="middle")


def _below(symbol: Symbol) -> str:
    """What is written at the line of bits."""
    if symbol.outcome and symbol.condition:
        return f"{symbol.outcome} if {symbol.condition}"
    return symbol.outcome or symbol.condition


def _width(symbol: Symbol) -> float:
    """Pixels across."""
    marks = max(_mark_width(mark) for _, mark in symbol.marks)
    return max(marks, width_of(symbol.caption, 10), width_of(_below(symbol), 10))


def _mark_width(mark: str) -> float:
    if mark in (CONTROL, CROSS, RIM, MORE):
        return 12.0
    return BOX if mark == TARGET or mark[0] == METER else max(BOX, width_of(mark) + 10)


def _mark(mark: str, kind: Kind, x: float, y: float) -> Iterator[str]:
    """A mark at a point of a line."""
    if mark == RIM:
        return
    if mark == MORE:
        yield shape("rect", x=x - 5, y=y - 8, width=10.0, height=16.0, fill=WHITE)
        yield text(x, y, MORE, fill=GREY, anchor="middle")
        return
    if mark == CONTROL:
        yield shape("circle", cx=x, cy=y, r=4.5, fill=kind.rim)
    elif mark == CROSS:
        yield path(f"M{x - 6:.6g} {y - 6:.6g}l12 12m0 -12l-12 12", kind.rim, 2.0)
    elif mark == TARGET:
        yield shape("circle", cx=x, cy=y, r=10.0, fill=kind.fill, stroke=kind.rim, stroke_width=1.6)
        yield path(f"M{x - 10:.6g} {y:.6g}h20m-10 -10v20", kind.rim, 1.6)
    else:
        yield from _box(mark, kind, x, y)


def _box(mark: str, kind: Kind, x: float, y: float) -> Iterator[str]:
    wide = _mark_width(mark)
    box = {"x": x - wide / 2, "y": y - BOX / 2, "width": wide, "height": BOX, "rx": 3.0}
    yield shape("rect", **box, fill=kind.fill, stroke=kind.rim, stroke_width=1.3)
    if mark[0] != METER:
        yield text(x, y, mark, fill=kind.ink, anchor="middle")
        return
    yield path(f"M{x - 9:.6g} {y + 7:.6g}a9 9 0 0 1 18 0M{x:.6g} {y + 7:.6g}l7 -12")
    if mark[1:] != "Z":
        yield text(x - 8, y - 6, mark[1:], size=10, anchor="middle")


def _double(data: str) -> str:
    """A double line: a wide one with a white one on it."""
    return path(data, INK, 4.2) + path(data, WHITE, 2.0)
