"""The certificate proves right rewritings, and never a wrong one."""

from __future__ import annotations

import json
from itertools import chain, pairwise
from math import pi
from random import Random

import numpy as np
import pytest
from certificate_programs import INPUTS, SCRATCH, Pair, controlled_rows, mutant
from channels import Channel, circuit, same

from qwasmc.backends.certificate import certify, diagnose
from qwasmc.backends.certificate.functions import Functions
from qwasmc.backends.certificate.proofs import Known, Prover
from qwasmc.backends.certificate.sets import Sets
from qwasmc.ir.circuit import Circuit
from qwasmc.passes.uncompute import uncompute

ALL = [*INPUTS, *SCRATCH]


def read(rows: list[str] | str) -> Circuit:
    return circuit(rows if isinstance(rows, str) else "\n".join(rows))


def check_mutants(before: Circuit, after: Circuit, names: list[str], rng: Random, n: int) -> None:
    """What differs is not certified, and what does not is not said to differ."""
    unknown = [name for name in names if name not in SCRATCH]
    expected = Channel(before, unknown).choi(names)
    for _ in range(n):
        wrong = mutant(after, rng)
        found = certify(before, wrong)
        if np.abs(Channel(wrong, unknown).choi(names) - expected).max() < 1e-7:
            assert found.result != "failed", found.summary
        else:
            assert not found.ok


# -- segments


@pytest.mark.parametrize("seed", range(40))
def test_segments(seed: int) -> None:
    pair = Pair(seed)
    before, after = read(pair.before), read(pair.after)
    found = certify(before, after)
    assert found.ok, found.summary
    check_mutants(before, after, ALL, Random(seed), 3)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40, 120))
def test_more_segments(seed: int) -> None:
    pair = Pair(seed)
    before, after = read(pair.before), read(pair.after)
    assert same(before, after, INPUTS, ALL)
    assert certify(before, after).ok
    check_mutants(before, after, ALL, Random(seed), 12)


PROGRAM = """
    input a
    input b
    input r
    alloc s
    rev_begin f
    ccx a b s
    rev_end f
    cx s r
    t s
    uncompute f
"""

MEASURED = """
    input a
    input b
    input r
    alloc _s
    ccx a b _s
    cx _s r
    t _s
    m = measure_x _s
    cz a b if m
    free _s
"""

UNDONE = MEASURED.replace("m = measure_x _s\n    cz a b if m", "ccx a b _s")


def test_counts() -> None:
    found = certify(read(PROGRAM), read(MEASURED))
    assert (found.scratch, found.ghosts, found.discarded) == (1, 1, 0)
    (segment,) = found.segments
    assert (segment.name, segment.scratch) == ("f", ["s"])
    assert (segment.erased, segment.mirrored, segment.recomputed) == (1, 0, 0)
    (segment,) = certify(read(PROGRAM), read(UNDONE)).segments
    assert (segment.erased, segment.mirrored, segment.recomputed) == (0, 1, 0)
    assert json.loads(json.dumps(found.as_json()))["result"] == "proved"


@pytest.mark.parametrize(
    ("row", "by", "kind", "point"),
    [
        ("ccx a b _s\n    free", "free", "scratch", {"a": 1, "b": 1}),
        ("cx _s r", "", "qubit", {"a": 1, "b": 1}),
        ("t _s", "", "phase", {"a": 1, "b": 1}),
        ("t _s", "s _s", "phase", {"a": 1, "b": 1}),
    ],
)
def test_reasons(row: str, by: str, kind: str, point: dict[str, int]) -> None:
    found = certify(read(PROGRAM), read(UNDONE.replace(row, by)))
    assert found.result == "failed"
    assert found.failures[0].kind == kind
    assert point.items() <= found.failures[0].counterexample.items()


def test_a_ghost_that_is_not_repaired() -> None:
    after = read(MEASURED.replace("cz a b if m", ""))
    found = certify(read(PROGRAM), after)
    assert (found.result, found.failures[0].kind) == ("failed", "ghost")
    assert "not repaired (for example for a = 1, b = 1" in found.summary
    (problem,) = diagnose(found, after)
    assert "not repaired" in problem.message


def test_results() -> None:
    rows = ["input a", "input b", "k = measure_z a", "n = measure_z b", "m = xor k n"]
    before = read([*rows, "result k m"])
    assert certify(before, before).ok
    found = certify(before, read([*rows, "result k n"]))
    assert (found.result, found.failures[0].kind) == ("failed", "result")
    assert certify(before, read([*rows[:3], "result k k"])).result != "proved"


def test_a_measurement_must_stay() -> None:
    before = read(["input a", "k = measure_z a"])
    assert not certify(before, read(["input a"])).ok
    assert not certify(read(["input a"]), before).ok


