"""Folding of rotations: the same operator for any outcomes and inputs, and published T counts."""

from __future__ import annotations

import csv
import math
import re
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import predicated
import pytest
import statevector
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator

import qwasmc
from qwasmc.cost import rotation_count, t_count, two_qubit_count, width
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes import fold as folding
from qwasmc.passes.fold import fold
from qwasmc.passes.folding import frames
from qwasmc.text import print_ir
from qwasmc.verify import verify

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits"
COLUMN = "fold(PyZX=FastTMerge)"
FAST = ("mod5_4", "vbe_adder_3", "qcla_mod_7", "ham15-low", "adder_8", "gf2^6_mult", "qft_4")

CLIFFORD = ("h", "s", "sdg", "x", "y", "z", "sx", "sxdg", "cx", "cx", "cx", "cy", "cz", "swap")
TURNS = ("t", "t", "tdg", "rz")
ANGLES = (0.3, -0.3, math.pi / 4 - 0.3, math.pi / 4, math.pi / 2, -math.pi, 7.1)
OUTCOMES = ("measure_z", "measure_x", "measure_y", "ppm", "reset")
MOST_OUTCOMES = 4


class Build:
    """A circuit by wires and bits; bit k is the k-th one made."""

    def __init__(self, wires: int) -> None:
        self.builder = CircuitBuilder()
        self.wires = [self.builder.add("alloc", attr=f"q{i}") for i in range(wires)]
        self.bits: list[int] = []

    def row(
        self,
        name: str,
        *wires: int,
        cond: int = -1,
        angle: float = 0.0,
        attr: int | str = 0,
        bits: tuple[int, ...] = (),
    ) -> Build:
        values = [self.wires[wire] for wire in wires] + [self.bits[bit] for bit in bits]
        condition = self.bits[cond] if cond >= 0 else -1
        first = self.builder.add(name, values, cond=condition, angle=angle, attr=attr)
        spec = BY_NAME[name]
        if not spec.ends_qubit:
            for slot, wire in enumerate(wires):
                self.wires[wire] = first + slot
        if spec.makes_bit:
            self.bits.append(first + len(wires))
        return self

    def renew(self, wire: int) -> None:
        """Free a qubit; a new one takes its place."""
        self.row("free", wire)
        self.wires[wire] = self.builder.add("alloc", attr=f"new{len(self.builder.op)}")

    def freeze(self) -> Circuit:
        circuit = self.builder.freeze()
        verify(circuit)
        return circuit


def random_unitary(rng: Random, wires: int, gates: int, clifford: float = 0.5) -> Build:
    build = Build(wires)
    for _ in range(gates):
        add_gate(build, rng, clifford)
    return build


def add_gate(build: Build, rng: Random, clifford: float, cond: int = -1) -> None:
    count = len(build.wires)
    name = rng.choice(CLIFFORD if rng.random() < clifford else TURNS)
    name = "h" if BY_NAME[name].qubits > count else name
    wires = rng.sample(range(count), BY_NAME[name].qubits)
    build.row(name, *wires, cond=cond, angle=rng.choice(ANGLES) if name == "rz" else 0.0)


