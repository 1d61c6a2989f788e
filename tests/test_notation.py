"""Files of rules: what they mean, what is refused, and that writing and reading go round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.diagnostics import CompileError, render
from qwasmc.rules.notation import HEADER, read_rule, read_rules, write_rule, write_rules
from qwasmc.rules.rule import Angle, Policy, Proof, Rule, RuleSet, Step

DIGEST = "5f" * 32
FACTS = "set lab\nabout Rules of the laboratory.\ncost depth\norigin qwasmc learn --seed 3\n\n"
BODY = f"""macro block a b c: cx a b; t b; cx c b
rule same: h a; h a => nothing
  proof matrix 0 {DIGEST}
rule sum: rz(x) a; rz(-2*x - y + 3*pi/4) a => rz(-x - y) a where x = pi/4, x + y = 0
rule late: cx a b; measure_z a -> m => measure_z a -> m; x b if m
rule parity: alloc c; cx a c; cx b c; measure_z c -> m; free c => ppm[ZZ] a b -> m
rule inner: block b a c; h a => nothing
policy sweeps 4
  evidence gates on two qubits: greedy 12, policy 11
  feature two_qubit -100
"""
TEXT = HEADER + FACTS + BODY


def refused(body: str) -> str:
    with pytest.raises(CompileError) as caught:
        read_rules((HEADER + FACTS + body).encode(), "lab.rules")
    return render(caught.value.diagnostics[0])


def test_a_set_is_read_as_the_header_says():
    found = read_rules(TEXT.encode(), "lab.rules")
    assert (found.name, found.cost, found.origin) == ("lab", "depth", "qwasmc learn --seed 3")
    assert found.text == TEXT.encode()
    same, total, late, parity, inner = found.rules
    assert same == Rule("same", (Step("h", ("a",)),) * 2, (), proof=Proof("matrix", 0, DIGEST))
    assert total.pattern[1].angle == Angle((("x", -2), ("y", -1)), 3)
    assert total.conditions == (Angle((("x", 1),), 7), Angle((("x", 1), ("y", 1))))
    assert late.replacement[1] == Step("x", ("b",), cond="m")
    assert parity.replacement == (Step("ppm", ("a", "b"), paulis="ZZ", bit="m"),)
    assert parity.qubits() == ["a", "b", "c"]
    assert inner.pattern[:2] == (Step("cx", ("b", "a")), Step("t", ("a",)))
    assert found.policy == Policy(
        (("two_qubit", -100),), 4, "gates on two qubits: greedy 12, policy 11"
    )


def test_what_is_written_is_what_was_read():
    assert write_rules(read_rules(TEXT.encode(), "")) == TEXT


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("rule q: hh a => nothing", "unknown operation 'hh'"),
        ("rule q: rz(x a => nothing", "expected ')'"),
        ("rule q: rz(pi/3) a => nothing", "multiples of pi/4"),
        ("rule q: rz(0.5) a => nothing", "unexpected '.'"),
        ("rule q: cx a a => nothing", "different"),
        ("rule q: cx a => nothing", "'cx' takes 2 qubits"),
        ("rule q: h a", "expected '=>'"),
        ("rule q: h a => nothing nothing", "unexpected"),
        ("rule q: ppm[ZI] a b -> m => nothing", "letters"),
        ("rule q: ppm[ZZ] a -> m => nothing", "takes 2 qubits"),
        ("rule q: measure_z a => nothing", "expected '->'"),
        ("rule q: h a if m => nothing", "only x, y and z"),
        ("rule q: ccx a b c => nothing", "unknown operation 'ccx'"),
        ("rule q: cx a b; cx c d; cx e a => nothing", "at most 4 qubits"),
        ("rule q q: h a => nothing", "expected 'rule NAME"),
        ("rule q: " + "; ".join(["h a"] * 25) + " => nothing", "at most 24 operations"),
        ("rule same: h a => h a\nrule same: x a => x a", "another rule 'same'"),
        ("rule q: h a => h a\n  proof matrix 0 5f", "expected 'proof KIND"),
        (f"rule q: h a => h a\n  proof matrix 01 {DIGEST}", "expected 'proof KIND"),
        (
            "macro m a: " + "; ".join(["x a"] * 24) + "\nmacro n a: " + "; ".join(["m a"] * 24),
            "at most 24 operations",
        ),
        ("rule q: h a => h a\n  weight 3", "not understood"),
        ("macro h a: x a", "expected a name for the macro"),
        ("macro m a b: x a", "the qubits of a macro"),
        ("macro m a: rz(x) a", "no variable angles"),
        ("policy sweeps 3\npolicy sweeps 4", "once"),
        ("policy sweeps 3\n  feature a 1\n  feature a 2", "once"),
        ("set other", "a second time"),
        ("nonsense", "not understood"),
    ],
)
def test_what_has_no_meaning_is_refused_with_its_place(line, message):
    shown = refused(line + "\n")
    assert message in shown
    assert "lab.rules:" in shown


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"qwasmc rules 2\n",
        b"qwasmc rules 1\n",
        HEADER.encode() + b"set \xff",
        TEXT.encode() + b"\x1b[2J",
        b"\0" * 100,
    ],
)
def test_what_is_no_set_is_refused(data):
    with pytest.raises(CompileError):
        read_rules(data, "lab.rules")


ANGLES = st.builds(
    lambda counts, eighths: Angle(
        tuple((name, count) for name, count in sorted(counts.items()) if count), eighths
    ),
    st.dictionaries(st.sampled_from("xyz"), st.integers(-5, 5)),
    st.integers(0, 7),
)


@given(ANGLES, st.lists(ANGLES.filter(lambda angle: angle.terms), max_size=2))
def test_angles_are_read_as_they_are_written(angle, conditions):
    rule = Rule("rule", (Step("rz", ("a",), angle),), (), tuple(conditions))
    assert read_rule(write_rule(rule)) == rule


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(tail):
    try:
        found = read_rules(TEXT.encode() + tail, "lab.rules")
    except CompileError:
        return
    assert read_rules(write_rules(found).encode(), "").rules == found.rules


def test_steps_stand_alone():
    rule = read_rule("cx a b; t b => nothing")
    assert rule.sides == ((Step("cx", ("a", "b")), Step("t", ("b",))), ())
    assert RuleSet("n", "a", "t", "o", ()).policy is None
