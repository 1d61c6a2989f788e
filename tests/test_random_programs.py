"""Random Clifford programs down to physical circuits: every flow, and circuit distance."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from random_circuits import random_clifford, random_products
from random_programs import NOISE, build, there_and_back

from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.validate import check_action
from qwasmc.passes.open_ends import open_ends

BATCHES = [0, *(pytest.param(first, marks=pytest.mark.slow) for first in range(30, 210, 30))]


@pytest.mark.parametrize("first", BATCHES)
def test_flows(first):
    for seed in range(first, first + 30):
        program = random_clifford(seed, renew=0.05)
        opened = check_action("flows", build(open_ends(program)))
        assert opened.result == "proved", f"seed {seed}: {opened.detail}"
        closed = check_action("results", build(program))
        assert closed.result in ("proved", "skipped"), f"seed {seed}: {closed.detail}"


@pytest.mark.parametrize("first", range(0, 60, 15))
def test_products_have_joins_that_can_be_emitted(first):
    for seed in range(first, first + 15):
        check = check_action("flows", build(open_ends(random_products(seed))))
        assert check.result == "proved", f"seed {seed}: {check.detail}"


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 20))]
)
def test_distance(seed):
    circuit = apply_noise(build(there_and_back(seed)).emission.circuit, NOISE)
    assert circuit.num_observables == 5
    assert len(circuit.shortest_graphlike_error()) == 3
