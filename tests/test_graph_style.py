"""What instructions of the graph style do, against their definitions."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.quantum_info import DensityMatrix, Statevector, partial_trace

from qwasmc.diagnostics import CompileError
from qwasmc.grammar import qvm
from qwasmc.grammar.qwasm import read
from qwasmc.ir.program import Op, Program
from qwasmc.verify import verify

CAPS = ".caps CAP_ALLOC CAP_LINK CAP_MAGIC CAP_TELEPORT\n"
NEEDED = {
    "ALLOC_LQ n=1 -> d": "CAP_ALLOC",
    "TELEPORT_CNOT a, b": "CAP_TELEPORT",
    "INJECT_T_STATE a": "CAP_MAGIC",
    "OPEN_CHAN a, b -> ch": "CAP_LINK",
}


def load(text: str, names: str = "a, b, c") -> Program:
    program = read(f"{CAPS}ALLOC_LQ -> {names}\n{text}\n", "t.qwasm")
    verify(program)
    return program


def failure(text: str) -> str:
    with pytest.raises(CompileError) as caught:
        load(text)
    return caught.value.diagnostics[0].message


def ops(text: str) -> list[Op]:
    return [op for op in load(text).main.blocks[0].ops if op.name not in ("alloc", "return")]


# ---------------------------------------------------------------- capabilities


@pytest.mark.parametrize(("line", "capability"), NEEDED.items())
def test_capabilities_are_needed_in_text(line: str, capability: str) -> None:
    others = " ".join(sorted({"CAP_ALLOC", *NEEDED.values()} - {capability}))
    text = f".caps {others}\nALLOC_LQ -> a, b\n{line}"
    with pytest.raises(CompileError) as caught:
        read(text, "t.qwasm")
    messages = {problem.message for problem in caught.value.diagnostics}
    assert messages == {f"capability {capability} is not declared"}


@pytest.mark.parametrize(("line", "capability"), NEEDED.items())
def test_capabilities_are_needed_in_graphs(line: str, capability: str) -> None:
    data = json.loads(qvm.from_text(f"{CAPS}ALLOC_LQ -> a, b\n{line}", "t.qwasm"))
    qvm.read(json.dumps(data), "t.qvm.json")
    data["caps"].remove(capability)
    with pytest.raises(CompileError) as caught:
        qvm.read(json.dumps(data), "t.qvm.json")
    messages = {problem.message for problem in caught.value.diagnostics}
    assert messages == {f"capability {capability} is not declared"}


# ---------------------------------------------------------------- measurement


def projector(text: str, outcome: int) -> np.ndarray:
    """What a measurement of `a` does to it where it gives the outcome."""
    circuit = QuantumCircuit(1)
    before = np.eye(2)
    for op in ops(text):
        if op.name == "measure_z":
            before = np.outer(*[np.eye(2)[outcome]] * 2) @ unitary(circuit) @ before
            circuit = QuantumCircuit(1)
        elif op.name == "ry":
            circuit.ry(op.attrs["angle"], 0)
    return unitary(circuit) @ before


def unitary(circuit: QuantumCircuit) -> np.ndarray:
    return np.array([Statevector([1, 0]).evolve(circuit), Statevector([0, 1]).evolve(circuit)]).T


@pytest.mark.parametrize("angle", [0.0, 0.3, np.pi / 2, 2.5, np.pi])
def test_measurement_at_an_angle(angle: float) -> None:
    plus = np.array([np.cos(angle / 2), np.sin(angle / 2)])
    minus = np.array([np.sin(angle / 2), -np.cos(angle / 2)])
    for outcome, state in enumerate((plus, minus)):
        found = projector(f"MEASURE_ANGLE a, angle={angle} -> m", outcome)
        assert np.allclose(found, np.outer(state, state))


@pytest.mark.parametrize(
    "line", ["MEASURE_Z b -> n", "MEASURE_Y b -> n", "MEASURE_ANGLE b, theta=1 -> n"]
)
def test_measurements_under_a_guard(line: str) -> None:
    found = ops(f"MEASURE_Z a -> m\n{line} if m==1")
    (bit,) = found[0].results[1:]
    assert {op.cond for op in found[1:-2]} == {bit}
    assert [op.attrs["name"] for op in found[-2:]] == ["m", "n"]


def test_bell_measurements_under_a_guard() -> None:
    found = ops("MEASURE_Z a -> m\nMEASURE_BELL b, c -> n, o if m==1")
    assert [op.name for op in found[1:5]] == ["cx", "h", "measure_z", "measure_z"]
    assert {op.cond for op in found[1:5]} == {found[0].results[1]}


@pytest.mark.parametrize("given", [0, 1])
def test_a_measurement_that_does_not_run_leaves_an_older_result(given: int) -> None:
    flip = "APPLY_X b\n" * given
    text = f"{flip}MEASURE_Z b -> n\nMEASURE_Z a -> m\nAPPLY_X c\nMEASURE_Z c -> n if m=="
    assert run(ops(f"{text}1")) == {"n": given, "m": 0}
    assert run(ops(f"{text}0")) == {"n": 1, "m": 0}


def run(program: Sequence[Op]) -> dict[str, int]:
    """The results of X and measurements in Z."""
    values: dict[object, int] = {}
    found: dict[str, int] = {}
    for op in program:
        before = [values.get(value, 0) for value in op.operands]
        runs = op.cond is None or values[op.cond]
        after = list(before)
        if op.name == "x":
            after = [before[0] ^ runs]
        elif op.name == "measure_z":
            after = [before[0], before[0] & runs]
        elif op.name == "const":
            after = [op.attrs["value"]]
        elif op.name == "xor":
            after = [sum(before) % 2]
        elif op.name == "and":
            after = [int(all(before))]
        else:
            assert op.name == "result"
            found[op.attrs["name"]] = before[0]
        values.update(zip(op.results, after, strict=False))
    return found


# ---------------------------------------------------------------- channels


def final(text: str, names: str = "a b c") -> DensityMatrix:
    """The state after gates and resets, starting with each qubit as a program leaves it."""
    qubits = names.split()
    state = DensityMatrix.from_label("0" * len(qubits))
    wire: dict[object, int] = {}
    for op in load(text, ", ".join(qubits)).main.blocks[0].ops:
        if op.name == "alloc":
            wire[op.results[0]] = qubits.index(op.attrs["name"])
            continue
        on = [wire[value] for value in op.operands]
        if op.name == "reset":
            state = state.reset(on)
        elif op.spec.is_gate:
            circuit = QuantumCircuit(len(qubits))
            angle = [op.attrs["angle"]] if op.spec.angle else []
            getattr(circuit, op.name)(*angle, *on)
            state = state.evolve(circuit)
        wire.update(zip(op.results, on, strict=True))
    return state


def test_a_channel_is_a_bell_pair_whatever_its_qubits_were() -> None:
    state = final("APPLY_X a\nAPPLY_H b\nOPEN_CHAN a, b, fidelity=0.9 -> ch", "a b")
    assert np.isclose(state.expectation_value(_pair()).real, 1)


def _pair() -> DensityMatrix:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    return DensityMatrix(circuit)


def test_a_channel_moves_a_state_with_all_that_it_is_entangled_with() -> None:
    """Half of an entangled pair of a and e moves from a to c, through the channel b, c."""
    prepare = "APPLY_RY e, theta=0.7\nAPPLY_CNOT e, a\nAPPLY_T a\nAPPLY_RX a, theta=1.1\n"
    before = final(prepare, "a b c e")
    moved = final(f"{prepare}OPEN_CHAN b, c -> ch\nUSE_CHAN a, ch, semantic=teleport", "a b c e")
    assert np.allclose(partial_trace(moved, [0, 1]).data, partial_trace(before, [1, 2]).data)
    assert np.allclose(partial_trace(moved, [2, 3]).data, np.diag([1, 0, 0, 0]))


def test_what_has_no_effect_is_a_note_with_a_warning() -> None:
    program = load("OPEN_CHAN a, b -> ch\nUSE_CHAN ch, semantic=swap\nCLOSE_CHAN ch")
    assert [warning.message for warning in program.warnings] == [
        "USE_CHAN without a qubit is kept as a note",
        "CLOSE_CHAN is kept as a note",
    ]
    notes = [op.attrs["text"] for op in program.main.blocks[0].ops if op.name == "pragma"]
    assert notes == ["USE_CHAN ch, semantic=swap", "CLOSE_CHAN ch"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("USE_CHAN ch", "there is no open channel 'ch'"),
        ("OPEN_CHAN a, b -> ch\nCLOSE_CHAN ch\nCLOSE_CHAN ch", "there is no open channel 'ch'"),
        ("OPEN_CHAN a, b -> ch\nOPEN_CHAN a, b -> ch", "there is a 'ch' already"),
        ("OPEN_CHAN a, b -> c", "there is a 'c' already"),
        ("OPEN_CHAN a, b, type=w -> ch", "a channel of this type is not known"),
        ("OPEN_CHAN a, b -> ch\nUSE_CHAN a, ch", "qubit 'a' is an end of channel 'ch'"),
        ("OPEN_CHAN a, b -> ch\nFREE_LQ b\nUSE_CHAN c, ch",
         "qubit 'b' at an end of channel 'ch' was freed"),
        ("OPEN_CHAN a, b -> ch\nUSE_CHAN c, ch, semantic=swap",
         "this use of a channel is not known"),
    ],
)  # fmt: skip
def test_wrong_uses_of_channels(text: str, message: str) -> None:
    assert failure(text) == message


def test_the_type_of_a_channel_among_its_options() -> None:
    nodes = [
        {"id": "a", "op": "ALLOC_LQ", "vqs": ["a", "b"]},
        {"id": "o", "op": "OPEN_CHAN", "vqs": ["a", "b"], "chs": ["ch"]},
    ]
    graph = {
        "version": "0.1",
        "program": {"nodes": nodes},
        "resources": {"vqs": ["a", "b"], "chs": ["ch"], "events": []},
        "caps": ["CAP_ALLOC", "CAP_LINK"],
    }
    nodes[1]["args"] = {"opts": {"fidelity": 0.99, "type": "bell_pair"}}
    qvm.read(json.dumps(graph), "t")
    nodes[1]["args"] = {"opts": {"type": "cluster"}}
    with pytest.raises(CompileError, match="a channel of this type is not known"):
        qvm.read(json.dumps(graph), "t")


def test_edges_of_a_graph_are_refused() -> None:
    nodes = [{"id": "f", "op": "FENCE_EPOCH"}, {"id": "g", "op": "FENCE_EPOCH"}]
    graph = {
        "version": "0.1",
        "program": {"nodes": nodes, "edges": []},
        "resources": {"vqs": [], "chs": [], "events": []},
        "caps": [],
    }
    qvm.read(json.dumps(graph), "t")
    graph["program"]["edges"] = [{"from": "g", "to": "f"}]
    with pytest.raises(CompileError, match="a graph has no edges of its own"):
        qvm.read(json.dumps(graph), "t")


# ---------------------------------------------------------------- in programs that jump


def test_guards_and_channels_in_a_program_that_jumps() -> None:
    program = read(
        f"{CAPS}ALLOC_LQ -> a, b, c\nMOV r0, 2\nagain: OPEN_CHAN a, b -> ch\n"
        "MEASURE_Z a -> m\nMEASURE_Z b -> n if m==1\nCLOSE_CHAN ch\nSUB r0, 1\nJNZ r0, again\n",
        "t.qwasm",
    )
    verify(program)
    results = [op for block in program.main.blocks for op in block.ops if op.name == "result"]
    assert {op.attrs["name"] for op in results} == {"m", "n"}
