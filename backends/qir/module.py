"""The text of a QIR module, as LLVM assembly: QIR 2.0 with opaque pointers.

https://github.com/qir-alliance/qir-spec, Base_Profile.md and Adaptive_Profile.md.  A `Body` is the
code of one function, a `Module` what functions share: labels, declarations, attributes and the
flags that say which parts of the profile the program needs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from qwasmc.scalars import signed

QIS = "__quantum__qis__"
RT = "__quantum__rt__"

RUNTIME = {
    "initialize": "void (ptr)",
    "read_result": "zeroext i1 (ptr readonly)",
    "tuple_record_output": "void (i64, ptr)",
    "result_record_output": "void (ptr, ptr)",
    "bool_record_output": "void (i1 zeroext, ptr)",
    "int_record_output": "void (i64, ptr)",
    "double_record_output": "void (double, ptr)",
}
"""Runtime functions: what they return and take."""

MZ = f"{QIS}mz__body"
"""The one measurement: qubit and result."""

PRINTABLE = frozenset(range(0x20, 0x7F)) - set(b'"\\')
"""Bytes that stand for themselves in a string of LLVM assembly."""


class Record(NamedTuple):
    """An output: `kind` is result, bool, int or double; `value` an operand with its type."""

    kind: str
    value: str
    name: str


def pointer(number: int) -> str:
    """The operand for a qubit or a result by its number."""
    return f"ptr inttoptr (i64 {number} to ptr)" if number else "ptr null"


def double(value: float) -> str:
    """A number as LLVM spells it: decimal with a point, else its bits."""
    if not math.isfinite(value):
        return f"0x{struct.unpack('>Q', struct.pack('>d', value))[0]:016X}"
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")


BASE, ADAPTIVE = "base_profile", "adaptive_profile"

FALSE, TRUE = "false", "true"


@dataclass(slots=True)
class Body:
    """The code of a function.  `block` is the label of the block it has come to.

    What depends on a bit is a branch of its own, which neighbours with the same bit share:
    `under` says what the next instructions depend on.
    """

    block: str
    lines: list[str] = field(default_factory=list)
    bit: str = ""
    """What the next instructions depend on; nothing if empty."""
    _values: int = 0
    _branches: int = 0
    _before: str = ""
    _waiting: list[tuple[dict[Any, str], Hashable, str]] = field(default_factory=list)

    def value(self, code: str) -> str:
        """Append an instruction; returns the name of its value."""
        self._values += 1
        name = f"%v{self._values}"
        self.lines.append(f"  {name} = {code}")
        return name

    def do(self, code: str) -> None:
        """Append an instruction without a value."""
        self.lines.append(f"  {code}")

    def start(self, label: str) -> None:
        """Go on in a new block."""
        self.lines.append(f"{label}:")
        self.block = label

    def under(self, bit: str = "") -> None:
        """Let the next instructions depend on a bit that is not constant, or on nothing."""
        if bit == self.bit:
            return
        if self.bit:
            self._leave()
        if bit:
            self._branches += 1
            self._before = self.block
            self.do(f"br i1 {bit}, label %then{self._branches}, label %end{self._branches}")
            self.start(f"then{self._branches}")
        self.bit = bit

    def define(self, bits: dict[Any, str], key: Hashable, value: str) -> None:
        """Let `bits[key]` be a bit that was read now; 0 if that does not happen."""
        if self.bit:
            self._waiting.append((bits, key, value))
        else:
            bits[key] = value

    def _leave(self) -> None:
        then = self.block
        self.do(f"br label %end{self._branches}")
        self.start(f"end{self._branches}")
        for bits, key, value in self._waiting:
            bits[key] = self.value(f"phi i1 [ {value}, %{then} ], [ {FALSE}, %{self._before} ]")
        self._waiting.clear()

    def combined(self, name: str, operands: Sequence[str]) -> str:
        """The parity (`xor`) or the conjunction (`and`) of bits."""
        if name == "and" and FALSE in operands:
            return FALSE
        terms = [operand for operand in operands if operand not in (TRUE, FALSE)]
        if name == "xor" and operands.count(TRUE) % 2:
            terms.append(TRUE)
        if not terms:
            return TRUE if name == "and" else FALSE
        so_far = terms[0]
        for term in terms[1:]:
            so_far = self.value(f"{name} i1 {so_far}, {term}")
        return so_far

    def integer(self, bits: Sequence[str]) -> str:
        """The integer with these bits in two's complement, the least significant one first."""
        known = sum(1 << place for place, bit in enumerate(bits) if bit == TRUE)
        so_far = str(signed(known, len(bits)) if bits else 0)
        for place, bit in enumerate(bits):
            if bit in (TRUE, FALSE):
                continue
            term = self.value(f"zext i1 {bit} to i64")
            if place:
                term = self.value(f"shl i64 {term}, {place}")
            code = "sub" if place == len(bits) - 1 else "add"
            so_far = self.value(f"{code} i64 {so_far}, {term}")
        return so_far


