"""Estimates one OpenQASM 3 program with the QDK's two resource estimators; prints JSON.

    python volume_qdk.py < program.qasm

`volume.py` runs it with an interpreter that has `qdk`, `qiskit` and `pandas`.  Both estimators
take physical error rate 1e-3, gates of 50 ns, measurements of 100 ns, the surface code of
distance-squared patches, and 1e-3 for the error of the whole program.  `legacy` searches its
factories itself (15-to-1); `qre` takes one family of factories at a time, and of its Pareto front
the entry with the least volume is told.
"""

from __future__ import annotations

import json
import sys

from qdk import openqasm
from qdk.qre import PSSPC, LatticeSurgery, estimate
from qdk.qre.application import OpenQASMApplication
from qdk.qre.instruction_ids import LATTICE_SURGERY
from qdk.qre.models import (
    GateBased,
    GSJ24Factory,
    Litinski19Factory,
    RoundBasedFactory,
    SurfaceCode,
)
from qdk.qre.property_keys import PHYSICAL_FACTORY_QUBITS

ERROR = 1e-3
BUDGET = 1e-3


def legacy(source: str) -> dict[str, object]:
    """The first estimator (Beverland et al., arXiv:2211.07629)."""
    hardware = {"name": "qubit_gate_ns_e3"}
    scheme = {"name": "surface_code"}
    params = {"errorBudget": BUDGET, "qubitParams": hardware, "qecScheme": scheme}
    found = openqasm.estimate(source, params)
    counts = found["physicalCounts"]
    parts = counts["breakdown"]
    return {
        "system": "qdk legacy",
        "model": f"{parts['numTfactories']} x 15-to-1" if parts["numTfactories"] else "",
        "distance": found["logicalQubit"]["codeDistance"],
        "qubits": counts["physicalQubits"],
        "seconds": counts["runtime"] * 1e-9,
        "t_states": parts["numTstates"],
        "factory_qubits": parts["physicalQubitsForTfactories"],
    }


def qre(source: str, name: str, factory: object) -> dict[str, object]:
    """The second one, with one family of factories."""
    table = estimate(
        OpenQASMApplication(source),
        GateBased(error_rate=ERROR, gate_time=50, measurement_time=100),
        SurfaceCode.q() * factory,
        PSSPC.q() * LatticeSurgery.q(),
        max_error=BUDGET,
    )
    best = min(table, key=lambda entry: (entry.qubits * entry.runtime, entry.qubits))
    factories = list(best.factories.values())
    return {
        "system": "qdk qre",
        "model": ", ".join(f"{made.copies} x {name}" for made in factories),
        "distance": distance(best),
        "qubits": best.qubits,
        "seconds": best.runtime * 1e-9,
        "t_states": sum(made.states for made in factories),
        "factory_qubits": best.properties[PHYSICAL_FACTORY_QUBITS],
    }


def distance(entry: object) -> int:
    """The distance of the patches that the program lives on."""
    nodes = [entry.source.nodes[root] for root in entry.source.roots]
    code = next(node.transform for node in nodes if node.instruction.id == LATTICE_SURGERY)
    return int(code.distance)


FACTORIES = {
    "15-to-1 rounds (2211.07629)": RoundBasedFactory.q(use_cache=False),
    "15-to-1 tables (1905.06903)": Litinski19Factory.q(),
    "cultivation (2409.17595)": GSJ24Factory.q(),
}


def main() -> None:
    """Read a program, print a list of estimates."""
    source = sys.stdin.read()
    found = [legacy(source)]
    for name, factory in FACTORIES.items():
        row = qre(source, name, factory)
        found.append(row)
        if not row["t_states"]:
            break  # without T states they are all alike
    print(json.dumps(found))


if __name__ == "__main__":
    main()
