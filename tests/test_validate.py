"""The checks prove what is right and fail what is wrong: real emissions, fakes and mutants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import stim
from random_circuits import random_clifford, random_guarded

from qwasmc.backends.stim import validate as module
from qwasmc.backends.stim.emission import BitParity, OpenPatch, Records
from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.backends.stim.probe import probe
from qwasmc.backends.stim.validate import (
    Build,
    check_action,
    check_determinism,
    check_distance,
    check_observables,
    check_suppression,
    validate,
    visible_flows,
)
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import ROWS, Row, SurgeryBuilder
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.open_ends import open_ends

UNIFORM = NoiseModel.uniform(1e-3)


def build(program: Circuit, distance: int = 3) -> Build:
    surgery = lower_surgery(defer_paulis(program))
    return Build(program, surgery, emit(surgery, distance))


def fake(original: Build, **changes: object) -> Build:
    """The same build with parts of its emission replaced."""
    emission = original.emission
    parts = ("circuit", "records", "bit_parity", "inputs", "outputs", "num_qubits", "distance")
    fields = {name: getattr(emission, name) for name in parts}
    return Build(original.program, original.surgery, SimpleNamespace(**fields | changes))


def bell(measure: bool = True) -> Circuit:
    builder = CircuitBuilder()
    a = builder.add("h", [builder.add("alloc", attr="a")])
    first = builder.add("cx", [a, builder.add("alloc", attr="b")])
    if measure:
        for i in range(2):
            builder.add("result", [builder.add("measure_z", [first + i]) + 1], attr=f"m{i}")
    return builder.freeze()


def teleport() -> Circuit:
    """A Bell pair, a Bell measurement and corrections; `in` leaves as `b`."""
    builder = CircuitBuilder()
    q = builder.add("input", attr="in")
    a = builder.add("h", [builder.add("alloc", attr="a")])
    first = builder.add("cx", [a, builder.add("alloc", attr="b")])
    a, b = first, first + 1
    first = builder.add("cx", [q, a])
    mx = builder.add("measure_x", [first]) + 1
    mz = builder.add("measure_z", [first + 1]) + 1
    b = builder.add("x", [b], cond=mz)
    b = builder.add("z", [b], cond=mx)
    builder.add("output", [b], attr="b")
    builder.add("result", [mz], attr="mz")
    return builder.freeze()


def noisy_build(program: Circuit, distance: int) -> stim.Circuit:
    return apply_noise(build(program, distance).emission.circuit, UNIFORM)


def noisy_bell(distance: int) -> stim.Circuit:
    return noisy_build(bell(), distance)


# -- what is right is proved -----------------------------------------------------------------------


def test_a_bell_pair_passes_everything():
    checks = validate(build(bell()), build(open_ends(bell(measure=False))), noisy_build)
    assert {check["check"]: check["result"] for check in checks} == {
        "determinism": "proved",
        "logical action": "proved",
        "results": "proved",
        "observables": "proved",
        "distance": "proved",
        "suppression": "proved",
    }
    assert all(check.keys() == {"check", "result", "detail"} for check in checks)
    assert "1 flows hold" in checks[2]["detail"]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("opened", [False, True])
def test_random_programs(seed, opened):
    program = random_clifford(seed, max_qubits=4, max_gates=12)
    found = build(open_ends(program) if opened else program)
    assert check_action("a", found).result in ("proved", "skipped" if not opened else "")
    assert check_observables(found).result in ("proved", "skipped")
    assert check_determinism(apply_noise(found.emission.circuit, UNIFORM)).result == "proved"


def test_teleportation():
    check = check_action("a", build(teleport()))
    assert check.result == "proved"
    assert check.detail.startswith("2 flows hold with their signs")


def test_stand_ins_are_named():
    builder = CircuitBuilder()
    q = builder.add("input", attr="q")
    for _ in range(2):
        q = builder.add("t", [q])
    builder.add("output", [q], attr="q")
    check = check_action("a", build(builder.freeze()))
    assert check.result == "proved"
    assert "S stands in for 2 T gates" in check.detail


# -- conjunctions ----------------------------------------------------------------------------------


class Guards:
    """A program that grows: random bits `m` and `n`, results `rm` and `rn`, and a target qubit."""

    def __init__(self, opened: bool) -> None:
        self.builder = CircuitBuilder()
        self.opened = opened
        self.m, self.n = (self.random(name) for name in "mn")
        self.one = self.builder.add("const", attr=1)
        self.target = self.builder.add("input" if opened else "alloc", attr="q")

    def random(self, name: str) -> int:
        q = self.builder.add("h", [self.builder.add("alloc", attr=name)])
        bit = self.builder.add("measure_z", [q]) + 1
        self.builder.add("result", [bit], attr=f"r{name}")
        return bit

    def no(self, bit: int) -> int:
        return self.builder.add("xor", [bit, self.one])

    def both(self, *bits: int) -> int:
        return self.builder.add("and", bits)

    def result(self, bit: int) -> None:
        self.builder.add("result", [bit], attr=f"r{bit}")

    def apply(self, gate: str, cond: int = -1) -> None:
        self.target = self.builder.add(gate, [self.target], cond=cond)

    def build(self) -> Build:
        """Conjunctions in a frame that T, S and H carry on, and in a result."""
        for gate in ("t", "h", "s"):
            self.apply(gate)
        if self.opened:
            self.builder.add("output", [self.target], attr="q")
        else:
            self.apply("x")
            self.target = self.builder.add("measure_y", [self.target])
            self.result(self.target + 1)
        return build(self.builder.freeze())


def simple(guards: Guards) -> None:
    guards.apply("x", guards.both(guards.m, guards.no(guards.n)))


def contradiction(guards: Guards) -> None:
    guards.apply("x", guards.both(guards.m, guards.no(guards.m)))


def tautology(guards: Guards) -> None:
    guards.apply("y", guards.both(guards.one, guards.one))
    guards.apply("x", guards.both())


def one_operand(guards: Guards) -> None:
    guards.apply("x", guards.both(guards.m, guards.m, guards.one))
    guards.apply("z", guards.both(guards.m))


def repeated(guards: Guards) -> None:
    """Equal conjunctions, written in different ways, that cancel in a result."""
    first = guards.both(guards.m, guards.n)
    second = guards.both(guards.no(guards.no(guards.n)), guards.m, guards.one)
    guards.apply("x", first)
    guards.apply("x", second)
    guards.apply("z", second)
    guards.result(guards.builder.add("xor", [first, second, guards.m]))


def nested(guards: Guards) -> None:
    inner = guards.both(guards.m, guards.n)
    guards.apply("x", guards.both(guards.no(inner), guards.m))
    guards.apply("z", guards.both(inner, guards.no(inner)))
    guards.apply("y", guards.both(inner, inner))


def measured(guards: Guards) -> None:
    """A bit that is a conjunction only because a measured qubit was flipped by one."""
    both = guards.both(guards.m, guards.n)
    q = guards.builder.add("x", [guards.builder.add("alloc", attr="p")], cond=both)
    again = guards.builder.add("measure_z", [q]) + 1
    guards.result(again)
    guards.apply("x", guards.both(again, guards.no(guards.m)))
    guards.apply("z", guards.both(again, both))
    guards.apply("z", guards.both(again, guards.no(again)))


PROGRAMS = [simple, contradiction, tautology, one_operand, repeated, nested, measured]


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("program", PROGRAMS)
def test_conjunctions_are_proved(program, opened):
    guards = Guards(opened)
    program(guards)
    found = guards.build()
    check = check_action("a", found)
    assert check.result == "proved", check.detail
    assert check_observables(found).result in ("proved", "skipped")
    irreducible = {simple: 1, repeated: 1, nested: 2, measured: 3}.get(program, 0)
    said = f"for every value of {irreducible} conjunctions of outcomes"
    assert (said in check.detail) == (irreducible > 0)


@pytest.mark.parametrize(
    "seed", [*range(20), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(20, 100))]
)
@pytest.mark.parametrize("opened", [False, True])
def test_random_programs_with_conjunctions(seed, opened):
    program = random_guarded(seed)
    found = build(open_ends(program) if opened else program)
    check = check_action("a", found)
    assert check.result in ("proved", "skipped" if not opened else ""), check.detail
    assert check_observables(found).result in ("proved", "skipped")
    assert check_determinism(apply_noise(found.emission.circuit, UNIFORM)).result == "proved"


def rewired(original: Build, at: int, bit: int) -> Build:
    """The same program with another bit at one place in the operands of the surgery, emitted."""
    pool = original.surgery.pool.copy()
    pool[at] = bit
    surgery = replace(original.surgery, pool=pool)
    return Build(original.program, surgery, emit(surgery, original.emission.distance))


def two_conjunctions(opened: bool) -> Build:
    """Two different ones, each in the frame, in the outcome and in a result."""
    guards = Guards(opened)
    for bit, gate in ((guards.n, "x"), (guards.no(guards.n), "z")):
        both = guards.both(guards.m, bit)
        guards.apply(gate, both)
        guards.result(both)
        guards.result(guards.builder.add("xor", [both, guards.n]))
    return guards.build()


CONJUNCTIONS = {opened: two_conjunctions(opened) for opened in (False, True)}


def rewirings(original: Build, *kinds: Row) -> Iterator[tuple[int, int]]:
    """(place in the pool, bit) for all bits with another meaning than the one that stands there."""
    surgery, meaning = original.surgery, original.emission.bit_parity
    for row in np.flatnonzero(np.isin(surgery.kind, kinds)).tolist():
        start = int(surgery.start[row]) + (surgery.kind[row] == Row.OUTPUT)
        for at in range(start, int(surgery.start[row + 1])):
            for bit in range(row):
                makes_bit = ROWS[Row(surgery.kind[bit])].makes_bit
                if makes_bit and meaning(bit) != meaning(int(surgery.pool[at])):
                    yield at, bit


@pytest.mark.slow
@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize("kind", [Row.AND, Row.RESULT, Row.OUTPUT])
def test_every_rewired_bit_is_found(kind, opened):
    """A wrong operand of a conjunction, a conjunction that moved or is gone, a wrong frame."""
    original = CONJUNCTIONS[opened]
    assert check_action("a", original).result == "proved"
    mutants = list(rewirings(original, kind))
    assert len(mutants) > 10 or (kind == Row.OUTPUT and not opened)
    for at, bit in mutants:
        found = check_action("a", rewired(original, at, bit))
        assert found.result == "failed", (at, bit)


@pytest.mark.parametrize("opened", [False, True])
def test_a_conjunction_dropped_or_moved_is_found(opened):
    """In the emission's claims about results and frames."""
    original = CONJUNCTIONS[opened]
    surgery, meaning = original.surgery, original.emission.bit_parity
    ands = np.flatnonzero(surgery.kind == Row.AND).tolist()
    read: dict[Row, set[int]] = {Row.AND: set(ands), Row.RESULT: set(), Row.OUTPUT: set()}
    for row in np.flatnonzero(np.isin(surgery.kind, tuple(read))).tolist():
        label = int(surgery.kind[row] == Row.OUTPUT)
        read[Row(surgery.kind[row])].update(surgery.operands(row)[label:])
    changeable = (read[Row.RESULT] | read[Row.OUTPUT]) - read[Row.AND]
    assert len(changeable) >= 3
    for wrong in sorted(changeable):
        for some in ([], ands[:1], ands[1:], ands):
            if set(some) == set(meaning(wrong).ands):
                continue

            def bit_parity(bit: int, wrong: int = wrong, some: list[int] = some) -> BitParity:
                return meaning(bit)._replace(ands=some) if bit == wrong else meaning(bit)

            assert check_action("a", fake(original, bit_parity=bit_parity)).result == "failed"


