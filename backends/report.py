"""What a compilation used and what its measurement records mean, as JSON-ready data."""

from __future__ import annotations

from typing import Any

import numpy as np

from qwasmc.backends.stats import stats
from qwasmc.backends.stim.emit import Emission
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Row, Surgery, Tile

PORT_NOTE = (
    "T states enter through ports and are simulated as the Clifford stand-in S[T]; "
    "their preparation is {noise}. Distillation is not part of this circuit."
)


def report(
    circuit: Circuit, surgery: Surgery, emission: Emission, noisy_ports: bool
) -> dict[str, Any]:
    """The keys described in docs/json.md that follow from the compiled program."""
    counts = stats(circuit)
    t_states = int((surgery.kind == Row.INJECT).sum())
    note = PORT_NOTE.format(noise="as noisy as the rest" if noisy_ports else "free of noise")
    results, ands = _results(surgery, emission)
    return {
        "distance": emission.distance,
        "logical_qubits": counts["qubits"],
        "tiles": len(_tiles(surgery)),
        "physical_qubits": emission.num_qubits,
        "slabs": surgery.slabs,
        "rounds": sum(emission.slab_rounds),
        "t_count": counts["t_count"],
        "t_states": t_states,
        "factories": 0,
        "ports": {"count": t_states, "noisy": noisy_ports, "note": note if t_states else ""},
        "detectors": sum(fragment.num_detectors for fragment in emission.fragments),
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


def _tiles(surgery: Surgery) -> set[Tile]:
    """Every tile that is used at some time."""
    used: set[Tile] = set()
    for row, kind in enumerate(surgery.kind.tolist()):
        if kind == Row.JOIN:
            used.update(surgery.join(row).tiles())
        elif kind in (Row.INPUT, Row.PREPARE, Row.INJECT):
            used.add(surgery.tile(row))
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
