"""Joint measurements of any letters: what routing finds is what Stim says was measured."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

import pytest
import stim
from product_regions import BORN, ENDED, LOOPS, NE, START_OF, SW, Corner, y_loop
from product_routes import corners, find_product
from surgery_shapes import (
    ATTACHED,
    PLANS,
    TWISTED,
    open_joins,
    planned,
    quarter_turns,
    turned,
)
from test_emit import distance_of, join_flows, partner, with_idle_slabs
from test_schedule import check_slots

from qwasmc.backends.stim.code import region_code
from qwasmc.backends.stim.emit import emit
from qwasmc.ir.surgery import (
    STEP,
    Join,
    Letter,
    Row,
    Surgery,
    SurgeryBuilder,
    Term,
    Tile,
    encode_join,
)
from qwasmc.verify.join import join_problems

X, Y, Z = Letter.X, Letter.Y, Letter.Z

PRODUCTS = [(plan, letters) for plan in PLANS for letters in product("IXYZ", repeat=3)]
PRODUCTS = [(plan, letters) for plan, letters in PRODUCTS if set(letters) != {"I"}]

EVERYDAY = random.Random(11).sample([case for case in PRODUCTS if "Y" in case[1]], 8)


def check_measurement(join: Join) -> None:
    """Well-formed, measurable, and an ideal measurement with the right signs, twice."""
    assert join_problems(join) == []
    check_slots(region_code(join, 3))
    surgery, bits = open_joins(join, times=2)
    emission = emit(surgery, 3, rounds=2)
    assert emission.circuit.has_all_flows(list(join_flows(emission, join, bits)))


def weakest(join: Join, y_as: Letter) -> int:
    """The circuit distance: two measurements agree, pairs of partners survive."""
    letters = [y_as if term.letter == Y else partner(term.letter) for term in join.terms]
    return distance_of(with_idle_slabs(join, letters, [[0, i] for i in range(1, len(letters))]), 3)


@pytest.mark.parametrize(("plan", "letters"), EVERYDAY)
def test_some_products_of_three_patches(plan: str, letters: Sequence[str]) -> None:
    join = planned(plan, letters)
    check_measurement(join)
    assert weakest(join, X) == 3


@pytest.mark.slow
@pytest.mark.parametrize(("plan", "letters"), PRODUCTS)
def test_all_products_of_three_patches(plan: str, letters: Sequence[str]) -> None:
    join = planned(plan, letters)
    assert sorted(join.terms) == [
        (home, Letter[letter])
        for home, letter in sorted(zip(PLANS[plan][0], letters, strict=True))
        if letter != "I"
    ]
    check_measurement(join)
    assert weakest(join, X) == weakest(join, Z) == 3


def on_a_crowded_chip(seed: int) -> tuple[list[Term], set[Tile]]:
    """Two to five patches somewhere, with many Y, and the tiles that are free."""
    rng = random.Random(seed)
    chip = list(product(range(7), range(6)))
    homes = rng.sample(chip, rng.choice([2, 3, 4, 5]))
    free = {tile for tile in chip if rng.random() < 0.8} - set(homes)
    return [Term(home, rng.choice([X, Y, Y, Z])) for home in homes], free


def check_crowded(seeds: range) -> int:
    """Regions on crowded chips; how many were found."""
    found = 0
    for seed in seeds:
        terms, free = on_a_crowded_chip(seed)
        join = find_product(terms, free.__contains__)
        if join is not None:
            found += 1
            assert sorted(join.terms) == sorted(terms)
            assert free.issuperset(tile for tile, _ in join.route)
            check_measurement(join)
    return found


def test_products_on_crowded_chips() -> None:
    assert check_crowded(range(40)) > 10


@pytest.mark.slow
def test_many_products_on_crowded_chips() -> None:
    assert check_crowded(range(40, 500)) > 150


def around(tile: Tile) -> set[Tile]:
    return {(tile[0] + x, tile[1] + y) for x in (-1, 0, 1) for y in (-1, 0, 1)}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_loop_turns_around_the_corner_that_is_free(loop: Corner) -> None:
    first, last = (STEP[side] for side in loop)
    tiles = {first, last, (first[0] + last[0], first[1] + last[1])}
    join = find_product([Term((0, 0), Y)], tiles.__contains__)
    assert join == y_loop((0, 0), *loop).join()
    for missing in tiles:
        assert find_product([Term((0, 0), Y)], (tiles - {missing}).__contains__) is None


@pytest.mark.parametrize("letter", [X, Z])
def test_corners_of_a_patch_that_is_prepared_in_the_slab(letter: Letter) -> None:
    """Found by leaving one corner free at a time, alone and as the second patch of two."""
    free_patch, other = (0, 0), (0, 5)
    for terms in ([Term(free_patch, Y)], [Term(other, Z), Term(free_patch, Y)]):
        allowed = []
        for loop in LOOPS:
            tiles = set(y_loop(free_patch, *loop).route)
            beyond = set(product(range(-3, 4), range(-3, 6))) - around(free_patch) - {other}
            free = (tiles | beyond).__contains__
            assert find_product(terms, free) is not None
            if find_product(terms, free, born={free_patch: letter}) is not None:
                allowed.append(loop)
        assert sorted(allowed) == sorted(corners(free_patch, {free_patch: letter}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "after", "table"), [(0, 1, BORN), (1, 0, ENDED)], ids=["born", "ended"]
)
@pytest.mark.parametrize("letter", [X, Z])
def test_corners_at_the_ends_of_a_life(
    before: int, after: int, table: dict[Letter, Sequence[Corner]], letter: Letter
) -> None:
    """Exactly those of the table keep the distance wherever the rest of a product is attached."""
    prepared, measured = (letter, partner(letter)) if before == 0 else (partner(letter), letter)
    full = []
    for quarters, corner in enumerate(LOOPS):
        shapes = [turned(ATTACHED[name], quarters) for name in ("one, aside", "three")]
        lives = [quarter_turns(shape, prepared, measured, before, after) for shape in shapes]
        if min(distance_of(life, 5) for life in lives) == 5:
            full.append(corner)
    assert sorted(full) == sorted(table[letter])


@pytest.mark.slow
@pytest.mark.parametrize("corner", LOOPS)
def test_any_corner_does_for_a_patch_that_lives_on(corner: Corner) -> None:
    for shape in ATTACHED.values():
        here = turned(shape, LOOPS.index(corner))
        for letters in ((X, Z), (Z, X)):
            assert distance_of(quarter_turns(here, *letters, before=1, after=1), 5) == 5


def corner_of(join: Join, patch: Tile) -> Corner | None:
    """The corner of a patch that a join's Y loop turns around; None for other letters."""
    found = [loop for loop in LOOPS if set(y_loop(patch, *loop).edges) <= set(join.edges)]
    return found[0] if found else None


