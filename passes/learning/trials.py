"""Trials: rules applied to a circuit of the corpus, and what it costs then.

A trial is a job (`qwasmc.jobs`): it takes and gives plain data.  `circuit` is packed, `rules` are
rules as in a file, in the order in which they are tried, and `cost` is the objective.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from qwasmc.diagnostics import CompileError
from qwasmc.passes.learning.corpus import unpack
from qwasmc.passes.learning.measuring import measure
from qwasmc.passes.rewrite import SWEEPS
from qwasmc.passes.rewriting.sweep import run_and_count
from qwasmc.passes.rewriting.tables import Tables, compile_rules
from qwasmc.rules.notation import read_rule

Job = dict[str, Any]

KEPT = 8
"""Tables that a worker keeps ready."""

NO_SCHEDULE = 10**9
"""What a circuit costs which rules have made such that it cannot be done on patches any more."""


@lru_cache(KEPT)
def tables(rules: tuple[str, ...]) -> Tables:
    """Rules as they are matched."""
    return compile_rules([read_rule(text, str(number)) for number, text in enumerate(rules)])


def tried(job: Job) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """What becomes of the circuit under each of some `weights`; None stands for fixed order.

    That is its cost, and how often which rules are applied on the way there.
    """
    found = tables(tuple(job["rules"]))
    return [_tried(job, found, weights) for weights in job["weights"]]


def _tried(
    job: Job, found: Tables, weights: list[int] | None
) -> tuple[list[int], list[tuple[int, int]]]:
    of_features = None if weights is None else np.array(weights, dtype=np.int64)
    circuit = unpack(job["circuit"])
    circuit, counts = run_and_count(circuit, found, of_features, job["cost"], SWEEPS)
    used = [(number, count) for number, count in enumerate(counts) if count]
    try:
        return measure(circuit, job["cost"]), used
    except CompileError:
        return [NO_SCHEDULE], used
