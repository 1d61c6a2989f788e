"""Checkers of optimised circuits, against exact state vectors of small ones."""

from __future__ import annotations

import ast
import cmath
import math
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from instrument import instrument, same
from random_circuits import random_clifford
from rewrites import (
    TOFFOLI,
    Row,
    Rows,
    build,
    ccz_gadget,
    gate,
    hadamard_gadget,
    mutant,
    random_gates,
    random_program,
    rewritten,
    t_gadget,
)

import qwasmc
from qwasmc.backends import equivalence
from qwasmc.backends.equivalence import compare
from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.equivalence.events import Trace, is_located, recorded, trace
from qwasmc.backends.equivalence.parities import ParitySum
from qwasmc.backends.equivalence.path_sum import PathSum
from qwasmc.backends.equivalence.rotations import compare_rotations
from qwasmc.backends.equivalence.sums import compare_parities, compare_sums
from qwasmc.backends.equivalence.unitary import compare_matrices, compare_samples
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import WireBuilder, Wired, to_circuit, to_wires
from qwasmc.ops import OPS
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.reduce_t import reduce_t

FEYNMAN = Path(__file__).parents[2] / "shared" / "corpus" / "circuits" / "feynman"
SMALL = ("tof_3", "mod5_4", "barenco_tof_4", "vbe_adder_3", "qft_4", "hwb6", "gf24_mult")
MAX_WIRES = 7
"""Most wires, ancillas included, that the oracle takes."""


def findings(before: Circuit, after: Circuit) -> list[Check]:
    """What each method finds on its own."""
    old, new = trace(before), trace(after, is_located(before))
    return [compare_matrices(old, new, 0.0), compare_samples(old, new), *symbolic(old, new)]


def symbolic(old: Trace, new: Trace) -> list[Check]:
    """What the methods for circuits of any size find."""
    found = []
    if old.resets == new.resets and old.results == new.results:
        found += [compare_rotations(old, new), compare_parities(old, new), compare_sums(old, new)]
        if (old.extra, old.wires) == (new.extra, new.wires):
            both = recorded(old), recorded(new)
            proofs = [compare_rotations(*both), compare_parities(*both)]
            found += [proof for proof in proofs if proof.result == "proved"]
    return found


def results(before: Circuit, after: Circuit) -> dict[str, str]:
    return {found.check: found.result for found in findings(before, after)}


