"""T with its true correction: gadgets by hand, then what the lowering makes of programs."""

from __future__ import annotations

import numpy as np
import pytest
from lift import all_measured, assert_lifts, lift
from random_circuits import add_random_op, random_guarded

from qwasmc.backends import live
from qwasmc.backends.aer import AerQubits
from qwasmc.backends.unfreeze import unfreeze
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import Join, Letter, Magic, Row, SurgeryBuilder, Term, Tile, encode_join
from qwasmc.ops import OPS
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.open_ends import open_ends
from qwasmc.verify import verify

Q, M, HELPER = (0, 0), (1, 0), (2, 0)


def join(out: SurgeryBuilder, slab: int, *terms: tuple[Tile, Letter]) -> int:
    """A joint measurement; how it is routed does not matter here."""
    encoded = encode_join(Join(tuple(Term(*term) for term in terms), (), ()))
    return out.add(Row.JOIN, slab=slab, operands=encoded)


def finish(out: SurgeryBuilder, slab: int, label: int, x: int, z: int) -> SurgeryBuilder:
    out.add(Row.OUTPUT, slab=slab, tile=Q, aux=out.name("q"), operands=[label, x, z])
    return out


def started(label: int, x: int, z: int) -> tuple[SurgeryBuilder, list[int], Letter]:
    """Q with a label and a frame, the bits of that frame, and which letter the program's Z is."""
    out = SurgeryBuilder()
    out.add(Row.INPUT, slab=0, tile=Q)
    frame = [out.add(Row.CONST, aux=bit) for bit in (x, z)]
    return out, frame, Letter.X if label else Letter.Z


def t_gadget(gate: str, magic: Magic, label: int, x: int, z: int) -> SurgeryBuilder:
    """T from T|+>: a copy of Q's Z value carries the correction S, which Q does not wait for.

    T^-1|+> is X T|+>: the same with a frame on the magic state.
    """
    out, (x, z), letter = started(label, x, z)
    out.add(Row.INJECT, slab=0, tile=M, aux=magic)
    a = join(out, 1, (Q, letter), (M, Letter.Z))
    out.add(Row.PREPARE, slab=1, tile=HELPER, aux=Letter.Y)
    b = join(out, 2, (M, Letter.Z), (HELPER, Letter.Z))
    c = out.add(Row.MEASURE, slab=2, tile=M, aux=Letter.X)
    one = out.add(Row.CONST, aux=1)
    m_x = [one] * (magic == Magic.TDG)
    due = out.add(Row.XOR, operands=[a, x, *m_x] + [one] * (gate == "tdg"))
    e = out.add(Row.ADAPT, slab=3, tile=HELPER, operands=[due])
    # S on the copy is S or S^-1 by a + b as measured; due says which by the values without frames
    fix = out.add(Row.FIX, operands=[due, out.add(Row.XOR, operands=[b, one, *m_x])])
    z = out.add(Row.XOR, operands=[z, c, e, fix])
    return finish(out, 3, label, x, z)


def s_by_stock(gate: str, label: int, x: int, z: int) -> SurgeryBuilder:
    """S from a helper in +1 of Y that a slab ago was prepared."""
    out, (x, z), letter = started(label, x, z)
    out.add(Row.PREPARE, slab=0, tile=HELPER, aux=Letter.Y)
    m = join(out, 1, (Q, letter), (HELPER, Letter.Z))
    e = out.add(Row.MEASURE, slab=1, tile=HELPER, aux=Letter.X)
    inverse = out.add(Row.CONST, aux=gate == "sdg")
    z = out.add(Row.XOR, operands=[z, x, m, e, inverse])
    return finish(out, 1, label, x, z)


