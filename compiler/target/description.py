"""Descriptions of machines: TOML to `Target`.

    name = "lab"
    doc = "The machine in our laboratory."
    max_qubits = 400

    [qubit]
    instruction_set = "gate_based"
    one_qubit_gate_time = "25 ns"
    ...

docs/targets.md has all keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields

from qwasmc.diagnostics import Kind
from qwasmc.target.machine import (
    CONNECTIVITIES,
    DISTANCES,
    FACTORIES,
    FLOOR_PLANS,
    INSTRUCTION_SETS,
    OPTIONAL,
    OUTPUTS,
    Code,
    GateBased,
    Majorana,
    Target,
)
from qwasmc.target.toml import Table, parse

NAME = re.compile(r"[\w.+-]{1,64}", re.ASCII)


def read_target(data: bytes, file: str) -> Target:
    """The machine that a description describes; `file` is its name, for diagnostics.

    CompileError if it is no TOML, or says what no machine has, with the place.
    """
    top = parse(data, file)
    top.only([each.name for each in fields(Target) if each.name not in ("text", "file")])
    name = top.string("name")
    if not NAME.fullmatch(name):
        raise top.wrong("name", "a name has up to 64 letters, digits, or any of . _ + -")
    return Target(
        name=name,
        doc=top.string("doc"),
        text=top.text,
        file=file,
        sources=top.strings("sources"),
        connectivity=_connectivity(top),
        max_qubits=top.count("max_qubits"),
        max_tiles=top.count("max_tiles"),
        reaction_time=top.time("reaction_time") if "reaction_time" in top.values else None,
        outputs=top.strings("outputs", OUTPUTS),
        factories=top.strings("factories", FACTORIES),
        floor_plans=top.strings("floor_plans", FLOOR_PLANS),
        native_gates=top.strings("native_gates"),
        rules=top.strings("rules"),
        code=_code(top.table("code")),
        qubit=_qubit(top.table("qubit")) if "qubit" in top.values else None,
    )


def _connectivity(top: Table) -> str:
    """Which qubits have gates together."""
    if "connectivity" not in top.values:
        return CONNECTIVITIES[0]
    found = top.string("connectivity")
    if found not in CONNECTIVITIES:
        raise top.wrong(
            "connectivity",
            f"no layout is defined for a machine with connectivity '{found}'",
            help="patches need gates between all neighbours on a square grid, as in "
            f"{' and '.join(CONNECTIVITIES)}",
            kind=Kind.LIMIT,
        )
    return found


def _code(table: Table) -> Code:
    """How well patches keep, and which there are."""
    default = Code()
    table.only([each.name for each in fields(Code)])
    least = table.count("min_distance", default.min_distance)
    most = table.count("max_distance", default.max_distance)
    for key, distance in (("min_distance", least), ("max_distance", most)):
        if distance not in DISTANCES:
            message = f"'{key}' is an odd number from {DISTANCES[0]} to {DISTANCES[-1]}"
            raise table.wrong(key, message)
    assert least is not None
    assert most is not None
    if most < least:
        raise table.wrong("max_distance", f"'max_distance' is less than 'min_distance', {least}")
    numbers = {}
    for key in ("crossing_prefactor", "error_correction_threshold"):
        numbers[key] = table.number(key, 1) if key in table.values else getattr(default, key)
        if not numbers[key]:
            raise table.wrong(key, f"'{key}' is more than 0")
    return Code(**numbers, min_distance=least, max_distance=most)


def _qubit(table: Table) -> GateBased | Majorana:
    """What the qubits do, how long it takes, and how often it fails."""
    named = table.string("instruction_set")
    sets = {_folded(name): made for name, made in INSTRUCTION_SETS.items()}
    made = sets.get(_folded(named))
    if made is None:
        help = f"there are {' and '.join(INSTRUCTION_SETS)}"
        raise table.wrong("instruction_set", f"unknown instruction set '{named[:64]}'", help=help)
    table.only(["instruction_set", *(each.name for each in fields(made))])
    read: dict[str, Callable[[str], float]] = {"time": table.time, "rate": table.rate}
    values: dict[str, float | None] = {}
    for each in fields(made):
        default = each.metadata["default"]
        if each.name in table.values or not default:
            values[each.name] = read[each.metadata["unit"]](each.name)
        else:
            values[each.name] = None if default == OPTIONAL else values[default]
    if made is GateBased:
        _check_waiting(table, values)
    return made(**values)  # type: ignore[arg-type]  # None only where the fields allow it


def _folded(name: str) -> str:
    """A name of an instruction set as it compares: the QDK takes several spellings."""
    return re.sub("[-_]", "", name).lower()


def _check_waiting(table: Table, values: dict[str, float | None]) -> None:
    """Refuse what does not say how qubits err while they wait, or says it twice."""
    t1, t2 = values["t1"], values["t2"]
    if (values["idle_error_rate"] is None) == (t2 is None):
        key = "instruction_set" if t2 is None else "idle_error_rate"
        message = "how qubits err while they wait is either 'idle_error_rate' or 't2' (and 't1')"
        raise table.wrong(key, message)
    if t1 is not None and t2 is None:
        raise table.wrong("t1", "'t1' needs 't2'")
    if t1 is not None and t2 is not None and t2 > 2 * t1:
        raise table.wrong("t2", "'t2' is at most twice 't1'")