def pair(seed: int) -> tuple[Circuit, Circuit, int]:
    """A random program, and a rewritten one that is equal unless the seed is odd."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 4))
    rows = random_program(rng, n, int(rng.integers(1, 14)))
    after = rewritten(rng, rows, n, int(rng.integers(1, 10)))
    if seed % 2:
        after = mutant(rng, after, n)
    return build(rows, n), build(after, n), n


def check_seeds(seeds: range) -> None:
    differ = decided = 0
    for seed in seeds:
        before, after, n = pair(seed)
        if after.wires().max() >= MAX_WIRES:
            continue
        equal = same(instrument(before, n), instrument(after, n))
        assert equal or seed % 2, f"seed {seed}: the rewrite is wrong"
        wrong = "failed" if equal else "proved"
        found = compare(before, after)
        assert found.result == ("proved" if equal else "failed"), (seed, found)
        if "measurements of the program" in found.detail:
            continue
        for finding in findings(before, after):
            assert finding.result != wrong, (seed, finding)
            decided += equal and finding.check == "path sums" and finding.result == "proved"
        differ += not equal
    assert differ > len(seeds) * 0.3
    assert decided > len(seeds) * 0.4


def test_agrees_with_state_vectors():
    check_seeds(range(450))


@pytest.mark.slow
def test_agrees_with_state_vectors_at_length():
    check_seeds(range(10_000, 15_000))


def test_circuits_that_both_measure_ancillas_agree_with_state_vectors():
    equal = differ = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        n = 3
        made = [ccz_gadget(0, 1, 2, 3, "own"), hadamard_gadget(0, 3, "own2")][: 1 + seed % 2]
        rows = [row for gadget in made for row in [*random_gates(rng, n, 3, ("t", "cx")), *gadget]]
        after = rows.copy()
        for _ in range(1 + seed % 3):
            at = int(rng.integers(len(after)))
            if after[at].name in ("t", "tdg"):
                after[at] = after[at]._replace(name="tdg" if after[at].name == "t" else "t")
            elif after[at].name not in ("alloc", "free") and not after[at].bit:
                after = after[:at] + after[at + 1 :]
        around = random_gates(rng, n, 1, ("h", "s", "cx"))
        before, then = build(rows, n), build([*around, *undone(around), *after], n)
        if same(instrument(before, n), instrument(then, n)):
            assert compare(before, then).result == "proved"
            equal += 1
        else:
            assert all(finding.result != "proved" for finding in findings(before, then)), seed
            differ += 1
    assert equal > 5
    assert differ > 50


def undone(rows: Rows) -> Rows:
    """The inverse of h, s and cx."""
    return [row._replace(name="sdg" if row.name == "s" else row.name) for row in reversed(rows)]


# -- gadgets with ancillas, measurements and corrections


GADGETS: dict[str, tuple[Rows, Rows]] = {
    "h": ([gate("h", (0,))], hadamard_gadget(0, 3, "own")),
    "t": ([gate("t", (1,))], t_gadget(1, 3, "own")),
    "ccz": ([gate("ccz", (0, 1, 2))], ccz_gadget(0, 1, 2, 3, "own")),
    "7 T": ([gate("ccz", (0, 1, 2))], [gate(name, on) for name, on in TOFFOLI]),
}


@pytest.mark.parametrize("name", GADGETS)
def test_gadgets_are_proved_by_path_sums(name: str):
    before, after = (build(rows, 3) for rows in GADGETS[name])
    assert results(before, after)["path sums"] == "proved"
    assert compare(before, after).result == "proved"


@pytest.mark.parametrize("name", ["h", "t", "ccz"])
def test_gadgets_without_their_predicates_fail(name: str):
    before, rows = build(GADGETS[name][0], 3), GADGETS[name][1]
    for at, row in enumerate(rows):
        if row.cond:
            for wrong in ([], [row._replace(cond="")]):
                after = build([*rows[:at], *wrong, *rows[at + 1 :]], 3)
                assert compare(before, after).result == "failed"


def test_an_ancilla_that_keeps_information_is_not_thrown_away():
    spoiled = [Row("alloc", (3,)), gate("cx", (0, 3)), Row("free", (3,))]
    assert compare(build([], 3), build(spoiled, 3)).result == "failed"
    undone = [*spoiled[:2], gate("x", (1,)), gate("x", (1,)), gate("cx", (0, 3)), spoiled[2]]
    found = compare(build([], 3), build(undone, 3))
    assert found.result == "proved"
    assert results(build([], 3), build(undone, 3))["path sums"] == "proved"


def test_an_ancilla_that_is_not_freed_counts_as_thrown_away():
    kept = [Row("alloc", (1,)), gate("cx", (0, 1))]
    assert compare(build([], 1), build(kept, 1)).result == "failed"
    assert compare(build([], 1), build(kept * 2, 1)).result == "failed"
    assert compare(build([], 1), build([*kept, kept[1]], 1)).result == "proved"


def test_outcomes_of_ancillas_may_not_tell_the_input():
    look = [
        *[Row("alloc", (1,)), gate("cx", (0, 1))],
        *[Row("measure_z", (1,), bit="own", own=True), Row("free", (1,))],
    ]
    assert compare(build([], 1), build(look, 1)).result == "failed"


def test_phases_that_depend_on_outcomes_do_not_matter():
    measure = Row("measure_x", (0,), bit="m")
    before = build([measure, Row("measure_z", (0,), bit="k")], 2)
    after = [gate("sx", (0,)), measure, Row("measure_z", (0,), bit="k"), gate("t", (0,), "m")]
    assert results(before, build(after, 2))["path sums"] == "proved"
    assert compare(before, build([*after, gate("t", (1,), "m")], 2)).result == "failed"


# -- large circuits, without an oracle


def toffolis(rng: np.random.Generator, n: int, count: int) -> Rows:
    """Toffolis in between other gates."""
    gates = random_gates(rng, n, count, ("ccz", "ccx", "cx", "h", "t", "rz", "cswap"))
    return [row for row in gates if row.name != "rz" or row.angle]


def test_wide_circuits_are_proved_and_mutants_are_not():
    for seed in range(4):
        rng = np.random.default_rng(seed)
        n = 24
        rows = toffolis(rng, n, 60)
        after = rewritten(rng, rows, n, 40)
        assert compare(build(rows, n), build(after, n)).result == "proved"
        for _ in range(4):
            gates = [
                k for k, row in enumerate(after) if row.name in ("t", "cx", "h") and not row.cond
            ]
            at = int(rng.choice(gates))
            mutated = after[:at] + after[at + 1 :]
            assert compare(build(rows, n), build(mutated, n)).result != "proved"


def test_wide_clifford_circuits():
    rng = np.random.default_rng(1)
    names = ("h", "s", "sx", "cx", "cz", "cy", "swap", "x", "y")
    rows = random_gates(rng, 300, 3000, names)
    after = [new for row in rows for new in ([row] if row.name != "cz" else split(row))]
    assert compare(build(rows, 300), build(after, 300)).result == "proved"
    for name in ("s", "x", "z", "cx"):
        spoiled = [*after, *random_gates(rng, 300, 1, (name,))]
        found = compare(build(rows, 300), build(spoiled, 300))
        assert (found.result, found.detail[:5]) == ("failed", "Pauli")


def split(row: Row) -> Rows:
    a, b = row.on
    return [gate("h", (b,)), gate("cx", (a, b)), gate("h", (b,))]


def test_clifford_programs_with_measurements_are_proved():
    for seed in range(30):
        program = trace(random_clifford(seed, max_qubits=5, max_gates=60))
        assert compare_rotations(program, program).result == "proved", seed
        assert compare_sums(program, program).result == "proved", seed


def test_rotations_cancel_far_away_in_linear_time():
    """T gates that meet their partner behind many that commute with them."""
    rng = np.random.default_rng(5)
    rows = random_gates(rng, 40, 6000, ("h", "cx", "t", "tdg", "s", "rz"))
    merged = [gate("t", (0,)), *rows, *[gate("tdg", (0,))]]
    apart = [gate("h", (0,)), gate("rz", (0,), angle=-0.2), *merged, gate("s", (1,))]
    joined = [gate("h", (0,)), gate("rz", (0,), angle=math.pi / 4 - 0.2), *apart[3:]]
    found = compare(build(apart, 40), build(joined, 40))
    assert found.result == "proved"
    assert found.detail.startswith("Pauli rotations")


# -- angles and errors


def test_angles_add_up():
    before = build([gate("rz", (0,), angle=0.5), gate("t", (0,)), gate("crz", (0, 1), angle=1)], 2)
    words = [gate("rz", (1,), angle=0.5), gate("cx", (0, 1)), gate("rz", (1,), angle=-0.5)]
    after = [*words, gate("cx", (0, 1)), gate("rz", (0,), angle=0.5 + math.pi / 4)]
    for name in ("Pauli rotations", "path sums", "matrices"):
        assert results(before, build(after, 2))[name] == "proved"
        wrong = build([*after, gate("rz", (0,), angle=1e-6)], 2)
        assert results(before, wrong)[name] != "proved"


def test_a_turn_may_be_predicated_by_halves():
    measure = Row("measure_x", (0,), bit="m")
    before = build([measure, gate("rz", (1,), "m", 0.7)], 2)
    half = [gate("rz", (1,), angle=0.35), gate("x", (1,), "m"), gate("rz", (1,), angle=-0.35)]
    after = build([measure, *half, gate("x", (1,), "m")], 2)
    assert compare(before, after).result == "proved"
    assert results(before, after)["path sums"] == "proved"


@pytest.mark.parametrize("entangled", [False, True])
def test_errors_are_measured_in_operator_norm(entangled: bool):
    ends = [gate("h", (0,)), gate("cx", (0, 1))] if entangled else []
    before = build([*ends, gate("rz", (1,), angle=0.3), *ends], 2)
    after = build([*ends, gate("rz", (1,), angle=0.302), *ends], 2)
    assert compare(before, after, 1.001e-3).result == "proved"
    assert compare(before, after, 0.999e-3).result == "not decided"
    assert compare(before, after, 1e-4).result == "failed"


# -- interface


def test_the_interface_has_to_be_the_same():
    measured = [Row("measure_z", (0,), bit="m")]
    assert "measurements" in compare(build(measured, 1), build([], 1)).detail
    assert "qubits" in compare(build([], 2), build([], 1)).detail
    other = [Row("measure_z", (0,), bit="k")]
    assert "results" in compare(build(measured, 1), build(other, 1)).detail


def test_results_have_to_be_the_same():
    rows = [Row("measure_z", (0,), bit="a"), Row("measure_z", (1,), bit="b")]
    crossed = [Row("measure_z", (0,), bit="b"), Row("measure_z", (1,), bit="a")]
    assert compare(build(rows, 2), build(crossed, 2)).result == "failed"


def test_what_is_not_understood_is_not_decided():
    builder = qwasmc.ir.circuit.CircuitBuilder()
    builder.add("uncompute", attr="a")
    circuit = builder.freeze()
    assert compare(circuit, circuit) == Check(
        "equivalence", "not decided", "'uncompute' is not understood"
    )


def test_shares_no_code_with_passes():
    for path in Path(equivalence.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in getattr(node, "names", [])]
            for name in [getattr(node, "module", None) or "", *map(str, names)]:
                assert not name.startswith(("qwasmc.passes", "qwasmc.ir.wires")), path


# -- path sums by themselves


def test_reduction_keeps_the_sum():
    """The absolute value of random sums, for all parameters, before and after."""
    reduced = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        total = PathSum()
        parameters = [total.variable(summed=False) for _ in range(2)]
        total.parameters = set(parameters)
        summed = [total.variable(summed=True, when=float(rng.random())) for _ in range(5)]
        for _ in range(int(rng.integers(1, 9))):
            size = int(rng.integers(1, 4))
            some = rng.choice([*parameters, *summed], size, replace=False).tolist()
            coefficient = int(rng.choice([1, 2, 4, 4, 4, 6]))
            total.add(
                coefficient, [frozenset({v}) for v in some[:2]] if size < 3 else [frozenset(some)]
            )
        if rng.random() < 0.3:
            total.turn(0.3, frozenset(frozenset({v}) for v in (parameters[0], summed[0])))
        before = values(total, parameters)
        total.reduce()
        reduced += len(summed) - len(total.summed)
        after = values(total, parameters)
        if total.zero:
            assert min(before) < 1e-9
        else:
            assert np.allclose(before, after)
    assert reduced > 200


def test_reduction_of_parities_keeps_the_sum():
    """The same for sums of parities, CCZ among them."""
    reduced = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        total = ParitySum()
        parameters = [total.variable(summed=False) for _ in range(2)]
        summed = [total.variable(summed=True, when=float(rng.random())) for _ in range(6)]
        everything = [0, *parameters, *summed]
        for _ in range(int(rng.integers(1, 8))):
            count = int(rng.integers(1, 4))
            forms = [
                frozenset(rng.choice(everything, int(rng.integers(1, 3)), replace=False).tolist())
                for _ in range(count)
            ]
            eighths = int(rng.choice([1, 2, 4] if count == 1 else [2, 4, 4] if count == 2 else [4]))
            polys = [frozenset(frozenset({v} if v else {}) for v in form) for form in forms]
            total.add_product(eighths, polys)
        before = parity_values(total.phases, parameters, summed, total.root2)
        total.reduce()
        reduced += len(summed) - len(total.summed)
        bits = np.unpackbits(total.bits, axis=1, bitorder="little")
        rows = [frozenset(np.flatnonzero(row).tolist()) for row in bits]
        phases = [(row, int(c)) for row, c in zip(rows, total.eighths, strict=True)]
        left = list(total.summed)
        after = parity_values(phases, parameters, left, total.root2)
        assert np.allclose(before, after), seed
    assert reduced > 600


def parity_values(
    phases: dict[frozenset[int], int] | list[tuple[frozenset[int], int]],
    parameters: list[int],
    summed: list[int],
    root2: int,
) -> list[float]:
    """The absolute value of a sum of parities for each value of the parameters."""
    rows = list(phases.items()) if isinstance(phases, dict) else phases
    found = []
    for known in product((0, 1), repeat=len(parameters)):
        paths = np.array(list(product((0, 1), repeat=len(summed))), dtype=int)
        value = {v: np.full(len(paths), bit) for v, bit in zip(parameters, known, strict=True)}
        value |= {v: paths[:, k] for k, v in enumerate(summed)}
        phase = np.zeros(len(paths))
        for form, eighths in rows:
            phase += eighths * (sum(value[v] for v in form) % 2)
        found.append(abs(np.exp(0.25j * math.pi * phase).sum()) * 2 ** (-root2 / 2))
    return found


def values(total: PathSum, parameters: list[int]) -> list[float]:
    """The absolute value of the sum for each value of the parameters, term by term."""
    summed = list(total.summed)
    found = []
    for known in product((0, 1), repeat=len(parameters)):
        amount = 0j
        for paths in product((0, 1), repeat=len(summed)):
            value = dict(zip([*parameters, *summed], [*known, *paths], strict=True))
            angle = sum(
                coefficient * math.pi / 4 * all(value[v] for v in monomial)
                for monomial, coefficient in total.terms.items()
            )
            for poly, turned in total.angles.items():
                angle += turned * (sum(all(value[v] for v in m) for m in poly) % 2)
            amount += cmath.exp(1j * angle)
        found.append(abs(amount) * 2 ** (-total.root2 / 2))
    return found


# -- files


def rows_of(circuit: Circuit) -> Rows:
    """The gates of a circuit without measurements."""
    wire = circuit.wires().tolist()
    return [
        gate(spec.name, tuple(wire[v] for v in circuit.values(row)), angle=circuit.angle[row])
        for row, spec in enumerate(OPS[code] for code in circuit.op.tolist())
        if spec.is_gate
    ]


def lowered(rows: Rows) -> Rows:
    """Toffolis in 7 T, doubled H left out."""
    out: Rows = []
    for row in rows:
        news = [row]
        if row.name in ("ccx", "ccz"):
            ends = [gate("h", row.on[2:])] if row.name == "ccx" else []
            ways = [gate(name, tuple(row.on[k] for k in on)) for name, on in TOFFOLI]
            news = [*ends, *ways, *ends]
        for new in news:
            if out and new == out[-1] and new.name == "h":
                out.pop()
            else:
                out.append(new)
    return out


def check_file(name: str) -> None:
    path = FEYNMAN / f"{name}.qasm"
    if not path.exists():
        pytest.skip("no corpus")
    circuit = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
    rows = rows_of(circuit)
    n = int(circuit.wires().max()) + 1
    before, after = build(rows, n), lowered(rows)
    found = compare(before, build(after, n))
    assert found.result == "proved", found
    last = max(k for k, row in enumerate(after) if row.name in ("t", "tdg"))
    after[last] = after[last]._replace(name="tdg" if after[last].name == "t" else "t")
    assert compare(before, build(after, n)).result != "proved"


@pytest.mark.parametrize("name", SMALL)
def test_small_files_with_toffolis_lowered(name: str):
    check_file(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    # Two that take a minute each are left out.
    sorted({path.stem for path in FEYNMAN.glob("*.qasm")} - {"hwb10", "qcla_mod_7"}),
)
def test_files_with_toffolis_lowered(name: str):
    check_file(name)


@pytest.mark.parametrize("name", ["tof_4", "vbe_adder_3", "gf24_mult"])
def test_mutants_of_circuits_with_fewest_t_gates(name: str):
    path = FEYNMAN / f"{name}.qasm"
    if not path.exists():
        pytest.skip("no corpus")
    before = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
    lowered = lower_gates(before, feed_forward=name != "gf24_mult")
    after = reduce_t(lowered, time_budget=60)
    assert compare(before, lowered).result == "proved"
    assert compare(lowered, after).result == "proved"
    assert compare(before, after).result == "proved"
    wired = to_wires(after)
    names = np.array([spec.name for spec in OPS])[wired.op]
    rng = np.random.default_rng(7)
    wrong = rng.permutation(np.flatnonzero((names == "cz") & (wired.cond >= 0)))[:2].tolist()
    wrong += rng.permutation(np.flatnonzero((names == "t") | (names == "tdg")))[:4].tolist()
    for row in wrong:
        mutated = without(wired, row)
        for right in (before, after):
            found = symbolic(trace(right), trace(mutated, is_located(right)))
            assert all(check.result != "proved" for check in found), (names[row], row)


def without(wired: Wired, row: int) -> Circuit:
    """The circuit with another T gate in place of one, or without another gate."""
    builder = WireBuilder(wired)
    for other in range(len(wired)):
        name = OPS[wired.op[row]].name
        if other != row:
            builder.copy(wired, other)
        elif name in ("t", "tdg"):
            builder.gate("tdg" if name == "t" else "t", int(wired.operands[row, 0]))
    return to_circuit(builder.freeze())
