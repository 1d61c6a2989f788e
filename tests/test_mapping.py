"""Mapping and routing under DASCOT's cost model, and placement.

Schedules are scored by `mapping_scorer`; reordered circuits are compared as operators by Qiskit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mapping_scorer import COSTLY, Gate, InvalidSchedule, costly_gates, score
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import Operator

import qwasmc
from qwasmc.ir.circuit import Circuit
from qwasmc.passes.mapping.gates import Gates, bound, read_gates
from qwasmc.passes.mapping.grid import Grid, compact_grid, square_grid
from qwasmc.passes.mapping.mapper import Mapping, map_circuit
from qwasmc.passes.mapping.placement import place

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
GRIDS: dict[str, Callable[[int], Grid]] = {"square": square_grid, "compact": compact_grid}
FREE = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg")


def read(circuit: QuantumCircuit) -> Circuit:
    found = qwasmc.run_passes(qwasmc.parse(circuit), ["promote", "specialise"])
    assert isinstance(found, Circuit)
    return found


def random_circuit(seed: int, n: int, size: int, free: float = 0.4) -> QuantumCircuit:
    """Every qubit has at least one T."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(n)
    for qubit in range(n):
        circuit.t(qubit)
    for _ in range(size):
        if rng.random() < free:
            getattr(circuit, str(rng.choice(FREE)))(int(rng.integers(n)))
        elif n > 1 and rng.random() < 0.6:
            circuit.cx(*(int(qubit) for qubit in rng.choice(n, 2, replace=False)))
        else:
            getattr(circuit, str(rng.choice(["t", "tdg"])))(int(rng.integers(n)))
    return circuit


def schedule(gates: Gates, mapping: Mapping) -> tuple[dict[int, tuple[int, int]], list[list[Gate]]]:
    """As the scorer takes it."""
    home = {
        int(wire): tuple(xy) for wire, xy in zip(gates.wire, mapping.home.tolist(), strict=True)
    }
    steps: list[list[Gate]] = [[] for _ in range(mapping.steps)]
    for number, step in enumerate(mapping.step.tolist()):
        path = mapping.path[mapping.start[number] : mapping.start[number + 1]].tolist()
        steps[step].append(Gate(number, [tuple(tile) for tile in path]))
    return home, steps


def picture(grid: Grid) -> str:
    tiles = np.full((grid.height, grid.width), ".")
    tiles[grid.sites[:, 1], grid.sites[:, 0]] = "Q"
    tiles[grid.magic[:, 1], grid.magic[:, 0]] = "M"
    return "\n".join("".join(row) for row in tiles)


def test_grids_are_those_of_dascot():
    """Drawn from wisq 0.2.7's output for 4 and for 3 qubits."""
    square = ".M.M.M.\nM.....M\n..Q.Q..\nM.....M\n..Q.Q..\nM.....M\n.M.M.M."
    compact = ".M.M.\nMQ.QM\n.....\nMQ.QM\n.M.M."
    assert picture(square_grid(4)) == picture(square_grid(3)) == square
    assert picture(compact_grid(4)) == picture(compact_grid(3)) == compact
    assert [len(square_grid(n).sites) for n in (1, 5, 9, 10)] == [4 - 3, 9, 9, 16]


@pytest.mark.parametrize("commute", [False, True])
@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize("seed", range(6))
def test_random_circuits(seed: int, kind: str, commute: bool):
    n = 3 + 2 * seed
    circuit = random_circuit(seed, n, 20 * n)
    gates = read_gates(read(circuit), commute)
    mapping = map_circuit(gates, GRIDS[kind](n), seed, effort=10**6)
    steps = score(circuit, kind, *schedule(gates, mapping), commute)
    assert steps == mapping.steps >= mapping.bound


@pytest.mark.parametrize("seed", range(5))
def test_bound_is_the_depth(seed: int):
    circuit = random_circuit(seed, 2 + seed, 60)
    depth = circuit.depth(lambda item: item.operation.name in COSTLY)
    assert bound(read_gates(read(circuit))) == depth


