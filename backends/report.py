"""What a compilation used and what its measurement records mean, as JSON-ready data."""

from __future__ import annotations

from typing import Any

import numpy as np

from qwasmc.backends.stats import stats
from qwasmc.backends.stim.emission import Emission
from qwasmc.backends.timetable import timetable
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import ROWS, Join, Letter, Row, Surgery, Tile

STAND_IN_NOTE = (
    "T states are simulated as the Clifford stand-in S[T], and their S corrections as Z. "
)

STATES_NOTE = {
    "port": "They enter through ports, {quiet}; what makes them is not part of this circuit.",
    "injection": "They are injected, {quiet}, and not distilled.",
    "cultivation": "They enter through ports with the published error rate of cultivation, which "
    "is not part of this circuit.",
    "15-to-1": "They are distilled in this circuit from injected ones, {quiet}; a shot whose "
    "flags are not all 0 is to be discarded.",
}
"""By how the name of the kind of factory begins."""


def report(
    circuit: Circuit, surgery: Surgery, emission: Emission, noisy_ports: bool
) -> dict[str, Any]:
    """The keys described in docs/json.md that follow from the compiled program."""
    counts = stats(circuit)
    injected = int((surgery.kind == Row.INJECT).sum())
    magic = timetable(surgery)
    joins = {row: surgery.join(row) for row in np.flatnonzero(surgery.kind == Row.JOIN).tolist()}
    kinds = sorted({each["name"].partition(" ")[0] for each in magic["factories"]})
    results, ands = _results(surgery, emission)
    return {
        "distance": emission.distance,
        "logical_qubits": counts["qubits"],
        "tiles": len(used_tiles(surgery, joins)),
        "physical_qubits": emission.num_qubits,
        "chip": magic["chip"],
        "slabs": surgery.slabs,
        "rounds": sum(emission.slab_rounds),
        "joins": _joins(surgery, joins, emission),
        "t_count": counts["t_count"],
        "t_states": len(magic["consumptions"]),
        "factories": len(magic["factories"]),
        "stalls": magic["stalls"],
        "ports": {
            "count": injected,
            "noisy": noisy_ports,
            "note": _note(kinds, noisy_ports) if injected else "",
        },
        "detectors": emission.detectors,
        "observables": [
            {"name": name, "bits": name.split("^")} for name in observable_names(surgery)
        ],
        "results": results,
        "ands": ands,
    }


def observable_names(surgery: Surgery) -> list[str]:
    """The names of the observables, in order: results joined by ^."""
    rows = np.flatnonzero(surgery.kind == Row.OBSERVABLE)
    return [surgery.names[index] for index in surgery.aux[rows].tolist()]


def _note(kinds: list[str], noisy_ports: bool) -> str:
    """What stands in for what."""
    quiet = "as noisy as the rest" if noisy_ports else "free of noise"
    notes = [
        note.format(quiet=quiet)
        for name, note in STATES_NOTE.items()
        if any(kind.startswith(name) for kind in kinds or ["port"])
    ]
    return STAND_IN_NOTE + " ".join(notes)


def _joins(surgery: Surgery, joins: dict[int, Join], emission: Emission) -> dict[str, int]:
    """How many joint measurements there are, and what of the costly ways to measure Y and mix."""
    kind, aux = surgery.kind, surgery.aux
    walls = [row for row, join in joins.items() if any(edge.mixed for edge in join.edges)]
    in_y = [row for row, join in joins.items() if any(t.letter == Letter.Y for t in join.terms)]
    entry = _entries(surgery)
    walled = {entry[slab] for slab in surgery.slab[walls].tolist()}
    return {
        "count": len(joins),
        "with_walls": len(walls),
        "with_y": len(in_y),
        "rounds_with_walls": sum(emission.slab_rounds[at] for at in walled),
        "y_prepared": int(((kind == Row.PREPARE) & (aux == Letter.Y)).sum()),
        "y_measured": int(((kind == Row.MEASURE) & (aux == Letter.Y)).sum()),
        "adapted": int((kind == Row.ADAPT).sum()),
    }


def _entries(surgery: Surgery) -> dict[int, int]:
    """Where `Emission.slab_rounds` has a slab in which something happens.

    Slabs in a row in which nothing happens are one entry.
    """
    busy = [kind for kind, spec in ROWS.items() if spec.timed and kind != Row.WAIT]
    slabs = np.unique(surgery.slab[np.isin(surgery.kind, busy)])
    quiet = np.cumsum(np.diff(slabs, prepend=-1) > 1)
    return dict(zip(slabs.tolist(), (np.arange(len(slabs)) + quiet).tolist(), strict=True))


def used_tiles(surgery: Surgery, joins: dict[int, Join]) -> set[Tile]:
    """Every tile that is used at some time."""
    used = {tile for join in joins.values() for tile in join.tiles()}
    births = np.isin(surgery.kind, (Row.INPUT, Row.PREPARE, Row.INJECT))
    used.update(zip(surgery.x[births].tolist(), surgery.y[births].tolist(), strict=True))
    return used


def _results(
    surgery: Surgery, emission: Emission
) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]]]]:
    """The named results and the conjunctions they refer to, each before its first use."""
    number: dict[int, int] = {}
    ands: list[list[dict[str, Any]]] = []
    results: list[dict[str, Any]] = []

    def value(bit: int) -> dict[str, Any]:
        records, flip, rows = emission.bit_parity(bit)
        return {"records": records, "flip": flip, "ands": sorted(number[row] for row in rows)}

    for row in np.flatnonzero(np.isin(surgery.kind, (Row.AND, Row.RESULT))).tolist():
        operands = surgery.operands(row)
        if surgery.kind[row] == Row.AND:
            number[row] = len(ands)
            ands.append([value(bit) for bit in operands])
        else:
            name = surgery.names[int(surgery.aux[row])]
            results.append({"name": name, **value(operands[0])})
    return results, ands