def test_values_that_are_known_anyway() -> None:
    """An ancilla may be thrown away in a state that a measurement tells, but in no other."""
    rows = ["input a", "input b", "alloc _s", "ccx a b _s", "free _s", "k = measure_z a"]
    before = read(["input a", "input b", "k = measure_z a", "n = measure_z b"])
    found = certify(before, read([*rows, "n = measure_z b"]))
    assert found.ok
    assert found.discarded == 1
    found = certify(read(["input a", "input b", "k = measure_z a"]), read(rows))
    assert (found.result, found.failures[0].kind) == ("failed", "scratch")


def test_an_ancilla_that_is_used_again() -> None:
    after = MEASURED.replace("free _s", "h _s\n x _s if m\n cx _s r\n free _s")
    assert certify(read(PROGRAM), read(after)).ok
    assert not certify(read(PROGRAM), read(after.replace("x _s if m", ""))).ok
    assert not certify(read(PROGRAM), read(after.replace("h _s", ""))).ok


def test_the_compiler_may_measure_a_qubit_of_the_program() -> None:
    rows = ["input a", "input b", "alloc s", "ccx a b s", "t s"]
    before = read([*rows, "ccx a b s", "cx s a"])
    builder = "\n".join([*rows, "m = measure_x s", "cz a b if m", "h s", "x s if m", "cx s a"])
    after = read(builder)
    after.loc[after.op == read("input a\nm = measure_x a").op[1]] = -1
    assert certify(before, after).ok
    assert certify(before, read(builder)).result == "not decided"


def test_qubits_that_are_allocated_are_zero() -> None:
    rows = ["alloc a", "alloc b", "alloc s", "rev_begin f s", "cx a s", "rev_end f", "uncompute f"]
    found = certify(read(rows), read(["alloc a", "alloc b", "cx a b"]))
    assert found.ok
    assert found.from_zero
    rows[0] = "input a"
    assert not certify(read(rows), read(["input a", "alloc b", "cx a b"])).ok


def test_y_is_undone_with_its_phase() -> None:
    rows = ["input a", "input b", "alloc s", "rev_begin f", "cx a s", "y s", "rev_end f", "cz s b"]
    plain = ["input a", "input b", "alloc _s", "cx a _s", "y _s", "cz _s b", "y _s", "cx a _s"]
    assert certify(read([*rows, "uncompute f"]), read(plain)).ok
    plain[-2] = "x _s"
    assert certify(read([*rows, "uncompute f"]), read(plain)).failures[0].kind == "phase"


def test_phases_that_are_equal_as_functions() -> None:
    before = ["input a", "input b", "cx a b", "t b", "s b", "cx a b"]
    parts = ["t a", "t b", "cp a b", "s a", "s b", "cz a b"]
    after = ["input a", "input b", *parts]
    after[4] = f"cp a b {-pi / 2}"
    assert certify(read(before), read(after)).ok
    after[4] = f"cp a b {pi / 2}"
    assert certify(read(before), read(after)).result == "failed"


def test_values_that_are_equal_as_functions() -> None:
    """The majority of three bits, and a distributive law."""
    before = ["input a", "input b", "input c", "alloc s", "rev_begin f s"]
    before += ["ccx a b s", "ccx b c s", "ccx a c s", "rev_end f", "t s", "uncompute f"]
    after = [
        "input a",
        "input b",
        "input c",
        "alloc _s",
        "cx c a",
        "cx c b",
        "ccx a b _s",
        "cx c _s",
    ]
    after += ["cx c a", "cx c b", "t _s"]
    undo = ["m = measure_x _s", "cz a b if m", "cz b c if m", "cz a c if m"]
    assert certify(read(before), read([*after, *undo])).ok
    assert not certify(read(before), read([*after, *undo[:-1]])).ok


# -- control regions


def region_pair(seed: int) -> tuple[Circuit, Circuit, list[str]]:
    """A program with control regions, and what the compiler makes of it."""
    rng = Random(seed)
    names = list("abcd"[: rng.randint(3, 4)])
    rows = [f"ctrl_begin {names[0]}", *controlled_rows(rng, names[1:], 1), "ctrl_end"]
    before = read([f"input {name}" for name in names] + rows + controlled_rows(rng, names, 1))
    return before, uncompute(before), names


@pytest.mark.parametrize("seed", range(12))
def test_control_regions(seed: int) -> None:
    before, after, names = region_pair(seed)
    found = certify(before, after)
    assert found.ok, found.summary
    check_mutants(before, after, names, Random(seed), 2)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12, 80))
def test_more_control_regions(seed: int) -> None:
    before, after, names = region_pair(seed)
    assert same(before, after, names, names)
    found = certify(before, after)
    assert found.ok, found.summary
    check_mutants(before, after, names, Random(seed), 6)


def test_gates_that_do_not_cancel_need_the_controls() -> None:
    rows = ["input a", "input b", "input c", "ctrl_begin a", "h b", "z b", "h b", "ctrl_end"]
    assert certify(read(rows), read([*rows[:3], "h b", "cz a b", "h b"])).ok
    rows[6] = "sx b"
    assert not certify(read(rows), read([*rows[:3], "h b", "cz a b", "sx b"])).ok
    assert not certify(read(rows), read([*rows[:3], "h b", "cz a b", "h b"])).ok


