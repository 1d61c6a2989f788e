"""Rewriting by rules: what matches and what must not, and that circuits stay the same."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from itertools import product as cartesian
from typing import Any, NamedTuple

import numpy as np
import pytest
import stim
from hypothesis import given, settings
from instrument import instrument, same
from strategies import circuits
from test_cancel import KNOWN, build, operator, random_gates, rows

from qwasmc.columns import to_bytes
from qwasmc.cost import cost, rotation_count, t_count
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import to_wires
from qwasmc.ops import BY_NAME, OBJECTIVES, OPS
from qwasmc.passes.rewrite import rewrite
from qwasmc.passes.rewriting import sweep
from qwasmc.passes.rewriting import tables as table
from qwasmc.passes.rewriting.features import N_FEATURES, weights_of
from qwasmc.passes.rewriting.graph import KEY, arranged
from qwasmc.passes.rewriting.loading import load
from qwasmc.passes.rewriting.matching import find, holds, room
from qwasmc.passes.rewriting.replacing import LEFT, SPAN, fit, work_for
from qwasmc.passes.rewriting.sweep import run, run_and_count, swept
from qwasmc.passes.rewriting.tables import Tables, compile_rules
from qwasmc.rules.notation import read_rule
from qwasmc.rules.rule import Policy, Rule, RuleSet
from qwasmc.verify import verify

RULES = (
    "h a; h a => nothing",
    "x a; x a => nothing",
    "s a; s a => z a",
    "t a; t a => s a",
    "s a; sdg a => nothing",
    "sx a; sx a => x a",
    "h a; s a; h a => sdg a; h a; sdg a",
    "h a; x a; h a => z a",
    "h a; z a; h a => x a",
    "rz(x) a; rz(y) a => rz(x + y) a",
    "rz(x) a => nothing where x = 0",
    "rz(x) a; x a; rz(x) a => x a",
    "rz(x) a; cx a b; rz(y) a => cx a b; t a where x + y = pi/4",
    "cx a b; cx a b => nothing",
    "cz a b; cz a b => nothing",
    "swap a b; swap a b => nothing",
    "cz a b; s a; cz a b => s a",
    "swap a b; cz a c; swap a b => cz b c",
    "cx a b; cx b a; cx a b => swap a b",
    "cx a b; cx a c; cx a b => cx a c",
    "cx a b; cx b c; cx a b => cx b c; cx a c",
    "cx a b; cx a c => cx a c; cx a b",
    "cx b a; cx c a => cx c a; cx b a",
    "h a; h b; cx a b; h a; h b => cx b a",
    "h b; cx a b; h b => cz a b",
    "cz a b; x a => x a; z b; cz a b",
    "cx a b; measure_z b -> m; x b if m => cx a b; measure_z b -> m; x b if m",
    "cx a b; measure_z a -> m => measure_z a -> m; x b if m",
    "measure_z a -> m; z a => z a; measure_z a -> m",
    "measure_z a -> m; x a if m; x a if m => measure_z a -> m",
    "x a if m; x a if m => nothing",
    "ppm[ZZ] a b -> m; cz a b => cz a b; ppm[ZZ] a b -> m",
    "cx a b; measure_z b -> m; cx a b => ppm[ZZ] a b -> m",
    "h a; measure_x a -> m => measure_z a -> m; h a",
    "reset a; reset a => reset a",
    "h a; reset a => reset a",
    "alloc a; z a => alloc a",
    "alloc c; cx a c; cx b c; measure_z c -> m; free c => ppm[ZZ] a b -> m",
)  # fmt: skip
"""All right."""


def compiled(*texts: str) -> Tables:
    return compile_rules([read_rule(text, f"r{at}") for at, text in enumerate(texts)])


def rewritten(circuit: Circuit, *texts: str, objective: str = "t") -> Circuit:
    return run(circuit, compiled(*texts), None, objective, 8)


def gates(circuit: Circuit) -> str:
    return "; ".join(rows(circuit))


@pytest.mark.parametrize(
    ("rule", "before", "after"),
    [
        # rows between that are on other wires
        ("h a; h a => nothing", "h 0; cx 1 2; x 1; h 0", "cx 1 2; x 1"),
        ("cx a b; cx a b => nothing", "cx 0 1; h 2; t 2; cx 0 1", "h 2; t 2"),
        # rows between that depend on the first one, and on which the last one depends
        ("cx a b; cx a c; cx a b => cx a c", "cx 0 1; cx 0 2; h 2; cx 0 1", "cx 0 2; h 2"),
        ("cx a b; h a; cx b c => x a", "cx 0 1; h 0; t 0; h 2; cx 1 2", "x 0; t 0; h 2"),
        # operands in any order where that is the same
        ("cz a b; s a; cz a b => s a", "cz 0 1; s 1; cz 1 0", "s 1"),
        ("cz a b; s a; cz a b => s a", "cz 1 0; s 1; cz 1 0", "s 1"),
        ("swap a b; x a; swap a b => x b", "swap 0 1; x 1; swap 1 0", "x 0"),
        # angles
        ("rz(x) a; rz(y) a => rz(x + y) a", "rz 0 0.3; rz 0 0.5", "rz 0 0.800"),
        ("rz(x) a; rz(y) a => rz(x + y) a", "rz 0 3; rz 0 3.1", "rz 0 -0.183"),
        ("rz(x) a; rz(-x) a => nothing", "rz 0 0.3; rz 1 0.3; rz 0 -0.3", "rz 1 0.300"),
        ("rz(x) a; x a; rz(x + pi) a => y a", "rz 0 -3; x 0; rz 0 0.14159265358979312", "y 0"),
        (
            "rz(x) a; rz(y) a => nothing where 2*x + y = pi/4",
            "rz 0 1; rz 0 -1.2146018366025517",
            "",
        ),
        # results
        (
            "x a if m; x a if m => nothing",
            "measure_z 1; x 0 if 0; h 1; x 0 if 0",
            "measure_z 1; h 1",
        ),
        (
            "cx a b; measure_z a -> m => measure_z a -> m; x b if m",
            "cx 0 1; h 1; measure_z 0; z 0 if 0",
            "measure_z 0; x 1 if 0; h 1; z 0 if 0",
        ),
        # several times, and again with what comes of it
        ("h a; h a => nothing", "h 0; h 0; h 0; h 1; h 0; h 0; h 0; h 1", ""),
        ("h a; x a; x a; h a => nothing", "h 0; x 0; h 0; x 0; x 0; h 0; x 0; h 0", ""),
    ],
)
def test_what_is_replaced(rule, before, after):
    assert gates(rewritten(build(before), rule)) == after


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        # on the way between
        ("h a; h a => nothing", "h 0; t 0; h 0"),
        ("h a; h a => nothing", "h 0; barrier 0; h 0"),
        ("h a; h a => nothing", "h 0; syndrome; h 0"),
        ("h a; h a => nothing", "h 0; ctrl_begin 1; h 0; ctrl_end"),
        ("cx a b; cx a b => nothing", "cx 0 1; cx 1 0"),
        ("cx a b; cx a b => nothing", "cx 0 1; cx 2 1; cx 0 1"),
        # different qubits are different
        ("cx a b; cx c b => nothing", "cx 0 1; cx 0 1"),
        ("cx a b; cx a c => nothing", "cx 0 1; cx 0 1"),
        # a path leads out and back in
        ("cx a b; cx b c => nothing", "cx 0 1; cx 0 2; cx 1 2"),
        ("cx a b; h b; cx b c => nothing", "cx 0 1; cx 0 2; t 2; h 1; cx 1 2"),
        ("measure_z a -> m; cx a b => measure_z a -> m", "measure_z 0; x 1 if 0; cx 0 1"),
        # angles
        ("rz(x) a; rz(-x) a => nothing", "rz 0 0.3; rz 0 -0.30000000001"),
        ("rz(x) a; rz(y) a => nothing where x = pi/4, y = 0", "rz 0 0.7853981633974483; rz 0 1"),
        # results
        ("x a; x a => nothing", "measure_z 1; x 0 if 0; x 0 if 0"),
        ("x a if m; x a if m => nothing", "x 0; x 0"),
        ("x a if m; x a if m => nothing", "measure_z 1; measure_z 1; x 0 if 0; x 0 if 1"),
        # more T gates, or more rotations
        ("h a; h a; h a; h a => t a; tdg a", "h 0; h 0; h 0; h 0"),
        ("t a; t a => rz(pi/2) a", "t 0; t 0"),
        # a qubit of the program is not the rule's to allocate or free
        ("alloc a; z a => alloc a", "z 0; z 1; z 2"),
        ("h a; free a => free a", "h 0; free 0"),
    ],
)
def test_what_stays(rule, text):
    circuit = build(text)
    assert rewritten(circuit, rule) is circuit
    constant = np.eye(N_FEATURES, dtype=np.int64)[-1]
    assert run(circuit, compiled(rule), constant, "t", 2) is circuit


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("h a; h b => nothing", "no qubit in common"),
        ("measure_z a -> m; x b if m; x c if m => measure_z a -> m", "no qubit in common"),
        ("rz(x + y) a => rz(x) a", "do not determine"),
        ("rz(2*x) a => rz(x) a", "do not determine"),
        ("rz(x) a => rz(y) a", "does not determine the angle y"),
        ("rz(x) a; rz(1000*x + y) a; rz(1000*y) a => rz(x) a", "more than 1000 times"),
        ("h a => h b", "has not"),
        ("h a => reset a", "its pattern does not"),
        ("nothing => x a", "empty"),
        ("ppm[ZZZZ] a b c d -> m; ppm[XXXX] a b c d -> n => nothing", "more than 200 ways"),
    ],
)
def test_what_is_refused(rule, why):
    with pytest.raises(CompileError, match="rule 'r0' cannot be applied") as found:
        compiled(rule)
    assert why in str(found.value)


def planted(seed: int, tables: Tables, n: int = 3) -> Circuit:
    """Patterns of random rules on named qubits, with other gates here and there."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    values: dict[str, int] = {f"q{at}": builder.add("alloc", attr=f"q{at}") for at in range(n)}
    bits: list[int] = []

    def add(op: str, names: list[str], **more: Any) -> None:
        first = builder.add(op, [values[name] for name in names], **more)
        values.update(zip(names, range(first, first + len(names)), strict=True))
        if BY_NAME[op].makes_bit:
            bits.append(first + len(names))

    def others() -> None:
        if rng.random() < 0.3:
            add(str(rng.choice(["h", "t", "x", "s"])), [f"q{rng.integers(n)}"])
        if rng.random() < 0.2:
            add(str(rng.choice(["cx", "cz"])), [f"q{at}" for at in rng.permutation(n)[:2]])

    for _ in range(6):
        rule = tables.rules[int(rng.integers(len(tables.rules)))]
        angles = {name: float(rng.choice([0, 0.3, 1.1, np.pi / 4 - 0.3])) for name in "xy"}
        on = dict(zip(rule.qubits(), [f"q{at}" for at in rng.permutation(n)], strict=False))
        made: dict[str, int] = {}
        for step in rule.pattern:
            others()
            names = [on.get(qubit, qubit) for qubit in step.qubits]
            if step.op == "alloc":
                on[step.qubits[0]] = step.qubits[0]
                values[step.qubits[0]] = builder.add("alloc", attr="")
                continue
            if step.op == "free":
                builder.add("free", [values[names[0]]])
                continue
            if step.op in ("cz", "swap") and rng.random() < 0.5:
                names.reverse()
            more: dict[str, Any] = {"attr": step.paulis} if step.paulis else {}
            if step.angle:
                more["angle"] = step.angle.eighths * np.pi / 4
                more["angle"] += sum(count * angles[name] for name, count in step.angle.terms)
            if step.cond:
                some = bits or [builder.add("const", attr=1)]
                more["cond"] = made.setdefault(step.cond, int(rng.choice(some)))
            add(step.op, names, **more)
            if step.bit:
                made[step.bit] = bits[-1]
    for at, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"m{at}")
    return builder.freeze()