def test_a_conjunction_too_many_is_found():
    for program, other in ((simple, repeated), (nested, simple)):
        guards = {name: Guards(True) for name in (program, other)}
        for name, grown in guards.items():
            name(grown)
        one, two = guards[program].build(), guards[other].build()
        mixed = Build(one.program, two.surgery, two.emission)
        assert check_action("a", mixed).result == "failed"


def test_a_pauli_under_the_wrong_conjunction_is_found():
    """The program's own guards: each is compared with the surgery of another one."""
    built = {}
    for gate in ("x", "z"):
        for negate in (False, True):
            guards = Guards(True)
            bit = guards.no(guards.n)
            guards.apply(gate, guards.both(guards.m, bit if negate else guards.n))
            built[gate, negate] = guards.build()
    for one, program in built.items():
        for two, artifact in built.items():
            mixed = Build(program.program, artifact.surgery, artifact.emission)
            expected = "proved" if one == two else "failed"
            assert check_action("a", mixed).result == expected, (one, two)


# -- mutants ---------------------------------------------------------------------------------------


def changed(circuit: stim.Circuit, at: int, *items: stim.CircuitInstruction) -> stim.Circuit:
    """`circuit`, flattened, with other instructions in place of one."""
    out = stim.Circuit()
    for number, item in enumerate(circuit.flattened()):
        for chosen in items if number == at else (item,):
            out.append(chosen)
    return out


