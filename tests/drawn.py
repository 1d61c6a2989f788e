"""Drawings read back from their shapes, and programs and circuits to be drawn."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.program import Block, Function, Program, Target
from qwasmc.ops import OPS
from qwasmc.text import print_ir

SVG = "{http://www.w3.org/2000/svg}"

NAMES = "<b>&\"' \x00\x1b]0;\u202e\ud800 x" * 3
"""A name that does harm where it is taken for anything but text."""


def check_is_safe(text: str) -> None:
    """The drawing is XML of shapes and of texts, which are inside of it and beside each other."""
    root = ET.fromstring(text.encode())
    wide, high = number(root, "width"), number(root, "height")
    for element in root.iter():
        tag = element.tag.removeprefix(SVG)
        assert tag in ("svg", "g", "title", "text", "rect", "circle", "path")
        assert "".join(element.itertext()).replace("\n", "").isprintable()
        assert not any(name.startswith("on") or "href" in name for name in element.attrib)
    taken: list[tuple[float, float, float, float]] = []
    for element in root.findall(f"{SVG}text") + root.findall(f"{SVG}g/{SVG}text"):
        long = number(element, "textLength")
        side = {"start": 0.0, "middle": 0.5, "end": 1.0}[element.attrib["text-anchor"]]
        left = number(element, "x") - side * long
        assert left >= 0
        assert left + long <= wide
        size, y = number(element, "font-size"), number(element, "y")
        assert 0 < y - size < y < high
        for x0, y0, x1, y1 in taken:
            assert left >= x1 or left + long <= x0 or y <= y0 or y - 0.8 * size >= y1, element.text
        taken.append((left, y - 0.8 * size, left + long, y))


class Drawn(NamedTuple):
    """A symbol of a diagram: its row of the diagram, its middle, and marks by line."""

    row: int
    x: float
    marks: tuple[tuple[int, str], ...]
    title: str
    texts: tuple[str, ...]


def number(element: ET.Element, name: str) -> float:
    return float(element.attrib[name])


def lines_of(root: ET.Element, names: list[str]) -> dict[float, tuple[int, int]]:
    """Row and line by height: names stand at the beginning of each line."""
    found: dict[float, tuple[int, int]] = {}
    rows: Counter[str] = Counter()
    for text in root.findall(f"{SVG}text"):
        name = (text.text or "").removesuffix(" |0⟩")
        if text.get("text-anchor") == "end" and name in names:
            found[round(number(text, "y") - 0.35 * 12)] = (rows[name], names.index(name))
            rows[name] += 1
    return found


def marks_of(group: ET.Element) -> Iterator[tuple[float, float, str]]:
    """The x and y of each mark, and what it is."""
    for shape in group.iter():
        if shape.tag == f"{SVG}circle":
            radius = number(shape, "r")
            kind = "dot" if radius == 4.5 else "target" if radius == 10 else ""
            if kind:
                yield number(shape, "cx"), number(shape, "cy"), kind
        elif shape.tag == f"{SVG}rect":
            x = number(shape, "x") + number(shape, "width") / 2
            yield x, number(shape, "y") + number(shape, "height") / 2, "box"
        elif shape.tag == f"{SVG}path" and "l12 12m0 -12" in shape.attrib["d"]:
            x, y = (float(each) for each in shape.attrib["d"][1:].split("l")[0].split())
            yield x + 6, y + 6, "cross"


def read_diagram(text: str, names: list[str]) -> list[Drawn]:
    """The symbols of a diagram from left to right."""
    root = ET.fromstring(text)
    lines = lines_of(root, names)
    found = []
    for group in root.findall(f"{SVG}g"):
        inside = {
            round(number(t, "y") - 0.35 * 12): t.text or ""
            for t in group.findall(f"{SVG}text")
            if t.get("font-size") == "12"
        }
        marks, row, middle = [], 0, 0.0
        for x, y, kind in marks_of(group):
            row, line = lines[round(y)]
            middle = x
            marks.append((line, inside.get(round(y), kind) if kind == "box" else kind))
        small = [t.text or "" for t in group.findall(f"{SVG}text") if t.get("font-size") == "10"]
        title = group.find(f"{SVG}title")
        assert title is not None
        found.append(Drawn(row, middle, tuple(marks), title.text or "", tuple(small)))
    return sorted(found, key=lambda each: (each.row, each.x))


BOXES = {
    "H": "H", "X": "X", "Y": "Y", "Z": "Z", "S": "S", "S†": "S_DAG", "√X": "SQRT_X",
    "√X†": "SQRT_X_DAG",
}  # fmt: skip
PAIRS = {
    ("dot", "target"): "CX",
    ("dot", "Y"): "CY",
    ("dot", "dot"): "CZ",
    ("cross", "cross"): "SWAP",
}
GATES = {
    "h": "H", "x": "X", "y": "Y", "z": "Z", "s": "S", "sdg": "S_DAG", "sx": "SQRT_X",
    "sxdg": "SQRT_X_DAG", "cx": "CX", "cy": "CY", "cz": "CZ", "swap": "SWAP",
}  # fmt: skip


def read_gate(drawn: Drawn) -> tuple[str, list[int]]:
    """The gate that marks stand for, as Stim calls it."""
    if len(drawn.marks) == 1:
        line, mark = drawn.marks[0]
        return BOXES[mark], [line]
    marks = sorted(drawn.marks, key=lambda each: each[1] != "dot")
    return PAIRS[marks[0][1], marks[1][1]], [line for line, _ in marks]


def random_circuit(seed: int, operations: int = 60) -> Circuit:
    """All that a circuit may have, in no sensible order, with names that do harm."""
    rng, build = random.Random(seed), CircuitBuilder()
    qubits = [build.add("alloc", attr=f"{NAMES}{i}") for i in range(3)]
    bits: list[int] = []
    for _ in range(operations):
        spec = rng.choice([each for each in OPS if each.in_circuit])
        count = rng.randint(1, len(qubits)) if spec.qubits < 0 else spec.qubits
        if count > len(qubits) or (spec.ends_qubit and len(qubits) == 3):
            continue
        chosen = rng.sample(range(len(qubits)), count)
        values = [qubits[at] for at in chosen]
        read = rng.choices(bits, k=rng.randint(1, 3)) if bits and spec.bits < 0 else []
        if spec.bits > 0:
            if not bits:
                continue
            read = [rng.choice(bits)]
        attr: Any = 0
        if spec.attr_is_text:
            attr = rng.choice(["", NAMES])
            if spec.attr == "paulis":
                attr = "".join(rng.choice("XYZ") for _ in chosen)
        elif spec.attr:
            attr = rng.randint(0, 1)
        condition = (
            rng.choice(bits) if bits and spec.may_be_predicated and rng.random() < 0.3 else -1
        )
        first = build.add(
            spec.name, [*values, *read], cond=condition, angle=rng.random(), attr=attr
        )
        if spec.ends_qubit:
            del qubits[chosen[0]]
        elif spec.makes_qubit:
            qubits.append(first)
        else:
            for slot, at in enumerate(chosen):
                qubits[at] = first + slot
        if spec.makes_bit:
            bits.append(first + len(chosen))
    return build.freeze()


def random_flow(seed: int, blocks: int) -> Program:
    """A function whose blocks lead anywhere."""
    rng = random.Random(seed)
    function = Function("main", [Block() for _ in range(blocks)])
    for block in function.blocks:
        bit = block.append("const", attrs={"value": 1})[0]
        targets = [Target(rng.choice(function.blocks)) for _ in range(rng.choice((0, 1, 2, 2)))]
        if len(targets) == 2:
            block.append("cond_br", [bit], targets=tuple(targets))
        elif targets:
            block.append("br", targets=tuple(targets))
        else:
            block.append("return")
    return Program([function])


def written_ways(program: Program) -> Counter[tuple[int, int]]:
    """The ways between blocks in the text of a program of one function."""
    found: Counter[tuple[int, int]] = Counter()
    block = 0
    for line in print_ir(program).splitlines():
        if label := re.match(r"  \^bb(\d+)", line):
            block = int(label[1])
        for target in re.findall(r"\^bb(\d+)", line.partition(")[")[2].partition("]")[0]):
            found[block, int(target)] += 1
    return found


def drawn_ways(root: ET.Element) -> Counter[tuple[int, int]]:
    """The ways that arrows show; where they run beside each other they do not touch."""
    boxes = [each for each in root.findall(f"{SVG}rect") if each.get("fill") == "#fafbfc"]
    ranges = [(number(box, "y"), number(box, "y") + number(box, "height")) for box in boxes]

    def block_at(y: float) -> int:
        return next(n for n, (top, bottom) in enumerate(ranges) if top <= y <= bottom)

    found: Counter[tuple[int, int]] = Counter()
    lanes: dict[float, list[tuple[int, float, float]]] = {}
    for element in root.findall(f"{SVG}path"):
        if down := re.fullmatch(r"M\S+ ([\d.]+)V([\d.]+)", element.attrib["d"]):
            found[block_at(float(down[1])), block_at(float(down[2]) + 5)] += 1
        elif way := re.fullmatch(
            r"M([\d.]+) ([\d.]+)h([\d.-]+)V([\d.]+)H[\d.]+", element.attrib["d"]
        ):
            x, start, far, end = map(float, way.groups())
            found[block_at(start), block_at(end)] += 1
            for target, low, high in lanes.setdefault(x + far, []):
                apart = max(start, end) < low or high < min(start, end)
                assert target == block_at(end) or apart
            lanes[x + far].append((block_at(end), min(start, end), max(start, end)))
    return found