def random_hybrid(seed: int) -> Circuit:
    """All that there is: outcomes, feed-forward, gates that fold knows nothing of, new qubits."""
    rng = Random(seed)
    build = Build(rng.randint(1, 4))
    clifford = rng.choice((0.3, 0.6))
    outcomes = renewed = 0
    for _ in range(rng.randint(10, 45)):
        kind = rng.random()
        some = rng.sample(range(len(build.wires)), rng.randint(1, len(build.wires)))
        cond = rng.randrange(len(build.bits)) if build.bits else -1
        if kind < 0.12 and outcomes < MOST_OUTCOMES:
            outcomes += 1
            add_outcome(build, rng, some, cond if rng.random() < 0.15 else -1)
        elif kind < 0.24 and build.bits:
            build.row(rng.choice("xyz"), some[0], cond=cond)
        elif kind < 0.28 and build.bits:
            add_gate(build, rng, 0.5, cond)
        elif kind < 0.33 and build.bits:
            operands = tuple(rng.choices(range(len(build.bits)), k=rng.randint(1, 3)))
            build.row(rng.choice(("xor", "xor", "and")), bits=operands)
        elif kind < 0.35:
            build.row("const", attr=rng.randint(0, 1))
        elif kind < 0.37:
            build.row("barrier", *some)
        elif kind < 0.39 and len(some) == 3:
            build.row(rng.choice(("ccx", "ccz", "cswap")), *some)
        elif kind < 0.40 and renewed < 2:
            renewed += 1
            build.renew(some[0])
        else:
            add_gate(build, rng, clifford)
    return build.freeze()


def add_outcome(build: Build, rng: Random, some: list[int], cond: int) -> None:
    name = rng.choice(OUTCOMES)
    if name == "ppm":
        letters = "".join(rng.choice("XYZ") for _ in some)
        build.row(name, *some, cond=cond, attr=letters)
    else:
        build.row(name, some[0], cond=cond)


def branches(circuit: Circuit) -> list[statevector.Branch]:
    """All that can happen to a random state of all wires, those of later qubits included."""
    wire = circuit.wires()
    shape = (2,) * int(wire.max() + 1)
    rng = np.random.default_rng(7)
    state = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    found = [statevector.Branch(state / np.linalg.norm(state), {})]
    for row in range(len(circuit)):
        found = [
            new
            for old in found
            for new in statevector.step(circuit, row, wire, old, statevector.MATRIX)
        ]
    return found


def assert_same(before: Circuit, after: Circuit) -> None:
    """Equal bits and, up to a phase, equal states, outcome by outcome (of resets too)."""
    old, new = branches(before), branches(after)
    assert len(old) == len(new)
    for a, b in zip(old, new, strict=True):
        assert list(a.bits.values()) == list(b.bits.values())
        phase = np.vdot(a.state, b.state)
        assert np.allclose(a.state * phase / abs(phase), b.state, atol=1e-7)


def assert_folds(circuit: Circuit) -> Circuit:
    """Fold, and check what always holds."""
    after = fold(circuit)
    verify(after)
    count = t_count(circuit) + rotation_count(circuit)
    assert t_count(after) + rotation_count(after) <= count
    assert two_qubit_count(after) == two_qubit_count(circuit)
    assert print_ir(fold(after)) == print_ir(after)
    return after


