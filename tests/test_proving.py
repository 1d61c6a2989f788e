"""Proofs of rewriting rules: what is right is proved, what is wrong is refused with the reason."""

from __future__ import annotations

import cmath
import hashlib
import math
from dataclasses import replace

import numpy as np
import pytest
import rule_oracle
from right_rules import EXAMPLES, MATRIX, lines, proved, rule_set

from qwasmc.backends.proving import Unproved, check, check_set, prove
from qwasmc.diagnostics import CompileError
from qwasmc.rules.notation import read_rule, read_rules, write_rules
from qwasmc.rules.rule import Angle, Rule, Step

W = cmath.exp(1j * math.pi / 4)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_what_is_true_is_proved(kind: str, text: str):
    rule = proved(text)
    assert rule_oracle.same(rule)
    assert rule.proof
    assert rule.proof.kind == kind
    assert check(rule) == ""


WRONG = """
h a; t a => t a; h a
t a; t a => sdg a
cx a b => cx b a
cx a b; cx a c => cx a b; cx b c
s a; cx a b => cx a b; s b
z a; cx a b => cx a b; z b
t a; cz a b => cz a b; t b
rz(x) a; rz(y) a => rz(x - y) a
rz(x) a; x a => x a; rz(x) a
rz(x) a => t a where x = 3*pi/4
rz(x) a; h a; rz(y) a => rz(x) a; h a; rz(x) a where x + y = 0
rz(x) a; rz(y) a => rz(3*x) a where x + y = 0
rz(x) a => rz(x + pi) a
cx a b; measure_z a -> m => measure_z a -> m; z b if m
cx a b; measure_z a -> m => measure_z a -> m
cx a b; measure_z b -> m => measure_z b -> m; x b if m
measure_z a -> m; measure_z b -> n; cx a b => measure_z a -> n; measure_z b -> m; x b if m
measure_z a -> m; measure_z b -> n => measure_z a -> n; measure_z b -> m
x a if m; z a if n => z a if m; x a if n
x a if m; cx a b => cx a b; x a if m
x a if m; x a => nothing
measure_z a -> m => measure_x a -> m
cx a c; cx b c; measure_z c -> m; free c => ppm[ZZ] a b -> m
alloc c; cx a c; cx b c; measure_z c -> m => ppm[ZZ] a b -> m
measure_z a -> m; x a if m => reset a; measure_z a -> m
ppm[XX] a b -> m => ppm[XX] a b -> m; z a if m
ppm[XX] a b -> m; ppm[ZX] a b -> n => ppm[ZX] a b -> n; ppm[XX] a b -> m
h a; reset a => reset a; h a
cx a b; free a => x b
reset a; t b; cx a b => reset a; cx a b
"""


