"""The uncompute pass, by random programs: what it accepts is exactly right, the rest is refused."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from random_segments import program
from segment_checks import HEAD, RUNS, right_or_refused, straight, undone
from segment_oracle import assert_undone, legal

import qwasmc
from qwasmc.backends.certificate import certify
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import COUNT, to_circuit, to_wires
from qwasmc.ops import BY_NAME, CODE, OPS
from qwasmc.passes.uncompute import uncompute
from qwasmc.verify import verify


def tried(seed: int, careless: float = 0.02) -> str:
    """What becomes of a random program."""
    before = straight(program(seed, careless))
    if right_or_refused(before, seed):
        return "undone"
    return "too careful" if legal(before, seed, RUNS) else "refused"


def test_random_programs():
    found = Counter(map(tried, range(80)))
    assert found["undone"] >= 60
    assert found["too careful"] <= 12


@pytest.mark.slow
def test_many_random_programs():
    found = Counter(map(tried, range(1000, 2000)))
    assert found["undone"] >= 750
    assert found["too careful"] <= 150


@pytest.mark.slow
def test_careless_programs():
    """Most of these cannot be undone."""
    found = Counter(tried(seed, careless=0.3) for seed in range(2000, 2600))
    assert found["undone"] >= 200
    assert found["refused"] >= 100


@pytest.mark.parametrize(
    "text",
    [
        # rows of a Pauli product that numbers qubits beyond the others
        'REV_BEGIN n\nQLCNOT d0, s0\nREV_END\nQLPPR "ZZ", 0.4, s0, d1\nUNCOMPUTE n',
        # the phase of y is undone with what it writes
        "REV_BEGIN n\nQLCNOT d0, s0\nAPPLY_CY d1, s0\nQLY s0\nREV_END\nQLT s0\nUNCOMPUTE n",
        "REV_BEGIN n\nQLCNOT d1, s1\nAPPLY_CY d0, s1\nREV_END\nQLX d0\nUNCOMPUTE n",
        "REV_BEGIN n, s1\nREV_BEGIN o\nAPPLY_CY d0, s0\nREV_END\nQLCNOT s0, s1\nUNCOMPUTE o\n"
        "REV_END\nUNCOMPUTE n",
        # a control region in a segment
        "REV_BEGIN n\nCTRL_BEGIN d0\nQLCNOT d1, s0\nCTRL_END\nREV_END\nQLZ s0\nUNCOMPUTE n",
        "REV_BEGIN n\nCTRL_BEGIN d0, d1\nQLX s0\nQLCNOT d2, s1\nCTRL_END\nREV_END\nQLCZ s0, s1\n"
        "UNCOMPUTE n",
        # gates with many controls, which have ancillas: by themselves and where segments are woven
        "REV_BEGIN n\nMCX\nREV_END\nQLCZ s0, d3\nUNCOMPUTE n",
        "REV_BEGIN n\nMCX\nREV_END\nQLCNOT s0, d3\nQLH d3\nUNCOMPUTE n",
        "REV_BEGIN n\nMCX\nREV_END\nREV_BEGIN o\nQLCNOT d3, s1\nMCX\nQLCNOT s0, s1\nMCX\nREV_END\n"
        "QLCZ s0, s1\nUNCOMPUTE o\nUNCOMPUTE n",
        "REV_BEGIN o\nREV_BEGIN n\nMCX\nREV_END\nQLCNOT s0, s1\nUNCOMPUTE n\nREV_END\nQLT s1\n"
        "UNCOMPUTE o",
        "CTRL_BEGIN d3\nREV_BEGIN n\nMCX\nREV_END\nQLZ s0\nUNCOMPUTE n\nCTRL_END",
        "CTRL_BEGIN d3\nREV_BEGIN n, s0\nMCX\nREV_END\nQLH s1\nQLCZ s0, s1\nUNCOMPUTE n\nCTRL_END",
        # a segment in the act of another one is written anew
        "REV_BEGIN n\nQLCNOT d2, s1\nREV_END\nREV_BEGIN o\nQLCCX d0, d1, s2\nQLCNOT d2, d0\n"
        "REV_END\nUNCOMPUTE o\nUNCOMPUTE n",
        # segments inside, with as many rows to undo as there are marks
        "REV_BEGIN n, s2\nAPPLY_CY d0, s2\nREV_BEGIN o\nQLX s0\nQLSWAP s0, s1\n"
        "APPLY_FREDKIN d1, s0, s1\nREV_END\nUNCOMPUTE o\nREV_END\nUNCOMPUTE n",
        # what changes for a while but is not needed is not undone
        "REV_BEGIN n\nQLCNOT d0, s0\nQLSWAP d1, d2\nQLCNOT d0, d2\nQLSWAP d1, d2\nREV_END\n"
        "QLCNOT s0, d1\nUNCOMPUTE n",
        # a qubit is in |0> again, and scratch of the next segment
        "REV_BEGIN n\nQLCNOT d0, s0\nREV_END\nUNCOMPUTE n\nREV_BEGIN n\nQLCNOT d1, s0\nREV_END\n"
        "QLCZ s0, d2\nUNCOMPUTE n",
        "QLX s0\nQLRESET s0\nREV_BEGIN n\nQLCNOT d0, s0\nREV_END\nQLCZ s0, d2\nUNCOMPUTE n",
        # undoing a segment computes what was undone inside again, and undoes it
        "REV_BEGIN n, s1\nREV_BEGIN o\nQLCNOT d0, s0\nREV_END\nQLCNOT s0, s1\nUNCOMPUTE o\n"
        "REV_END\nUNCOMPUTE n\nREV_BEGIN n\nQLCNOT d2, s0\nREV_END\nQLT s0\nUNCOMPUTE n",
        # alloc inside, and the same name again
        "REV_BEGIN n\nALLOC_LQ n=1 -> w\nQLCNOT d0, w\nREV_END\nQLT w\nUNCOMPUTE n\nFREE_LQ w\n"
        "ALLOC_LQ n=1 -> w\nREV_BEGIN n\nQLCNOT d1, w\nREV_END\nQLS w\nUNCOMPUTE n",
        # one name for several segments, also where the program has loops
        "MOV r1, 2\ne:\nREV_BEGIN n\nQLCNOT d0, s0\nREV_END\nQLT s0\nUNCOMPUTE n\nSUB r1, r1, 1\n"
        "JNZ r1, e\nREV_BEGIN n\nQLCNOT d1, s0\nREV_END\nQLS s0\nUNCOMPUTE n",
        # a segment in a branch, and one that is never undone
        "JZ r0, e\nREV_BEGIN n\nQLCCX d0, d1, s0\nREV_END\nQLCZ s0, d2\nUNCOMPUTE n\ne:\nQLT d0",
        "REV_BEGIN n\nQLCCX d0, d1, s0\nREV_END\nQLCZ s0, d2",
    ],
)
def test_right(text):
    """Programs that must be accepted; most were not, or came out wrong."""
    text = text.replace("MCX", 'APPLY_CONTROLLED d0, d1, d2, s0, gate="X"')
    assert right_or_refused(straight(HEAD + text + "\n"), seed=1)


@pytest.mark.slow
def test_many_segments():
    """10,000 segments one after another, or all before the first is undone, in linear time."""
    for nested in (False, True):
        build = CircuitBuilder()
        data, other = (build.add("h", [build.add("alloc", attr=name)]) for name in "ab")
        scratch = [build.add("alloc", attr="s") for _ in range(10_000)]
        for at, wire in enumerate(scratch):
            build.add("rev_begin", attr=f"n{at}")
            data, copy = pair(build.add("cx", [data, wire]))
            build.add("rev_end", attr=f"n{at}")
            _, other = pair(build.add("cz", [copy, other]))
            if not nested:
                build.add("uncompute", attr=f"n{at}")
        for at in reversed(range(10_000 if nested else 0)):
            build.add("uncompute", attr=f"n{at}")
        after = uncompute(build.freeze())
        assert (after.op == CODE["cx"]).sum() == 20_000
        assert (after.op == CODE["free"]).sum() == 10_000


def pair(first: int) -> tuple[int, int]:
    """The two values that a gate makes."""
    return first, first + 1


# -- the certificate


def mutated(circuit: Circuit, rng: np.random.Generator) -> Circuit | None:
    """A circuit in which one gate is dropped, doubled, moved, turned round or another."""
    wired = to_wires(circuit)
    gates = [row for row, code in enumerate(wired.op.tolist()) if OPS[code].is_gate]
    if not gates:
        return None
    row, order = int(rng.choice(gates)), list(range(len(wired)))
    kind = rng.integers(5)
    if kind == 0:
        order.remove(row)
    elif kind == 1:
        order.insert(row, row)
    elif kind == 2:
        order.remove(row)
        order.insert(int(rng.choice(gates)), row)
    count = COUNT[wired.op[row]]
    operands, op = wired.operands.copy(), wired.op.copy()
    if kind == 3:
        operands[row, :count] = operands[row, :count][::-1]
    elif kind == 4:
        same = ("x", "z", "s", "h", "cx", "cz", "ccx", "ccz", "cswap")
        op[row] = CODE[
            rng.choice([name for name in same if BY_NAME[name].qubits == count] or ["x"])
        ]
    columns = {"op": op, "operands": operands}
    for name in ("made", "cond", "angle", "attr", "loc"):
        columns[name] = getattr(wired, name)
    found = to_circuit(replace(wired, **{name: each[order] for name, each in columns.items()}))
    try:
        verify(found)
    except CompileError:
        return None
    return found


def certified_wrongly(seed: int) -> Counter[str]:
    """Mutations of what the passes make of a program: how they differ, and what is said of them."""
    rng = np.random.default_rng(seed)
    before = straight(program(seed))
    after = undone(before)
    found: Counter[str] = Counter()
    if after is None:
        return found
    after = qwasmc.run_passes(after, ["erase"], feed_forward=True)
    for _ in range(4):
        other = mutated(after, rng)
        if other is None:
            continue
        ok = certify(before, other).ok
        try:
            assert_undone(before, other, seed, runs=1)
            found[f"same, {ok}"] += 1
        except AssertionError:
            found[f"different, {ok}"] += 1
    return found


def test_mutations_have_no_certificate():
    found = sum(map(certified_wrongly, range(25)), Counter[str]())
    assert found["different, False"] > 35
    assert not found["different, True"]


@pytest.mark.slow
def test_many_mutations_have_no_certificate():
    found = sum(map(certified_wrongly, range(5000, 5400)), Counter[str]())
    assert found["different, False"] > 600
    assert not found["different, True"]
