"""Codes of regions and what they measure, checked with Stim's Pauli strings alone."""

from __future__ import annotations

import numpy as np
import pytest
import stim
from surgery_shapes import JOINS, TWISTED, join, turned, y_loop

from qwasmc.backends.stim.code import IDLE, UnsupportedJoin, normalise, region_code
from qwasmc.backends.stim.merge import merge
from qwasmc.ir.surgery import Join, Letter

SHAPES = [
    pytest.param(turned(shape, quarters), id=f"{name}-{quarters}")
    for name, shape in JOINS.items()
    for quarters in range(4)
]


def pauli(length: int, letters: dict[int, int]) -> stim.PauliString:
    string = stim.PauliString(length)
    for site, letter in letters.items():
        string[site] = Letter(letter).name
    return string


def stabilizers(code) -> list[stim.PauliString]:
    return [
        pauli(
            len(code.sites),
            {int(s): int(a) for s, a in zip(sites.flat, letters.flat, strict=True) if a},
        )
        for sites, letters in zip(code.members, code.letters, strict=True)
    ]


def rank(strings: list[stim.PauliString]) -> int:
    pivots: dict[int, int] = {}
    for string in strings:
        xs, zs = string.to_numpy()
        value = int("".join("1" if bit else "0" for bit in (*xs, *zs)), 2)
        while value and value.bit_length() in pivots:
            value ^= pivots[value.bit_length()]
        if value:
            pivots[value.bit_length()] = value
    return len(pivots)


def logical(code, term: int, letter: Letter) -> stim.PauliString:
    """The canonical logical operator of a term's patch."""
    tile = code.join.terms[term].tile
    d = code.distance
    x0, y0 = tile[0] * (d + 1), tile[1] * (d + 1)
    number = {tuple(site): i for i, site in enumerate(code.sites.tolist())}
    x = pauli(len(number), {number[x0, y0 + i]: Letter.X for i in range(d)})
    z = pauli(len(number), {number[x0 + i, y0]: Letter.Z for i in range(d)})
    return {Letter.X: x, Letter.Z: z, Letter.Y: 1j * x * z}[letter]


@pytest.mark.parametrize("distance", [3, 5])
@pytest.mark.parametrize("shape", [IDLE, *SHAPES])
def test_region_loses_one_logical_qubit(shape: Join, distance: int) -> None:
    code = region_code(shape, distance)
    strings = stabilizers(code)
    assert all(a.commutes(b) for i, a in enumerate(strings) for b in strings[:i])
    assert rank(strings) == len(strings)
    left = len(shape.terms) - bool(shape.edges)
    assert len(code.sites) - len(strings) == left


@pytest.mark.parametrize("distance", [3, 5])
@pytest.mark.parametrize("shape", SHAPES)
def test_outcome_is_the_product_of_the_logical_operators(shape: Join, distance: int) -> None:
    """Exactly, sign included, up to fresh sites in the letter in which they start at +1."""
    code = region_code(shape, distance)
    measured = merge(code)
    strings = stabilizers(code)
    product = stim.PauliString(len(code.sites))
    for i in measured.outcome:
        product *= strings[i]
    for i, term in enumerate(shape.terms):
        product *= logical(code, i, term.letter)
    for site in product.pauli_indices():
        assert product[site] in (0, {Letter.X: 1, Letter.Z: 3}[Letter(int(code.start[site]))])
    assert product.sign == (-1 if measured.negative else 1)


@pytest.mark.parametrize("shape", SHAPES)
def test_byproducts_come_from_operators_that_survive(shape: Join) -> None:
    """The partners of two terms, or a term's Y, with a chain of start letters, commute with all
    that is measured."""
    code = region_code(shape, 5)
    strings = stabilizers(code)
    partner = [Letter.Z if term.letter == Letter.X else Letter.X for term in shape.terms]
    pairs = set()
    for term, letter, sites in merge(code).byproducts:
        chain = pauli(len(code.sites), {int(s): int(code.start[s]) for s in sites})
        if letter == shape.terms[term].letter:
            kept = logical(code, 0, partner[0]) * logical(code, term, partner[term]) * chain
            pairs.add(term)
        else:
            assert letter == partner[term]
            kept = logical(code, term, shape.terms[term].letter) * chain
        assert all(kept.commutes(string) for string in strings)
    assert pairs == set(range(1, len(shape.terms)))


def test_every_site_and_plaquette_is_local() -> None:
    """Stabilizers touch the corners of their plaquettes; cats cross one empty seam."""
    for shape in JOINS.values():
        code = region_code(shape, 5)
        here = code.letters > 0
        reach = code.sites[code.members] - code.faces[:, :, None, :]
        assert ((reach[here] >= 0) & (reach[here] <= 1)).all()
        taken = set(map(tuple, code.sites.tolist()))
        bridges = [cat.bridge for cat in code.cats]
        assert len(set(bridges)) == len(bridges)
        assert taken.isdisjoint(bridges)
        for cat in code.cats:
            for end in (cat.inner, cat.outer):
                assert set(np.subtract(cat.bridge, end).tolist()) <= {0, 1}


def test_normalise_moves_to_the_origin() -> None:
    moved, by = normalise(TWISTED["YZ far"])
    assert by == (0, -2)
    assert min(moved.tiles()) == (0, 0)
    assert normalise(moved) == (moved, (0, 0))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (join([((0, 0), "Z"), ((0, 1), "Z")], [], [((0, 0), "Sm")]), "frames"),
        (join([((0, 0), "Z"), ((1, 0), "Z")], [((0, 1), "Z")], [((0, 0), "S")]), "another product"),
        (join([((0, 0), "Z"), ((0, 0), "Z")]), "twice"),
        (join([((0, 0), "Z")], [], [((0, 0), "S")]), "leaves"),
        (
            join(
                [((0, 1), "X"), ((2, 2), "Z"), ((1, 3), "Z")],
                [((1, 1), "X"), ((2, 1), "Z"), ((1, 2), "Z")],
                [((0, 1), "E"), ((1, 1), "Em"), ((2, 1), "S"), ((1, 1), "Sm"), ((1, 2), "S")],
            ),
            "meet at a corner",
        ),
        (
            join(
                [((0, 1), "Y")],
                [((0, 0), "X"), ((1, 0), "X"), ((1, 1), "X")],
                [((0, 0), "Sm"), ((0, 0), "E"), ((1, 0), "S"), ((0, 1), "E")],
            ),
            "at its patch",
        ),
        (
            join(
                [((0, 1), "Y")],
                [((0, 0), "Z"), ((1, 0), "X"), ((1, 1), "X")],
                [((0, 0), "S"), ((0, 0), "Em"), ((1, 0), "S"), ((0, 1), "E")],
            ),
            "in the wrong place",
        ),
        (
            y_loop(
                [((1, -1), "Y")],
                [((0, -1), "X")],
                [((1, -1), "S"), ((0, -1), "E"), ((0, -1), "Sm")],
            ),
            "too close",
        ),
        (
            join(
                [((0, 1), "Y")],
                [((0, 0), "Z"), ((1, 0), "Z"), ((2, 0), "Z"), ((2, 1), "X"), ((1, 1), "X")],
                [
                    *[((0, 0), "S"), ((0, 0), "E"), ((1, 0), "E"), ((2, 0), "Sm")],
                    *[((1, 1), "E"), ((0, 1), "E")],
                ],
            ),
            "three tiles around a corner",
        ),
    ],
)
def test_impossible_joins_are_refused(shape: Join, message: str) -> None:
    with pytest.raises(UnsupportedJoin, match=message):
        merge(region_code(shape, 3))
