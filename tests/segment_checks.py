"""Checks of programs with reversible segments, for tests of the passes that undo them."""

import pytest
from segment_oracle import assert_undone

import qwasmc
from qwasmc import driver
from qwasmc.backends.certificate import certify
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import CODE, OPS
from qwasmc.verify import verify

RUNS = 2
"""Random runs of each program: outcomes of its measurements."""

HEAD = """.caps CAP_ALLOC CAP_MAGIC
ALLOC_LQ n=5 -> d0, d1, d2, d3, m
ALLOC_LQ n=3 -> s0, s1, s2
QLRY d0, 0.7
QLRY d1, 1.1
QLRY d2, 1.9
QLRY d3, 2.3
QLH m
QLMEASURE m, r0
"""


def straight(text: str) -> Circuit:
    """A program as a circuit, with its segments."""
    ir = qwasmc.parse(text)
    return ir if driver.kind_of(ir) == "circuit" else qwasmc.run_passes(ir, ["specialise"])


def undone(before: Circuit) -> Circuit | None:
    """What the pass makes of it, or nothing if it refuses."""
    try:
        after = qwasmc.run_passes(before, ["uncompute"])
    except CompileError as refused:
        expect_a_place(refused)
        return None
    verify(after)
    assert not any(OPS[code].is_marker for code in after.op.tolist())
    return after


def expect_a_place(refused: CompileError) -> None:
    """An error of the program, somewhere in it."""
    assert refused.exit_code == 1
    assert refused.diagnostics[0].place is not None


def expect_certificate(before: Circuit, after: Circuit) -> None:
    """There is a proof; there may be none where control regions have Hadamards."""
    found = certify(before, after).result
    assert found == "proved" or (found == "not decided" and CODE["ctrl_begin"] in before.op)


def right_or_refused(before: Circuit, seed: int) -> bool:
    """Whether the pass accepts a program; what it makes of it is right then.

    It is an `Illegal` program, and an error of the pass, if there is nothing right.
    """
    after = undone(before)
    if after is None:
        return False
    assert_undone(before, after, seed, RUNS)
    expect_certificate(before, after)
    erased = qwasmc.run_passes(after, ["erase"], feed_forward=True)
    if erased is not after:
        verify(erased)
        assert_undone(before, erased, seed, runs=1)
        expect_certificate(before, erased)
    return True


def complaint(text: str) -> tuple[str, str]:
    """What is said of a program, and of which line."""
    with pytest.raises(CompileError) as caught:
        qwasmc.run_passes(straight(text), ["uncompute"])
    assert caught.value.exit_code == 1
    first = caught.value.diagnostics[0]
    assert first.place is not None
    return first.message, text.splitlines()[first.place.line - 1]
