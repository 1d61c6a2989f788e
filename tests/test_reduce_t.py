"""reduce-t against exact state vectors: every outcome of every ancilla gives the same unitary."""

from __future__ import annotations

import csv
import itertools
from pathlib import Path

import numpy as np
import pytest
import trajectories
from statevector import MATRIX, Branch, step

import qwasmc
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import CODE, OPS
from qwasmc.passes import reduce_t as module
from qwasmc.passes.fold import fold
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.reduce_t import reduce_t
from qwasmc.passes.third_order.gadgets import Plan, write
from qwasmc.passes.third_order.phase_polynomial import Turn, basic, blocks, polynomial, skeleton
from qwasmc.passes.third_order.writer import Writer

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits"

ONE = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg")
TWO = ("cx", "cy", "cz", "swap")
T = ("t", "tdg")
TURN = {"t": Turn(1, 0.0), "tdg": Turn(7, 0.0)}


class Rows:
    """Gates on a few qubits, called 0 ... n - 1."""

    def __init__(self, n: int) -> None:
        self.builder = CircuitBuilder()
        self.values = [self.builder.add("alloc", attr=f"q{i}") for i in range(n)]

    def add(self, name: str, *qubits: int, cond: int = -1, angle: float = 0.0) -> int:
        """The first value behind those of the qubits, which is the bit of a measurement."""
        first = self.builder.add(name, [self.values[q] for q in qubits], cond=cond, angle=angle)
        for slot, q in enumerate(qubits):
            self.values[q] = first + slot
        return first + len(qubits)

    def freeze(self) -> Circuit:
        return self.builder.freeze()


def t_count(circuit: Circuit) -> int:
    return int(np.isin(circuit.op, [CODE[name] for name in T]).sum())


def allocs(circuit: Circuit) -> int:
    return int((circuit.op == CODE["alloc"]).sum())


def random_rows(rng: np.random.Generator, rows: Rows, gates: int, hadamards: float) -> None:
    """Many T gates between CX, some other gates and rotations."""
    n = len(rows.values)
    for _ in range(gates):
        a, b = rng.permutation(n)[:2].tolist() if n > 1 else (0, 0)
        kind = rng.random()
        if kind < hadamards:
            rows.add(str(rng.choice(ONE)), a)
        elif kind < hadamards + 0.03:
            rows.add("rz", a, angle=float(rng.normal()))
        elif kind < 0.5 or n == 1:
            rows.add(str(rng.choice(T)), a)
        elif kind < 0.6:
            rows.add(str(rng.choice(TWO)), a, b)
        else:
            rows.add("cx", a, b)


def outcomes(circuit: Circuit, n: int) -> dict[tuple[int, ...], list[np.ndarray]]:
    """The final states for each outcome of the program's measurements, by those of ancillas.

    Half of a maximally entangled state enters on the first n qubits; the other half follows in the
    state.  What is left of an ancilla must be a state of its own.
    """
    wire = circuit.wires()
    wires = int(wire.max()) + 1
    start = np.zeros((2,) * (wires + n), dtype=complex)
    for bits in itertools.product((0, 1), repeat=n):
        start[(*bits, *(0,) * (wires - n), *bits)] = 2 ** (-n / 2)
    branches = [Branch(start, {})]
    own = []
    for row in range(len(circuit)):
        branches = [new for old in branches for new in step(circuit, row, wire, old, MATRIX)]
        if OPS[circuit.op[row]].name.startswith("measure") and circuit.loc[row] >= 0:
            own.append(int(circuit.first[row + 1]) - 1)
    found: dict[tuple[int, ...], list[np.ndarray]] = {}
    for branch in branches:
        matrix = np.moveaxis(branch.state, range(n, wires), range(wires - n))
        _, weights, states = np.linalg.svd(
            matrix.reshape(2 ** (wires - n), -1), full_matrices=False
        )
        assert np.allclose(weights[1:], 0, atol=1e-7)
        key = tuple(branch.bits[bit] for bit in own)
        found.setdefault(key, []).append(weights[0] * states[0])
    return found


