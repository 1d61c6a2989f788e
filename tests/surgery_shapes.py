"""Joint measurements of many shapes, and small programs around them, for tests of the back end."""

from __future__ import annotations

from collections.abc import Sequence

from product_routes import find_product

from qwasmc.ir.surgery import (
    STEP,
    Edge,
    Join,
    Letter,
    RouteTile,
    Row,
    Side,
    Surgery,
    SurgeryBuilder,
    Term,
    Tile,
    encode_join,
)

Placed = Sequence[tuple[Tile, str]]


def join(terms: Placed, route: Placed = (), edges: Placed = ()) -> Join:
    """Letters by name; edges by side, with an m for mixed."""
    return Join(
        tuple(Term(tile, Letter[letter]) for tile, letter in terms),
        tuple(RouteTile(tile, Letter[frame]) for tile, frame in route),
        tuple(Edge(tile, Side[side[0]], side.endswith("m")) for tile, side in edges),
    )


def y_loop(terms: Placed = (), route: Placed = (), edges: Placed = ()) -> Join:
    """Y of (0, 1) by a loop around its north-east corner, with more attached."""
    return join(
        [((0, 1), "Y"), *terms],
        [((0, 0), "Z"), ((1, 0), "Z"), ((1, 1), "X"), *route],
        [((0, 0), "S"), ((0, 0), "E"), ((0, 1), "E"), ((1, 0), "Sm"), *edges],
    )


