"""Proofs of rewriting rules: made by `prove`; made again, and compared, by `check`.

Both sides of a rule are computed exactly (`operators`), after its conditions are solved
(`conditions`).  Qubits that the pattern allocates begin in |0> on both sides, and those that it
frees are discarded at the end of both.  Results that the pattern uses and does not make were made
before, and may be anything.  What both sides are must be the same.  Kinds of proofs:

    matrix        Only gates, none of them rz.  The replacement is w^phase times the pattern, where
                  w = exp(i pi / 4).
    polynomial    Only gates, with rz(x) as diag(1, exp(i x)).  The replacement is w^phase * m times
                  the pattern, for all angles; m is a monomial in the exp(i x).  It is 1 but where
                  the global phase depends on angles: for `x a; rz(x) a; x a => rz(-x) a` it is
                  exp(-i x).  Only the digest has it.
    instrument    For each value of the results, the channels are the same.  A global phase may
                  depend on results and is not recorded: the phase is 0.

There are no other phases.  If V = f U for two unitaries with such entries, then f and 1/f are
polynomials too, so f is a monomial times a constant c of modulus 1.  Conjugation keeps the only
prime of Z[w] over 2, so c and its conjugate, 1/c, have the same power of it: none, and c is in
Z[w].  Conjugation commutes with the other automorphisms, so all their images of c have modulus 1,
and c is a root of unity (Kronecker): a power of w.

The digest is the SHA-256 of
  - `json.dumps` of [kind, phase, exponents of m, pattern, replacement, conditions]: a step is
    [op, qubits, angle or null, paulis, bit, cond], an angle [[[name, count], ...], eighths];
  - of the pattern (a unitary in lowest terms, or its `Channel`), `json.dumps` of [support,
    halves], where the support is that of a channel or [], and for each term, in order, that of its
    exponents and then the coefficients as 8-byte little-endian integers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence

import numpy as np

from qwasmc.backends.proving.conditions import Solution, Unproved, solve, substitute
from qwasmc.backends.proving.operators import Channel, Side, channel, operator
from qwasmc.backends.proving.ring import Monomial, lowest_terms, shifted, turned
from qwasmc.backends.proving.structure import check_costs, check_structure, given_results
from qwasmc.diagnostics import CompileError, Diagnostic, Place
from qwasmc.rules.rule import Angle, Proof, Rule, RuleSet, Step

EVERY = 100
"""How many rules are checked between two words about progress."""


def prove(rule: Rule) -> Proof:
    """A proof that both sides are the same; `Unproved` with the reason if there is none."""
    check_structure(rule)
    known = solve(rule.conditions)
    check_costs(rule, known)
    kind = _kind(rule)
    pattern, replacement = (_meaning(_side(rule, known, steps), kind) for steps in rule.sides)
    factor = _factor(pattern, replacement)
    if not factor or (kind == "instrument" and (factor[0] or any(factor[1]))):
        raise Unproved("its sides do different things")
    return Proof(kind, factor[0], _digest(rule, kind, factor, pattern))


def check(rule: Rule) -> str:
    """Why the proof of a rule does not hold; "" if it does."""
    if rule.proof is None:
        return "it has no proof"
    try:
        found = prove(rule)
    except Unproved as why:
        return str(why)
    if rule.proof[:2] != found[:2]:
        return f"its proof begins with '{found.kind} {found.phase}'"
    return "" if rule.proof == found else "its digest is that of something else"


def check_set(rules: RuleSet, progress: Callable[[str], object] = lambda _: None) -> None:
    """Check all proofs of a set; CompileError that names the first rule whose proof fails."""
    names = set()
    failed: list[tuple[Rule, str]] = []
    for number, rule in enumerate(rules.rules):
        if number % EVERY == 0:
            progress(f"proof {number + 1} of {len(rules.rules)}")
        why = "another rule has its name" if rule.name in names else check(rule)
        names.add(rule.name)
        if why:
            failed.append((rule, why))
    if failed:
        rule, why = failed[0]
        message = f"the rule '{rule.name}' of '{rules.name}' is not proved: {why}"
        notes = (f"{len(failed)} of {len(rules.rules)} rules are not proved",)
        raise CompileError(
            Diagnostic(
                message,
                _place(rules, rule.name),
                notes=notes,
                help="`qwasmc learn` writes rules with proofs; rules are not to be edited by hand",
            )
        )


def _kind(rule: Rule) -> str:
    steps = [*rule.pattern, *rule.replacement]
    if not all(step.spec.is_gate and not step.cond for step in steps):
        return "instrument"
    return "polynomial" if any(step.angle for step in steps) else "matrix"


def _side(rule: Rule, known: Solution, steps: Sequence[Step]) -> Side:
    """A side, with what happens to allocated and freed qubits even if it does not mention them."""
    qubits = rule.qubits()
    fresh = [step for step in rule.pattern if step.op == "alloc"]
    freed = [step for step in rule.pattern if step.op == "free"]
    inner = [
        step._replace(angle=substitute(step.angle, known)) if step.angle else step
        for step in steps
        if step.op not in ("alloc", "free")
    ]
    return Side(
        steps=(*fresh, *inner, *freed),
        inputs=_without(qubits, fresh),
        outputs=_without(qubits, freed),
        given=given_results(rule),
        variables=tuple(name for name in rule.variables() if name not in known),
    )


def _without(qubits: Sequence[str], steps: Sequence[Step]) -> tuple[str, ...]:
    return tuple(sorted({*qubits} - {step.qubits[0] for step in steps}))


def _meaning(side: Side, kind: str) -> Channel:
    """The channel of a side; for unitaries the matrix itself."""
    found = operator(side)
    return channel(found) if kind == "instrument" else Channel([], *lowest_terms(*found))


def _factor(left: Channel, right: Channel) -> tuple[int, Monomial] | None:
    """Phase and monomial m so that w^phase * m * left == right, if there are any.

    The largest monomials belong together, whatever the others are.
    """
    if left.support != right.support or left.halves != right.halves:
        return None
    by = shifted(max(right.terms), max(left.terms), -1)
    for phase in range(8):
        found = {shifted(key, by): turned(numbers, phase) for key, numbers in left.terms.items()}
        if found.keys() == right.terms.keys() and all(
            np.array_equal(found[key], right.terms[key]) for key in found
        ):
            return phase, by
    return None


def _digest(rule: Rule, kind: str, factor: tuple[int, Monomial], pattern: Channel) -> str:
    conditions = [_plain(angle) for angle in rule.conditions]
    statement = [kind, *factor, *([_row(step) for step in side] for side in rule.sides), conditions]
    found = hashlib.sha256(json.dumps(statement).encode())
    found.update(json.dumps([pattern.support, pattern.halves]).encode())
    for key, numbers in pattern.terms.items():
        found.update(json.dumps(key).encode())
        found.update(numbers.astype("<i8").tobytes())
    return found.hexdigest()


def _row(step: Step) -> list[object]:
    return [step.op, step.qubits, _plain(step.angle), step.paulis, step.bit, step.cond]


def _plain(angle: Angle | None) -> list[object] | None:
    return [angle.terms, angle.eighths] if angle else None


def _place(rules: RuleSet, name: str) -> Place | None:
    """Where a rule begins in the text of its set."""
    for number, line in enumerate(rules.text.decode("ascii", "replace").split("\n"), start=1):
        if line.startswith(f"rule {name}:"):
            return Place(rules.file, number, 1, 1 + len(line), line)
    return None