def policies(seed: int) -> list[np.ndarray | None]:
    """None, weights that apply whatever matches, and random ones."""
    rng = np.random.default_rng(seed)
    constant = np.eye(N_FEATURES, dtype=np.int64)[-1]
    return [None, constant, rng.integers(-50, 50, N_FEATURES)]


def check(circuit: Circuit, tables: Tables, seed: int) -> np.ndarray:
    """Nothing changes after any sweep with any weights; how often each rule was applied."""
    n = sum(bool(circuit.names[at]) for at in circuit.attr[circuit.op == 0].tolist())
    wanted = instrument(circuit, n)
    objective = OBJECTIVES[seed % 4]
    applied = np.zeros(len(tables.rules), dtype=np.int64)
    for weights in policies(seed):
        for new, used in swept(circuit, tables, weights, objective, 3):
            verify(new)
            assert same(instrument(new, n), wanted), seed
            assert t_count(new) <= t_count(circuit)
            assert rotation_count(new) <= rotation_count(circuit)
            applied += used
        new = run(circuit, tables, weights, objective, 3)
        assert cost(new, objective) <= cost(circuit, objective)
    return applied


def check_all(seeds: range) -> list[str]:
    """The rules that were never applied."""
    tables = compiled(*RULES)
    applied = np.zeros(len(RULES), dtype=np.int64)
    for seed in seeds:
        applied += check(planted(seed, tables), tables, seed)
    return [rule for rule, times in zip(RULES, applied.tolist(), strict=True) if not times]


