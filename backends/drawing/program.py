"""Programs as control-flow graphs.

The blocks of a function stand below each other in the order of the text, with the names that
values have there.  What leads on to the next block is a short arrow, other ways forward run on the
right, and ways back, so loops, on the left.

    from IPython.display import SVG
    SVG(program_svg(qwasmc.parse(Path("program.qwasm"))))
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from qwasmc.backends.drawing.kinds import CLASSICAL, Kind, angle_text, kind_of, legend
from qwasmc.backends.drawing.placing import place_text
from qwasmc.backends.drawing.svg import (
    GREY,
    INK,
    MARGIN,
    PAGE,
    clipped,
    document,
    path,
    shape,
    text,
    titled,
    width_of,
)
from qwasmc.backends.view.palette import PALETTE
from qwasmc.diagnostics import Locations
from qwasmc.ir.program import Block, Function, Op, Program, Target
from qwasmc.text.printer import Names

LINE, PAD, GAP, LANE = 17.0, 8.0, 22.0, 13.0
"""Pixels of a line of text, around text, between blocks, and between ways beside them."""

MOST_LETTERS = 64
"""Most letters of a line."""

ONE, ZERO, BACK = PALETTE["y"], PALETTE["x"], "#a87400"
"""Colours of the ways that a bit opens, and of those back."""


def program_svg(program: Program, most_blocks: int = 40, most_ops: int = 16) -> str:
    """The functions of a program as graphs of blocks, side by side as far as a page is wide.

    Of a large one the first blocks, and of a large block the first operations are drawn; a line
    says what is left out.
    """
    shapes: list[str] = []
    kinds: set[Kind] = set()
    x = y = edge = MARGIN
    low, left = y, most_blocks
    for function in program.functions:
        if left <= 0:
            break
        graph = _Graph(function, program.locations, left, most_ops)
        left -= len(function.blocks)
        if x > MARGIN and x + graph.wide > PAGE:
            x, y = MARGIN, low + GAP
        shapes += graph.shapes(x, y)
        kinds |= graph.kinds
        x += graph.wide + GAP
        edge, low = max(edge, x - GAP), max(low, y + graph.high)
    low += GAP
    colours, end = legend(kinds, MARGIN, low)
    shapes += colours
    if left < 0:
        low += LINE
        shapes.append(text(MARGIN, low, f"left out: {-left:,} blocks", size=11, fill=GREY))
    return document(max(edge, end) + MARGIN, low + MARGIN, shapes)


@dataclass(slots=True)
class _Box:
    """A block: lines with the kind and title of each, and its place."""

    name: str
    lines: list[tuple[str, Kind, str]] = field(default_factory=list)
    exits: list[tuple[str, int, str]] = field(default_factory=list)
    """The ways on: what is written, the number of the block, the colour."""
    top: float = 0.0

    @property
    def high(self) -> float:
        """Pixels from top to bottom."""
        return LINE * (1 + len(self.lines) + len(self.exits)) + 2 * PAD

    def port(self, number: int) -> float:
        """The height of a way on."""
        return self.top + PAD + LINE * (1.5 + len(self.lines) + number)

    @property
    def entry(self) -> float:
        """The height at which ways lead in."""
        return self.top + PAD + LINE / 2


class _Graph:
    """A function; its shapes are `wide` and `high` pixels."""

    def __init__(
        self, function: Function, locations: Locations, most_blocks: int, most_ops: int
    ) -> None:
        self.locations, self.most_ops = locations, most_ops
        self.names = Names()
        self.number = {block: number for number, block in enumerate(function.blocks)}
        self.kinds: set[Kind] = set()
        self.title = f"@{clipped(function.name, MOST_LETTERS)}"
        self.boxes = [self._box(block) for block in function.blocks[:most_blocks]]
        top = LINE + PAD
        for box in self.boxes:
            box.top = top
            top += box.high + GAP
        self.high = top - GAP
        self.forward, self.back = self._lanes(forward=True), self._lanes(forward=False)
        texts = [line for box in self.boxes for line, _, _ in box.lines]
        texts += [line for box in self.boxes for line, _, _ in box.exits]
        longest = max(map(width_of, [self.title, *texts, *(box.name for box in self.boxes)]))
        self.left = LANE * (1 + max(self.back.values(), default=-1)) + PAD * bool(self.back)
        self.inner = longest + 2 * PAD + 14
        right = LANE * (1 + max(self.forward.values(), default=-1)) + PAD * bool(self.forward)
        self.wide = self.left + self.inner + right

    # -- contents

    def _box(self, block: Block) -> _Box:
        """The lines of a block."""
        args = ", ".join(f"{self.names.define(arg)}: {arg.type.value}" for arg in block.args)
        name = f"^bb{self.number[block]}{f'({args})' if args else ''}"
        box = _Box(clipped(name, MOST_LETTERS))
        hidden = 0
        for op in block.ops:
            if op.targets:
                box.exits = list(self._exits(op))
                continue
            line = self._line(op)  # names depend on all operations before
            if len(box.lines) == self.most_ops and op is not block.ops[-1]:
                hidden += 1
                continue
            kind = kind_of(op.spec)
            self.kinds.add(kind)
            title = f"{op.name}{place_text(self.locations, op.loc)}"
            box.lines.append((clipped(line, MOST_LETTERS), kind, title))
        if hidden:
            box.lines.insert(self.most_ops, (f"… {hidden:,} more operations", CLASSICAL, ""))
        return box

    def _line(self, op: Op) -> str:
        """An operation in short."""
        used = ", ".join(self.names.use(value) for value in op.operands)
        when = f" if {self.names.use(op.cond)}" if op.cond is not None else ""
        made = ", ".join(self.names.define(value) for value in op.results)
        attrs = "".join(f" {_attribute(key, value)}" for key, value in _sorted(op.attrs))
        return f"{f'{made} = ' if made else ''}{op.name}{attrs} {used}".rstrip() + when

    def _exits(self, op: Op) -> Iterator[tuple[str, int, str]]:
        """The ways on from the end of a block."""
        labels = ["→"]
        colours = [GREY]
        if len(op.targets) > 1:
            bit = self.names.use(op.operands[0])
            labels, colours = [f"{bit} = 1 →", f"{bit} = 0 →"], [ONE, ZERO]
        for label, target, colour in zip(labels, op.targets, colours, strict=True):
            yield f"{label} {self._target(target)}", self.number.get(target.block, -1), colour

    def _target(self, target: Target) -> str:
        args = ", ".join(self.names.use(arg) for arg in target.args)
        number = self.number.get(target.block, "none")
        return clipped(f"^bb{number}{f'({args})' if args else ''}", MOST_LETTERS - 16)

    # -- ways

    def _lanes(self, *, forward: bool) -> dict[int, int]:
        """For each block that is not entered from the one before, the lane of the ways there.

        The lanes of ways that overlap differ; short ones are near.
        """
        spans: dict[int, tuple[int, int]] = {}
        for number, box in enumerate(self.boxes):
            for _, target, _ in box.exits:
                if self._is_beside(number, target) and (target > number) == forward:
                    low, high = spans.get(target, (number, target))
                    spans[target] = min(low, number, target), max(high, number, target)
        lanes: dict[int, int] = {}
        taken: list[list[tuple[int, int]]] = []
        for target, (low, high) in sorted(
            spans.items(), key=lambda item: (item[1][1] - item[1][0], item[0])
        ):
            free = (all(high < a or b < low for a, b in lane) for lane in taken)
            lanes[target] = next((n for n, is_free in enumerate(free) if is_free), len(taken))
            if lanes[target] == len(taken):
                taken.append([])
            taken[lanes[target]].append((low, high))
        return lanes

    def _is_beside(self, number: int, target: int) -> bool:
        """Whether a way is drawn, and not as an arrow down."""
        return 0 <= target < len(self.boxes) and target != number + 1

    # -- shapes

    def shapes(self, x: float, y: float) -> Iterator[str]:
        """The drawing with its corner at a point."""
        x += self.left
        yield text(x, y + LINE / 2, self.title)
        for number, box in enumerate(self.boxes):
            yield from self._block(box, x, y)
            for port, (_, target, colour) in enumerate(box.exits):
                yield from self._way(number, port, target, colour, x, y)

    def _block(self, box: _Box, x: float, y: float) -> Iterator[str]:
        top = y + box.top
        frame = {"x": x, "y": top, "width": self.inner, "height": box.high, "rx": 5.0}
        yield shape("rect", **frame, fill="#fafbfc", stroke=PALETTE["line"], stroke_width=1.3)
        yield text(x + PAD, top + PAD + LINE / 2, box.name, fill=GREY)
        at = top + PAD + LINE * 1.5
        for line, kind, title in box.lines:
            yield titled(title, _operation(line, kind, x + PAD, at))
            at += LINE
        for line, _, colour in box.exits:
            yield text(x + PAD, at, line, fill=INK if colour == GREY else colour)
            at += LINE

    def _way(
        self, number: int, port: int, target: int, colour: str, x: float, y: float
    ) -> Iterator[str]:
        """The arrow from the end of a block."""
        box = self.boxes[number]
        if target == number + 1 and target < len(self.boxes):
            at = x + self.inner / 2 + 24 * port
            bottom, end = y + box.top + box.high, y + self.boxes[target].top
            yield path(f"M{at:.6g} {bottom:.6g}V{end - 5:.6g}", colour, 1.6)
            yield shape("path", d=f"M{at - 4:.6g} {end - 7:.6g}h8l-4 7z", fill=colour)
        elif self._is_beside(number, target):
            start, end = y + box.port(port), y + self.boxes[target].entry
            if target > number:
                side, way = x + self.inner, LANE * (1 + self.forward[target])
            else:
                side, way = x, -LANE * (1 + self.back[target])
                colour = BACK
            tip = 7 if way > 0 else -7
            line = f"M{side:.6g} {start:.6g}h{way:.6g}V{end:.6g}H{side + tip:.6g}"
            yield path(line, colour, 1.6, stroke_linejoin="round")
            yield shape(
                "path", d=f"M{side + tip:.6g} {end - 4:.6g}v8L{side:.6g} {end:.6g}z", fill=colour
            )


def _operation(line: str, kind: Kind, x: float, y: float) -> Iterator[str]:
    """A line of a block with the colour of its kind in front."""
    if kind.doc:
        box = {"x": x, "y": y - 4.5, "width": 9.0, "height": 9.0, "rx": 2.0}
        yield shape("rect", **box, fill=kind.fill, stroke=kind.rim)
    yield text(x + 14, y, line, fill=INK if kind.doc else GREY)


def _sorted(attrs: Mapping[str, str | int | float] | None) -> list[tuple[str, str | int | float]]:
    return sorted(attrs.items()) if attrs else []


def _attribute(key: str, value: str | float) -> str:
    """An attribute of an operation in short."""
    if key == "angle":
        return f"({angle_text(float(value))})"
    return f'"{value}"' if isinstance(value, str) else f"{value}"
