"""The set of rules that comes with the compiler."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from qiskit.quantum_info import Operator
from test_optimise import optimised
from test_qcec import EQUIVALENT, unitary, verdict

import qwasmc
from qwasmc.approval.approved import find_sets
from qwasmc.backends.proving import check
from qwasmc.backends.qiskit import to_qiskit
from qwasmc.cost import counts
from qwasmc.ops import OBJECTIVES
from qwasmc.passes.rewrite import rewrite

ROOT = Path(__file__).parent.parent
CIRCUITS = ROOT.parent / "shared" / "corpus" / "circuits" / "qasmbench"
(DEFAULT,) = find_sets(["default"])


def test_it_is_approved_and_proved():
    assert len(DEFAULT.rules) > 50
    assert not [rule.name for rule in DEFAULT.rules if check(rule)]


def test_the_documentation_says_how_it_was_learned():
    """The command in the documentation has the options that the set says it was learned with."""
    page = (ROOT / "docs" / "rewriting.md").read_text()
    (command,) = re.findall(r"qwasmc learn [^\n]*--name default[^\n]*", page)
    for option in ("--cost", "--generations"):
        given = re.search(rf"{option} (\S+)", command)
        assert given is None or f"{option} {given[1]}" in DEFAULT.origin
    assert ("--families" in command) == ("--families" in DEFAULT.origin)
    assert DEFAULT.cost == "volume"
    assert DEFAULT.policy is not None


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_random_circuits(objective):
    gained = 0
    for seed in range(25):
        circuit = optimised(unitary(seed), 2)
        new = rewrite(circuit, [DEFAULT], objective)
        before, after = counts(circuit), counts(new)
        assert after[objective] <= before[objective]
        assert after["t"] <= before["t"]
        assert Operator(to_qiskit(new).circuit).equiv(Operator(to_qiskit(circuit).circuit))
        gained += after["depth"] < before["depth"]
    assert gained > 5


@pytest.mark.skipif(not CIRCUITS.is_dir(), reason="the corpus is not there")
@pytest.mark.parametrize("name", ["adder_n10", "multiply_n13"])
def test_circuits_that_it_was_not_learned_from(name):
    path = CIRCUITS / f"{name}.qasm"
    plain = qwasmc.compile(path, emit="circuit")
    better = qwasmc.compile(path, emit="circuit", rules=["default"])
    assert counts(better.ir)["depth"] < counts(plain.ir)["depth"]
    assert counts(better.ir)["two-qubit"] <= counts(plain.ir)["two-qubit"]
    assert verdict(plain.ir, better.ir) in EQUIVALENT