def test_instruments():
    assert len(check_all(range(60))) < 8


@pytest.mark.slow
def test_more_instruments():
    raises_t = "rz(x) a; cx a b; rz(y) a => cx a b; t a where x + y = pi/4"
    assert check_all(range(1000, 1600)) == [raises_t]


@pytest.mark.slow
@given(circuits((*KNOWN, "free", "syndrome", "xor", "result"), max_qubits=2, max_ops=25))
@settings(max_examples=60, deadline=None)
def test_any_rows(circuit):
    check(circuit, compiled(*RULES), 0)


def product(letters: str, on: list[int], wire: int) -> Circuit:
    """A measured product of three qubits, and then two gates on one."""
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{at}") for at in range(3)]
    first = builder.add("ppm", [wires[at] for at in on], attr=letters)
    for slot, at in enumerate(on):
        wires[at] = first + slot
    builder.add("s", [builder.add("s", [wires[wire]])])
    builder.add("result", [first + len(on)], attr="m")
    return builder.freeze()


@pytest.mark.parametrize(
    ("letters", "on", "wire", "matched"),
    [
        ("XZZ", [0, 1, 2], 2, True),
        ("ZXZ", [2, 1, 0], 2, True),
        ("ZZX", [2, 0, 1], 0, True),
        ("XZZ", [0, 1, 2], 0, False),
        ("ZZX", [2, 0, 1], 1, False),
        ("ZZZ", [0, 1, 2], 0, False),
    ],
)
def test_letters_of_a_product_in_any_order(letters, on, wire, matched):
    circuit = product(letters, on, wire)
    new = rewritten(circuit, "ppm[ZXZ] a b c -> m; s c; s c => ppm[XZZ] b a c -> m; z c")
    assert (new is not circuit) == matched
    assert not matched or same(instrument(new, 3), instrument(product(letters, on, wire), 3))