@pytest.mark.parametrize("text", [text for text in lines(WRONG) if text])
def test_what_is_nearly_true_is_refused(text: str):
    rule = read_rule(text)
    with pytest.raises(Unproved, match=r"different things|parts with no"):
        prove(rule)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("nothing => nothing", "its pattern is empty"),
        ("h a; h b => h b; h a", "parts with no qubit in common"),
        ("x a if m; x b if m => x b if m; x a if m", "parts with no qubit in common"),
        ("h a => h b", "a qubit that its pattern has not"),
        ("cx a b => cx a b; alloc c", "a qubit that its pattern has not"),
        ("alloc a; x a => alloc a; x a", "its replacement has 'alloc' or 'free'"),
        ("h a; alloc a => h a", "'a' is used before 'alloc' or after 'free'"),
        ("alloc a; alloc a => nothing", "'a' is used before 'alloc' or after 'free'"),
        ("free a; h a => nothing", "'a' is used before 'alloc' or after 'free'"),
        ("free a; free a => nothing", "'a' is used before 'alloc' or after 'free'"),
        ("alloc c; cx a c; free c; z c => nothing", "'c' is used before 'alloc' or after 'free'"),
        ("x a if m; measure_z a -> m => measure_z a -> m", "'m' is used before it is made"),
        ("measure_z a -> m => x a if m; measure_z a -> m", "'m' is used before it is made"),
        ("x a if m => x a if n", "'n' is used before it is made"),
        ("x a if m; h a; z a if n => measure_z a -> m; x a if m", "'m' is made twice"),
        ("measure_z a -> m; measure_z a -> m => measure_z a -> m", "'m' is made twice"),
        ("measure_z a -> m; measure_z a -> n => measure_z a -> m", "do not make the same results"),
        ("measure_z a -> m; free a => nothing", "do not make the same results"),
        ("h a; h a => measure_z a -> m", "do not make the same results"),
        ("measure_z a -> m => measure_z a -> k", "do not make the same results"),
        ("rz(x) a => rz(y) a", "one of its angles is not in its pattern"),
        ("rz(x) a => rz(x) a where y = pi", "one of its angles is not in its pattern"),
        ("rz(x) a => nothing where x = 0, x = pi", "its conditions never hold"),
        ("rz(x) a => nothing where pi = 0", "its conditions never hold"),
        ("rz(x) a => z a where 2*x = 2*pi", "is not solved"),
        ("rz(x) a; rz(y) a => rz(x + y) a where 2*x + 3*y = pi", "is not solved"),
        ("rz(x) a; rz(y) a; rz(z) a => t a; rz(z) a where x = y + 2*z, 2*y + 2*z = pi/4", "solved"),
        ("s a => rz(pi/2) a", "more rotations"),
        ("h a; rz(x) a; rz(x) a => h a; rz(x) a; t a; rz(x - pi/4) a", "more T gates"),
        ("s a => t a; t a", "more T gates"),
        ("rz(x) a => t a; t a where x = pi/2", "more T gates"),
        ("rz(x) a; s a => t a; s a where x = 0", "more T gates"),
        ("rz(1001*x) a => rz(x) a", "not formed as it must be"),
        (f"{'reset a; ' * 20}reset a => reset a", "its matrices are too large"),
    ],
)
def test_what_is_no_rule_is_refused_with_the_reason(text: str, why: str):
    with pytest.raises(Unproved, match=why):
        prove(read_rule(text))


@pytest.mark.parametrize(
    ("step", "why"),
    [
        (Step("ccx", ("a", "b", "c")), "has the operation 'ccx'"),
        (Step("H", ("a",)), "has the operation 'H'"),
        (Step("cx", ("a", "a")), "'cx' is not formed"),
        (Step("cx", ("a",)), "'cx' is not formed"),
        (Step("h", ("a", "b")), "'h' is not formed"),
        (Step("h", ()), "'h' is not formed"),
        (Step("h", ("(free)",)), "'h' is not formed"),
        (Step("h", ("a\n",)), "'h' is not formed"),
        (Step("h", ("\u0430",)), "'h' is not formed"),
        (Step("h", ("a",), cond="m"), "'h' is not formed"),
        (Step("h", ("a",), bit="m"), "'h' is not formed"),
        (Step("h", ("a",), Angle()), "'h' is not formed"),
        (Step("h", ("a",), paulis="X"), "'h' is not formed"),
        (Step("rz", ("a",)), "'rz' is not formed"),
        (Step("measure_z", ("a",)), "'measure_z' is not formed"),
        (Step("ppm", ("a",), bit="m"), "'ppm' is not formed"),
        (Step("ppm", ("a", "b"), paulis="XI", bit="m"), "'ppm' is not formed"),
        (Step("ppm", ("a", "b"), paulis="X", bit="m"), "'ppm' is not formed"),
        (Step("ppm", ("a", "a"), paulis="XX", bit="m"), "'ppm' is not formed"),
        (Step("rz", ("a",), Angle((("x", 0),))), "one of its angles is not formed"),
        (Step("rz", ("a",), Angle((("x", 1), ("x", 1)))), "one of its angles is not formed"),
        (Step("rz", ("a",), Angle((("y", 1), ("x", 1)))), "one of its angles is not formed"),
        (Step("rz", ("a",), Angle((("x", -5000),))), "one of its angles is not formed"),
        (Step("rz", ("a",), Angle((), 8)), "one of its angles is not formed"),
        (Step("rz", ("a",), Angle(tuple((n, 1) for n in "vwxyz"))), "too many angles"),
    ],
)
def test_an_operation_that_no_file_has_is_refused(step: Step, why: str):
    with pytest.raises(Unproved, match=why):
        prove(Rule("mine", (step,), (step,)))


