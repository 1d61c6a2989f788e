"""Seeded random rules of all kinds: a side for itself, or one that a mutation has changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

from mutations import CERTIFICATES, MUTATIONS

from qwasmc.rules.rule import Angle, Proof, Rule, Step

ONE = ("h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg")
TWO = ("cx", "cy", "cz", "swap")
CHANGES = [name for name in MUTATIONS if name not in CERTIFICATES]


def random_rules(count: int, seed: int) -> Iterator[Rule]:
    """So many rules; about two thirds of them are right."""
    rng = random.Random(seed)
    for _ in range(count):
        rule = _same_sides(rng)
        yield MUTATIONS[rng.choice(CHANGES)](rng, rule, [rule]) if rng.random() < 0.6 else rule


def _same_sides(rng: random.Random) -> Rule:
    """Any operations, and the same ones; some qubits are allocated before, some freed behind."""
    qubits = "abc"[: rng.randint(1, 3)]
    angles = "xyz"[: rng.randint(1, 3)]
    # The pattern has to hang together.
    steps = [Step(rng.choice(("cx", "cz")), pair) for pair in pairwise(qubits)]
    bits: list[str] = []
    for _ in range(rng.randint(1, 7)):
        steps.append(_step(rng, qubits, angles, bits))
        bits += [steps[-1].bit] if steps[-1].bit else []
    fresh = [Step("alloc", (qubit,)) for qubit in qubits if rng.random() < 0.15]
    freed = [Step("free", (qubit,)) for qubit in qubits if rng.random() < 0.15]
    rule = Rule("random", (*fresh, *steps, *freed), tuple(steps), proof=Proof("matrix", 0, ""))
    if not rule.variables() or rng.random() < 0.7:
        return rule
    counts = {rng.choice(rule.variables()): rng.choice((-1, 1, 2)) for _ in range(2)}
    condition = Angle(tuple(sorted(counts.items())), rng.randrange(8))
    return Rule("random", rule.pattern, rule.replacement, (condition,), proof=rule.proof)


def _step(rng: random.Random, qubits: str, angles: str, bits: list[str]) -> Step:
    qubit = rng.choice(qubits)
    kind = rng.random()
    if kind < 0.4:
        return Step(rng.choice(ONE), (qubit,))
    if kind < 0.6 and len(qubits) > 1:
        return Step(rng.choice(TWO), tuple(rng.sample(qubits, 2)))
    if kind < 0.75:
        counts = {rng.choice(angles): rng.choice((-2, -1, 1, 2)) for _ in range(rng.randint(0, 2))}
        return Step("rz", (qubit,), Angle(tuple(sorted(counts.items())), rng.randrange(8)))
    if kind < 0.8:
        return Step("reset", (qubit,))
    if kind < 0.88 and len(bits) < 2:
        count = rng.randint(1, len(qubits))
        letters = "".join(rng.choices("XYZ", k=count))
        return Step("ppm", tuple(rng.sample(qubits, count)), paulis=letters, bit="mn"[len(bits)])
    if kind < 0.92 and len(bits) < 2:
        return Step(f"measure_{rng.choice('xyz')}", (qubit,), bit="mn"[len(bits)])
    return Step(rng.choice("xyz"), (qubit,), cond=rng.choice([*bits, "given"]))
