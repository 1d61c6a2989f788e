"""erase against state vectors, over all branches of all measurements."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import pytest
from statevector import MATRIX, Branch, step
from trajectories import assert_same

from qwasmc.backends.equivalence import compare
from qwasmc.cost import TAKES_TIME, depth, predicated_t_count, t_count, two_qubit_count
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS
from qwasmc.options import Options, Watch
from qwasmc.passes.erase import erase
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.pipeline import LOWER_GATES, select
from qwasmc.running import run_pass
from qwasmc.verify import verify


def circuit_of(text: str) -> Circuit:
    """Rows such as "ccx a b w; if x a": on qubits "a" to "d", and others once allocated.

    "alloc w" and "free w" are for ancillas, "mz a" makes the bit of what comes after "if".
    """
    builder = CircuitBuilder()
    file = builder.locations.add_file("a.qwasm", "a row\n")
    loc = builder.locations.add(file, 1, 1, 2)
    at = {name: builder.add("alloc", attr=name, loc=loc) for name in "abcd"}
    bit = builder.add("const", attr=1, loc=loc)
    for item in text.split(";"):
        words = item.split()
        cond = bit if words[0] == "if" else -1
        name, *wires = words[cond >= 0 :]
        name, _, letters = name.partition(":")
        name = {"mz": "measure_z", "mx": "measure_x"}.get(name, name)
        if name == "alloc":
            at[wires[0]] = builder.add("alloc", attr="", loc=loc)
            continue
        made = builder.add(
            name, [at[wire] for wire in wires], cond=cond, attr=letters or 0, loc=loc
        )
        at.update({wire: made + slot for slot, wire in enumerate(wires)})
        if BY_NAME[name].makes_bit:
            bit = made + len(wires)
    return builder.freeze()


def behaviour(circuit: Circuit, seed: int) -> dict[tuple[int, ...], np.ndarray]:
    """By the outcomes of the program's measurements, the density matrix of its qubits at the end.

    They start in a random state.
    """
    wire = circuit.wires()
    made = [row for row, code in enumerate(circuit.op) if OPS[code].makes_qubit]
    named = [bool(circuit.attribute(row)) for row in made]
    rng = np.random.default_rng(seed)
    shape = tuple(2 if own else 1 for own in named)
    start = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    start = np.pad(start / np.linalg.norm(start), [(0, 2 - length) for length in shape])
    branches = [Branch(start, {})]
    seen = []
    for row, code in enumerate(circuit.op):
        branches = [new for old in branches for new in step(circuit, row, wire, old, MATRIX)]
        if OPS[code].makes_bit and circuit.loc[row] >= 0:
            seen.append(int(circuit.first[row + 1]) - 1)
    others = [at for at, own in enumerate(named) if not own]
    n = 2 ** sum(named)
    total: dict[tuple[int, ...], np.ndarray] = defaultdict(lambda: np.zeros((n, n), dtype=complex))
    for branch in branches:
        state = np.moveaxis(branch.state, others, range(-len(others), 0)).reshape(n, -1)
        total[tuple(branch.bits[bit] for bit in seen)] += state @ state.conj().T
    return total


def same(before: Circuit, after: Circuit, seed: int = 0) -> bool:
    one, other = behaviour(before, seed), behaviour(after, seed)
    return all(np.allclose(one[bits], other[bits], atol=1e-9) for bits in {*one, *other})


def names(circuit: Circuit) -> Counter[str]:
    return Counter(OPS[code].name for code in circuit.op)


def erased(text: str, *, measured: bool = True) -> Counter[str]:
    """How many rows of each kind there are after the pass, which must change nothing else."""
    before = circuit_of(text)
    after = erase(before, measured)
    verify(after)
    assert same(before, after)
    return names(after)


ANYTHING = [
    "h {0}",
    "t {0}",
    "x {0}",
    "y {0}",
    "s {0}",
    "cx {0} {1}",
    "cz {0} {1}",
    "swap {0} {1}",
    "cy {0} {1}",
    "ccx {0} {1} {2}",
    "cswap {0} {1} {2}",
    "mz {0}",
    "if x {0}",
    "if cx {0} {1}",
    "if ccx {0} {1} {2}",
    "reset {0}",
    "mx {0}",
]
HARMLESS = ["t {0}", "cz {0} {1}", "cx {0} {1}", "z {0}", "mz {0}", "if cz {0} {1}"]
WRITES = ("x {0}", "cx {1} {0}", "ccx {1} {2} {0}", "ccx {1} {2} {0}")


READS = ("cz {0} {1}", "cx {0} {1}", "t {0}", "if cx {0} {1}", "ccx {0} {1} {2}")


# Programs, with their Toffolis and new measurements: with feed-forward, and the Toffolis without.
CASES = {
    "an AND": ("alloc w; ccx a b w; cz w c; ccx b a w; free w", 1, 1, 2),
    "never freed": ("alloc w; ccx a b w; cz w c; ccx b a w", 1, 1, 2),
    "used again": ("alloc w; ccx a b w; cz w c; ccx b a w; ccx c d w; cx w a", 2, 1, 3),
    "used again as |0>": ("alloc w; ccx a b w; cz w c; ccx b a w; x w; cx w d; free w", 1, 1, 2),
    "twice": ("alloc w" + 2 * "; ccx a b w; cx w c; ccx b a w; h a" + "; free w", 2, 2, 4),
    "a qubit of the program": ("reset d; ccx a b d; cx d c; ccx a b d; free d", 2, 0, 2),
    "a reset ancilla": (
        "alloc w; h w; cx w c; reset w; ccx a b w; cx w c; ccx a b w; h w",
        *(1, 1, 2),
    ),
    "a sum of products": (
        "alloc w; ccx a b w; x w; cx c w; ccx b c w; cz w d; cx c w; ccx c b w; ccx b a w; x w",
        *(2, 1, 4),
    ),
    "controls that change": (
        "alloc w; ccx a b w; cx c a; ccx a b w; t w; ccx a b w; cx c a; ccx a b w; free w",
        *(2, 1, 4),
    ),
    "a chain": (
        "alloc v; alloc w; ccx a b v; ccx v c w; cx w d; ccx v c w; free w; ccx a b v; free v",
        *(2, 2, 4),
    ),
    "read in between": (
        "alloc w; ccx a b w; ccx b c w; cz w d; ccx a b w; t w; ccx b c w",
        3,
        1,
        4,
    ),
    "read by a product of Z": ("alloc w; ccx a b w; ppr:ZZ w c; ccx a b w; free w", 1, 1, 2),
    "seen behind": ("alloc w; ccx a b w; t w; ccx a b w; z w; h c; free w", 1, 1, 2),
    "no use in between": ("alloc w; ccx a b w; ccx a b w; free w", 0, 0, 0),
    "nothing between flips": ("alloc w; x w; ccx a b w; x w; ccx a b w; cx w c; free w", 0, 0, 0),
    "a chain nobody reads": (
        "alloc v; alloc w; ccx a b v; ccx v c w; x w; x w; ccx v c w; ccx a b v; free w; free v",
        *(0, 0, 0),
    ),
    "a chain with a part nobody reads": (
        "alloc v; alloc w; ccx a b v; ccx v c w; cz v d; ccx v c w; ccx a b v; free w; free v",
        *(1, 1, 2),
    ),
    "two that read each other": (
        "alloc v; alloc w; ccx a b v; ccx v c w; ccx d w v; ccx d w v; ccx v c w; ccx a b v",
        *(0, 0, 0),
    ),
    "a control in |0>": ("alloc v; ccx a b v; t v; ccx a b v; reset d; ccx v c d", 1, 1, 2),
    "read under a predicate": (
        "mz d; alloc w; ccx a b w; if cx w c; ccx a b w; if cx w c",
        *(1, 1, 2),
    ),
    "left behind": ("alloc v; alloc w; ccx a b v; ccx a b v; ccx a b w", 1, 0, 1),
    "only cx": ("alloc w; cx a w; cz w c; cx a w; free w", 0, 0, 0),
    "not undone": ("alloc w; ccx a b w; cz w c; ccx a c w; free w", 2, 0, 2),
    "a control that is another one": ("alloc w; ccx a b w; h a; ccx a b w; free w", 2, 0, 2),
    "a qubit in an unknown state": ("ccx a b d; cx d c; ccx a b d", 2, 0, 2),
    "a predicated Toffoli": ("mz d; alloc w; if ccx a b w; cz w c; if ccx a b w; free w", 2, 0, 2),
    "swapped": ("alloc v; alloc w; ccx a b w; swap v w; cz v c; ccx a b v; free v", 1, 1, 2),
    "undone by a swap": ("alloc v; alloc w; ccx a b w; cz w c; swap v w; free w", 1, 0, 1),
    # The wire is discarded, and all it depends on is as well.
    "measured": ("alloc w; ccx a b w; cx w c; ccx a b w; free w; t a; cx b d; mz a; mz b", 1, 0, 1),
    "discarded": (
        "alloc u; alloc v; h u; h v; alloc w; ccx u v w; cx w c; ccx u v w; free w; free u; t v;"
        "free v",
        *(1, 0, 1),
    ),
    "not discarded in so many words": (
        "alloc u; alloc v; h u; h v; alloc w; ccx u v w; cx w c; ccx u v w; free w; free u",
        *(1, 1, 2),
    ),
    "measured, but not freed": (
        "alloc v; alloc w; ccx a b w; cx w c; ccx a b w; mz a; mz b; free v",
        *(1, 1, 2),
    ),
    "put into |0>": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; reset a; h a; mz b; h b",
        *(1, 0, 1),
    ),
    "only cx, measured": ("alloc w; cx a w; cz w c; cx a w; free w; mz a", 0, 0, 0),
    "a chain that is measured": (
        "alloc v; alloc w; ccx a b v; ccx v c w; cx w d; ccx v c w; free w; ccx a b v; free v;"
        "mz a; mz b; mz c",
        *(2, 0, 2),
    ),
    "a chain with an end that is measured": (
        "alloc v; alloc w; ccx a b v; ccx v c w; cx w d; ccx v c w; free w; ccx a b v; free v;"
        "mz a; h b; mz c",
        *(2, 2, 4),
    ),
    "one control is not measured": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; mz a",
        *(1, 1, 2),
    ),
    "a control that is measured late": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; mz a; h b; mz b",
        *(1, 1, 2),
    ),
    "a control that is turned late": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; mz a; ppr:XZ b c; mz b",
        *(1, 1, 2),
    ),
    "a control that turns others": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; mz a; ppr:ZX b c; mz b",
        *(1, 1, 2),
    ),
    "a control that may be reset": (
        "mz d; alloc w; ccx a b w; cx w c; ccx a b w; free w; if reset a; h a; mz b",
        *(1, 1, 2),
    ),
    "a control of the program, freed": (
        "alloc w; ccx a b w; cx w c; ccx a b w; free w; mz a; free b",
        *(1, 1, 2),
    ),
    "a qubit of the program with measured controls": (
        "reset d; ccx a b d; cx d c; ccx a b d; mz a; mz b; free d",
        *(2, 0, 2),
    ),
    "used again with measured controls": (
        "alloc w; ccx a b w; cx w c; ccx a b w; mz a; mz b; cx d w; cx w c",
        *(1, 1, 2),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_cases(name):
    text, toffolis, measurements, whole = CASES[name]
    found = erased(text)
    assert (found["ccx"], found["measure_x"]) == (toffolis, measurements)
    found = erased(text, measured=False)
    assert (found["ccx"], found["measure_x"]) == (whole, 0)


@pytest.mark.parametrize("name", CASES)
def test_cases_are_proved(name):
    before = circuit_of(CASES[name][0])
    assert compare(before, erase(before, measured=True)).result == "proved"


@pytest.mark.parametrize(
    ("text", "lives"),
    [
        ("alloc w; ccx a b w; t w; ccx a b w", 1),
        ("alloc w; ccx a b w; t w; ccx a b w; free w", 1),
        ("alloc w; ccx a b w; t w; ccx a b w; barrier a w; t w; free w", 2),
    ],
)
def test_ancillas_are_given_back_when_they_are_measured(text, lives):
    found = erased(text)
    assert (found["alloc"], found["free"]) == (4 + lives, lives)


def test_places_are_kept():
    after = erase(circuit_of(CASES["used again"][0]), measured=True)
    for row, code in enumerate(after.op):
        assert (after.loc[row] < 0) == (OPS[code].name == "measure_x")


def test_other_circuits_are_returned_as_they_are():
    for text in ("cx a b; ccx a b c", "alloc w; ccx a b w; h c; free w"):
        circuit = circuit_of(text)
        assert erase(circuit, measured=True) is circuit


def random_program(seed: int) -> str:
    """Ancillas v and w that are written, used, mostly undone, and perhaps freed or used again."""
    rng = np.random.default_rng(seed)
    live = list("abcvw" if seed % 2 else "abdvw")
    rows = ["alloc v", "alloc w", *["reset d"] * int(rng.integers(2))]

    def some(kind: Sequence[str], most: int, target: str = "") -> list[str]:
        others = [wire for wire in live if wire != target]
        return [
            str(rng.choice(kind)).format(*target, *rng.permutation(others))
            for _ in range(rng.integers(most + 1))
        ]

    for _ in range(rng.integers(1, 4)):
        target = str(rng.choice(live[2:]))
        writes = some(WRITES, 3, target)
        rows += writes + some(HARMLESS if rng.random() < 0.7 else ANYTHING, 2)
        rows += some(READS, 2, target)
        rows += list(rng.permutation(writes)) if rng.random() < 0.3 else writes[::-1]
        rows += some(ANYTHING, 1) if rng.random() < 0.3 else []
        if target in "vw" and rng.random() < 0.6:
            rows.append(f"free {target}")
            live.remove(target)
    measured = rng.choice(["h {0}", "h {0}", "mz {0}", "reset {0}"], size=len(live))
    rows += [row.format(wire) for row, wire in zip(measured, live, strict=True)]
    return ";".join(rows)


@pytest.mark.parametrize("measured", [False, True])
@pytest.mark.parametrize("seed", range(80))
def test_random_programs_stay_the_same(seed, measured):
    erased(random_program(seed), measured=measured)


@pytest.mark.parametrize("feed_forward", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_random_programs_stay_the_same_in_clifford_and_t(seed, feed_forward):
    before = circuit_of(random_program(seed))
    after = lower_gates(erase(before, measured=True), feed_forward)
    verify(after)
    assert same(before, after)


def test_random_programs_have_all_there_is():
    """So that the test before says something."""
    gone, measured, again = 0, 0, 0
    for seed in range(80):
        before = circuit_of(random_program(seed))
        one, whole, other = names(before), names(erase(before)), names(erase(before, True))
        gone += whole["ccx"] < one["ccx"]
        measured += other["measure_x"] > one["measure_x"]
        again += other["alloc"] > one["alloc"]
    assert min(gone, measured, again) >= 8


# -- a chain of products, of which the last one is used


def chain(products: int) -> Circuit:
    """The conjunction of qubits d, a, b, c, d, a, ... in ancillas, used by a gate, and undone."""
    wires = [f"w{at}" for at in range(products)]
    steps = [f"ccx {one} {'abcd'[at % 4]} {wires[at]}" for at, one in enumerate(["d", *wires[:-1]])]
    undone = [f"{step}; free {step.split()[-1]}" for step in reversed(steps)]
    rows = [*(f"alloc {wire}" for wire in wires), *steps, f"cz {wires[-1]} a", *undone]
    return circuit_of(";".join(rows))


@pytest.mark.parametrize("level", range(3))
def test_a_chain_takes_four_t_per_product(level):
    before = chain(7)
    after = erase(before, measured=True)
    rows = select("circuit", "circuit", level)
    for row in rows[rows.index(LOWER_GATES) :]:
        after = run_pass(after, row, Options(level=level, emit="circuit"), Watch())
    assert t_count(after) + predicated_t_count(after) == 28
    assert two_qubit_count(after) <= 7 * 5 + 1
    assert names(after)["measure_x"] == 7
    assert depth(after, TAKES_TIME) <= 60
    assert_same(before, after)


def test_a_long_chain():
    assert names(erase(chain(20000), measured=True))["measure_x"] == 20000
