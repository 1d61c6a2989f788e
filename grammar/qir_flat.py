"""The quick way for QIR that is one straight line of calls: LLVM module -> Circuit, by columns.

Programs of millions of gates look like this.  The calls that are spelt alike are one object (see
llvm.py), so the meaning of each spelling is looked up once; values are numbered with numpy.  The
general way, qir_lower.py, gives an equal circuit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.grammar import llvm_tree as llvm
from qwasmc.grammar.qir_functions import Known, known_function
from qwasmc.grammar.qir_module import Entry, label_text, static_number
from qwasmc.ir.circuit import MAX_FIXED, Circuit
from qwasmc.ops import CODE, OPS

Ints = NDArray[np.int64]

_MADE = np.array([spec.made_qubits(spec.qubits) + spec.makes_bit for spec in OPS])
"""Values that a row makes, by op code; there are no variadic rows here."""

ABSENT = -1


@dataclass(slots=True)
class _Templates:
    """Rows that calls stand for, as columns; the rows of a spelling follow each other."""

    op: list[int] = field(default_factory=list)
    slots: list[tuple[int, ...]] = field(default_factory=list)
    angle: list[float] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    """The result that a measurement goes to, or ABSENT."""
    reads: list[int] = field(default_factory=list)
    """The result that is recorded, or ABSENT."""
    label: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=list)
    """By spelling: its first row."""
    column: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)

    def add(
        self,
        name: str,
        slots: Sequence[int] = (),
        angle: float = 0.0,
        writes: int = ABSENT,
        reads: int = ABSENT,
        label: str = "",
    ) -> None:
        """Append a row."""
        self.op.append(CODE[name])
        self.slots.append((*slots, *[ABSENT] * (MAX_FIXED - len(slots))))
        self.angle.append(angle)
        self.writes.append(writes)
        self.reads.append(reads)
        self.label.append(label)

    def call(self, known: Known, arguments: Sequence[llvm.Value], label: str) -> bool:
        """Append the rows of a call; False if it takes the general way."""
        by_letter: dict[str, list[Any]] = {"q": [], "r": [], "d": []}
        if len(known.parameters) != len(arguments):
            return False
        for letter, argument in zip(known.parameters, arguments, strict=True):
            if letter == "d":
                by_letter["d"].append(getattr(argument, "value", None))
            elif letter in "qr":
                by_letter[letter].append(static_number(argument))
        slots, results, angles = by_letter["q"], by_letter["r"], by_letter["d"]
        if None in (*slots, *results, *angles) or len(set(slots)) < len(slots):
            return False
        match known.action:
            case "nothing":
                pass
            case "gate":
                self.add(known.row, slots)
            case "rotation":
                self.add(known.row, slots, angles[0])
            case "back_rotation":
                self.add(known.row, slots, -angles[0])
            case "phased_x":
                for row, angle in (("rz", -angles[1]), ("rx", angles[0]), ("rz", angles[1])):
                    self.add(row, slots, angle)
            case "measure":
                self.add(known.row, slots, writes=results[0])
            case "measure_reset":
                self.add(known.row, slots, writes=results[0])
                self.add("reset", slots)
            case "record_result":
                self.add("result", reads=results[0], label=label)
            case _:
                return False
        return True


def flat_circuit(module: llvm.Module, entry: Entry) -> Circuit | None:
    """The circuit of a program that is one block of calls with known numbers; else None."""
    if len(entry.function.blocks) != 1:
        return None
    block = entry.function.blocks[0]
    if not block.instructions or block.instructions[-1].opcode != "ret":
        return None
    calls = block.instructions[:-1]
    spelling = np.fromiter(map(id, calls), np.int64, len(calls))
    _, firsts, which = np.unique(spelling, return_index=True, return_inverse=True)
    lines = np.array(block.lines[:-1], dtype=np.int64)
    templates = _Templates()
    for at in firsts.tolist():
        if not _add(module, templates, calls[at], int(lines[at])):
            return None
    templates.start.append(len(templates.op))
    return _circuit(module, entry, templates, which, lines)


def _add(
    module: llvm.Module, templates: _Templates, instruction: llvm.Instruction, line: int
) -> bool:
    """Append the rows of a spelling; False if it takes the general way."""
    callee, *arguments = instruction.operands or (None,)
    if instruction.opcode != "call" or not isinstance(callee, llvm.Symbol):
        return False
    function = module.functions.get(callee.name)
    known = known_function(callee.name, len(arguments))
    if known is None or instruction.result is not None:
        return False
    if function is not None and not function.is_declaration:
        return False
    templates.start.append(len(templates.op))
    column, end = module.columns(line)
    templates.column.append(column)
    templates.end.append(end)
    label = label_text(module, arguments[-1]) if arguments else ""
    return templates.call(known, arguments, label)


def _circuit(
    module: llvm.Module, entry: Entry, templates: _Templates, which: Ints, lines: Ints
) -> Circuit | None:
    """The rows of all calls, in front of them an allocation of each qubit."""
    start = np.array(templates.start, dtype=np.int64)
    length = np.diff(start)[which]
    call = np.repeat(np.arange(len(which)), length)
    row = start[which][call] + np.arange(len(call)) - np.repeat(np.cumsum(length) - length, length)
    qubits = sorted(entry.qubits)
    n_alloc = len(qubits)

    def column(values: Sequence[Any], before: NDArray[Any], dtype: type = np.int64) -> NDArray[Any]:
        taken = np.array(values, dtype=dtype)[row] if values else np.zeros(0, dtype)
        return np.concatenate([before.astype(dtype), taken])

    none = np.full(n_alloc, ABSENT)
    op = column(templates.op, np.full(n_alloc, CODE["alloc"]))
    first = np.concatenate([[0], np.cumsum(_MADE[op])])
    slots = np.full((len(op), MAX_FIXED), ABSENT)
    slots[:n_alloc, 0] = qubits
    if len(row):
        slots[n_alloc:] = np.array(templates.slots, dtype=np.int64)[row]
    operands = _qubit_operands(slots, first)
    operands[:n_alloc] = ABSENT
    reads = column(templates.reads, none)
    bits = _read_bits(reads, column(templates.writes, none), first)
    if bits is None:
        return None
    operands[reads != ABSENT, 0] = bits

    names, attr = _names(op, reads, [f"q{qubit}" for qubit in qubits], templates.label, row)
    start_loc = module.locate(entry.function.line)
    loc = np.concatenate([np.full(n_alloc, start_loc), start_loc + 1 + call])
    _locate(module, templates, which, lines)
    return Circuit(
        op=op.astype(np.uint8),
        operands=operands.astype(np.int32),
        cond=np.full(len(op), ABSENT, dtype=np.int32),
        angle=column(templates.angle, np.zeros(n_alloc), np.float64),
        attr=attr,
        loc=loc.astype(np.int32),
        first=first.astype(np.int32),
        pool=np.zeros(0, dtype=np.int32),
        names=names,
        locations=module.locations,
    )


def _qubit_operands(slots: Ints, first: Ints) -> Ints:
    """For each row and operand the value its qubit had before: that of the last row on it."""
    rows, places = np.nonzero(slots != ABSENT)
    made = first[rows] + places
    order = np.argsort(slots[rows, places], kind="stable")
    before = np.full(len(rows), ABSENT)
    before[order[1:]] = made[order[:-1]]
    operands = np.full(slots.shape, ABSENT)
    operands[rows, places] = before
    return operands


def _read_bits(reads: Ints, writes: Ints, first: Ints) -> Ints | None:
    """The bits that recorded results have: those of the last measurement into each.

    None if one is recorded that was not measured.
    """
    wrote, read = np.flatnonzero(writes != ABSENT), np.flatnonzero(reads != ABSENT)
    span = len(writes) + 1
    keys = writes[wrote] * span + wrote
    order = np.argsort(keys)
    last = np.searchsorted(keys[order], reads[read] * span + read) - 1
    if len(read) and (not len(wrote) or (last < 0).any()):
        return None
    source = wrote[order[last]]
    if (writes[source] != reads[read]).any():
        return None
    bits: Ints = first[source] + 1
    return bits


def _names(
    op: Ints, reads: Ints, qubits: list[str], labels: list[str], row: Ints
) -> tuple[list[str], NDArray[np.int32]]:
    """The name table, and each row's index in it."""
    attr = np.zeros(len(op), dtype=np.int32)
    attr[: len(qubits)] = np.arange(len(qubits))
    names = list(qubits)
    used: Counter[str] = Counter()
    for number, at in enumerate(np.flatnonzero(reads != ABSENT).tolist()):
        name = labels[row[at - len(qubits)]] or f"main.{number}"
        used[name] += 1
        attr[at] = len(names)
        names.append(name if used[name] == 1 else f"{name}.{used[name]}")
    return names, attr


def _locate(module: llvm.Module, templates: _Templates, which: Ints, lines: Ints) -> None:
    """A location for each call, in order."""
    locations = module.locations
    locations.file.extend([0] * len(which))
    locations.line.extend(lines.tolist())
    locations.column.extend(np.array(templates.column, dtype=np.int64)[which].tolist())
    locations.end.extend(np.array(templates.end, dtype=np.int64)[which].tolist())
    locations.parent.extend([ABSENT] * len(which))