def test_measurements_keep_their_order():
    rule = "cx a b; measure_z b -> m => measure_z b -> m; x a if m"
    circuit = build("measure_x 2; cx 0 1; measure_z 2; measure_z 1; measure_y 2")
    wanted = "measure_x 2; measure_z 2; measure_z 1; x 0 if 2; measure_y 2"
    assert gates(rewritten(circuit, rule)) == wanted
    crossed = "cx a b; measure_z a -> m; measure_z b -> n => measure_z b -> n; measure_z a -> m"
    assert rewritten(build("cx 0 1; measure_z 0; measure_z 1"), crossed).op.tolist().count(0) == 3
    circuit = build("cx 0 1; measure_z 0; measure_z 1")
    assert rewritten(circuit, crossed) is circuit
    between = build("cx 0 1; measure_z 0; measure_z 2; measure_z 1")
    both = "cx a b; measure_z a -> m; measure_z b -> n => measure_z a -> m; measure_z b -> n"
    assert rewritten(between, both) is between


def test_rows_stem_from_rows_of_the_match():
    builder = CircuitBuilder()
    a, b = (builder.add("alloc", attr=name, loc=0) for name in "ab")
    a = builder.add("cx", [a, b], loc=1)
    b = builder.add("measure_z", [a + 1], loc=2)
    builder.add("cx", [a, b], loc=3)
    builder.add("result", [b + 1], attr="m", loc=4)
    rule = "cx a b; measure_z b -> m; cx a b => h b; ppm[ZZ] a b -> m; h b"
    new = rewritten(builder.freeze(), rule, objective="two-qubit")
    found = [(OPS[code].name, loc) for code, loc in zip(new.op, new.loc.tolist(), strict=True)]
    assert found[2:] == [("h", 3), ("ppm", 2), ("h", 3), ("result", 4)]


