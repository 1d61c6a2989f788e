"""Stim's text, line by line: an instruction on each, without aliases and comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import stim

ANNOTATIONS = ("DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS", "MPAD")
"""Names of instructions that do nothing to qubits; TICK, which ends a layer, apart."""

_LINE = re.compile(r"(\w+)(\[[^]]*])?(\([^)]*\))? ?(.*)", re.DOTALL)
"""Name, tag, arguments, targets; a ']' inside a tag is written '\\C'."""

QUBIT = re.compile(r"\d+")


class Group(NamedTuple):
    """Targets that one application of a gate takes, and the qubits it acts on physically."""

    text: str
    qubits: list[str]
    quantum: bool


def circuit_lines(circuit: stim.Circuit) -> Iterator[str]:
    """A circuit line by line; Stim itself would round the arguments."""
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            loop = stim.Circuit()
            loop.append(
                stim.CircuitRepeatBlock(item.repeat_count, stim.Circuit("TICK"), tag=item.tag)
            )
            yield str(loop).partition("\n")[0]
            yield from circuit_lines(item.body_copy())
            yield "}"
        elif arguments := item.gate_args_copy():
            name, tag, _, targets = line_parts(str(item))
            yield f"{name}{tag}({', '.join(map(repr, arguments))}) {targets}"
        else:
            yield str(item)


def is_operation(line: str) -> bool:
    """Whether a line acts on qubits."""
    return not line.startswith((*ANNOTATIONS, "TICK", "REPEAT", "}"))


def line_parts(line: str) -> tuple[str, str, str, str]:
    """A line's name, tag in brackets, arguments in brackets, and targets."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"this is no instruction of Stim: '{shortened(line)}'")
    name, tag, arguments, targets = found.groups("")
    return name, tag, arguments, targets


def target_groups(targets: str, width: int) -> Iterator[Group]:
    """Targets in groups of `width`."""
    words = targets.split()
    for start in range(0, len(words), width):
        group = words[start : start + width]
        quantum = not any("[" in word for word in group)
        text = " ".join(group)
        yield Group(text, QUBIT.findall(text) if quantum else [], quantum)


def end_of_loop(lines: Sequence[str], start: int) -> int:
    """The line that ends the loop whose body begins at line `start`."""
    depth = 1
    for at in range(start, len(lines)):
        depth += lines[at].startswith("REPEAT") - (lines[at] == "}")
        if not depth:
            return at
    raise ValueError("a REPEAT block has no end")


def shortened(text: str) -> str:
    """The start of a long text."""
    return text if len(text) <= 40 else text[:37] + "..."