def killed(original: Build, circuit: stim.Circuit) -> bool:
    """Whether a mutant with the same qubits and records is found out."""
    mutant = fake(original, circuit=circuit)
    noisy = apply_noise(circuit, UNIFORM)
    checks = check_determinism(noisy), check_action("a", mutant), check_observables(mutant)
    return any(check.result == "failed" for check in checks)


def positions(circuit: stim.Circuit, *names: str) -> list[int]:
    """A few places where such instructions stand, spread over the flattened circuit."""
    found = [i for i, item in enumerate(circuit.flattened()) if item.name in names]
    return [found[int(i)] for i in np.linspace(0, len(found) - 1, num=12)]


OPENED = build(teleport())
FLAT = OPENED.emission.circuit.flattened()


@pytest.mark.parametrize("at", positions(FLAT, "CX", "CZ"))
def test_a_dropped_gate_is_found(at):
    item = FLAT[at]
    rest = stim.CircuitInstruction(item.name, item.targets_copy()[2:])
    assert killed(OPENED, changed(FLAT, at, rest))


@pytest.mark.parametrize("at", positions(FLAT, "CX"))
def test_a_reversed_gate_is_found(at):
    item = FLAT[at]
    assert killed(
        OPENED, changed(FLAT, at, stim.CircuitInstruction("CX", item.targets_copy()[::-1]))
    )