def test_whole_circuits():
    """Matches that overlap, on more qubits than a rule has."""
    unitary = [rule for rule in RULES if not {"m", "reset", "alloc"} & set(rule.split())]
    tables = compiled(*unitary)
    total = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        circuit = random_gates(rng, 6, 250)
        for weights in policies(seed):
            for new, used in swept(circuit, tables, weights, OBJECTIVES[seed % 4], 2):
                assert operator(new, 6).equiv(operator(circuit, 6)), seed
                total += used.sum()
    assert total > 500


def segments(circuit: Circuit, n: int) -> list[stim.Tableau]:
    """What Clifford gates do between syndrome extractions."""
    wire = circuit.wires()
    found = [stim.Circuit(f"I {n - 1}")]
    for row, values in enumerate(circuit.all_values()):
        spec = OPS[circuit.op[row]]
        if spec.name == "syndrome":
            found.append(stim.Circuit(f"I {n - 1}"))
        elif spec.is_gate:
            found[-1].append(spec.stim, [int(wire[value]) for value in values])
    return [part.to_tableau() for part in found]


def test_many_qubits_in_layers():
    """Rows that follow each other on a wire are far apart, and some stand at a certain time."""
    n = 60
    rng = np.random.default_rng(0)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{at}") for at in range(n)]
    for layer in range(40):
        for at in range(n):
            name = str(rng.choice(["h", "s", "x"]))
            wires[at] = builder.add(name, [wires[at]])
        for at in range(layer % 2, n - 1, 2):
            first = builder.add(str(rng.choice(["cx", "cz"])), wires[at : at + 2])
            wires[at : at + 2] = [first, first + 1]
        if layer % 8 == 7:
            builder.add("syndrome", attr=1)
    circuit = builder.freeze()
    wanted = segments(circuit, n)
    for weights in policies(3):
        for new, used in swept(circuit, compiled(*RULES), weights, "two-qubit", 2):
            assert segments(new, n) == wanted
            assert used.sum() > 40


