"""Noise against hand-written circuits, and against a plain reimplementation on unrolled ones."""

from collections.abc import Iterator
from itertools import chain

import pytest
import stim
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.backends.stim import noise
from qwasmc.backends.stim.noise import Noiser, apply_noise, circuit_qubits
from qwasmc.backends.stim.noise_models import NoiseError, NoiseModel, parse_noise

UNIFORM = NoiseModel.uniform(0.125)
MODELS = st.sampled_from([UNIFORM, NoiseModel.si1000(0.0625), NoiseModel(gate2=0.25, idle=0.5)])

ANNOTATIONS = ("DETECTOR", "OBSERVABLE_INCLUDE", "QUBIT_COORDS", "SHIFT_COORDS", "MPAD", "TICK")

Atom = tuple[str, str, tuple[float, ...], tuple[stim.GateTarget, ...]]
"""One application of an operation: name, tag, arguments, targets."""


# The oracle: unroll every loop, cut at TICKs, treat one application at a time.


def instructions(circuit: stim.Circuit) -> Iterator[list[Atom]]:
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock):
            for _ in range(item.repeat_count):
                yield from instructions(item.body_copy())
        else:
            targets = item.targets_copy()
            groups = [targets] if item.name in ANNOTATIONS else item.target_groups()
            arguments = tuple(item.gate_args_copy())
            yield [(item.name, item.tag, arguments, tuple(group)) for group in groups]


def atoms(circuit: stim.Circuit) -> list[Atom]:
    return list(chain.from_iterable(instructions(circuit)))


def busy(atom: Atom) -> list[int]:
    qubits = [target.qubit_value for target in atom[3]]
    return [] if atom[0] in ANNOTATIONS or None in qubits else qubits


def expected(circuit: stim.Circuit, model: NoiseModel) -> list[Atom]:
    # A qubit that only classically controlled Paulis name is a qubit all the same.
    named = (t.qubit_value for a in atoms(circuit) if a[0] not in ANNOTATIONS for t in a[3])
    every = sorted({qubit for qubit in named if qubit is not None})
    tick = ("TICK", "", (), ())
    noisy: list[Atom] = []
    layer: list[list[Atom]] = []
    for instruction in [*instructions(circuit), [tick]]:
        if instruction == [tick]:
            noisy += [*noisy_layer(layer, model, every), tick]
            layer = []
        else:
            layer.append(instruction)
    return noisy[:-1]


def noisy_layer(layer: list[list[Atom]], model: NoiseModel, every: list[int]) -> list[Atom]:
    ports = {
        qubit for atom in chain.from_iterable(layer) if atom[1] == "port" for qubit in busy(atom)
    }
    touched: set[int] = set()
    collapsed: set[int] = set()
    noisy: list[Atom] = []
    for instruction in layer:
        after: list[Atom] = []
        for name, tag, arguments, targets in instruction:
            gate = stim.gate_data(name)
            qubits = busy((name, tag, arguments, targets))
            loud = bool(qubits) and ports.isdisjoint(qubits)
            flip = loud and gate.produces_measurements and model.measure
            noisy.append((name, tag, (model.measure,) if flip else arguments, targets))
            after += own_noise(name, qubits, model) if loud else []
            touched.update(qubits)
            if gate.is_reset or gate.produces_measurements:
                collapsed.update(qubits)
        noisy += after
    if touched:
        waiting = [qubit for qubit in every if qubit not in touched]
        noisy += channel("DEPOLARIZE1", model.idle, waiting)
    if collapsed:
        waiting = [qubit for qubit in every if qubit not in collapsed | ports]
        noisy += channel("DEPOLARIZE1", model.resonator_idle, waiting)
    return noisy


def own_noise(name: str, qubits: list[int], model: NoiseModel) -> list[Atom]:
    gate = stim.gate_data(name)
    if gate.is_unitary and gate.is_two_qubit_gate:
        pair = tuple(stim.GateTarget(qubit) for qubit in qubits)
        return [("DEPOLARIZE2", "", (model.gate2,), pair)] if model.gate2 else []
    if gate.is_unitary:
        return channel("DEPOLARIZE1", model.gate1, qubits)
    flips = {"R": "X", "MR": "X", "RY": "X", "MRY": "X", "RX": "Z", "MRX": "Z"}
    return channel(f"{flips[name]}_ERROR", model.reset, qubits) if name in flips else []