@pytest.mark.parametrize("at", positions(FLAT, "M", "MX"))
def test_a_measurement_in_the_wrong_basis_is_found(at):
    item = FLAT[at]
    other = {"M": "MX", "MX": "M"}[item.name]
    wrong = stim.CircuitInstruction(other, item.targets_copy())
    assert killed(OPENED, changed(FLAT, at, wrong))


@pytest.mark.parametrize("letter", "XYZ")
def test_a_logical_pauli_at_the_end_is_a_wrong_sign(letter):
    (patch,) = OPENED.emission.outputs
    strings = {"X": [patch.x], "Z": [patch.z], "Y": [patch.x, patch.z]}[letter]
    circuit = FLAT.copy()
    for string in strings:
        for qubit in string.pauli_indices():
            circuit.append("IXYZ"[string[qubit]], [qubit])
    check = check_action("a", fake(OPENED, circuit=circuit))
    assert check.result == "failed"
    assert "flows are missing" in check.detail


def test_a_wrong_sign_of_a_result_is_found():
    found = build(bell())
    (row,) = np.flatnonzero(found.surgery.kind == Row.RESULT)[:1]
    (wrong,) = found.surgery.operands(int(row))

    def bit_parity(bit: int) -> BitParity:
        parity = found.emission.bit_parity(bit)
        return parity._replace(constant=parity.constant ^ (bit == wrong))

    assert check_action("a", found).result == "proved"
    assert check_action("a", fake(found, bit_parity=bit_parity)).result == "failed"