def s_on_the_fly(gate: str, label: int, x: int, z: int, start: Letter) -> SurgeryBuilder:
    """S from a helper whose Y is measured along: one in |0> measured in X, or the other way."""
    out, (x, z), letter = started(label, x, z)
    out.add(Row.PREPARE, slab=0, tile=HELPER, aux=start)
    m = join(out, 0, (Q, letter), (HELPER, Letter.Y))
    e = out.add(Row.MEASURE, slab=0, tile=HELPER, aux=Letter.X if start == Letter.Z else Letter.Z)
    inverse = out.add(Row.CONST, aux=(gate == "s") == (start == Letter.Z))
    z = out.add(Row.XOR, operands=[z, x, m, e, inverse])
    return finish(out, 0, label, x, z)


def one_gate(*gates: str) -> Circuit:
    builder = CircuitBuilder()
    q = builder.add("input", attr="q")
    for gate in gates:
        q = builder.add(gate, [q])
    builder.add("output", [q], attr="q")
    return builder.freeze()


FRAMES = [(label, x, z) for label in (0, 1) for x in (0, 1) for z in (0, 1)]


def entered(gate: str, label: int, x: int, z: int) -> Circuit:
    """The gate on what stands on the chip, as its label and frame make the program see it."""
    return one_gate(*["h"] * label, *["z"] * z, *["x"] * x, gate)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("magic", Magic)
@pytest.mark.parametrize("gate", ["t", "tdg"])
def test_t_gadget(gate, magic, frame):
    surgery = t_gadget(gate, magic, *frame).freeze()
    assert_lifts(entered(gate, *frame), lift(surgery), runs=24)
    stand_in = {"t": "s", "tdg": "sdg"}[gate]
    assert_lifts(entered(stand_in, *frame), lift(surgery, stand_in=True), runs=24)


def test_a_correction_waits_for_what_it_depends_on():
    surgery = t_gadget("t", Magic.T, 0, 0, 0).freeze()
    adapt = int(np.flatnonzero(surgery.kind == Row.ADAPT)[0])
    side = int(np.flatnonzero(surgery.kind == Row.MEASURE)[0])
    surgery.slab[adapt] = surgery.slab[side]
    surgery.pool[surgery.start[adapt]] = side
    with pytest.raises(AssertionError, match="needs an outcome of slab 2"):
        lift(surgery)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("gate", ["s", "sdg"])
def test_s_gadgets(gate, frame):
    for gadget in (
        s_by_stock(gate, *frame),
        s_on_the_fly(gate, *frame, Letter.Z),
        s_on_the_fly(gate, *frame, Letter.X),
    ):
        assert_lifts(entered(gate, *frame), lift(gadget.freeze()), runs=12)


def with_stand_ins(circuit: Circuit) -> Circuit:
    """S for T."""
    out = CircuitBuilder()
    stand_in = {"t": "s", "tdg": "sdg"}
    for row, code in enumerate(circuit.op.tolist()):
        name = stand_in.get(OPS[code].name, "")
        out.copy(circuit, row, circuit.values(row), int(circuit.cond[row]), name)
    return out.freeze()


def assert_lowered(circuit: Circuit, seed: int = 0, runs: int = 2, **options: object) -> None:
    """What the lowering makes of a program does what the program does, in both readings."""
    program = open_ends(all_measured(circuit))
    surgery = lower_surgery(defer_paulis(program), **options)
    verify(surgery)
    assert_lifts(program, lift(surgery), seed, runs)
    assert_lifts(with_stand_ins(program), lift(surgery, stand_in=True), seed, runs)