@pytest.fixture(params=["lists", "light cones"])
def wide(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to find what is between two rotations."""
    if request.param == "light cones":
        monkeypatch.setattr(folding, "NARROW", 0)


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("block", range(6))
def test_random_circuits_with_outcomes(block: int):
    folded = 0
    for seed in range(50 * block, 50 * block + 50):
        before = random_hybrid(seed)
        after = assert_folds(before)
        assert_same(before, after)
        folded += len(after) < len(before)
    assert folded > 10


@pytest.mark.usefixtures("wide")
def test_random_circuits_of_all_gates():
    for seed in range(20):
        before = predicated.random_circuit(Random(seed), 24)
        assert_same(before, fold(before))


@pytest.mark.slow
@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("block", range(100))
def test_many_random_circuits_with_outcomes(block: int):
    for seed in range(1000 + 50 * block, 1050 + 50 * block):
        before = random_hybrid(seed)
        assert_same(before, assert_folds(before))


def qiskit_operator(circuit: Circuit) -> Operator:
    wire = circuit.wires()
    program = QuantumCircuit(int(wire.max()) + 1)
    for row, code in enumerate(circuit.op.tolist()):
        if OPS[code].is_gate:
            parameters = [float(circuit.angle[row])] if OPS[code].angle else []
            qubits = [int(wire[value]) for value in circuit.values(row)]
            getattr(program, OPS[code].qiskit)(*parameters, *qubits)
    return Operator(program)


@pytest.mark.usefixtures("wide")
def test_random_unitaries_against_qiskit():
    for seed in range(60):
        rng = Random(seed)
        before = random_unitary(rng, rng.randint(1, 5), rng.randint(5, 60)).freeze()
        assert qiskit_operator(assert_folds(before)).equiv(qiskit_operator(before))


def there_and_back(rng: Random, wires: int, gates: int) -> Circuit:
    """Clifford gates and then their inverses, with T gates in between: equal products far apart."""
    build = Build(wires)
    done = []
    for _ in range(gates):
        name = rng.choice(CLIFFORD[:-1])
        some = rng.sample(range(wires), BY_NAME[name].qubits)
        done.append((BY_NAME[name].inverse or "", some))
        build.row(name, *some)
        if rng.random() < 0.2:
            build.row("t", rng.randrange(wires))
    for name, some in reversed(done):
        if rng.random() < 0.2:
            build.row("t", rng.randrange(wires))
        build.row(name, *some)
    return build.freeze()


@pytest.mark.usefixtures("wide")
def test_products_that_return_against_qiskit():
    for seed in range(100):
        before = there_and_back(Random(seed), 4, 12)
        assert qiskit_operator(assert_folds(before)).equiv(qiskit_operator(before))


def test_lists_and_light_cones_find_the_same(monkeypatch: pytest.MonkeyPatch):
    before = [there_and_back(Random(seed), 90, 400) for seed in range(10)]
    before += [random_hybrid(seed) for seed in range(200)]
    listed = [print_ir(fold(circuit)) for circuit in before]
    monkeypatch.setattr(folding, "NARROW", 0)
    assert [print_ir(fold(circuit)) for circuit in before] == listed
    assert sum(t_count(fold(circuit)) for circuit in before) < sum(map(t_count, before))


def rows(circuit: Circuit) -> list[str]:
    """Names of the rows after the allocs, without their operands."""
    names = [OPS[code].name for code in circuit.op.tolist()]
    return [name for name in names if name != "alloc"]


def test_equal_products_become_one():
    build = Build(2).row("t", 0).row("cx", 1, 0).row("t", 0).row("cx", 1, 0).row("t", 0)
    assert rows(fold(build.freeze())) == ["s", "cx", "t", "cx"]


@pytest.mark.parametrize(
    ("count", "gates"),
    [(2, ["s"]), (3, ["z", "tdg"]), (4, ["z"]), (5, ["z", "t"]), (6, ["sdg"]), (8, [])],
)
def test_the_cheapest_gates_of_each_angle(count: int, gates: list[str]):
    build = Build(1)
    for _ in range(count):
        build.row("t", 0)
    assert rows(fold(build.freeze())) == gates


def test_a_sign_of_the_product_turns_back():
    build = Build(1).row("t", 0).row("x", 0).row("t", 0).row("x", 0)
    assert rows(fold(build.freeze())) == ["x", "x"]


def test_what_anticommutes_is_in_the_way():
    build = Build(1).row("t", 0).row("h", 0).row("t", 0).row("h", 0).row("t", 0)
    before = build.freeze()
    assert fold(before) is before


def test_what_vanishes_is_not_in_the_way():
    build = Build(1)
    for name in ("t", "h", "t", "h", "t", "tdg", "h", "tdg", "h", "tdg"):
        build.row(name, 0)
    assert rows(fold(build.freeze())) == ["h"] * 4


def test_clifford_sums_change_what_is_behind_them():
    """X + X = Clifford makes the Z before and the Y after it equal; they merge in round two."""
    build = Build(1).row("t", 0).row("h", 0).row("t", 0).row("t", 0).row("h", 0).row("sxdg", 0)
    assert rows(fold(build.row("t", 0).freeze())) == ["s", "h", "s", "h", "sxdg"]


def test_angles_add_up():
    build = Build(1).row("rz", 0, angle=0.3).row("t", 0).row("rz", 0, angle=0.4)
    after = fold(build.freeze())
    assert rows(after) == ["rz"]
    assert after.angle[-1] == pytest.approx(0.7 + math.pi / 4)


def test_opposite_angles_are_gone():
    build = Build(1).row("rz", 0, angle=0.1).row("rz", 0, angle=0.2).row("rz", 0, angle=-0.3)
    assert rows(fold(build.freeze())) == []


def test_new_gates_are_where_the_first_was():
    build = Build(1)
    file = build.builder.locations.add_file("a", "t\n" * 3)
    for line in (1, 2, 3):
        loc = build.builder.locations.add(file, line, 1, 2)
        build.wires[0] = build.builder.add("t", [build.wires[0]], loc=loc)
    assert fold(build.freeze()).loc.tolist() == [-1, 0, 0]


@pytest.mark.parametrize("letter", "xyz")
def test_a_sign_that_depends_on_a_result_is_in_the_way(letter: str):
    """T, X if m, T is a turn by a quarter or none: no one gate, whatever other tools make of it."""
    build = Build(2).row("measure_z", 1).row("t", 0).row(letter, 0, cond=0).row("t", 0)
    after = fold(build.freeze())
    assert t_count(after) == (0 if letter == "z" else 2)


def test_a_sign_that_cancels_is_not_in_the_way():
    build = Build(2).row("measure_z", 1).row("measure_x", 1).row("t", 0)
    build.row("x", 0, cond=0).row("t", 0).row("y", 0, cond=1).row("t", 0)
    build.row("xor", bits=(0, 1)).row("x", 0, cond=2).row("t", 0)
    after = fold(build.freeze())
    assert t_count(after) == 2
    assert_same(build.freeze(), after)


def test_a_constant_sign_is_known():
    build = Build(1).row("const", attr=1).row("t", 0).row("x", 0, cond=0).row("t", 0)
    assert t_count(fold(build.freeze())) == 0


@pytest.mark.parametrize("outcome", ["measure_z", "reset"])
def test_turns_beside_an_outcome_are_phases(outcome: str):
    build = Build(2).row("t", 0).row("cx", 1, 0).row("cx", 1, 0).row("measure_z", 1)
    build.row("x", 0, cond=0).row(outcome, 0).row("rz", 0, angle=0.3).row("x", 0).row("t", 0)
    after = fold(build.freeze())
    assert t_count(after) + rotation_count(after) == 0


@pytest.mark.usefixtures("wide")
def test_a_parity_does_not_outlive_a_reset():
    build = Build(2)
    for name, *wires in (("cx", 1, 0), ("t", 0), ("cx", 1, 0)):
        build.row(name, *wires)
    build.row("reset", 1)
    for name, *wires in (("cx", 1, 0), ("t", 0), ("cx", 1, 0)):
        build.row(name, *wires)
    assert t_count(fold(build.freeze())) == 2


def test_qubits_are_not_known_to_start_in_0():
    before = Build(1).row("t", 0).freeze()
    assert fold(before) is before


def test_a_turn_does_not_vanish_into_the_end_of_a_qubit():
    before = Build(1).row("t", 0).row("free", 0).freeze()
    assert fold(before) is before


@pytest.mark.parametrize("name", ["rev_begin", "rev_end", "uncompute"])
def test_nothing_passes_the_ends_of_a_reversible_segment(name: str):
    before = Build(1).row("t", 0).row(name, attr="s").row("t", 0).freeze()
    assert fold(before) is before


def test_reversible_segments_fold_inside():
    build = Build(1).row("t", 0).row("rev_begin", attr="s").row("t", 0).row("t", 0)
    assert rows(fold(build.row("rev_end", attr="s").freeze())) == ["t", "rev_begin", "s", "rev_end"]


def test_many_blocks_are_like_one():
    """Wires far apart have blocks of their own; the same rows fold to the same rows."""
    for seed in range(10):
        rng = Random(seed)
        places = rng.sample(range(1000), 5)
        narrow, wide = Build(5), Build(1000)
        for _ in range(200):
            name = rng.choice(("h", "cx", "cz", "s", "t", "tdg"))
            wires = rng.sample(range(5), BY_NAME[name].qubits)
            narrow.row(name, *wires)
            wide.row(name, *(places[wire] for wire in wires))
        assert rows(fold(wide.freeze())) == rows(fold(narrow.freeze()))


@pytest.mark.usefixtures("wide")
def test_little_effort_only_merges_less(monkeypatch: pytest.MonkeyPatch):
    before = [there_and_back(Random(seed), 4, 40) for seed in range(20)]
    least = sum(t_count(fold(circuit)) for circuit in before)
    monkeypatch.setattr(folding, "EFFORT", 1)
    after = [fold(circuit) for circuit in before]
    assert least < sum(map(t_count, after)) < sum(map(t_count, before))
    for old, new in zip(before, after, strict=True):
        assert_same(old, new)


def test_small_memory_only_merges_less(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frames, "MAX_BLOCKS", 600)
    for seed in range(30):
        before = random_unitary(Random(seed), 4, 300).freeze()
        after = fold(before)
        assert t_count(after) < t_count(before)
        assert_same(before, after)


@cache
def published() -> dict[str, int]:
    if not CORPUS.is_dir():
        return {}
    with (CORPUS / "published_t_counts.csv").open() as file:
        return {row["circuit"]: int(row[COLUMN]) for row in csv.DictReader(file)}


TOFFOLI = (
    ("h", 2), ("cx", 1, 2), ("tdg", 2), ("cx", 0, 2), ("t", 2), ("cx", 1, 2), ("tdg", 2),
    ("cx", 0, 2), ("t", 1), ("t", 2), ("h", 2), ("cx", 0, 1), ("t", 0), ("tdg", 1), ("cx", 0, 1),
)  # fmt: skip
"""The usual seven T gates, which the published counts start from."""


def lowered(path: Path) -> Circuit:
    circuit = qwasmc.run_passes(qwasmc.parse(path), ["promote", "specialise"])
    assert isinstance(circuit, Circuit)
    wired = to_wires(circuit)
    builder = WireBuilder(wired)
    for row, code in enumerate(wired.op.tolist()):
        if OPS[code].name not in ("ccx", "ccz"):
            builder.copy(wired, row)
            continue
        wires = wired.values(row)
        for name, *slots in TOFFOLI if OPS[code].name == "ccx" else [*TOFFOLI[1:10], *TOFFOLI[11:]]:
            builder.gate(name, *(wires[slot] for slot in slots))
    return to_circuit(builder.freeze())


def assert_published(name: str) -> None:
    path = CORPUS / "feynman" / f"{name.replace('^', '')}.qasm"
    if not path.exists():
        pytest.skip("no such file")
    before = lowered(path)
    after = fold(before)
    assert t_count(after) <= published()[name]
    assert two_qubit_count(after) == two_qubit_count(before)
    if width(before) <= 5:
        assert qiskit_operator(after).equiv(qiskit_operator(before))


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
@pytest.mark.parametrize("name", FAST)
def test_published_counts(name: str):
    assert_published(name)


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
@pytest.mark.parametrize("name", sorted(set(published()) - set(FAST)))
def test_all_published_counts(name: str):
    assert_published(name)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus")
def test_every_published_circuit_that_is_there_is_tested():
    there = {re.sub(r"[^\w]", "", path.stem) for path in (CORPUS / "feynman").glob("*.qasm")}
    tested = {re.sub(r"[^\w]", "", name) for name in published()}
    assert len(there & tested) > 20
