"""Hypothesis strategies for programs of several functions and blocks, well-formed by construction.

Blocks are filled in an order in which those that dominate others come first; which do is found by
leaving out each block in turn, as slow as it is plain.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from strategies import ANGLES, NAMES, WIDTHS

from qwasmc.diagnostics import Locations
from qwasmc.ir.program import Attr, Block, Function, Program, Target, Value
from qwasmc.ops import OPS, OpSpec, Type

HINTS = st.sampled_from(["", "q", "q_1", "0", "q0", "%", "é", "a b", "x.y"])
ROWS = [spec for spec in OPS if not spec.ends_block]
CLASSICAL = (Type.I1, Type.I64, Type.F64)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
WORDS = {
    "cmpi": ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"),
    "cmpf": ("ord", *(f"{a}{b}" for a in "ou" for b in ("eq", "ne", "lt", "le", "gt", "ge"))),
    "require": ("MAGIC_STATE_REQUEST 3, 0", "MAGIC_DISTILLATION_START 15, 0.9"),
    "mathf": ("sqrt", "sin", "cos", "exp", "log", "floor", "round"),
}
NUMBERS = {"value": st.integers(0, 1), "bits": st.integers(1, 64), "rounds": st.integers(0, 99)}


def reachable(successors: Sequence[Sequence[int]], without: int = -1) -> set[int]:
    """The blocks that block 0 leads to, if one block is left out."""
    todo = [0] if without else []
    seen = set(todo)
    while todo:
        new = set(successors[todo.pop()]) - seen - {without}
        seen |= new
        todo += new
    return seen


def dominators(successors: Sequence[Sequence[int]]) -> list[set[int]]:
    """The blocks that dominate each block: all of them, if it cannot be reached."""
    found: list[set[int]] = [set() for _ in successors]
    everything = reachable(successors)
    for block in range(len(successors)):
        rest = reachable(successors, without=block)
        for other in range(len(successors)):
            if other == block or other not in everything or other not in rest:
                found[other].add(block)
    return found


@st.composite
def flowing_programs(draw: st.DrawFn) -> Program:
    """A `main` and up to two more functions, with branches and calls."""
    types = st.lists(st.sampled_from(list(Type)), max_size=3)
    signatures: dict[str, tuple[list[Type], list[Type]]] = {"main": ([], draw(types))}
    for name in ("f", "a b")[: draw(st.integers(0, 2))]:
        signatures[name] = (draw(types), draw(types))
    locations = Locations()
    locations.add_file("a.qwasm", "")
    functions = [_Filler(draw, name, signatures, locations).function() for name in signatures]
    return Program(functions, locations)


class _Filler:
    """Draws a function."""

    def __init__(
        self,
        draw: st.DrawFn,
        name: str,
        signatures: dict[str, tuple[list[Type], list[Type]]],
        locations: Locations,
    ) -> None:
        self.draw = draw
        self.name = name
        self.signatures = signatures
        self.locations = locations
        self.blocks: list[Block] = []
        self.successors: list[list[int]] = []
        self.values: list[list[Value]] = []
        """Values that are not qubits, by block."""
        self.visible: list[Value] = []
        """Values that are not qubits and may be used."""
        self.live: list[Value] = []
        self.block = Block()

    def function(self) -> Function:
        """A function of up to six blocks; all but the first take equally many qubits."""
        params, results = self.signatures[self.name]
        n, qubits = self.draw(st.integers(1, 6)), self.draw(st.integers(0, 2))
        self.blocks = [Block([self.value(type) for type in params])]
        for _ in range(1, n):
            types = self.draw(st.lists(st.sampled_from(CLASSICAL), max_size=2))
            types = self.draw(st.permutations([Type.QUBIT] * qubits + types))
            self.blocks.append(Block([self.value(type) for type in types]))
        targets = st.lists(st.integers(1, n - 1), max_size=2) if n > 1 else st.just([])
        self.successors = [self.draw(targets) for _ in self.blocks]
        self.values = [[] for _ in self.blocks]
        above = dominators(self.successors)
        known = reachable(self.successors)
        for number in sorted(range(n), key=lambda block: (block not in known, len(above[block]))):
            self.fill(number, above[number])
        first, *rest = self.blocks
        return Function(self.name, [first, *self.draw(st.permutations(rest))], tuple(results))

    def value(self, type: Type) -> Value:
        """A new value with some name."""
        return Value(type, self.draw(HINTS))

    def fill(self, number: int, above: set[int]) -> None:
        """The operations of a block."""
        self.block = self.blocks[number]
        self.visible = [value for block in above for value in self.values[block]]
        self.live = []
        self.made(self.block.args)
        for _ in range(self.draw(st.integers(0, 5))):
            able = [spec for spec in ROWS if self.allows(spec)]
            self.operation(self.draw(st.sampled_from(able)))
        self.end([self.blocks[successor] for successor in self.successors[number]])
        self.values[number] = [v for v in self.block.args if v.type is not Type.QUBIT]
        for op in self.block.ops:
            self.values[number] += (v for v in op.results if v.type is not Type.QUBIT)

    def made(self, values: Sequence[Value]) -> None:
        """Values that may be used from here on."""
        for value in values:
            (self.live if value.type is Type.QUBIT else self.visible).append(value)

    def of(self, type: Type) -> list[Value]:
        return [value for value in self.visible if value.type is type]

    def allows(self, spec: OpSpec) -> bool:
        types = {*spec.takes, *([Type.I1] if spec.bits > 0 or spec.name in WIDTHS else [])}
        return len(self.live) >= abs(spec.qubits) and all(map(self.of, types))

    def append(self, name: str, operands: Sequence[Value] = (), **more: object) -> None:
        """An operation somewhere; its results may be used."""
        loc = -1
        if self.draw(st.booleans()):
            line, column = self.draw(st.integers(1, 3)), self.draw(st.integers(1, 80))
            loc = self.locations.add(0, line, column, column + 1)
        made = self.block.append(name, operands, loc=loc, **more)  # type: ignore[arg-type]
        for value in made:
            value.name = self.draw(HINTS)
        self.made(made)

    def take(self, type: Type) -> Value:
        """Some value of a type, made for the purpose if there is none."""
        if type is Type.QUBIT:
            if not self.live:
                self.append("alloc", attrs={"name": "new"})
            return self.live.pop(self.draw(st.integers(0, len(self.live) - 1)))
        if not self.of(type):
            name = {Type.I1: "const", Type.I64: "const_i64", Type.F64: "const_f64"}[type]
            spec = next(spec for spec in OPS if spec.name == name)
            self.append(name, attrs={spec.attr: self.attribute(spec, 0)})
        return self.draw(st.sampled_from(self.of(type)))

    def operation(self, spec: OpSpec) -> None:
        """An operation of a row."""
        draw = self.draw
        if spec.name == "call":
            callee = draw(st.sampled_from(list(self.signatures)))
            takes, makes = self.signatures[callee]
            operands = [self.take(type) for type in takes]
            self.append("call", operands, attrs={"callee": callee}, makes=makes)
            return
        n_qubits = draw(st.integers(1, len(self.live))) if spec.qubits < 0 else spec.qubits
        n_bits = draw(st.integers(*WIDTHS.get(spec.name, (0, 3)))) if spec.bits < 0 else spec.bits
        operands = [self.take(Type.QUBIT) for _ in range(n_qubits)]
        bits = [self.take(Type.I1) for _ in range(min(n_bits, 3))]
        operands += [bits[number % 3] for number in range(n_bits)]
        operands += [self.take(type) for type in spec.takes]
        attrs: dict[str, Attr] = {}
        if spec.attr:
            attrs[spec.attr] = self.attribute(spec, n_qubits)
        if spec.angle and draw(st.booleans()):
            operands.append(self.take(Type.F64))
        elif spec.angle:
            attrs["angle"] = draw(ANGLES)
        predicated = spec.may_be_predicated and draw(st.booleans())
        cond = self.take(Type.I1) if predicated else None
        self.append(spec.name, operands, attrs=attrs or None, cond=cond)

    def attribute(self, spec: OpSpec, n_qubits: int) -> Attr:
        """A value of a row's attribute."""
        if spec.attr == "paulis":
            return self.draw(st.text("XYZ", min_size=n_qubits, max_size=n_qubits))
        if spec.name in WORDS:
            return self.draw(st.sampled_from(WORDS[spec.name]))
        if spec.attr_is_text:
            return self.draw(NAMES)
        if spec.attr == "real":
            return self.draw(st.floats())
        return self.draw(NUMBERS.get(spec.attr, INTEGERS))

    def end(self, targets: Sequence[Block]) -> None:
        """The last operation of a block, to these targets."""
        kind = self.draw(st.sampled_from(["return", "halt", "fail"]))
        if targets:
            self.branch(targets)
        elif kind == "return":
            operands = [self.take(type) for type in self.signatures[self.name][1]]
            if self.name != "main":
                self.free(0)
            self.append("return", operands)
        else:
            self.append(kind, attrs={"text": self.draw(NAMES)} if kind == "fail" else None)

    def branch(self, targets: Sequence[Block]) -> None:
        """A branch that hands all qubits to each target."""
        wanted = sum(arg.type is Type.QUBIT for arg in targets[0].args)
        while len(self.live) < wanted:
            self.append("alloc", attrs={"name": ""})
        self.free(wanted)
        bits = [self.take(Type.I1) for _ in targets[1:]]
        rest = [[self.take(a.type) for a in t.args if a.type is not Type.QUBIT] for t in targets]
        made = []
        for target, others in zip(targets, rest, strict=True):
            qubits = list(self.draw(st.permutations(self.live)))
            args = [(qubits if arg.type is Type.QUBIT else others).pop(0) for arg in target.args]
            made.append(Target(target, tuple(args)))
        self.append("cond_br" if bits else "br", bits, targets=tuple(made))

    def free(self, left: int) -> None:
        """Discard qubits until so many are left."""
        while len(self.live) > left:
            self.append("free", [self.take(Type.QUBIT)])
