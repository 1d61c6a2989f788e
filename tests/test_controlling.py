"""Control regions against matrices by Qiskit, and how many gates the controls cost."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
from control_regions import (
    Body,
    Gate,
    Region,
    assert_means,
    build,
    counts,
    meaning,
    without_regions,
)

from qwasmc.diagnostics import CompileError
from qwasmc.ir.wires import to_wires
from qwasmc.ops import BY_NAME, OPS
from qwasmc.passes.reversible.actions import gates_of
from qwasmc.passes.reversible.conjugation import conjugations

ANGLE = 0.7
GATES = [spec.name for spec in OPS if spec.is_gate]
PRODUCTS = ("X", "Y", "Z", "XZ", "YXZ")


def each(name: str, first: int) -> list[Gate]:
    """A gate on qubits from the first on; of rotations about products, several."""
    spec = BY_NAME[name]
    if name == "ppr":
        return [
            Gate(name, tuple(range(first, first + len(paulis))), ANGLE, paulis)
            for paulis in PRODUCTS
        ]
    on = tuple(range(first, first + spec.qubits))
    return [Gate(name, on, ANGLE if spec.angle else 0.0)]


@pytest.mark.parametrize("name", GATES)
def test_every_gate_under_controls(name: str) -> None:
    for controls in (1, 2, 3):
        for gate in each(name, controls):
            n = controls + len(gate.on)
            body: Body = [Region(tuple(range(controls)), [gate])]
            assert_means(without_regions(body, n), body, n)


@pytest.mark.parametrize("cond", [0, 1])
@pytest.mark.parametrize("name", ["h", "y", "sx", "ry", "swap", "crz", "cy", "cswap", "ppr"])
def test_predicated_gates_under_controls(name: str, cond: int) -> None:
    gate = each(name, 2)[-1]._replace(cond=cond)
    n = 2 + len(gate.on)
    body: Body = [Region((0, 1), [gate])]
    assert_means(without_regions(body, n), body, n)


ON_CONTROLS = [
    *[Gate(name, (0,)) for name in ("z", "s", "sdg", "t", "tdg")],
    *[Gate(name, (0,), ANGLE) for name in ("rz", "p")],
    *[Gate(name, on) for name in ("cx", "cy", "cz") for on in ((0, 2), (1, 3))],
    *[Gate("cz", on) for on in ((2, 0), (0, 1))],
    *[Gate(name, on, ANGLE) for name in ("cp", "crz") for on in ((0, 2), (2, 0), (1, 0))],
    *[Gate("ccx", on) for on in ((0, 2, 3), (2, 1, 3), (0, 1, 3))],
    *[Gate("ccz", on) for on in ((0, 2, 3), (2, 1, 0), (2, 3, 1))],
    Gate("cswap", (0, 2, 3)),
    *[Gate("ppr", on, ANGLE, "Z" * len(on)) for on in ((0,), (0, 1), (2, 0), (2, 1, 0))],
    Gate("ppr", (2, 0, 3), ANGLE, "XZY"),
]


@pytest.mark.parametrize("gate", ON_CONTROLS, ids=str)
def test_gates_that_read_the_controls(gate: Gate) -> None:
    for controls in ((0,), (0, 1)):
        if not set(gate.on) & {0, 1} <= set(controls):
            continue
        body: Body = [Region(controls, [gate])]
        assert_means(without_regions(body, 4), body, 4)


ONE = ("h", "x", "y", "z", "s", "t", "sx")
TWO = ("cx", "cz", "cy", "swap", "cp", "crz", "ppr")


def random_gate(rng: np.random.Generator, wires: list[int], controls: set[int]) -> Gate:
    """A gate that reads controls, if it has them at all."""
    name = str(rng.choice([*ONE, *TWO, *TWO, "ccx", "ccz", "rz", "rx"]))
    size = 2 if name == "ppr" else BY_NAME[name].qubits
    on = tuple(rng.permutation(wires)[:size].tolist())
    if any(wire in controls for wire in on):
        name = {1: "t", 2: "cz", 3: "ccz"}[size]
    angle = float(rng.choice([0.3, -1.1, pi / 2])) if BY_NAME[name].angle else 0.0
    paulis = "".join(rng.choice(list("XYZ"), size)) if name == "ppr" else ""
    cond = int(rng.integers(2)) if rng.random() < 0.1 else None
    return Gate(name, on, angle, paulis, cond, exempt=rng.random() < 0.2)


def inverse(body: Body) -> Body:
    """A program that undoes one without regions."""
    return [
        gate._replace(name=str(BY_NAME[gate.name].inverse), angle=-gate.angle)
        for gate in reversed(body)
        if isinstance(gate, Gate)
    ]


def random_body(rng: np.random.Generator, n: int, controls: set[int], depth: int) -> Body:
    """Gates, conjugations and regions."""
    body: Body = []
    for _ in range(int(rng.integers(1, 5))):
        kind = rng.random()
        wires = list(range(n))
        if kind < 0.3 and depth:
            inner = tuple(rng.permutation(n)[: int(rng.integers(1, 4))].tolist())
            if body and isinstance(body[-1], Region) and rng.random() < 0.5:
                inner = body[-1].controls
            body.append(Region(inner, random_body(rng, n, controls | set(inner), depth - 1)))
        elif kind < 0.6:
            size, exempt = int(rng.integers(1, 5)), rng.random() < 0.5
            some = [random_gate(rng, wires, controls) for _ in range(size)]
            around: Body = [gate._replace(exempt=exempt) for gate in some]
            body += [*around, random_gate(rng, wires, controls), *inverse(around)]
        else:
            body.append(random_gate(rng, wires, controls))
    return body


@pytest.mark.parametrize("seed", range(150))
def test_random_regions(seed: int) -> None:
    """Whatever rows are said to be exempt."""
    rng = np.random.default_rng(seed)
    body = random_body(rng, 5, set(), 3)
    assert_means(without_regions(body, 5), body, 5)


def crossing(rng: np.random.Generator, n: int) -> list[Gate]:
    """Few kinds of gates on few wires, so that pairs cross each other in all ways."""
    some = [random_gate(rng, list(range(n)), set())._replace(cond=None) for _ in range(3)]
    some += [gate for gate in inverse(list(some)) if isinstance(gate, Gate)]
    chosen = [some[at] for at in rng.integers(len(some), size=int(rng.integers(2, 12)))]
    return [gate._replace(exempt=False) for gate in chosen]


def mixed(rng: np.random.Generator, some: Body, others: Body) -> tuple[Body, np.ndarray]:
    """Some gates and others in random order, and which are some."""
    first = np.sort(rng.permutation(len(some) + len(others))[: len(some)])
    own = np.zeros(len(some) + len(others), dtype=bool)
    own[first] = True
    given = {True: iter(some), False: iter(others)}
    return [next(given[each]) for each in own.tolist()], own


def paired(body: Body, n: int, exempt: np.ndarray) -> np.ndarray:
    """Which gates of a region `conjugations` finds in pairs."""
    circuit, _ = build(body, n)
    first = len(circuit) - len(body)
    number = np.repeat([-1, 0], [first, len(body)])
    happens = np.concatenate([np.zeros(first, dtype=bool), exempt])
    wired = to_wires(circuit)
    return conjugations(gates_of(wired), wired.n_wires, number, happens)[first:]


@pytest.mark.parametrize("seed", range(150))
def test_what_is_paired_cancels_without_the_rest(seed: int) -> None:
    rng = np.random.default_rng([1, seed])
    gates: Body = [*crossing(rng, 3)]
    body, own = mixed(rng, [*gates, *inverse(gates)], [*crossing(rng, 3), *crossing(rng, 3)])
    exempt = own & (seed % 2 == 0)
    kept = exempt | paired(body, 3, exempt)
    left = [gate for gate, one in zip(body, kept, strict=True) if one]
    assert np.allclose(meaning(left, 3), np.eye(8))


@pytest.mark.parametrize("seed", range(50))
def test_pairs_do_not_clash_with_rows_that_cancel_by_value(seed: int) -> None:
    """Of two segments with a temporary qubit, the first is undone first."""
    rng = np.random.default_rng([2, seed])
    a, b, *rest = range(6)
    first, second = (
        [Gate("cx", (c, a)), Gate("ccx", (a, b, s)), Gate("cx", (c, a))]
        for c, s in (rest[:2], rest[2:])
    )
    others: Body = [Gate("h", (a,)), Gate("cx", (b, a)), Gate("h", (rest[1],))]
    body, exempt = mixed(rng, [*first, *second, *first, *second], [*others, *inverse(others)])
    found = paired(body, 6, exempt)
    assert not found[exempt].all()
    left = [gate for gate, one in zip(body, found | exempt, strict=True) if one]
    assert np.allclose(meaning(left, 6), np.eye(64))


LADDER: Body = [Gate("cx", (at, at + 1)) for at in range(2, 5)]


def cost(*body: Gate | Region, n: int = 6) -> dict[str, int]:
    """How many gates are left of a program without control regions, if it means the same."""
    circuit = without_regions(list(body), n)
    assert_means(circuit, list(body), n)
    return counts(circuit)


def test_only_the_action_is_controlled() -> None:
    turn = Gate("rz", (5,), ANGLE)
    body: Body = [*LADDER, turn, *inverse(LADDER)]
    assert cost(Region((0,), body)) == {"cx": 6, "crz": 1}
    assert cost(Region((0, 1), body)) == {"ccx": 2, "cx": 6, "crz": 1}


def test_conjugations_in_conjugations_and_one_after_another() -> None:
    around: Body = [Gate("h", (5,)), *LADDER]
    terms: Body = []
    for wire in (2, 3, 4):
        some: Body = [Gate("h", (wire,)), *LADDER[wire - 2 :]]
        terms += [*some, Gate("t", (5,)), *inverse(some)]
    found = cost(Region((0,), [*around, *terms, Gate("x", (2,)), *inverse(around)]))
    assert found == {"cp": 3, "cx": 2 * 3 + 2 * (3 + 2 + 1) + 1, "h": 2 + 6}


def test_commuting_rows_may_come_back_in_any_order() -> None:
    fan: Body = [Gate("cx", (1, at)) for at in (2, 3, 4)]
    body = [*fan, Gate("rz", (4,), ANGLE), *fan]
    assert cost(Region((0,), body)) == {"cx": 6, "crz": 1}


def test_what_is_like_a_row_of_the_outer_conjugation_is_found_in_the_inner_one() -> None:
    v = Gate("cx", (1, 2))
    body: Body = [v, Gate("h", (2,)), v, Gate("h", (2,)), v]
    assert cost(Region((0,), body)) == {"cx": 2, "h": 2, "ccx": 1}
    b, a = Gate("sx", (1,)), Gate("h", (1,))
    once: Body = [b, Gate("t", (1,)), b._replace(name="sxdg")]
    assert cost(Region((0,), [*once, a, *once, a]))["cp"] == 2


def test_rows_that_are_exempt_are_kept_if_they_cancel() -> None:
    """By pairs, or by value only: the first of two computations is undone first."""
    one = [Gate("cx", (1, 2)), Gate("ccx", (2, 3, 4)), Gate("cx", (1, 2))]
    two = [Gate("cx", (3, 2)), Gate("ccx", (1, 2, 5)), Gate("cx", (3, 2))]
    act = Gate("cz", (4, 5))
    body: Body = [each._replace(exempt=True) for each in (*one, *two)]
    undo: Body = [each._replace(exempt=True) for each in (*one, *two)]
    assert cost(Region((0,), [*body, act, *undo])) == {"cx": 8, "ccx": 4, "ccz": 1}
    wrong = cost(Region((0,), [*body, act]))
    assert wrong["ccx"] > 4


def test_no_conjunction_where_nothing_needs_it() -> None:
    inner = Region((1, 2), [Gate("h", (4,)), Gate("h", (4,))])
    assert cost(Region((0, 3), [inner, Gate("x", (5,)), Gate("x", (5,))])) == {"h": 2, "x": 2}
    assert cost(Region((0,), [Region((1,), [Gate("h", (4,))])]))["ccx"] == 2


def test_regions_that_follow_each_other_have_one_conjunction() -> None:
    first = Region((0, 1), [Gate("x", (3,))])
    inner: Body = [Region((2,), [Gate("h", (4,))]), Region((2,), [Gate("h", (5,))])]
    second = Region((1, 0), [*inner, Gate("z", (3,))])
    assert cost(first, second)["ccx"] == 2 + 2
    assert cost(first, Gate("h", (0,)), second)["ccx"] == 1 + 2 + 2


def test_controls_of_one_gate_are_collected_around_it() -> None:
    """And by one Toffoli less, if the gate has a row with two controls."""
    body: Body = [*LADDER, Gate("x", (5,)), *inverse(LADDER)]
    assert cost(Region((0, 1), body)) == {"cx": 6, "ccx": 1}
    assert cost(Region((0,), [Region((1, 2), [Gate("z", (0,))])])) == {"ccz": 1}
    assert cost(Region((0, 1), [Region((2, 3), [Gate("x", (5,))])])) == {"ccx": 2 + 2 + 1}


@pytest.mark.parametrize(
    ("gate", "message"),
    [
        (Gate("reset", (1,)), "'reset' cannot be controlled"),
        (Gate("measure_z", (1,)), "'measure_z' cannot be controlled"),
        (Gate("h", (0,)), "'h' changes qubit q0, which controls it"),
        (Gate("cx", (1, 0)), "'cx' changes qubit q0, which controls it"),
        (Gate("swap", (0, 1)), "'swap' changes qubit q0, which controls it"),
        (Gate("ppr", (1, 0), ANGLE, "ZX"), "'ppr' changes qubit q0, which controls it"),
        (Gate("free", (0,)), "'free' changes qubit q0, which controls it"),
    ],
)
def test_what_cannot_stand_in_a_region(gate: Gate, message: str) -> None:
    for body in ([gate], [Region((1,), [gate])] if 1 not in gate.on else [gate]):
        with pytest.raises(CompileError, match=message):
            without_regions([Region((0,), body)], 2)