def least_steps(circuit: QuantumCircuit) -> int:
    """The fewest steps of any order of gates that commute as matrices, by trying all."""
    n = circuit.num_qubits
    free = [QuantumCircuit(n) for _ in range(n)]
    rotations, qubits = [], []
    for item in circuit.data:
        at = [circuit.find_bit(qubit).index for qubit in item.qubits]
        if item.operation.name in COSTLY:
            before = QuantumCircuit(n)
            for qubit in at:
                before.compose(free[qubit], inplace=True)
            whole = before.copy()
            whole.append(item.operation, at)
            rotations.append(Operator(whole.compose(before.inverse())).data)
            qubits.append(set(at))
        else:
            free[at[0]].append(item.operation, at)
    m = len(rotations)
    after = [
        sum(
            1 << j
            for j in range(i)
            if not np.allclose(rotations[i] @ rotations[j], rotations[j] @ rotations[i])
        )
        for i in range(m)
    ]
    seen, steps = {0}, 0
    while (1 << m) - 1 not in seen:
        seen = {done | more for done in seen for more in sets(done, after, qubits)}
        steps += 1
    return steps


def sets(done: int, after: list[int], qubits: list[set[int]]) -> list[int]:
    """All sets of gates, on different qubits, that can run next."""
    found = [(0, frozenset[int]())]
    for i, needs in enumerate(after):
        if not done >> i & 1 and needs & ~done == 0:
            found += [
                (more | 1 << i, busy | qubits[i]) for more, busy in found if not busy & qubits[i]
            ]
    return [more for more, _ in found]


@pytest.mark.parametrize("seed", range(12))
def test_bound_with_commutation_is_a_bound(seed: int):
    circuit = random_circuit(seed, 3, 13, free=0.3)
    assert bound(read_gates(read(circuit), commute=True)) <= least_steps(circuit)


@pytest.mark.parametrize("seed", range(8))
def test_reordered_circuits_are_equal(seed: int):
    """Each gate is undone of the free gates before it, runs when the schedule says, and the free
    gates all follow at the end."""
    circuit = random_circuit(seed, 4, 40)
    gates = read_gates(read(circuit), commute=True)
    mapping = map_circuit(gates, square_grid(4), effort=10**6)
    free = [QuantumCircuit(4) for _ in range(4)]
    dressed = []
    for item in circuit.data:
        at = [circuit.find_bit(qubit).index for qubit in item.qubits]
        if item.operation.name in COSTLY:
            before = QuantumCircuit(4)
            for qubit in at:
                before.compose(free[qubit], inplace=True)
            whole = before.copy()
            whole.append(item.operation, at)
            dressed.append(whole.compose(before.inverse()))
        else:
            free[at[0]].append(item.operation, at)
    order = np.argsort(mapping.step, kind="stable")
    assert order.tolist() != sorted(order)
    reordered = QuantumCircuit(4)
    for part in [*(dressed[number] for number in order), *free]:
        reordered.compose(part, inplace=True)
    assert Operator(reordered).equiv(Operator(circuit))


DASCOT = {
    "barenco_tof_10": (290, 313),
    "csum_mux_9": (56, 92),
    "adder_8": (229, 379),
    "gf28_mult": (248, 406),
    "qcla_adder_10": (75, 98),
    "hwb6": (151, 160),
}
"""Steps of wisq 0.2.7, the best of several runs with its default limits; square and compact."""


@pytest.mark.slow
@pytest.mark.parametrize("name", DASCOT)
def test_against_dascot(name: str):
    """Square grids: no worse; at most 0.89 of the bound with commutation.  Compact ones: fewer."""
    path = CORPUS / "circuits" / "feynman" / f"{name}.qasm"
    if not path.exists():
        pytest.skip("no corpus")
    basis = ["cx", "h", "s", "sdg", "t", "tdg", "x", "y", "z"]
    circuit = QuantumCircuit.from_qasm_file(path)
    circuit = transpile(circuit, basis_gates=basis, optimization_level=0)
    in_order, free = read_gates(read(circuit)), read_gates(read(circuit), commute=True)
    steps = {}
    for kind, gates, commute in (
        ("square", in_order, False),
        ("compact", in_order, False),
        ("square", free, True),
    ):
        mapping = map_circuit(gates, GRIDS[kind](gates.n_qubits), effort=2 * 10**7)
        steps[kind, commute] = score(circuit, kind, *schedule(gates, mapping), commute)
    square, compact = DASCOT[name]
    assert steps["square", False] <= square
    assert steps["compact", False] < compact
    assert steps["square", True] <= 0.89 * bound(in_order)