# -- size


def adder(n: int) -> tuple[list[str], list[str]]:
    """A sum of n bits in place; then each carry measured when its successor is gone."""
    names = [f"input {kind}{k}" for k in range(n) for kind in "ab"]
    temporary = [[f"cx c{k} a{k}", f"cx c{k} b{k}"] if k else [] for k in range(n)]
    carry = [
        [*around, f"ccx a{k} b{k} c{k + 1}", *([f"cx c{k} c{k + 1}"] if k else []), *around]
        for k, around in enumerate(temporary)
    ]
    sums = [[f"cx a{k} b{k}", *([f"cx c{k} b{k}"] if k else [])] for k in range(n)]
    carries = [f"c{k + 1}" for k in range(n)]
    before = [*names, *(f"alloc {name}" for name in carries), f"rev_begin f {' '.join(carries)}"]
    before += [*chain.from_iterable(carry), "rev_end f", f"t c{n}", *chain.from_iterable(sums)]
    before.append("uncompute f")
    after = list(names)
    for k in range(n):
        after += [f"alloc c{k + 1}", *carry[k]]
    after.append(f"t c{n}")
    for k in reversed(range(n)):
        repairs = [f"z c{k} if m{k}"] if k else []
        repairs += [*temporary[k], f"cz a{k} b{k} if m{k}", *temporary[k]]
        after += [f"m{k} = measure_x c{k + 1}", f"free c{k + 1}", *repairs, *sums[k]]
    ancillas = set(carries)
    return before, [
        " ".join(f"_{word}" if word in ancillas else word for word in row.split()) for row in after
    ]


def test_few_of_many_failures_are_reported() -> None:
    before, after = adder(256)
    wrong = [row for row in after if not row.startswith("cz")]
    found = certify(read(before), read(wrong))
    assert found.result == "failed"
    assert len(found.failures) <= 5
    assert {failure.kind for failure in found.failures} == {"ghost"}


def test_a_small_adder() -> None:
    before, after = (read(rows) for rows in adder(2))
    names = [f"{kind}{k}" for k in range(2) for kind in "ab"]
    assert certify(before, after).ok
    check_mutants(before, after, names, Random(0), 20)


def test_a_large_adder() -> None:
    before, after = (read(rows) for rows in adder(1024))
    found = certify(before, after)
    assert found.ok
    assert found.ghosts == 1024


# -- parts


def test_sets_are_those_of_python() -> None:
    rng = Random(1)
    sets, real = Sets(), [frozenset[int]()]
    number = [0]
    for _ in range(2000):
        a, b = rng.randrange(len(real)), rng.randrange(len(real))
        element = rng.randrange(200)
        both = [
            (sets.single(element), frozenset({element})),
            (sets.union(number[a], number[b]), real[a] | real[b]),
            (sets.difference(number[a], number[b]), real[a] ^ real[b]),
        ]
        found, expected = rng.choice(both)
        number.append(found)
        real.append(expected)
        assert list(sets.elements(found)) == sorted(expected)
        assert sets.size[found] == len(expected)
        assert sets.contains(found, element) == (element in expected)
    by_number = sorted(zip(number, map(sorted, real), strict=True))
    assert all((a[0] == b[0]) == (a[1] == b[1]) for a, b in pairwise(by_number))
    assert len(set(number)) == len(set(real))


def test_functions_have_their_values() -> None:
    rng = Random(2)
    functions = Functions()
    prover = Prover(functions)
    found = [functions.variable(f"x{k}") for k in range(5)] + [functions.one]
    points = np.arange(32)
    values = [(points >> k & 1).astype(bool) for k in range(5)] + [np.ones(32, dtype=bool)]
    for _ in range(300):
        a, b = rng.randrange(len(found)), rng.randrange(len(found))
        if rng.random() < 0.5:
            found.append(functions.add(found[a], found[b]))
            values.append(values[a] ^ values[b])
        else:
            found.append(functions.multiply(found[a], found[b]))
            values.append(values[a] & values[b])
    table = prover.table([*found[:5], *found])
    assert table is not None
    assert (table.rows[5:] == np.array(values)[:, _columns(table.rows[:5])]).all()
    for _ in range(300):
        a, b = rng.randrange(len(found)), rng.randrange(len(found))
        same_values = bool((values[a] == values[b]).all())
        assert prover.is_zero(functions.add(found[a], found[b])).holds == same_values
        known = Known(functions, [found[a], found[0]])
        pairs = {(x, y, z) for x, y, z in zip(values[a], values[0], values[b], strict=True)}
        follows = len(pairs) == len({(x, y) for x, y, _ in pairs})
        assert prover.is_known(found[b], known).holds == follows


def _columns(inputs: np.ndarray) -> np.ndarray:
    """The number of the point of each column."""
    return (inputs * (1 << np.arange(5))[:, None]).sum(axis=0)
