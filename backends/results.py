"""What a simulation reports: named results of three kinds, and how often each outcome was seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import Circuit
from qwasmc.ops import CODE
from qwasmc.scalars import bits_float, signed

KINDS = {CODE["result"]: "bit", CODE["result_int"]: "int", CODE["result_float"]: "float"}
"""What a result of a circuit is, by the code of the operation that names it."""

MISSING = "-"
"""Stands for a result that a run did not record."""

Outcome = tuple[str, ...]
"""The values of all results in a run, as text."""


class Column(TypedDict):
    """A result: `kind` is bit, int or float."""

    name: str
    kind: str


class Counts(TypedDict):
    """What was seen, as JSON-able data."""

    shots: int
    results: list[str] | list[Column]
    """In program order: names, if every result is a bit; else columns."""
    counts: dict[str, int]
    """Shots by outcome: one character for each of `results`, or their values between spaces."""
    ones: NotRequired[dict[str, int]]
    """For each bit, the shots in which it was 1; only if no two results share a name."""


def count(columns: Sequence[Column], seen: Mapping[Outcome, int]) -> Counts:
    """The report on outcomes, each with the number of its shots."""
    names = [column["name"] for column in columns]
    bits_only = all(column["kind"] == "bit" for column in columns)
    separator = "" if bits_only else " "
    data = Counts(
        shots=sum(seen.values()),
        results=names if bits_only else list(columns),
        counts=dict(sorted((separator.join(values), times) for values, times in seen.items())),
    )
    if len(set(names)) == len(names):
        data["ones"] = {
            column["name"]: sum(times for values, times in seen.items() if values[at] == "1")
            for at, column in enumerate(columns)
            if column["kind"] == "bit"
        }
    return data


class Result(NamedTuple):
    """A result of a circuit: the value numbers of its bits, the least significant one first."""

    column: Column
    bits: tuple[int, ...]


def results_of(circuit: Circuit) -> list[Result]:
    """The results of a circuit, in program order."""
    rows = np.flatnonzero(np.isin(circuit.op, list(KINDS))).tolist()
    return [
        Result(
            Column(name=str(circuit.attribute(row)), kind=KINDS[int(circuit.op[row])]),
            tuple(circuit.values(row)),
        )
        for row in rows
    ]


def tally(
    results: Sequence[Result], bits: NDArray[np.bool_], times: Sequence[int] | None = None
) -> Counter[Outcome]:
    """Shots by outcome.

    A row of `bits` has the bits of all results in order.  It stands for one shot, or for as many
    as `times` says.
    """
    weights = np.ones(len(bits), dtype=np.int64) if times is None else np.asarray(times)
    rows, which = np.unique(bits, axis=0, return_inverse=True)
    totals = np.zeros(len(rows), dtype=np.int64)
    np.add.at(totals, which.reshape(-1), weights)
    seen: Counter[Outcome] = Counter()
    for row, number in zip(rows.astype(np.uint8).tolist(), totals.tolist(), strict=True):
        seen[_spelled(results, row)] += number
    return seen


def _spelled(results: Sequence[Result], row: Sequence[int]) -> Outcome:
    """The values of results from their bits, one after the other."""
    values: list[str] = []
    start = 0
    for column, bits in results:
        end = start + len(bits)
        values.append(spell(column["kind"], decode(column["kind"], row[start:end])))
        start = end
    return tuple(values)


def decode(kind: str, bits: Sequence[int]) -> int | float:
    """The value that bits have, the least significant one first."""
    word = sum(bit << at for at, bit in enumerate(bits))
    if kind == "bit" or not bits:
        return word
    return bits_float(word) if kind == "float" else signed(word, len(bits))


def spell(kind: str, value: int | float) -> str:
    """A value as it stands in an outcome."""
    return repr(float(value)) if kind == "float" else str(int(value))
