"""Counts and depths of a circuit."""

from __future__ import annotations

from qwasmc.backends.stats import stats
from qwasmc.ir.circuit import CircuitBuilder


def test_products_and_predicated_rows_count():
    builder = CircuitBuilder()
    a, b, c = (builder.add("alloc", attr=name) for name in ("a", "b", ""))
    a = builder.add("ppr", [a, b, c], angle=0.5, attr="XYZ")
    b, c = a + 1, a + 2
    a = builder.add("ppr", [a, b], angle=0.5, attr="ZZ")
    b = a + 1
    a = builder.add("measure_z", [a])
    c = builder.add("t", [c], cond=a + 1)
    b = builder.add("cx", [c, b], cond=a + 1)
    builder.add("result_int", [a + 1, a + 1], attr="n")
    assert stats(builder.freeze()) == {
        "qubits": 3,
        "gates": {"t": 1, "ppr": 2, "cx": 1},
        "t_count": 0,
        "t_predicated": 1,
        "t_depth": 1,
        "two_qubit": 2,
        "clifford": 1,
        "rotations": 2,
        "depth": 5,
        "measurements": 1,
        "ancillas": 1,
    }