def some_lives(seed: int) -> Surgery:
    """Two patches born in one of two slabs, random products in three, and the ends of the lives.

    What is measured in the slab of a Y at a corner that is not in `ENDED` waits for a slab.  All
    parities that Stim finds to be fixed are observables.
    """
    rng = random.Random(seed)
    homes = rng.choice([[(2, 2), (4, 3)], [(2, 2), (3, 3)], [(2, 2), (4, 2)], [(2, 3), (4, 2)]])
    ideal, build, bits = stim.Circuit(), SurgeryBuilder(), []
    born = {home: (rng.choice([0, 1]), rng.choice([X, Z])) for home in homes}
    for i, (home, (slab, letter)) in enumerate(born.items()):
        build.add(Row.PREPARE, slab=slab, tile=home, aux=letter)
        ideal.append("RX" if letter == X else "R", i)
    for slab in (1, 2, 3):
        letters = rng.choice(["XX", "YZ", "ZY", "YY", "XI", "IY", "YI"])
        blocked = {tile for tile in product(range(7), repeat=2) if rng.random() < 0.2}
        free = set(product(range(7), repeat=2)) - blocked - set(homes)
        terms = [Term(home, Letter[c]) for home, c in zip(homes, letters, strict=True) if c != "I"]
        new = {home: letter for home, (birth, letter) in born.items() if birth == slab}
        join = find_product(terms, free.__contains__, new)
        if join is not None:
            bits.append(build.add(Row.JOIN, slab=slab, operands=encode_join(join)))
            ideal.append("MPP", stim.PauliString(letters.replace("I", "_")))
    for i, home in enumerate(homes):
        letter = rng.choice([X, Z])
        waits = join is not None and corner_of(join, home) not in (None, *ENDED[letter])
        bits.append(build.add(Row.MEASURE, slab=3 + waits, tile=home, aux=letter))
        ideal.append("MX" if letter == X else "M", i)
    for flow in ideal.flow_generators():
        records = flow.measurements_copy()
        if records and not flow.input_copy().weight and not flow.output_copy().weight:
            operands = [bits[record] for record in records]
            build.add(Row.OBSERVABLE, aux=build.name("parity"), operands=operands)
    return build.freeze()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_lives_full_of_products(seed: int) -> None:
    surgery = some_lives(seed)
    if (surgery.kind == Row.OBSERVABLE).any():
        assert distance_of(surgery, 5) == 5


def test_what_lives_for_one_slab_may_be_prepared_and_measured_there() -> None:
    for corner, letter in START_OF.items():
        assert corner in BORN[letter]
        assert corner in ENDED[X if letter == Z else Z]
    assert set(START_OF) == {NE, SW}


def test_loops_share_one_tile_but_not_two() -> None:
    """Y of (0, 1) and of (1, -1), with room for loops that have two tiles in common or none."""
    free = {(0, 0), (1, 0), (1, 1), (0, -1)}
    terms = [Term((0, 1), Y), Term((1, -1), Y)]
    assert find_product(terms, free.__contains__) is None
    one = TWISTED["YY by one tile"]
    found = find_product(one.terms, {tile for tile, _ in one.route}.__contains__)
    assert found is not None
    assert sorted(found.route) == sorted(one.route)
    assert sorted(found.edges) == sorted(one.edges)


def test_the_cheapest_of_all_corners_is_taken() -> None:
    """Two Y in a row share the tile between them, whichever comes first."""
    for homes in ([(1, 1), (3, 1)], [(3, 1), (1, 1)]):
        free = set(product(range(5), range(3))) - set(homes)
        join = find_product([Term(home, Y) for home in homes], free.__contains__)
        assert join is not None
        assert len(join.route) == 5


@pytest.mark.parametrize("letter", [X, Z])
def test_one_letter_alone_takes_a_tile_beside_the_patch(letter: Letter) -> None:
    join = find_product([Term((0, 0), letter)], {(0, 1), (-1, 0)}.__contains__)
    assert join is not None
    check_measurement(join)
    assert join.route == ((((0, 1) if letter == Z else (-1, 0)), letter),)
    assert find_product([Term((0, 0), letter)], lambda tile: False) is None