def random_t(seed: int, qubits: int = 5, gates: int = 24) -> Circuit:
    """Random operations, every other one a T or T^-1 on some qubit."""
    rng = np.random.default_rng(seed)
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(int(rng.integers(1, qubits + 1)))]
    bits: list[int] = []
    for _ in range(gates // 2):
        add_random_op(builder, rng, wires, bits)
        at = int(rng.integers(len(wires)))
        wires[at] = builder.add(str(rng.choice(["h", "h", "t", "tdg"])), [wires[at]])
        wires[at] = builder.add(str(rng.choice(["t", "tdg"])), [wires[at]])
    return builder.freeze()


@pytest.mark.parametrize("seed", range(20))
def test_random_t(seed):
    assert_lowered(random_t(seed), seed)


@pytest.mark.parametrize("seed", range(20))
def test_random_guards(seed):
    """Paulis that depend on conjunctions of outcomes."""
    assert_lowered(random_guarded(seed), seed)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "options",
    [
        {"floor_plan": "bus"},
        {"factories": 1},
        {"factories": 8},
        {"factory": "injection"},
        {"factory": "cultivation-3"},
    ],
)
def test_plans_and_factories(options, seed):
    assert_lowered(random_t(seed + 20), seed, **options)


@pytest.mark.parametrize("gates", [("t",), ("tdg",), ("t", "h", "t")])
def test_distilled_states(gates):
    """Fifteen true T|+> make one, and the frame that the rows give it is right."""
    assert_lowered(one_gate(*gates), runs=6, factory="15-to-1")


@pytest.mark.parametrize("frame", range(8))
@pytest.mark.parametrize("gate", ["t", "tdg", "s", "sdg", "sx", "sxdg"])
def test_turns_with_labels_and_frames(gate, frame):
    """On patches that stand, with X and Z exchanged and Paulis that outcomes have asked for."""
    builder = CircuitBuilder()
    q, other = builder.add("alloc", attr="q"), builder.add("alloc", attr="other")
    for kind in "xz":
        other = builder.add("measure_y", [builder.add("s", [other])])
        if frame >> "xz".index(kind) & 1:
            q = builder.add(kind, [q], cond=other + 1)
    if frame & 4:
        q = builder.add("h", [q])
    q = builder.add("sx", [builder.add(gate, [q])])
    assert_lowered(builder.freeze())


def test_toffoli():
    builder = CircuitBuilder()
    first = builder.add("ccx", [builder.add("alloc", attr=f"q{i}") for i in range(3)])
    builder.add("ccz", [first + 1, first + 2, first])
    assert_lowered(lower_gates(builder.freeze()))


def adder(bits: int, a: int, b: int) -> Circuit:
    """b += a with carry out (Cuccaro et al., quant-ph/0410184), on numbers that are given."""
    builder = CircuitBuilder()
    names = ["c", *(f"a{i}" for i in range(bits)), *(f"b{i}" for i in range(bits)), "out"]
    wire = {name: builder.add("alloc", attr=name) for name in names}

    def add(gate: str, *on: str) -> None:
        first = builder.add(gate, [wire[name] for name in on])
        wire.update((name, first + slot) for slot, name in enumerate(on))

    for i in range(bits):
        for name, number in (("a", a), ("b", b)):
            if number >> i & 1:
                add("x", f"{name}{i}")
    carries = ["c", *(f"a{i}" for i in range(bits))]
    for i in range(bits):
        for gate, *on in (("cx", "a", "b"), ("cx", "a", "c"), ("ccx", "c", "b", "a")):
            add(gate, *(carries[i] if name == "c" else f"{name}{i}" for name in on))
    add("cx", carries[-1], "out")
    for i in reversed(range(bits)):
        for gate, *on in (("ccx", "c", "b", "a"), ("cx", "a", "c"), ("cx", "c", "b")):
            add(gate, *(carries[i] if name == "c" else f"{name}{i}" for name in on))
    for i, name in enumerate([*(f"b{i}" for i in range(bits)), "out"]):
        builder.add("result", [builder.add("measure_z", [wire[name]]) + 1], attr=f"s{i}")
    return builder.freeze()


def test_adder_in_aer():
    """Four bits; each shot of Qiskit Aer is another choice of outcomes and corrections."""
    surgery = lower_surgery(defer_paulis(lower_gates(adder(4, 11, 6))))
    verify(surgery)
    counts = live.run(unfreeze(lift(surgery)), AerQubits(), shots=4, seed=1)["counts"]
    assert counts == {f"{11 + 6:05b}"[::-1]: 4}