def channel(name: str, p: float, qubits: list[int]) -> list[Atom]:
    return [(name, "", (p,), (stim.GateTarget(qubit),)) for qubit in qubits] if p else []


# Random circuits.

QUBITS = st.integers(0, 4)
PAIR = st.lists(QUBITS, min_size=2, max_size=2, unique=True).map(lambda p: f"{p[0]} {p[1]}")
TAG = st.sampled_from(["", "", "[T]", "[a tag\\C rec]"])


def some(target: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(target, min_size=1, max_size=3).map(" ".join)


ONE = some(QUBITS.map(str))
RESULT = some(st.tuples(st.sampled_from(["", "!"]), QUBITS).map(lambda t: f"{t[0]}{t[1]}"))
OPERATION = st.one_of(
    st.tuples(st.sampled_from(["H", "S", "X", "I", "R", "RX", "RY"]), TAG, ONE),
    st.tuples(st.sampled_from(["M", "MX", "MY", "MR", "MRX", "MRY"]), TAG, RESULT),
    st.tuples(st.sampled_from(["CX", "CZ", "SWAP", "MXX", "MZZ"]), TAG, some(PAIR)),
    st.tuples(st.just("CX"), TAG, QUBITS.map(lambda q: f"rec[-1] {q} {q} {q + 1} sweep[3] 2")),
    st.tuples(st.just("MPP"), TAG, QUBITS.map(lambda q: f"X{q}*!Z{q + 1} Y7")),
).map(lambda parts: f"{parts[0]}{parts[1]} {parts[2]}")
ANNOTATION = st.sampled_from(
    ["DETECTOR(1, 0.5) rec[-1]", "SHIFT_COORDS(0, 1)", "MPAD 0 1", "OBSERVABLE_INCLUDE(0) rec[-1]"]
)
LINES = st.lists(st.one_of(OPERATION, OPERATION, ANNOTATION), max_size=5)
PORT = st.sampled_from(["I", "S", "RX"]).flatmap(
    lambda name: ONE.map(lambda qubits: f"{name}[port] {qubits}")
)
LAYER = st.lists(st.one_of(OPERATION, OPERATION, ANNOTATION, PORT), max_size=5).map(
    lambda lines: "\n".join([*lines, "TICK"])
)


def repeated(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(st.integers(1, 3), st.lists(blocks, min_size=1, max_size=3)).map(
        lambda loop: "\n".join([f"REPEAT[loop] {loop[0]} {{", *loop[1], "}"])
    )


TEXT = st.recursive(st.one_of(LINES.map("\n".join), st.just("TICK")), repeated, max_leaves=6)
"""Loops and TICKs anywhere: layers may cross the edges of loops."""

LAYERS = st.recursive(LAYER, repeated, max_leaves=4)
"""Whole layers, with ports; loops of whole layers."""


def build(blocks: list[str]) -> stim.Circuit:
    # The first layer makes the records that later lines refer to.
    return stim.Circuit("\n".join(["M 0 1", "TICK", *blocks]))


@given(st.lists(TEXT, max_size=6).map(build), MODELS)
def test_equals_the_oracle(circuit: stim.Circuit, model: NoiseModel):
    assert atoms(apply_noise(circuit, model)) == expected(circuit, model)


@given(st.lists(LAYERS, max_size=6).map(build), MODELS)
def test_equals_the_oracle_with_ports(circuit: stim.Circuit, model: NoiseModel):
    assert atoms(apply_noise(circuit, model)) == expected(circuit, model)


@given(st.lists(LAYERS, max_size=6), MODELS)
def test_fragments_equal_the_whole(blocks: list[str], model: NoiseModel):
    whole = build(blocks)
    noiser = Noiser(model, circuit_qubits(whole))
    joined = stim.Circuit(noiser.text(str(build([]))))
    for block in blocks:
        joined += stim.Circuit(noiser.text(str(stim.Circuit(block))))
    assert joined == apply_noise(whole, model)


@given(st.lists(TEXT, max_size=6).map(build), MODELS)
def test_without_noise_gives_the_circuit_back(circuit: stim.Circuit, model: NoiseModel):
    back = apply_noise(circuit, model).without_noise()
    assert atoms(back) == atoms(circuit)


# By hand.


def noisy(text: str, model: NoiseModel = UNIFORM, **options: bool) -> stim.Circuit:
    return apply_noise(stim.Circuit(text), model, **options)


def test_uniform():
    assert noisy("""
        QUBIT_COORDS(1, 2) 9
        R 0
        RX 1
        TICK
        CX 1 0
        TICK
        TICK
        M !0
        H 2
        DETECTOR(1.23456789, 2) rec[-1]
    """) == stim.Circuit("""
        QUBIT_COORDS(1, 2) 9
        R 0
        X_ERROR(0.125) 0
        RX 1
        Z_ERROR(0.125) 1
        DEPOLARIZE1(0.125) 2
        TICK
        CX 1 0
        DEPOLARIZE2(0.125) 1 0
        DEPOLARIZE1(0.125) 2
        TICK
        TICK
        M(0.125) !0
        H 2
        DEPOLARIZE1(0.125) 2
        DETECTOR(1.23456789, 2) rec[-1]
        DEPOLARIZE1(0.125) 1
    """)


def test_si1000():
    """The definitions of arXiv:2108.10457: a gated qubit also feels others' readout."""
    model = NoiseModel.si1000(0.1)
    assert noisy("R 0\nH 1\nTICK\nCZ 0 1\nTICK\nM 0\nX 2", model) == stim.Circuit("""
        R 0
        X_ERROR(0.2) 0
        H 1
        DEPOLARIZE1(0.01) 1
        DEPOLARIZE1(0.01) 2
        DEPOLARIZE1(0.2) 1 2
        TICK
        CZ 0 1
        DEPOLARIZE2(0.1) 0 1
        DEPOLARIZE1(0.01) 2
        TICK
        M(0.5) 0
        X 2
        DEPOLARIZE1(0.01) 2
        DEPOLARIZE1(0.01) 1
        DEPOLARIZE1(0.2) 1 2
    """)


def test_classical_control_has_no_noise_and_leaves_the_qubit_idle():
    assert noisy("M 0\nTICK\nCX rec[-1] 1\nTICK\nCX rec[-1] 1 0 2") == stim.Circuit("""
        M(0.125) 0
        DEPOLARIZE1(0.125) 1 2
        TICK
        CX rec[-1] 1
        TICK
        CX rec[-1] 1 0 2
        DEPOLARIZE2(0.125) 0 2
        DEPOLARIZE1(0.125) 1
    """)


def test_lines_of_a_kind_become_one():
    text = "R 0\nR 1\nDETECTOR(0.5)\nTICK\nREPEAT 2 {\nCX 0 1\nCX 2 3\nTICK\n}\nM 1\nM !0\nMX 2"
    assert (
        Noiser(NoiseModel.si1000(0.0007), range(4)).text(text)
        == """\
R 0 1
X_ERROR(0.0014) 0 1
DETECTOR(0.5)
DEPOLARIZE1(7e-05) 2 3
DEPOLARIZE1(0.0014) 2 3
TICK
REPEAT 2 {
    CX 0 1 2 3
    DEPOLARIZE2(0.0007) 0 1 2 3
    TICK
}
M(0.0035) 1 !0
MX(0.0035) 2
DEPOLARIZE1(7e-05) 3
DEPOLARIZE1(0.0014) 3
"""
    )


@given(blocks=st.lists(LAYERS, max_size=6))
def test_what_is_remembered_changes_nothing(blocks: list[str]):
    circuit = build(blocks)
    usual = apply_noise(circuit, UNIFORM)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(noise, "_MAX_REMEMBERED", 5)
        assert apply_noise(circuit, UNIFORM) == usual


def test_repeat_is_kept_when_its_first_pass_is_like_the_others():
    circuit = stim.Circuit("REPEAT[loop] 1000000000000 {\nH[T] 0\nTICK\nM 1\nTICK\n}")
    assert apply_noise(circuit, UNIFORM) == stim.Circuit("""
        REPEAT[loop] 1000000000000 {
            H[T] 0
            DEPOLARIZE1(0.125) 0
            DEPOLARIZE1(0.125) 1
            TICK
            M(0.125) 1
            DEPOLARIZE1(0.125) 0
            TICK
        }
    """)


def test_first_pass_is_peeled_when_the_layer_it_closes_differs():
    assert noisy("R 0 1\nREPEAT 5 {\nTICK\nH 0\n}\nM 1") == stim.Circuit("""
        R 0 1
        X_ERROR(0.125) 0 1
        TICK
        H 0
        DEPOLARIZE1(0.125) 0
        REPEAT 4 {
            DEPOLARIZE1(0.125) 1
            TICK
            H 0
            DEPOLARIZE1(0.125) 0
        }
        M(0.125) 1
    """)


PORT_CIRCUIT = "R[port] 0\nR 1 2\nTICK\nS[T] 0\nI[port] 1\nTICK\nM 1 0 2\nI[port] 0"


def test_port_qubits_have_no_noise_in_their_layer():
    assert noisy(PORT_CIRCUIT) == stim.Circuit("""
        R[port] 0
        R 1 2
        X_ERROR(0.125) 1 2
        TICK
        S[T] 0
        DEPOLARIZE1(0.125) 0
        I[port] 1
        DEPOLARIZE1(0.125) 2
        TICK
        M(0.125) 1
        M 0
        M(0.125) 2
        I[port] 0
    """)


def test_noisy_ports_are_like_any_qubit():
    assert noisy(PORT_CIRCUIT, noisy_ports=True) == stim.Circuit("""
        R[port] 0
        X_ERROR(0.125) 0
        R 1 2
        X_ERROR(0.125) 1 2
        TICK
        S[T] 0
        DEPOLARIZE1(0.125) 0
        I[port] 1
        DEPOLARIZE1(0.125) 1 2
        TICK
        M(0.125) 1 0 2
        I[port] 0
    """)


def test_port_layer_may_not_cross_a_loop():
    with pytest.raises(NoiseError, match="crosses the edge of a REPEAT"):
        noisy("H[port] 0\nREPEAT 2 {\nH 1\nTICK\n}")
    noisy("H[port] 0\nREPEAT 2 {\nTICK\nH 1\n}")


def test_no_noise_is_the_same_circuit():
    circuit = stim.Circuit("H 0\nSPP X0*X1\nREPEAT 2 {\nTICK\n}")
    assert apply_noise(circuit, NoiseModel()) == circuit


@pytest.mark.parametrize("name", sorted(stim.gate_data().keys() - {"REPEAT", *ANNOTATIONS}))
def test_every_gate_of_stim_has_a_rule_or_is_refused(name: str):
    gate = stim.gate_data(name)
    least = min(gate.num_parens_arguments_range)
    arguments = f"({', '.join(['0.01'] * least)})" if least else ""
    circuit = stim.Circuit(f"{name}{arguments} {'X0 X1' if gate.takes_pauli_targets else '0 1'}")
    channel_of_stim = gate.is_noisy_gate and not name.startswith("M")
    if channel_of_stim or name in ("SPP", "SPP_DAG"):
        with pytest.raises(NoiseError, match="no noise rule"):
            apply_noise(circuit, UNIFORM)
    else:
        there = apply_noise(circuit, UNIFORM)
        assert there != circuit
        assert there.without_noise() == circuit


def test_noisy_circuit_is_refused():
    with pytest.raises(NoiseError, match=r"noisy already: 'M\(0.1\) 0'"):
        noisy("M(0.1) 0")
    with pytest.raises(NoiseError, match="no noise rule for 'X_ERROR"):
        noisy("REPEAT 2 {\nX_ERROR(0.1) 0\n}")


def test_undeclared_qubit_is_refused():
    with pytest.raises(NoiseError, match="not declared to the noiser: 7"):
        Noiser(UNIFORM, [0, 1]).text("H 0 7\n")


def test_parse_noise():
    assert parse_noise("none") == NoiseModel()
    assert parse_noise("uniform:0.001") == NoiseModel.uniform(0.001)
    assert parse_noise("si1000:1e-3") == NoiseModel.si1000(0.001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown noise model ''"),
        ("uniform", "expected none, uniform:P, si1000:P or target"),
        ("none:0.1", "unknown noise model"),
        ("uniform:a", "'a' in noise model 'uniform:a' is not a number"),
        ("uniform:nan", "nan is not between"),
        ("uniform:-0.1", "-0.1 is not between"),
        ("uniform:0.8", "gate1 error probability 0.8 is not between 0 and 0.75"),
        ("si1000:0.3", "measure error probability 1.5 is not between 0 and 1"),
    ],
)
def test_parse_noise_refuses(text: str, message: str):
    with pytest.raises(NoiseError, match=message):
        parse_noise(text)


def test_distance_survives():
    circuit = stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=3)
    model = apply_noise(circuit, NoiseModel.uniform(0.001)).detector_error_model(
        decompose_errors=True
    )
    assert len(model.shortest_graphlike_error()) == 3