def test_a_rule_that_is_larger_than_files_have_is_refused():
    large = tuple(Step("cx", ("a", name)) for name in "bcde")
    with pytest.raises(Unproved, match="more than 4 qubits"):
        prove(Rule("mine", large, large))
    long = (Step("h", ("a",)),) * 26
    with pytest.raises(Unproved, match="more than 24 operations"):
        prove(Rule("mine", long, ()))
    many = (Angle((("x", 1),)),) * 9
    with pytest.raises(Unproved, match="too many angles or conditions"):
        prove(replace(read_rule("rz(x) a => nothing"), conditions=many))


@pytest.mark.parametrize("text", [*lines(MATRIX), "t a; x a; s a; x a => x a; s a; x a; t a"])
def test_the_phase_is_that_of_the_replacement(text: str):
    rule = proved(text)
    qubits = rule.qubits()
    before, after = (
        np.linalg.multi_dot(
            [np.eye(2 ** len(qubits))] * 2
            + [rule_oracle.gate(step, qubits, {}) for step in steps[::-1]]
        )
        for steps in rule.sides
    )
    assert rule.proof
    assert np.allclose(after, W**rule.proof.phase * before)


def test_the_digest_is_as_it_is_described():
    """Made again from the description alone, for S with w^2 on the diagonal."""
    rule = proved("t a; t a => s a")
    statement = (
        '["matrix", 0, [], [["t", ["a"], null, "", "", ""], ["t", ["a"], null, "", "", ""]], '
        '[["s", ["a"], null, "", "", ""]], []]'
    )
    entries = [1, 0, 0, 0, *[0] * 8, 0, 0, 1, 0]
    numbers = b"".join(entry.to_bytes(8, "little") for entry in entries)
    text = f"{statement}[[], 0][]".encode() + numbers
    assert rule.proof
    assert rule.proof.digest == hashlib.sha256(text).hexdigest()


# -- sets of rules


def test_a_set_says_which_rule_is_not_proved():
    good, bad = proved("h a; h a => nothing"), read_rule("s a => t a", "bad")
    other = replace(good, name="other", proof=None)
    text = write_rules(rule_set(good, bad, other))
    with pytest.raises(CompileError) as caught:
        check_set(read_rules(text.encode(), "mine.rules"))
    found = caught.value.diagnostics[0]
    assert found.message == "the rule 'bad' of 'mine' is not proved: it has no proof"
    assert found.notes == ("2 of 3 rules are not proved",)
    assert found.place
    assert found.place.text == "rule bad: s a => t a"
    assert text.split("\n")[found.place.line - 1] == found.place.text


def test_names_are_unique():
    rule = proved("h a; h a => nothing")
    with pytest.raises(CompileError, match="another rule has its name"):
        check_set(rule_set(rule, rule))


def test_progress_is_told():
    rules = [replace(proved("h a; h a => nothing"), name=f"r{number}") for number in range(150)]
    told: list[str] = []
    check_set(rule_set(*rules), told.append)
    assert told == ["proof 1 of 150", "proof 101 of 150"]


def test_a_proof_survives_a_file():
    rules = [replace(proved(text), name=f"r{at}") for at, (_, text) in enumerate(EXAMPLES)]
    check_set(read_rules(write_rules(rule_set(*rules)).encode(), "mine.rules"))