def assert_same(before: Circuit, after: Circuit, n: int) -> None:
    """For each outcome of the program, all outcomes of ancillas are equally likely and alike."""
    wanted, found = outcomes(before, n), outcomes(after, n)
    assert wanted.keys() == found.keys()
    for key, (state,) in wanted.items():
        weight = np.vdot(state, state).real / len(found[key])
        for other in found[key]:
            assert np.isclose(np.vdot(other, other).real, weight)
            overlap = abs(np.vdot(state, other)) ** 2
            assert np.isclose(overlap, weight * np.vdot(state, state).real)


def unreduced(circuit: Circuit, ancillas: int) -> Circuit:
    """The circuit by way of phase polynomials, with the T gates that they have."""
    wired = to_wires(circuit)
    builder = WireBuilder(wired)
    gates = []
    n = wired.n_wires
    for row in range(len(wired)):
        name, wires = OPS[wired.op[row]].name, wired.values(row)
        if name == "alloc":
            builder.copy(wired, row)
        elif name == "rz" or name in T:
            gates.append((TURN.get(name, Turn(0, float(wired.angle[row]))), wires[0]))
        else:
            gates += basic(name, *wires)
    opening, items, closing = skeleton(n, gates)
    writer = Writer(builder, range(n), 0)
    writer.gates(opening)
    for part, after in blocks(items, ancillas):
        poly = polynomial(n, part)
        none = np.zeros((0, 3, n + poly.h), np.uint8)
        write(writer, poly, Plan(poly.columns, poly.coefficients, none, poly.clifford))
        if after >= 0:
            writer.gate("h", after)
    writer.clifford(closing)
    return to_circuit(builder.freeze())


@pytest.mark.parametrize("ancillas", [0, 1, 3, 5])
def test_phase_polynomials_and_gadgets(ancillas: int) -> None:
    """Circuits with many Hadamards, nothing reduced."""
    used = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 4))
        rows = Rows(n)
        random_rows(rng, rows, int(rng.integers(1, 22)), 0.25)
        before = rows.freeze()
        if not np.isin(before.op, [CODE["t"], CODE["tdg"], CODE["rz"]]).any():
            continue
        after = unreduced(before, ancillas)
        assert_same(before, after, n)
        used += allocs(after) - allocs(before)
    assert used or not ancillas


@pytest.mark.parametrize("seed", range(12))
def test_random_circuits(seed: int) -> None:
    """So many T gates on three qubits that some can be saved."""
    rng = np.random.default_rng(100 + seed)
    rows = Rows(3)
    random_rows(rng, rows, 36, 0.05)
    before = rows.freeze()
    after = reduce_t(before, 5, ancillas=4)
    assert t_count(after) < t_count(before)
    assert_same(before, after, 3)


def toffolis(rng: np.random.Generator, n: int, count: int) -> Circuit:
    """Toffolis, in Clifford and T gates."""
    rows = Rows(n)
    for _ in range(count):
        rows.add("ccx", *rng.permutation(n)[:3].tolist())
        rows.add("cx", *rng.permutation(n)[:2].tolist())
    return lower_gates(rows.freeze())


@pytest.mark.parametrize(("seed", "n", "count"), [(0, 3, 1), (1, 3, 2), (2, 4, 2)])
def test_toffolis_take_four_t_gates_or_fewer(seed: int, n: int, count: int) -> None:
    before = toffolis(np.random.default_rng(seed), n, count)
    after = reduce_t(before, 5)
    assert t_count(after) <= 4 * count
    assert_same(before, after, n)


def test_the_program_keeps_its_measurements() -> None:
    """Regions between measurements, resets and predicated gates; each is rewritten."""
    rng = np.random.default_rng(7)
    n = 3
    rows = Rows(n)
    rows.builder.locations.add_file("a.qasm", "")
    random_rows(rng, rows, 30, 0.02)
    bit = rows.add("measure_x", 1)
    random_rows(rng, rows, 30, 0.02)
    rows.add("x", 0, cond=bit)
    rows.add("t", 2, cond=bit)
    other = rows.add("measure_z", 2)
    rows.builder.add("result", [bit], attr="a")
    random_rows(rng, rows, 30, 0.02)
    rows.builder.add("result", [other], attr="b")
    before = rows.freeze()
    before.loc[:] = 0
    after = reduce_t(before, 5, ancillas=2)
    assert t_count(after) <= t_count(before) - 10
    assert_same(before, after, n)