PLAIN = {
    "neighbours": join([((0, 0), "Z"), ((0, 1), "Z")], [], [((0, 0), "S")]),
    "alone": join([((0, 0), "Z")], [((0, 1), "Z")], [((0, 0), "S")]),
    "straight": join(
        [((0, 0), "Z"), ((0, 2), "Z")], [((0, 1), "Z")], [((0, 0), "S"), ((0, 1), "S")]
    ),
    "L": join(
        [((0, 0), "Z"), ((1, 2), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "S")],
    ),
    "tight U": join(
        [((0, 0), "Z"), ((1, 0), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 0), "S")],
    ),
    "U": join(
        [((0, 0), "Z"), ((2, 0), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z"), ((2, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "E"), ((2, 0), "S")],
    ),
    "T": join(
        [((0, 0), "Z"), ((2, 0), "Z"), ((1, 2), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z"), ((2, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "E"), ((2, 0), "S"), ((1, 1), "S")],
    ),
    "plus": join(
        [((1, 0), "Z"), ((0, 0), "Z"), ((2, 2), "Z"), ((1, 2), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z"), ((2, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "E"), ((2, 1), "S"), ((1, 1), "S"), ((1, 0), "S")],
    ),
    "zigzag": join(
        [((0, 0), "Z"), ((2, 3), "Z")],
        [((0, 1), "Z"), ((1, 1), "Z"), ((1, 2), "Z"), ((2, 2), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "S"), ((1, 2), "E"), ((2, 2), "S")],
    ),
}

MIXED = {
    "vertical seam": join(
        [((0, 0), "Z"), ((1, 1), "X")], [((0, 1), "Z")], [((0, 0), "S"), ((0, 1), "Em")]
    ),
    "horizontal seam": join(
        [((0, 0), "Z"), ((1, 1), "X")], [((0, 1), "X")], [((0, 0), "Sm"), ((0, 1), "E")]
    ),
    "from below": join(
        [((0, 2), "Z"), ((1, 1), "X")], [((0, 1), "X")], [((0, 1), "Sm"), ((0, 1), "E")]
    ),
    "from the east": join(
        [((1, 0), "Z"), ((0, 1), "X")], [((1, 1), "Z")], [((1, 0), "S"), ((0, 1), "Em")]
    ),
    "in the route": join(
        [((0, 0), "Z"), ((2, 1), "X")],
        [((0, 1), "Z"), ((1, 1), "X")],
        [((0, 0), "S"), ((0, 1), "Em"), ((1, 1), "E")],
    ),
    "at a bend": join(
        [((0, 0), "X"), ((2, 2), "Z")],
        [((1, 0), "X"), ((1, 1), "Z"), ((2, 1), "Z")],
        [((0, 0), "E"), ((1, 0), "Sm"), ((1, 1), "E"), ((2, 1), "S")],
    ),
    "ZZX": join(
        [((0, 0), "Z"), ((1, 2), "Z"), ((2, 1), "X")],
        [((0, 1), "Z"), ((1, 1), "Z")],
        [((0, 0), "S"), ((0, 1), "E"), ((1, 1), "S"), ((1, 1), "Em")],
    ),
    "two seams": join(
        [((0, 0), "Z"), ((3, 0), "Z"), ((2, 2), "X")],
        [((0, 1), "Z"), ((1, 1), "X"), ((2, 1), "X"), ((3, 1), "Z"), ((1, 2), "X")],
        [
            *[((0, 0), "S"), ((0, 1), "Em"), ((1, 1), "E"), ((2, 1), "Em"), ((3, 0), "S")],
            *[((1, 1), "S"), ((1, 2), "E")],
        ],
    ),
    "seams around a corner": join(
        [((1, 0), "Z"), ((3, 1), "X"), ((2, 2), "X")],
        [((1, 1), "Z"), ((2, 1), "X"), ((1, 2), "X")],
        [((1, 0), "S"), ((1, 1), "Em"), ((2, 1), "E"), ((1, 1), "Sm"), ((1, 2), "E")],
    ),
    "opposite seams": join(
        [((0, 0), "Z"), ((0, 2), "Z"), ((1, 1), "X")],
        [((0, 1), "X")],
        [((0, 0), "Sm"), ((0, 1), "Sm"), ((0, 1), "E")],
    ),
}

TWISTED = {
    "Y": y_loop(),
    "YZ north": y_loop([((0, -1), "Z")], [], [((0, -1), "S")]),
    "YZ at the diagonal": y_loop([((1, -1), "Z")], [], [((1, -1), "S")]),
    "YX east": y_loop([((2, 1), "X")], [], [((1, 1), "E")]),
    "YX around": y_loop([((2, 2), "X")], [((1, 2), "X")], [((1, 1), "S"), ((1, 2), "E")]),
    "YZ far": y_loop([((0, -2), "Z")], [((0, -1), "Z")], [((0, -1), "S"), ((0, -2), "S")]),
    "YX second seam": y_loop([((2, 0), "X")], [], [((1, 0), "Em")]),
    "YZ second seam": y_loop([((1, 2), "Z")], [], [((1, 1), "Sm")]),
    "YZX": y_loop([((0, -1), "Z"), ((2, 1), "X")], [], [((0, -1), "S"), ((1, 1), "E")]),
    "YY": y_loop(
        [((2, 1), "Y")],
        [((2, 0), "Z"), ((3, 0), "Z"), ((3, 1), "X")],
        [((1, 0), "E"), ((2, 0), "S"), ((2, 0), "E"), ((2, 1), "E"), ((3, 0), "Sm")],
    ),
    "YY by one tile": y_loop(
        [((2, -1), "Y")],
        [((2, 0), "Z"), ((1, -1), "X")],
        [((2, -1), "S"), ((1, 0), "E"), ((1, -1), "Sm"), ((1, -1), "E")],
    ),
    "YYY": y_loop(
        [((2, 1), "Y"), ((4, 1), "Y")],
        [((2, 0), "Z"), ((3, 0), "Z"), ((3, 1), "X"), ((4, 0), "Z"), ((5, 0), "Z"), ((5, 1), "X")],
        [
            *[((1, 0), "E"), ((2, 0), "S"), ((2, 0), "E"), ((2, 1), "E"), ((3, 0), "Sm")],
            *[((3, 0), "E"), ((4, 0), "S"), ((4, 0), "E"), ((4, 1), "E"), ((5, 0), "Sm")],
        ],
    ),
}

ATTACHED = {
    "one": TWISTED["YZ far"],
    "one, aside": y_loop([((-1, 1), "Z")], [((-1, 0), "Z")], [((-1, 0), "E"), ((-1, 0), "S")]),
    "corner": TWISTED["YZ at the diagonal"],
    "three": TWISTED["YX east"],
    "three, around": TWISTED["YX around"],
}
"""A Y loop by its tile at which the rest of the product is attached."""

JOINS = PLAIN | MIXED | TWISTED

SWAPPED = {Letter.I: Letter.I, Letter.X: Letter.Z, Letter.Z: Letter.X, Letter.Y: Letter.Y}


def turned(join: Join, quarters: int = 1) -> Join:
    """The join a quarter turn clockwise, once or more, with X and Z swapped each time."""
    if not quarters:
        return join

    def turn(tile: Tile) -> Tile:
        return -tile[1], tile[0]

    edges = []
    for edge in join.edges:
        step = STEP[edge.side]
        ends = sorted([turn(edge.tile), turn((edge.tile[0] + step[0], edge.tile[1] + step[1]))])
        side = Side.E if ends[0][0] < ends[1][0] else Side.S
        edges.append(Edge(ends[0], side, edge.mixed))
    once = Join(
        tuple(Term(turn(term.tile), SWAPPED[term.letter]) for term in join.terms),
        tuple(RouteTile(turn(route.tile), SWAPPED[route.frame]) for route in join.route),
        tuple(edges),
    )
    return turned(once, quarters - 1)


PLANS = {
    "diagonal": (((1, 1), (2, 2), (4, 1)), (7, 4)),
    "row": (((1, 1), (3, 1), (5, 1)), (7, 3)),
}
"""Three homes with lanes around them, and the size of the chip: in cells of two, and in a row."""


def planned(plan: str, letters: Sequence[str]) -> Join:
    """The region that routing finds for a product of these letters, I for a home left out."""
    homes, (width, height) = PLANS[plan]

    def free(tile: Tile) -> bool:
        return 0 <= tile[0] < width and 0 <= tile[1] < height and tile not in homes

    named = zip(homes, letters, strict=True)
    found = find_product([Term(home, Letter[name]) for home, name in named if name != "I"], free)
    assert found is not None
    return found


def memory(letter: Letter, slabs: int = 1) -> Surgery:
    """A patch prepared and measured in one letter."""
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=letter)
    bit = build.add(Row.MEASURE, slab=slabs - 1, aux=letter)
    build.add(Row.OBSERVABLE, aux=build.name("memory"), operands=[bit])
    return build.freeze()


def open_joins(join: Join, times: int) -> tuple[Surgery, list[int]]:
    """The join measured in so many slabs on open patches, and its bits."""
    build = SurgeryBuilder()
    for term in join.terms:
        build.add(Row.INPUT, tile=term.tile)
    bits = [build.add(Row.JOIN, slab=i, operands=encode_join(join)) for i in range(times)]
    for term in join.terms:
        build.add(Row.OUTPUT, slab=times - 1, tile=term.tile, aux=build.name("out"))
    return build.freeze(), bits


def experiment(
    join: Join,
    prepared: Sequence[Letter],
    measured: Sequence[Letter],
    observables: Sequence[Sequence[int]],
    joins: int = 1,
) -> Surgery:
    """Prepare, join (in consecutive slabs), and measure.

    Observables are lists of terms, for their measurements; -1 stands for all the joins' outcomes.
    """
    build = SurgeryBuilder()
    for term, letter in zip(join.terms, prepared, strict=True):
        build.add(Row.PREPARE, tile=term.tile, aux=letter)
    outcomes = [build.add(Row.JOIN, slab=i, operands=encode_join(join)) for i in range(joins)]
    bits = [
        build.add(Row.MEASURE, slab=joins - 1, tile=term.tile, aux=letter)
        for term, letter in zip(join.terms, measured, strict=True)
    ]
    for number, terms in enumerate(observables):
        operands = [bit for i in terms for bit in (outcomes if i < 0 else [bits[i]])]
        build.add(Row.OBSERVABLE, aux=build.name(str(number)), operands=operands)
    return build.freeze()


def quarter_turns(
    shape: Join, prepared: Letter, measured: Letter, before: int, after: int
) -> Surgery:
    """Two quarter turns of the second term by Y helpers that idle before and after their joins."""
    helper, target = shape.terms
    letter = Letter(target.letter ^ Letter.Y)
    build = SurgeryBuilder()
    build.add(Row.PREPARE, tile=target.tile, aux=letter)
    bits = []
    for born in (1, 2 + before + after):
        slab, end = born + before, born + before + after
        build.add(Row.PREPARE, slab=born, tile=helper.tile, aux=prepared)
        bits.append(build.add(Row.JOIN, slab=slab, operands=encode_join(shape)))
        bits.append(build.add(Row.MEASURE, slab=end, tile=helper.tile, aux=measured))
    bits.append(build.add(Row.MEASURE, slab=end + 1, tile=target.tile, aux=letter))
    build.add(Row.OBSERVABLE, aux=build.name("turns"), operands=bits)
    return build.freeze()
