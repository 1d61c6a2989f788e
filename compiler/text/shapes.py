"""The shapes of the operations in a text: all there is to them except values and places.

Each distinct shape is checked against the op table once and remembered, so that a long text costs
a few microseconds per operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from qwasmc.diagnostics import did_you_mean
from qwasmc.ir.program import Attr
from qwasmc.ops import BY_NAME, OpSpec, Type
from qwasmc.text.scanner import AttrValue, Scanner
from qwasmc.text.syntax import COND, FLOATS, SEGMENTS, function_type, row_types
from qwasmc.text.values import (
    T,
    Values,
    check_attrs,
    check_leads_nowhere,
    check_type,
    count_types,
    read_types,
)


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """What an operation is."""

    spec: OpSpec
    takes: tuple[Type, ...]
    """Types of all operands in the text: its own, arguments for its targets, its condition."""
    tables: tuple[dict[str, T], ...]
    """The values of each of these types."""
    segments: tuple[int, ...]
    """How many operands are its own, and how many are arguments for each target."""
    makes: tuple[Type, ...]
    attrs: dict[str, Attr]
    predicated: bool


class Shapes(Generic[T]):
    """The operations of a text, which use and define `values`; of a circuit's if it is one."""

    def __init__(self, scanner: Scanner, values: Values[T], circuit: bool) -> None:
        self.scanner = scanner
        self.values = values
        self.circuit = circuit
        self.known: dict[tuple[str | None, ...], Shape[T]] = {}

    def __iter__(self) -> Iterator[tuple[re.Match[str], Shape[T]]]:
        """The operations up to the end of the block."""
        while (match := self.scanner.operation()) is not None:
            key = match.group("name", "attrs", "takes", "makes")
            shape = self.known.get(key)
            if shape is None:
                shape = self.known[key] = self._shape(match)
            if not shape.spec.targets:
                check_leads_nowhere(self.scanner, match)
            yield match, shape

    def _shape(self, match: re.Match[str]) -> Shape[T]:
        scanner = self.scanner
        spec = self._spec(match)
        attrs = scanner.attributes(match)
        predicated = COND in attrs
        if attrs.pop(COND, None) is not None:
            scanner.fail_group(match, "attrs", f"'{COND}' has no value")
        computed = self._has_computed_angle(match, spec, attrs, predicated)
        check_attrs(scanner, match, attrs, _table_attrs(spec, computed))
        sizes = attrs.pop(SEGMENTS, None)
        takes, makes = self._types(match, spec, computed, predicated)
        check_type(scanner, match, function_type(takes, makes))
        segments = self._segments(match, spec, sizes, len(takes) - predicated)
        return Shape(
            spec=spec,
            takes=tuple(takes),
            tables=tuple(self.values.of[type] for type in takes),
            segments=segments,
            makes=tuple(makes),
            attrs={key: v for key, v in attrs.items() if isinstance(v, str | int | float)},
            predicated=predicated,
        )

    def _spec(self, match: re.Match[str]) -> OpSpec:
        name = match["name"]
        spec = BY_NAME.get(name[3:]) if name.startswith("qw.") else None
        if spec is None:
            hint = did_you_mean(name, [f"qw.{known}" for known in BY_NAME])
            self.scanner.fail_group(match, "name", f"unknown operation '{name[:64]}'", hint)
        if self.circuit and not spec.in_circuit:
            message = f"'{name}' is an operation of programs, not of circuits"
            self.scanner.fail_group(match, "name", message)
        return spec

    def _has_computed_angle(
        self,
        match: re.Match[str],
        spec: OpSpec,
        attrs: dict[str, AttrValue],
        predicated: bool,
    ) -> bool:
        """Whether a rotation of a program has its angle as its last operand."""
        if self.circuit or not spec.angle or "angle" in attrs:
            return False
        types = read_types(self.scanner, match, "takes", match["takes"])
        return types[len(types) - 1 - predicated :][:1] == [Type.F64]

    def _types(
        self, match: re.Match[str], spec: OpSpec, computed: bool, predicated: bool
    ) -> tuple[list[Type], list[Type]]:
        """What an operation takes and makes, by its row or, where that is open, as it says."""
        if spec.flexible or spec.targets:
            takes = read_types(self.scanner, match, "takes", match["takes"])
            makes = read_types(self.scanner, match, "makes", match["makes"])
            if predicated and takes[-1:] != [Type.I1]:
                message = f"the last operand of an operation with '{COND}' is an i1"
                self.scanner.fail_group(match, "takes", message)
            return takes, makes if spec.flexible else []
        takes, makes = row_types(spec, count_types(match) - predicated, computed)
        return [*takes, *[Type.I1] * predicated], makes

    def _segments(
        self, match: re.Match[str], spec: OpSpec, sizes: AttrValue, count: int
    ) -> tuple[int, ...]:
        """How the operands, without the condition, belong to the operation and its targets."""
        if not spec.targets:
            return (count,)
        if not isinstance(sizes, tuple):
            return (0, count)
        segments = tuple(int(size) for size in sizes)
        if len(segments) != spec.targets + 1 or sum(segments) != count or segments[0] != spec.bits:
            message = f"'{SEGMENTS}' has {spec.targets + 1} numbers that add up to {count} here: "
            message += f"{spec.bits} for the operation, then one for each block it leads to"
            self.scanner.fail_group(match, "attrs", message)
        return segments


def _table_attrs(spec: OpSpec, computed: bool) -> dict[str, type]:
    wanted: dict[str, type] = {"angle": float} if spec.angle and not computed else {}
    if spec.attr:
        wanted[spec.attr] = str if spec.attr_is_text else float if spec.attr in FLOATS else int
    if spec.targets > 1:
        wanted[SEGMENTS] = tuple
    return wanted