def test_measurements_keep_their_order_and_gates_move_past_them() -> None:
    """A measurement of one qubit does not split the gates on the others."""
    rows = Rows(4)
    for pair in ((0, 1), (1, 2)):
        rows.add("cx", *pair)
        rows.add("t", pair[1])
    rows.add("measure_z", 3)
    random_rows(np.random.default_rng(2), rows, 30, 0)
    rows.add("measure_z", 0)
    rows.add("measure_z", 1)
    before = rows.freeze()
    before.loc[:] = 0
    after = reduce_t(before, 5)
    assert t_count(after) < t_count(before)
    assert_same(before, after, 4)


def test_nothing_to_gain_leaves_the_circuit_as_it_is() -> None:
    rows = Rows(2)
    for name, *qubits in (("h", 0), ("t", 0), ("cx", 0, 1), ("tdg", 1), ("h", 1), ("t", 1)):
        rows.add(name, *qubits)
    rows.add("measure_z", 0)
    before = rows.freeze()
    after = reduce_t(before, 1)
    assert (after.op == before.op).all()
    assert (after.operands == before.operands).all()


def test_no_time_is_said_and_costs_no_t_gates() -> None:
    before = toffolis(np.random.default_rng(1), 5, 8)
    notes: list[str] = []
    after = reduce_t(before, 0.0, note=notes.append)
    assert t_count(after) <= t_count(before)
    assert notes


def test_a_cz_that_depends_on_outcomes_is_written_once() -> None:
    """Copies that flip the same parities: no two qubits have a second cz, with other outcomes."""
    rng = np.random.default_rng(11)
    rows = Rows(5)
    for _ in range(7):
        rows.add("ccx", *rng.permutation(5)[:3].tolist())
    before = lower_gates(rows.freeze())
    after = reduce_t(before, 5)
    wired = to_wires(after)
    copies = wired.n_wires - 5
    late = (wired.op == CODE["cz"]) & (wired.cond >= 0)
    pairs = [frozenset(pair) for pair in wired.operands[late, :2].tolist()]
    toffolis_left = t_count(after) // 4
    assert late.any()
    assert len(pairs) - len(set(pairs)) <= toffolis_left <= copies
    trajectories.assert_same(before, after, seed=1, runs=2)


def test_time_that_is_not_needed_does_not_matter() -> None:
    """The searches end by themselves, with the same rows."""
    before = toffolis(np.random.default_rng(3), 6, 6)
    notes: list[str] = []
    first, again = (reduce_t(before, seconds, note=notes.append) for seconds in (30, 300))
    assert not notes
    assert np.array_equal(first.op, again.op)
    assert np.array_equal(first.operands, again.operands)


def test_large_regions_are_searched_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Rows(3)
    random_rows(np.random.default_rng(3), rows, 80, 0.02)
    before = rows.freeze()
    monkeypatch.setattr(module, "MOST_ROTATIONS", 16)
    notes: list[str] = []
    after = reduce_t(before, 5, ancillas=2, note=notes.append)
    assert "pieces" in notes[0]
    assert t_count(after) < t_count(before)
    assert_same(before, after, 3)


def published() -> dict[str, dict[str, str]]:
    table = CORPUS / "published_t_counts.csv"
    if not table.exists():
        return {}
    with table.open() as file:
        return {row["circuit"]: row for row in csv.DictReader(file)}


def reach(name: str, key: str, column: str, seconds: float) -> None:
    path = CORPUS / "feynman" / f"{name}.qasm"
    if not path.exists():
        pytest.skip("no corpus here")
    circuit = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
    after = reduce_t(fold(lower_gates(circuit)), seconds)
    assert t_count(after) <= int(published()[key][column])


@pytest.mark.parametrize("name", ["tof_3", "barenco_tof_3", "mod5_4", "mod_mult_55"])
def test_small_files_of_the_corpus(name: str) -> None:
    reach(name, name, "polytof_T", 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "key"),
    [
        *((name, name) for name in ("tof_10", "barenco_tof_10", "vbe_adder_3", "csum_mux_9")),
        *((name, name) for name in ("hwb6", "qft_4", "adder_8", "qcla_adder_10", "grover_5")),
        *((name, name) for name in ("ham15-low", "qcla_mod_7")),
        ("gf24_mult", "gf2^4_mult"),
        ("gf26_mult", "gf2^6_mult"),
    ],
)
def test_files_of_the_corpus(name: str, key: str) -> None:
    reach(name, key, "FastTODD", 10)