@dataclass(slots=True)
class Module:
    """What the functions of a module share.  `integers`, `floats`, `loops`, `functions` and
    `returns` are what an adaptive program needs beyond the smallest profile.
    """

    profile: str
    integers: bool = False
    floats: bool = False
    loops: int = 0
    """1: iterations, 2: loops that end when a measurement says so, 3: both."""
    functions: bool = False
    returns: bool = False
    _labels: dict[str, int] = field(default_factory=dict)
    _declared: dict[str, str] = field(default_factory=dict)

    def qis(self, stem: str, angles: Sequence[str], qubits: Sequence[str]) -> str:
        """The code that calls a gate or a reset."""
        name = QIS + stem
        if name not in self._declared:
            types = ["double"] * len(angles) + ["ptr"] * len(qubits)
            self._declared[name] = f"declare void @{name}({', '.join(types)})"
        return f"call void @{name}({', '.join([*angles, *qubits])})"

    def measure(self, qubit: str, result: str) -> str:
        """The code that measures Z."""
        self._declared[MZ] = f"declare void @{MZ}(ptr, ptr writeonly) #1"
        return f"call void @{MZ}({qubit}, {result})"

    def runtime(self, stem: str, *arguments: str) -> str:
        """The code that calls a function of the runtime."""
        returned, _, taken = RUNTIME[stem].partition(" (")
        self._declared[RT + stem] = f"declare {returned} @{RT}{stem}({taken}"
        return f"call {returned} @{RT}{stem}({', '.join(arguments)})"

    def label(self, text: str) -> str:
        """The operand for a text."""
        return f"ptr @{self._labels.setdefault(text, len(self._labels))}"

    def record(self, body: Body, records: Sequence[Record]) -> None:
        """Append the output of a program: a tuple of all its results."""
        names = [shown(record.name) for record in records]
        whole = "results"
        while whole in names:  # labels are unique
            whole += "_"
        if records:
            body.do(self.runtime("tuple_record_output", f"i64 {len(records)}", self.label(whole)))
        for record, name in zip(records, names, strict=True):
            code = self.runtime(f"{record.kind}_record_output", record.value, self.label(name))
            body.do(code)

    def text(self, functions: Iterable[Iterable[str]], qubits: int, results: int) -> str:
        """The whole module; `functions` are lines, `qubits` and `results` how many it uses."""
        parts = [_strings(self._labels), *("\n".join(lines) for lines in functions)]
        parts += [declaration for _, declaration in sorted(self._declared.items())]
        parts.append(_attributes(self.profile, qubits, results, MZ in self._declared))
        parts.append(self._flags())
        return "\n\n".join(part for part in parts if part) + "\n"

    def _flags(self) -> str:
        flags = [
            'i32 1, !"qir_major_version", i32 2',
            'i32 7, !"qir_minor_version", i32 0',
            'i32 1, !"dynamic_qubit_management", i1 false',
            'i32 1, !"dynamic_result_management", i1 false',
        ]
        if self.integers:
            flags.append('i32 5, !"int_computations", !{!"i64"}')
        if self.floats:
            flags.append('i32 5, !"float_computations", !{!"double"}')
        if self.loops:
            flags.append(f'i32 1, !"backwards_branching", i2 {self.loops}')
        if self.functions:
            flags.append('i32 1, !"ir_functions", i1 true')
        if self.returns:
            flags.append('i32 1, !"multiple_return_points", i1 true')
        names = ", ".join(f"!{number}" for number in range(len(flags)))
        lines = [f"!{number} = !{{{flag}}}" for number, flag in enumerate(flags)]
        return "\n".join([f"!llvm.module.flags = !{{{names}}}", "", *lines])


def _strings(labels: Iterable[str]) -> str:
    lines = []
    for number, label in enumerate(labels):
        data = label.encode() + b"\0"
        text = "".join(chr(byte) if byte in PRINTABLE else f"\\{byte:02X}" for byte in data)
        lines.append(f'@{number} = internal constant [{len(data)} x i8] c"{text}"')
    return "\n".join(lines)


def _attributes(profile: str, qubits: int, results: int, measures: bool) -> str:
    entry = (
        f'attributes #0 = {{ "entry_point" "output_labeling_schema"="qwasmc" '
        f'"qir_profiles"="{profile}" "required_num_qubits"="{qubits}" '
        f'"required_num_results"="{results}" }}'
    )
    return entry + ('\nattributes #1 = { "irreversible" }' if measures else "")


def shown(name: str) -> str:
    """A name in one line of printable characters: records of outputs are lines."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in name)
