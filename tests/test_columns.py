"""Columns of rows against a plain list of rows, and the limit on what a program may become."""

from __future__ import annotations

import random

import numpy as np
import pytest

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.surgery import Row
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.scheduling import script
from qwasmc.passes.scheduling.columns import Columns, ints, small


@pytest.mark.parametrize("seed", range(20))
def test_columns(seed: int):
    """Kind, aux, bits and source position of every row."""
    draw = random.Random(seed)
    columns, plain, loc = Columns(), [], -1
    columns.at(loc)
    for _ in range(draw.randrange(60)):
        choice = draw.randrange(4)
        bits = [draw.randrange(9) for _ in range(draw.randrange(3))]
        if choice == 0:
            loc = draw.randrange(9)
            columns.at(loc)
        elif choice == 1:
            assert columns.add(Row.XOR, choice, bits) == len(plain)
            plain.append((Row.XOR, choice, bits, loc))
        else:
            first = columns.block(small(Row.JOIN, Row.XOR), ints(3, 4))
            assert first == len(plain)
            columns.read(first + 1, bits)
            plain += [(Row.JOIN, 3, [], loc), (Row.XOR, 4, bits, loc)]
    begin, length = columns.slices()
    found = zip(columns.kind, columns.aux, begin, length, columns.locations(), strict=True)
    pool = columns.pool.tolist()
    assert [(kind, aux, pool[a : a + n], loc) for kind, aux, a, n, loc in found] == plain
    assert [columns.loc_of(row) for row in range(len(plain))] == [row[3] for row in plain]


def test_values_of_all_rows():
    """The operands of all rows at once are those of each row."""
    builder = CircuitBuilder()
    a, b = (builder.add("alloc", attr=name) for name in "ab")
    first = builder.add("cx", [a, b])
    product = builder.add("ppm", [first, first + 1], attr="XZ")
    parity = builder.add("xor", [product + 2, product + 2])
    builder.add("result", [parity], attr="r")
    circuit = builder.freeze()
    found = list(circuit.all_values())
    assert found == [circuit.values(row) for row in range(len(circuit))]
    assert found[2:4] == [[a, b], [first, first + 1]]


def test_too_many_rows_are_refused(monkeypatch: pytest.MonkeyPatch):
    """Whoever asks for more distillation than fits into memory hears of it at once."""
    builder = CircuitBuilder()
    qubit = builder.add("alloc", attr="a")
    for _ in range(20):
        qubit = builder.add("t", [qubit])
    circuit = builder.freeze()
    monkeypatch.setattr(script, "MOST_ROWS", 100)
    with pytest.raises(CompileError, match="20 magic states take more than 100 rows") as refused:
        lower_surgery(circuit, factory="15-to-1")
    assert refused.value.exit_code == Kind.LIMIT
    assert np.count_nonzero(lower_surgery(circuit).kind == Row.INJECT) == 20
