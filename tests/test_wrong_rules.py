"""Rules that are made to deceive: none of them is accepted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import rule_oracle
from mutations import CERTIFICATES, corrupted
from random_rules import random_rules
from right_rules import DIFFERENT, EXAMPLES, proved, refusal, rule_set

import qwasmc
from qwasmc.backends.proving import Unproved, check, check_set, prove
from qwasmc.diagnostics import CompileError
from qwasmc.rules.notation import read_rules
from qwasmc.rules.rule import Rule

# -- files that are made to deceive

HEAD = "qwasmc rules 1\nset mine\nabout x\ncost t\norigin x\n"


@pytest.mark.parametrize(
    ("text", "macros"),
    [
        # A macro's qubits are those of the call, in its order.
        ("cx a b => back a b", "macro back b a: cx a b\n"),
        ("back a b => cx a b", "macro back b a: cx a b\n"),
        ("twice a b => cx a b", "macro once b a: cx b a\nmacro twice b a: once a b; h a; h a\n"),
        ("end a => h a; end a", "macro end c: free c\n"),
        ("end a; h a => nothing", "macro end c: free c\n"),
        # One name for a qubit, a result and an angle.
        ("rz(a) a; h a; rz(b) a => rz(b) a; h a; rz(a) a", ""),
        ("cx a b; measure_z a -> b; x b if b => measure_z a -> b; x a if b", ""),
        # Names that sort in another way than they were made.
        ("ppm[ZZ] a b -> m9; ppm[XX] a b -> m10 => ppm[ZZ] a b -> m10; ppm[XX] a b -> m9", ""),
        ("cx a10 a9; h a9 => cx a9 a10; h a9", ""),
        # A qubit that is called as an operation or a word of the notation is.
        ("alloc free; cx a free; free free => nothing", ""),
        ("h rule; cx rule proof => cx rule proof; h rule", ""),
        # Conditions with other solutions than it seems.
        ("rz(x) a; rz(y) a => z a where x = y, y = -x + 2*pi", ""),
        ("rz(x) a; rz(y) a => nothing where x = x, y = y", ""),
        ("rz(x) a => nothing where 8*x = 0", ""),
        ("rz(x) a => nothing where 0*x = 0", ""),
        ("rz(x) a; rz(y) a => rz(x) a where x = y + pi/4, y = x - pi/2", ""),
        # Counts that wrap around where numbers have few bits.
        ("rz(256*x) a => nothing", ""),
        ("rz(2147483647*x) a => rz(-x) a", ""),
        ("x a; rz(3*x) a; x a => rz(-3*x - 8*pi/4 + pi) a", ""),
        # A result, or a qubit, that is not there yet or no more.
        ("measure_z a -> m => x a if m; measure_z a -> m", ""),
        ("cx a b; free a; measure_z b -> m => measure_z b -> m", ""),
        ("cx a b; alloc a => cx a b", ""),
    ],
)
def test_a_wrong_rule_in_a_file_is_refused(text: str, macros: str):
    other = proved("h a; h a => nothing").proof
    assert other
    lines = f"{macros}rule r: {text}\n  proof {other.kind} {other.phase} {other.digest}\n"
    rules = read_rules(f"{HEAD}{lines}".encode(), "mine.rules")
    with pytest.raises(Unproved):
        prove(rules.rules[0])
    with pytest.raises(CompileError, match="the rule 'r' of 'mine' is not proved"):
        check_set(rules)


@pytest.mark.parametrize(
    ("text", "macros"),
    [
        ("cx a b; measure_z a -> a => measure_z a -> a; x b if a", ""),
        ("alloc free; h free; free free => nothing", ""),
        ("x a; rz(3*a) a; x a => rz(-3*a) a", ""),
        ("back a b; back b a; back a b => swap a b", "macro back b a: cx a b\n"),
        ("ppm[ZX] a b -> m => ppm[XZ] b a -> m", ""),
        ("ppm[ZZ] a b -> m9; ppm[XX] a b -> m10 => ppm[XX] a b -> m10; ppm[ZZ] a b -> m9", ""),
        ("rz(x) a; rz(y) a; rz(z) a => s a; rz(z) a where x = y + 2*z, z + y = pi/4", ""),
        ("alloc b; swap a b; free b => reset a", ""),
    ],
)
def test_an_odd_but_right_rule_in_a_file_is_accepted(text: str, macros: str):
    (rule,) = read_rules(f"{HEAD}{macros}rule r: {text}\n".encode(), "mine.rules").rules
    assert rule_oracle.same(rule)
    check_set(rule_set(replace(rule, proof=prove(rule))))


@pytest.mark.parametrize(
    "line",
    [
        "rule r: cx a a => nothing",
        "rule r: h a; h a => nothing\r\x1b[2K",
        "rule r: h \u0430; h a => nothing",
        "rule r: ppm[ZI] a b -> m => measure_z a -> m",
        "rule r: ppm[ZZ] a a -> m => ppm[ZZ] a a -> m",
        "rule r: rz(99999999999*x) a => rz(x) a",
        "rule r: rz(pi/8) a => t a",
        "rule r: rz(0.5) a => t a",
        "rule r: rz(x*y) a => rz(y*x) a",
        "rule r: t a if m => t a if m",
        "macro h a: x a",
        "macro m a a: h a",
        "macro m a b: h a",
        "macro m a: m a",
        "macro m a: measure_z a -> m",
        "macro m a: rz(x) a",
    ],
)
def test_what_the_notation_does_not_have(line: str):
    with pytest.raises(CompileError):
        read_rules(f"{HEAD}{line}\n".encode(), "mine.rules")


@pytest.mark.parametrize("phase", ["01", "12", "8", "-1", "4"])
def test_a_phase_that_is_written_in_another_way(phase: str):
    proof = proved("x a; z a => y a").proof
    assert proof
    text = f"{HEAD}rule r: x a; z a => y a\n  proof matrix {phase} {proof.digest}\n"
    with pytest.raises(CompileError, match=r"expected 'proof|is not proved"):
        check_set(read_rules(text.encode(), "mine.rules"))


# -- corrupted rules


def known_rules() -> list[Rule]:
    """Those of the sets that the package has, and the examples."""
    sets = sorted(Path(qwasmc.__file__).parent.glob("approval/store/sets/*.rules"))
    shipped = [rule for file in sets for rule in read_rules(file.read_bytes(), file.name).rules]
    return [*shipped[:500], *(proved(text) for _, text in EXAMPLES)]


def test_no_corrupted_rule_is_accepted():
    """A thousand, also those that are true: another certificate would be theirs.

    Whether they are true, `prove` finds out as brute force does.
    """
    outcomes: Counter[str] = Counter()
    for what, rule in corrupted(known_rules(), 1000, seed=0):
        assert check(rule), (what, rule)
        if what in CERTIFICATES:
            continue
        why = refusal(rule)
        outcomes[why] += 1
        if why in ("", DIFFERENT):
            assert rule_oracle.same(rule) == (not why), (what, rule)
    assert outcomes[""] > 10
    assert outcomes[DIFFERENT] > 100


@pytest.mark.parametrize("count", [300, pytest.param(4000, marks=pytest.mark.slow)])
def test_random_rules_are_proved_if_they_are_true(count: int):
    outcomes: Counter[str] = Counter()
    for rule in random_rules(count, seed=count):
        why = refusal(rule)
        outcomes[why] += 1
        if why in ("", DIFFERENT):
            assert rule_oracle.same(rule) == (not why), rule
    assert outcomes[""] > count / 4
    assert outcomes[DIFFERENT] > count / 10