def test_a_wrong_frame_is_found():
    (patch,) = OPENED.emission.outputs
    (row,) = np.flatnonzero(OPENED.surgery.kind == Row.RESULT).tolist()
    random = OPENED.emission.bit_records(OPENED.surgery.operands(row)[0])
    for change in ({"sign_x": random}, {"sign_z": Records([], 1)}, {"x": patch.z}):
        mutant = fake(OPENED, outputs=[patch._replace(**change)])
        assert check_action("a", mutant).result == "failed", change


def test_swapped_outputs_are_found():
    builder = CircuitBuilder()
    a = builder.add("h", [builder.add("input", attr="q")])
    b = builder.add("input", attr="q")
    for wire in (a, b):
        builder.add("output", [wire], attr="q")
    found = build(builder.freeze())
    assert check_action("a", found).result == "proved"
    first, second = found.emission.outputs
    swapped = [second._replace(row=first.row), first._replace(row=second.row)]
    assert check_action("a", fake(found, outputs=swapped)).result == "failed"
    assert check_action("a", fake(found, outputs=[first])).result == "failed"
    assert check_action("a", fake(found, inputs=[])).result == "failed"


def test_a_wrong_record_in_an_observable_is_found():
    found = build(bell())
    flat = found.emission.circuit.flattened()
    *_, at = [i for i, item in enumerate(flat) if item.name == "OBSERVABLE_INCLUDE"]
    for records in (
        [],
        flat[at].targets_copy()[1:],
        [*flat[at].targets_copy(), stim.target_rec(-1)],
    ):
        wrong = stim.CircuitInstruction("OBSERVABLE_INCLUDE", records, [0])
        mutant = fake(found, circuit=changed(flat, at, wrong))
        assert check_observables(mutant).result == "failed"
    assert check_observables(fake(found, circuit=changed(flat, at))).result == "failed"


def test_records_of_observables_behind_and_in_loops():
    text = "REPEAT {} {{\nM 0\n{}}}\n"
    inside = text.format(2, "OBSERVABLE_INCLUDE(1) rec[-1]\n")
    circuit = stim.Circuit(text.format(10**12, "") + inside + "OBSERVABLE_INCLUDE(0) rec[-2]")
    found = module._observable_records(circuit)
    assert found == {0: {10**12}, 1: {10**12, 10**12 + 1}}


def test_a_random_detector_is_found():
    noisy = noisy_bell(3)
    noisy.append("DETECTOR", [stim.target_rec(-1)])
    check = check_determinism(noisy)
    assert check.result == "failed"
    assert "non-deterministic" in check.detail


def test_a_short_error_fails_the_distance():
    """Distance 3 is enough when 3 is wanted and not when 5 is."""
    good = stim.Circuit.generated(
        "repetition_code:memory", distance=3, rounds=3, before_round_data_depolarization=0.01
    )
    assert check_distance(good, 3).result == "proved"
    assert check_distance(good, 5).result == "failed"


# -- fakes: distance 1 -----------------------------------------------------------------------------


def transversal(gate: str, physical: str) -> Build:
    """A program of one gate between open ends, as physical gates on bare qubits."""
    program, surgery = CircuitBuilder(), SurgeryBuilder()
    n = 2 if gate in ("cx", "cz", "swap") else 1
    first = program.add(gate, [program.add("input", attr=f"q{i}") for i in range(n)])
    patches = []
    for i in range(n):
        program.add("output", [first + i], attr=f"q{i}")
        one = stim.PauliString(n)
        one[i] = "X"
        two = stim.PauliString(n)
        two[i] = "Z"
        row = surgery.add(Row.INPUT, tile=(i, 0), aux=i)
        patches.append(OpenPatch(row, (i, 0), one, two, Records([], 0), Records([], 0)))
    zero = surgery.add(Row.CONST)
    leaving = [
        patch._replace(
            row=surgery.add(Row.OUTPUT, aux=surgery.name(f"q{i}"), operands=[0, zero, zero])
        )
        for i, patch in enumerate(patches)
    ]
    emission = SimpleNamespace(
        circuit=stim.Circuit(physical),
        records=0,
        inputs=patches,
        outputs=leaving,
        num_qubits=n,
        distance=1,
        bit_parity=lambda bit: BitParity([], 0, []),
    )
    return Build(program.freeze(), surgery.freeze(), emission)


