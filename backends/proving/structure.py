"""What must hold of a rule before one asks what it does: names, results, lives of qubits, costs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwasmc.backends.proving.conditions import Solution, Unproved, substitute
from qwasmc.ops import Cost
from qwasmc.rules.rule import (
    MAX_QUBITS,
    MAX_STEPS,
    MAX_VARIABLES,
    OPERATIONS,
    Angle,
    Rule,
    Step,
    names_in,
)

MAX_COUNT = 1000
"""Most times that an angle is added up."""

MAX_CONDITIONS = 8
"""Most conditions of a rule."""

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_structure(rule: Rule) -> None:
    """`Unproved` with what is wrong, if anything is."""
    if not rule.pattern:
        raise Unproved("its pattern is empty")
    if max(map(len, rule.sides)) > MAX_STEPS:
        raise Unproved(f"it has more than {MAX_STEPS} operations on a side")
    for step in (*rule.pattern, *rule.replacement):
        _check_step(step)
    _check_lives(rule)
    _check_results(rule)
    _check_angles(rule)
    if not _connected(rule.pattern):
        raise Unproved("its pattern has parts with no qubit in common, and no result of its own")


def _check_step(step: Step) -> None:
    if step.op not in OPERATIONS:
        raise Unproved(f"it has the operation '{step.op}'")
    spec = step.spec
    count = 1 if spec.makes_qubit else len(step.paulis) if spec.qubits < 0 else spec.qubits
    texts = (*step.qubits, *(text for text in (step.bit, step.cond) if text))
    right = (
        len(step.qubits) == count == len(set(step.qubits)) > 0,
        all(NAME.fullmatch(text) for text in texts),
        bool(step.bit) == spec.makes_bit,
        not step.cond or spec.is_pauli,
        (step.angle is not None) == spec.angle,
        bool(step.paulis) == (spec.qubits < 0) and not step.paulis.strip("XYZ"),
    )
    if not all(right):
        raise Unproved(f"its operation '{step.op}' is not formed as it must be")


def _check_lives(rule: Rule) -> None:
    names = names_in(rule.pattern)
    if len(names) > MAX_QUBITS:
        raise Unproved(f"it has more than {MAX_QUBITS} qubits")
    if not set(names_in(rule.replacement)) <= set(names):
        raise Unproved("its replacement has a qubit that its pattern has not")
    if any(step.op in ("alloc", "free") for step in rule.replacement):
        raise Unproved("its replacement has 'alloc' or 'free'")
    for name in names:
        own = [step.op for step in rule.pattern if name in step.qubits]
        if "alloc" in own[1:] or "free" in own[:-1]:
            raise Unproved(f"its qubit '{name}' is used before 'alloc' or after 'free'")


def given_results(rule: Rule) -> tuple[str, ...]:
    """The results that a pattern depends on and does not make, in order of names."""
    made = {step.bit for step in rule.pattern}
    return tuple(sorted({step.cond for step in rule.pattern if step.cond} - made))


def _check_results(rule: Rule) -> None:
    made = []
    for steps in rule.sides:
        bits = [*given_results(rule)]
        for step in steps:
            if step.cond and step.cond not in bits:
                raise Unproved(f"its result '{step.cond}' is used before it is made")
            if step.bit in bits:
                raise Unproved(f"its result '{step.bit}' is made twice")
            bits += [step.bit] if step.bit else []
        made.append(sorted(bits))
    if made[0] != made[1]:
        raise Unproved("its sides do not make the same results")


def _check_angles(rule: Rule) -> None:
    steps = [step.angle for step in (*rule.pattern, *rule.replacement) if step.angle]
    for angle in (*steps, *rule.conditions):
        names = [name for name, _ in angle.terms]
        counts = [count for _, count in angle.terms]
        right = (
            names == sorted(set(names)),
            all(NAME.fullmatch(name) for name in names),
            all(0 < abs(count) <= MAX_COUNT for count in counts),
            0 <= angle.eighths < 8,
        )
        if not all(right):
            raise Unproved("one of its angles is not formed as it must be")
        if not set(names) <= set(rule.variables()):
            raise Unproved("one of its angles is not in its pattern")
    if len(rule.variables()) > MAX_VARIABLES or len(rule.conditions) > MAX_CONDITIONS:
        raise Unproved("it has too many angles or conditions")


def _connected(steps: Sequence[Step]) -> bool:
    """Whether one gets from each step to each other one over qubits and results made here."""
    made = {step.bit for step in steps if step.bit}
    touched = [
        {*step.qubits, *(f"-> {bit}" for bit in made & {step.bit, step.cond})} for step in steps
    ]
    reached = touched[0]
    for _ in touched:
        reached = reached.union(*(names for names in touched if names & reached))
    return all(names <= reached for names in touched)


def check_costs(rule: Rule, known: Solution) -> None:
    """`Unproved` if the replacement has more rotations, or may need more T gates.

    A rotation counts as a T gate too, unless conditions make it a multiple of pi/2.
    """
    before, after = (_costs(steps, known) for steps in rule.sides)
    if after[0] > before[0]:
        raise Unproved("its replacement has more rotations than its pattern")
    if after[1] > before[1]:
        raise Unproved("its replacement has more T gates than its pattern")


def _costs(steps: Sequence[Step], known: Solution) -> tuple[int, int]:
    angles = [substitute(step.angle, known) for step in steps if step.angle]
    ts = sum(step.spec.cost is Cost.MAGIC for step in steps)
    return len(angles), ts + sum(map(_needs_magic, angles))


def _needs_magic(angle: Angle) -> bool:
    return bool(angle.terms) or angle.eighths % 2 == 1