def scored(kind: str = "square", commute: bool = False):
    circuit = random_circuit(5, 6, 80)
    gates = read_gates(read(circuit), commute)
    return circuit, *schedule(gates, map_circuit(gates, GRIDS[kind](6), effort=10**5))


def test_scorer_accepts_what_is_tampered_below():
    circuit, home, steps = scored()
    assert score(circuit, "square", home, steps) == len(steps)


def tampered(change: str):
    """A schedule with one thing wrong, and what the scorer says."""
    circuit, home, steps = scored()
    busy = next(step for step in steps if len(step) > 1)
    long = next(step for step in steps if len(step[0].path) > 2)
    number, path = long[0]
    if change == "drop":
        busy.pop()
        return circuit, home, steps, "exactly once"
    if change == "twice":
        steps.append([busy[0]])
        return circuit, home, steps, "exactly once"
    if change == "gap":
        long[0] = Gate(number, [path[0], *path[2:]])
        return circuit, home, steps, "jumps"
    if change == "start":
        long[0] = Gate(number, path[1:])
        return circuit, home, steps, "starts"
    if change == "end":
        cx = {number for number, (name, _) in enumerate(costly_gates(circuit)) if name == "cx"}
        step = next(step for step in steps if step[0].number in cx and len(step[0].path) > 1)
        step[0] = step[0]._replace(path=step[0].path[:-1])
        return circuit, home, steps, "ends"
    if change == "empty":
        long[0] = Gate(number, [])
        return circuit, home, steps, "empty"
    if change == "cross":
        busy[0] = busy[0]._replace(path=[*busy[0].path, busy[1].path[0]])
        return circuit, home, steps, "cross"
    if change == "qubit":
        long[0] = Gate(number, [*path, home[0]])
        return circuit, home, steps, "over a qubit"
    if change == "outside":
        long[0] = Gate(number, [*path, (-1, 0)])
        return circuit, home, steps, "leaves"
    if change == "order":
        return circuit, home, steps[::-1], "order"
    if change == "together":
        return circuit, home, [[*steps[0], *steps[1]], *steps[2:]], "cross|two gates|order"
    if change == "homes":
        return circuit, {**home, 0: home[1]}, steps, "share"
    return circuit, {**home, 0: (1, 1)}, steps, "not on a site"


@pytest.mark.parametrize(
    "change",
    ["drop", "twice", "gap", "start", "end", "empty", "cross"]  # noqa: RUF005
    + ["qubit", "outside", "order", "together", "homes", "site"],
)
def test_scorer_rejects(change: str):
    circuit, home, steps, message = tampered(change)
    with pytest.raises(InvalidSchedule, match=message):
        score(circuit, "square", home, steps)


def test_scorer_knows_what_commutes():
    """t 0; cx 0, 1; h 0; t 0: the first two may be exchanged, the last two may not."""
    circuit = QuantumCircuit(2)
    circuit.t(0)
    circuit.cx(0, 1)
    circuit.h(0)
    circuit.t(0)
    home = {0: (2, 2), 1: (4, 2)}
    t, cx = [(2, 1), (2, 0)], [(2, 3), (3, 3), (3, 2)]
    one, two, three = Gate(0, t), Gate(1, cx), Gate(2, t)
    assert score(circuit, "square", home, [[two], [one], [three]], commute=True) == 3
    for steps in ([[two], [one], [three]], [[one], [three], [two]]):
        with pytest.raises(InvalidSchedule, match="order"):
            score(circuit, "square", home, steps)
    with pytest.raises(InvalidSchedule, match="order"):
        score(circuit, "square", home, [[one], [three], [two]], commute=True)