def test_parities_are_on_paths_too():
    """The gate on two qubits waits for a Pauli, and that for a parity with the measurement."""
    builder = CircuitBuilder()
    a, b, c = (builder.add("alloc", attr=name) for name in "abc")
    a, c = builder.add("measure_z", [a]), builder.add("measure_z", [c])
    parity = builder.add("xor", [c + 1, a + 1])
    b = builder.add("x", [b], cond=parity)
    builder.add("cx", [a, b])
    builder.add("result", [parity], attr="m")
    circuit = builder.freeze()
    assert rewritten(circuit, "measure_z a -> m; cx a b => measure_z a -> m") is circuit


def test_nothing_to_do():
    nothing = CircuitBuilder().freeze()
    assert rewritten(nothing, *RULES) is nothing
    circuit = build("h 0; h 0")
    assert rewrite(circuit, []) is circuit
    assert rewrite(circuit, [RuleSet("empty", "", "t", "", ())]) is circuit


def test_deterministic():
    circuit = random_gates(np.random.default_rng(0), 12, 2000)
    for weights in policies(0):
        one, other = (run(circuit, compiled(*RULES), weights, "t", 4) for _ in range(2))
        assert to_bytes_of(one) == to_bytes_of(other)


def to_bytes_of(circuit: Circuit) -> bytes:
    return b"".join(to_bytes(circuit))


def consecutive(circuit: Circuit, rule: Rule) -> set[tuple[int, ...]]:
    """All matches of a rule without angles and results, from the definition."""
    wire = circuit.wires()
    on = [[int(wire[value]) for value in values] for values in circuit.all_values()]
    made = {value: row for row in range(len(on)) for value in range(*circuit.first[row : row + 2])}
    behind = np.eye(len(on), dtype=bool)
    for row, values in enumerate(circuit.all_values()):
        for value in values:
            behind[row] |= behind[made[value]]
    names = [step.op for step in rule.pattern]
    found = set()
    ops = [OPS[code].name for code in circuit.op.tolist()]
    for some in cartesian(*([row for row, op in enumerate(ops) if op == name] for name in names)):
        orders = [
            list(permutations(on[row])) if name in ("cz", "swap") else [on[row]]
            for row, name in zip(some, names, strict=True)
        ]
        for wires in cartesian(*orders):
            if places(rule, some, wires, on) and convex(behind, some):
                found.add(some)
    return found


def places(rule: Rule, some: Sequence[int], wires: Sequence[Sequence[int]], on: Any) -> bool:
    """Whether wires of rows stand for qubits of steps, and rows follow each other on each one."""
    pairs = {
        pair
        for step, row in zip(rule.pattern, wires, strict=True)
        for pair in zip(step.qubits, row, strict=True)
    }
    qubits, images = ({pair[end] for pair in pairs} for end in (0, 1))
    if not len(pairs) == len(qubits) == len(images):
        return False
    for qubit, wire in pairs:
        line = [row for row in range(len(on)) if wire in on[row]]
        wanted = [row for row, step in zip(some, rule.pattern, strict=True) if qubit in step.qubits]
        start = line.index(wanted[0])
        if line[start : start + len(wanted)] != wanted:
            return False
    return True


def convex(behind: np.ndarray, some: Sequence[int]) -> bool:
    """Whether no row between depends on one of these and is needed by another one."""
    return not any(
        behind[middle, first] and behind[last, middle]
        for middle in set(range(len(behind))) - set(some)
        for first in some
        for last in some
    )


class Match(NamedTuple):
    """A place where a rule matches: rows of the circuit, in the order of the pattern."""

    rule: Rule
    rows: tuple[int, ...]


