"""What `qwasmc cut` writes and `qwasmc knit` reads, as JSON-able data; see docs/cutting.md."""

from __future__ import annotations

import json
from types import UnionType
from typing import Any, TypedDict, cast, get_args, get_origin, get_type_hints, is_typeddict

from qwasmc.diagnostics import error

LARGEST = 1e50
"""Largest number in a plan: sums of squares of such are far from what a float holds."""


class Cut(TypedDict):
    """A gate, or a wire in front of a gate, that is cut."""

    kind: str
    """gate or wire."""
    gate: str
    qubits: list[str]
    """Program qubits of the gate, or the one whose wire is cut."""
    place: str | None
    """File, line and column of the gate."""
    overhead: float
    """Gamma squared: by how much this cut alone multiplies the shots."""


class Part(TypedDict):
    """What of an observable is measured in a piece: the parity of `bits` in runs of `group`."""

    group: int
    bits: list[str]


class Observable(TypedDict):
    """A Pauli product; its value is `sign` times the product of what its parts measure."""

    name: str
    paulis: str
    """A letter for each of the plan's qubits."""
    sign: int
    parts: list[Part]
    """For each piece."""


class Experiment(TypedDict):
    """A circuit to run; the parity of the results in `signs` multiplies what it measures."""

    name: str
    qasm: str
    signs: list[str]


class Piece(TypedDict):
    """A part of the circuit that has so many qubits."""

    qubits: int
    experiments: list[Experiment]


class Term(TypedDict):
    """A product of experiments of all pieces."""

    coefficient: float
    sampled: bool
    """Whether it was drawn at random, rather than counted in full."""
    experiments: list[list[int]]
    """Their numbers, by piece and group."""


class Shots(TypedDict):
    """How many runs of the whole plan bring the standard error down to `error`, at most."""

    error: float
    shots: float


class Plan(TypedDict):
    """A cut circuit: all that is to be run, and how to put it together."""

    max_qubits: int
    qubits: list[str]
    """Names of the program's qubits at its end, then of those that were measured and reset."""
    overhead: float
    """The product of that of the cuts."""
    minimum: bool
    """Whether it is known that no other cuts have a smaller one."""
    shots: Shots
    cuts: list[Cut]
    observables: list[Observable]
    pieces: list[Piece]
    draws: int
    """How many times a term was drawn at random."""
    terms: list[Term]


class Estimate(TypedDict):
    """An expectation value and its standard error."""

    name: str
    value: float
    error: float


def read_json(data: bytes, name: str) -> Any:
    """What a JSON file called `name` holds."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as wrong:
        raise error(f"'{name}' is not JSON: {wrong}") from wrong


def read_plan(data: bytes, name: str) -> Plan:
    """The plan in a file called `name`; raises CompileError if it is none."""
    found = read_json(data, name)
    if not (_conforms(found, Plan) and _consistent(found)):
        raise error(f"'{name}' is not what `qwasmc cut` writes", help="write it anew")
    return cast(Plan, found)


def _conforms(value: object, wanted: Any) -> bool:
    """Whether a value is of a type, which is made of those of `Plan`."""
    if is_typeddict(wanted):
        hints = get_type_hints(wanted)
        return isinstance(value, dict) and all(
            key in value and _conforms(value[key], hint) for key, hint in hints.items()
        )
    if get_origin(wanted) is list:
        return isinstance(value, list) and all(_conforms(v, get_args(wanted)[0]) for v in value)
    if get_origin(wanted) is UnionType:
        return any(_conforms(value, each) for each in get_args(wanted))
    if wanted in (int, float):
        number = type(value) is wanted or (wanted is float and type(value) is int)
        return number and -LARGEST <= cast(float, value) <= LARGEST
    return type(value) is wanted


def _consistent(plan: Plan) -> bool:
    """Whether names and signs are such, and numbers of groups and experiments those of some."""
    names = [each["name"] for piece in plan["pieces"] for each in piece["experiments"]]
    if len(set(names)) < len(names) or any(abs(each["sign"]) != 1 for each in plan["observables"]):
        return False
    sizes = [len(piece["experiments"]) for piece in plan["pieces"]]
    groups = [[part["group"] for part in observable["parts"]] for observable in plan["observables"]]
    whole = bool(sizes and plan["terms"]) and all(len(each) == len(sizes) for each in groups)
    return whole and all(
        len(term["experiments"]) == len(sizes)
        and all(
            0 <= number < size
            for numbers, size in zip(term["experiments"], sizes, strict=True)
            for number in numbers
        )
        and all(
            0 <= group < len(numbers)
            for each in groups
            for group, numbers in zip(each, term["experiments"], strict=True)
        )
        and (not term["sampled"] or (plan["draws"] > 0 and term["coefficient"] != 0))
        for term in plan["terms"]
    )