def test_deterministic_and_no_worse_than_the_first_run():
    gates = read_gates(read(random_circuit(9, 12, 200, free=0.1)))
    grid = compact_grid(12)
    first, one, two = (map_circuit(gates, grid, 3, effort) for effort in (0, 10**7, 10**7))
    assert one.steps <= first.steps
    for field in ("home", "step", "start", "path"):
        assert np.array_equal(getattr(one, field), getattr(two, field))


def test_time_limit():
    gates = read_gates(read(random_circuit(9, 12, 200, free=0.1)))
    mapping = map_circuit(gates, compact_grid(12), seconds=0.0)
    assert mapping.cut_short
    assert mapping.steps > mapping.bound


def test_no_path():
    """With one column the lane is cut off from every side of a target and of magic."""
    with pytest.raises(ValueError, match="no path"):
        map_circuit(read_gates(read(random_circuit(1, 2, 5))), compact_grid(2))
    with pytest.raises(ValueError, match="do not fit"):
        map_circuit(read_gates(read(random_circuit(1, 5, 5))), square_grid(4))


def test_no_gates():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    mapping = map_circuit(read_gates(read(circuit)), square_grid(0))
    assert mapping.steps == mapping.bound == 0


@pytest.mark.parametrize("name", ["ccx", "rz", "swap"])
def test_only_clifford_and_t(name: str):
    circuit = QuantumCircuit(3)
    getattr(circuit, name)(*{"ccx": (0, 1, 2), "rz": (0.3, 0), "swap": (0, 1)}[name])
    with pytest.raises(ValueError, match=name):
        read_gates(read(circuit))


# -- placement


def cost(weights, sites, pull, ports, site) -> int:
    tiles = np.asarray(sites)[site]
    found = sum(w * abs(tiles[a] - tiles[b]).sum() for a, b, w in weights)
    away = abs(tiles[:, None] - np.asarray(ports)[None]).sum(axis=2).min(axis=1)
    return int(found + (np.asarray(pull) * away).sum())


@pytest.mark.parametrize("seed", range(4))
def test_placement_is_optimal_when_small(seed: int):
    rng = np.random.default_rng(seed)
    sites = [(2 * x, 3 * y) for x in range(3) for y in range(2)]
    weights = [(a, b, int(rng.integers(0, 9))) for a, b in itertools.combinations(range(5), 2)]
    pull, ports = rng.integers(0, 9, 5), [(9, 0), (-2, 5)]
    site = place(5, weights, sites, pull, ports, seed)
    assert len(set(site.tolist())) == 5
    least = min(
        cost(weights, sites, pull, ports, np.array(each))
        for each in itertools.permutations(range(6), 5)
    )
    assert cost(weights, sites, pull, ports, site) == least


def test_placement_of_a_scrambled_ring():
    """200 patches in a ring: a tour of a square has no longer edges than two sites."""
    n = 200
    order = np.random.default_rng(0).permutation(n)
    weights = np.column_stack([order, np.roll(order, 1), np.ones(n, int)])
    sites = np.array([(2 * x, 2 * y) for y in range(15) for x in range(15)])
    nothing = np.zeros((0, 2), int)
    site = place(n, weights, sites, np.zeros(n, int), nothing, 1)
    again = place(n, weights, sites, np.zeros(n, int), nothing, 1)
    assert np.array_equal(site, again)
    mean = abs(sites[site[weights[:, 0]]] - sites[site[weights[:, 1]]]).sum() / n
    assert 2 <= mean < 5


@pytest.mark.parametrize("n", [0, 1, 2])
def test_placement_of_few(n: int):
    site = place(n, np.zeros((0, 3), int), [(0, 0), (5, 5)], np.ones(n, int), [(5, 4)])
    assert len(set(site.tolist())) == n
    assert n != 1 or site.tolist() == [1]


def test_placement_errors():
    with pytest.raises(ValueError, match="do not fit"):
        place(2, np.zeros((0, 3), int), [(0, 0)], [0, 0], [])
    with pytest.raises(ValueError, match="same tile"):
        place(1, np.zeros((0, 3), int), [(0, 0), (0, 0)], [0], [])
    with pytest.raises(ValueError, match="spread"):
        place(1, np.zeros((0, 3), int), [(0, 0), (10**6, 10**6)], [0], [])
