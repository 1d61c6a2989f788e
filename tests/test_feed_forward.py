"""What -O3 may add: nothing that a fixed circuit cannot hold, and no more ancillas than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from trajectories import assert_same

import qwasmc
from qwasmc.cost import MEASURES, t_count, width
from qwasmc.ir.circuit import Circuit

TOFFOLIS = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[5];
ccx q[0],q[1],q[4]; ccx q[0],q[2],q[4]; ccx q[0],q[3],q[4];
ccx q[0],q[1],q[2]; ccx q[2],q[3],q[4]; h q[2]; ccx q[0],q[4],q[2]; rz(0.3) q[1]; h q[1];
ccx q[1],q[2],q[3];
"""


def compiled(**options: object) -> Circuit:
    return qwasmc.compile(TOFFOLIS, language="qasm2", time_budget=5.0, **options).trail.program


PLAIN = compiled(emit="circuit", level=2)


def adds_nothing(circuit: Circuit) -> bool:
    return (
        width(circuit) == 5
        and not MEASURES[circuit.op].any()
        and not np.any(circuit.cond >= 0)
        and t_count(circuit) <= t_count(PLAIN)
    )


def test_without_feed_forward_nothing_is_added():
    assert adds_nothing(compiled(emit="circuit", level=3, feed_forward=False))


def test_without_ancillas_nothing_is_added():
    assert adds_nothing(compiled(emit="circuit", level=3, ancillas=0))


def test_a_fixed_circuit_gets_nothing_that_it_cannot_hold():
    artifact = qwasmc.compile(TOFFOLIS, language="qasm2", level=3, synthesis_error=0.5)
    assert adds_nothing(artifact.program)
    assert artifact.circuit.num_measurements > 0


@pytest.mark.slow
@pytest.mark.parametrize("ancillas", [1, 2, 3, 20])
def test_no_more_ancillas_than_allowed(ancillas: int):
    circuit = compiled(emit="circuit", level=3, ancillas=ancillas)
    assert width(circuit) <= 5 + ancillas
    assert t_count(circuit) < t_count(PLAIN)
    exact = TOFFOLIS.replace("0.3", "pi/4")
    before = qwasmc.parse(exact, language="qasm2")
    after = qwasmc.compile(exact, language="qasm2", emit="circuit", level=3, ancillas=ancillas)
    assert_same(qwasmc.run_passes(before, ["promote", "specialise"]), after.trail.program)


def test_feed_forward_on_request_at_any_level():
    circuit = compiled(emit="circuit", level=1, feed_forward=True)
    assert MEASURES[circuit.op].any()
    assert t_count(circuit) < t_count(PLAIN)


def test_what_cannot_be_held_is_refused():
    with pytest.raises(qwasmc.CompileError, match="depends on a measurement result"):
        qwasmc.compile(TOFFOLIS, language="qasm2", level=1, feed_forward=True)
