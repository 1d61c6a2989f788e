"""Sets of faults that no detector sees, by exhaustive enumeration.

For circuits in which any detector that fires discards the shot.
"""

from __future__ import annotations

from collections import defaultdict

import stim


def faults(circuit: stim.Circuit) -> dict[int, float]:
    """Every fault's effect, observable 0 as bit 0 and detector i as bit i + 1, with its rate."""
    found: defaultdict[int, float] = defaultdict(float)
    for error in circuit.detector_error_model(approximate_disjoint_errors=True).flattened():
        if error.type == "error":
            effect = 0
            for target in error.targets_copy():
                effect ^= 1 << (target.val + 1 if target.is_relative_detector_id() else 0)
            found[effect] += error.args_copy()[0]
    return found


def fault_sets(effects: dict[int, float]) -> list[float]:
    """Total rates of the sets of one, two and three faults whose only effect is the observable.

    Faults of equal effect in one set would cancel, so effects in a set are different.
    """
    known = list(effects)
    pairs = triples = 0.0
    for i, one in enumerate(known):
        for two in known[:i]:
            rate = effects[one] * effects[two]
            if one ^ two == 1:
                pairs += rate
            three = one ^ two ^ 1
            if three in effects and three not in (one, two):
                triples += rate * effects[three]
    return [effects.get(1, 0.0), pairs, triples / 3]