def matches(circuit: Circuit, tables: Tables) -> list[Match]:
    """All places where rules match, whether or not they gain anything there."""
    graph = load(to_wires(circuit))
    found, work = room(), work_for(graph, len(tables.rules))
    places = []
    for row in arranged(graph).tolist():
        for hit in range(find(row, graph, tables.tree, found)):
            if holds(hit, graph, tables.sides, found):
                variant = tables.sides.variants[found.variant[hit]]
                work.state[LEFT] = 2 * SPAN
                if fit(hit, row, graph, tables.sides, found, work) == 0:
                    steps = tables.sides.steps[
                        variant[table.PATTERN] : variant[table.REPLACEMENT], table.STEM
                    ]
                    rows = tuple(graph.rows[found.rows[hit, steps], KEY].tolist())
                    places.append(Match(tables.rules[variant[table.RULE]], rows))
    return places


def test_matches():
    """All places where rules match are found, and no others."""
    tables = compiled(
        *("cx a b; cx b c => nothing", "cz a b; h a; cz a b => nothing", "h a; cz a b => nothing"),
        *("cx a b; h a; cx b c => nothing", "cz a b; cz b c; cz a b => nothing"),
        *("swap a b; cx b c => nothing", "cx a b; cx c d; cx b c => nothing"),
    )
    total = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        builder = CircuitBuilder()
        wires = [builder.add("alloc", attr=f"q{at}") for at in range(5)]
        for op in rng.choice(["cx", "cx", "cx", "cz", "cz", "h", "swap"], size=16):
            chosen = rng.permutation(3 + seed % 3)[: BY_NAME[op].qubits].tolist()
            first = builder.add(str(op), [wires[at] for at in chosen])
            for slot, at in enumerate(chosen):
                wires[at] = first + slot
        circuit = builder.freeze()
        found = matches(circuit, tables)
        for rule in tables.rules:
            ours = {match.rows for match in found if match.rule is rule}
            assert ours == consecutive(circuit, rule), (seed, rule.name)
            total += len(ours)
    assert total > 40


def test_it_is_counted_how_often_rules_are_applied():
    circuit = build("h 0; h 0; cx 0 1; cx 0 1; h 2; h 2; t 2")
    new, counts = run_and_count(circuit, compiled(*RULES), None, "t", 4)
    assert gates(new) == "t 2"
    assert {number: count for number, count in enumerate(counts) if count} == {0: 2, 13: 1}


def test_policy():
    """A policy may apply rules that gain nothing, where others would have to come first."""
    rules = compiled("cx a b; cx a c => cx a c; cx a b", "cx a b; cx a b => nothing").rules
    circuit = build("cx 0 1; cx 0 2; t 2; cx 0 1")
    policy = Policy((("pairs", 5), ("two_qubit", 5)), 4, "")
    plain = RuleSet("plain", "", "two-qubit", "", rules)
    learned = RuleSet("learned", "", "two-qubit", "", rules, policy=policy)
    assert rewrite(circuit, [plain], "two-qubit") is circuit
    assert gates(rewrite(circuit, [learned], "two-qubit")) == "cx 0 2; t 2"
    assert gates(rewrite(circuit, [plain, learned], "t")) == "cx 0 2; t 2"
    endless = RuleSet("endless", "", "t", "", rules, policy=Policy((), 10**9, ""))
    with pytest.raises(CompileError, match="asks for 1000000000 sweeps"):
        rewrite(circuit, [endless])
    unknown = RuleSet("unknown", "", "t", "", rules, policy=Policy((("dept", 1),), 4, ""))
    with pytest.raises(CompileError, match="unknown feature 'dept'"):
        rewrite(circuit, [unknown])


def test_large_circuits_get_fewer_sweeps(monkeypatch):
    """A policy that never stops is stopped, the sooner the larger the circuit is."""
    tables = compiled("cx a b; cx a c => cx a c; cx a b")
    circuit = build("cx 0 1; cx 0 2; " * 5 + "t 0")
    always = np.array(weights_of((("constant", 1),)))
    assert len(list(swept(circuit, tables, always, "t", 6))) == 6
    monkeypatch.setattr(sweep, "MAX_ROWS", 2 * len(circuit))
    assert len(list(swept(circuit, tables, always, "t", 6))) == 2