GATES = {"h": "H 0", "x": "X 0", "s": "S 0", "sdg": "S_DAG 0", "sx": "SQRT_X 0", "y": "Y 0"}
GATES |= {"cx": "CX 0 1", "cz": "CZ 0 1", "swap": "SWAP 0 1", "sxdg": "SQRT_X_DAG 0"}


@pytest.mark.parametrize("claimed", GATES)
@pytest.mark.parametrize("done", GATES)
def test_only_the_right_gate_passes(claimed, done):
    result = check_action("a", transversal(claimed, GATES[done])).result
    assert result == ("proved" if claimed == done else "failed")


# -- limits and undecided cases --------------------------------------------------------------------


def test_without_observables_distance_and_suppression_are_skipped():
    circuit = stim.Circuit("M 0")
    for check in (check_distance(circuit, 3), check_suppression(circuit, noisy_bell, 3)):
        assert check.result == "skipped"
        assert "no deterministic parity" in check.detail


def test_too_large_is_skipped_with_the_limit(monkeypatch):
    for limit in ("MAX_LOGICAL", "MAX_RECORDS", "MAX_DETECTORS", "MAX_SAMPLED"):
        monkeypatch.setattr(module, limit, 1)
    noisy = noisy_bell(3)
    for check in (
        check_action("a", OPENED),
        check_distance(noisy, 3),
        check_suppression(noisy, noisy_bell, 3),
    ):
        assert check.result == "skipped"
        assert (
            "limit of 1" in check.detail
            or "limit 1" in check.detail
            or "1000 shots" in check.detail
        )


def test_a_noiseless_circuit_decides_nothing():
    quiet = build(bell()).emission.circuit
    assert check_distance(quiet, 3).result == "not decided"
    assert check_suppression(quiet, lambda d: quiet, 3).result == "not decided"


def test_suppression_fails_when_the_larger_code_is_worse():
    def noisy(distance: int) -> stim.Circuit:
        return noisy_bell(8 - distance)

    assert check_suppression(noisy(3), noisy, 3).result == "failed"


def test_a_program_that_is_not_clifford_is_not_decided():
    builder = CircuitBuilder()
    builder.add("rx", [builder.add("input", attr="q")], angle=0.1)
    check = check_action("a", Build(builder.freeze(), OPENED.surgery, OPENED.emission))
    assert check.result == "not decided"


def test_a_random_result_that_repeats_another_is_found():
    """Every flow of the program holds, and one more does."""
    builder = CircuitBuilder()
    for name in ("m", "n"):
        qubit = builder.add("h", [builder.add("alloc", attr=name)])
        builder.add("result", [builder.add("measure_z", [qubit]) + 1], attr=name)
    right = build(builder.freeze())
    rows = np.flatnonzero(right.surgery.kind == Row.RESULT).tolist()
    first, second = (right.surgery.operands(row)[0] for row in rows)
    assert check_action("a", right).result == "proved"
    parity = right.emission.bit_parity
    wrong = fake(right, bit_parity=lambda bit: parity(first if bit == second else bit))
    assert check_action("a", wrong).result == "failed"


def test_a_program_with_random_results_is_probed():
    """|+> through a CX onto |0>, one half measured in Z, one in X: nothing is fixed."""
    builder = CircuitBuilder()
    a = builder.add("h", [builder.add("alloc", attr="a")])
    first = builder.add("cx", [a, builder.add("alloc", attr="b")])
    builder.add("result", [builder.add("measure_x", [first]) + 1], attr="m")
    program = builder.freeze()
    opened = build(open_ends(program))
    assert build(program).emission.circuit.num_observables == 0
    probed = probe(program, visible_flows(opened))
    assert build(probed).emission.circuit.num_observables > 0
    checks = {c["check"]: c for c in validate(build(program), opened, noisy_build)}
    for name in ("distance", "suppression"):
        assert checks[name]["result"] == "proved"
        assert "known inputs and outputs" in checks[name]["detail"]
