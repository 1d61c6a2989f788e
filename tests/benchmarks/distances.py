"""Circuit-level distance of every construction: a table, and exit 1 if one falls short.

    python tests/benchmarks/distances.py [--distances 3 5 7] [--processes N] [--random 20]
        [--patches 6] [--routes 3] [--only TEXT]

The distance is the length of the shortest undetected graphlike error of the emitted circuit under
uniform noise: every gate, reset, measurement and idle qubit may fail.  A shape of a joint
measurement is measured in all bases in which something is deterministic: its outcome, the
terms' own operators, the parities of their partners, and that two measurements in a row agree.
All products of three patches are routed on two floor plans.  Programs go through the passes, and
all their deterministic parities are observables.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from itertools import permutations, product
from pathlib import Path
from typing import NamedTuple

from random_programs import NOISE, build, there_and_back

from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import (
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
from qwasmc.ops import BY_NAME

sys.path.insert(0, str(Path(__file__).parents[1]))
from product_regions import BORN, ENDED, LOOPS, edge, letter_at, neighbour, sides_of
from surgery_shapes import (
    ATTACHED,
    MIXED,
    PLAIN,
    PLANS,
    TWISTED,
    experiment,
    memory,
    planned,
    quarter_turns,
    turned,
)

X, Y, Z = Letter.X, Letter.Y, Letter.Z

PARTNER = {X: Z, Z: X}

HIGHEST_RANDOM = 3
"""Distance up to which random programs on five qubits are searched."""

HIGHEST_TURNED = 5
"""Distance up to which shapes are also searched upside down: only hooks can tell."""


class Case(NamedTuple):
    """A circuit to search: part of the table's row `row`, and called `name` if it falls short."""

    row: str
    name: str
    subject: Surgery | Circuit
    highest: int = sys.maxsize


# -- shapes ----------------------------------------------------------------------------------------


def joins(shape: Join) -> Iterator[tuple[str, Surgery]]:
    """A product of X and Z letters in all bases; see `surgery_shapes.experiment`."""
    own = [term.letter for term in shape.terms]
    other = [PARTNER[letter] for letter in own]
    terms = range(len(own))
    yield "outcome and own operators", experiment(shape, own, own, [[-1], *([i] for i in terms)])
    yield "outcome, fresh", experiment(shape, own, other, [[-1]])
    yield "outcome, later", experiment(shape, other, own, [[-1, *terms]])
    yield "agreement", experiment(shape, other, other, [[-1]], joins=2)
    if len(own) > 1:
        pairs = [[0, i] for i in terms[1:]]
        yield "partners", experiment(shape, other, other, pairs)


def twisted_joins(shape: Join) -> Iterator[tuple[str, Surgery]]:
    """A product with Y letters, measured twice; the patches idle for a slab before and after.

    Each Y is met by X or Z.  Either the parities of two patches' partners survive, or the own
    operators of all letters but Y.
    """
    letters = [term.letter for term in shape.terms]
    pairs = [[0, i] for i in range(1, len(letters))]
    for met_by in product((X, Z), repeat=letters.count(Y)):
        met = iter(met_by)
        partners = [next(met) if letter == Y else PARTNER[letter] for letter in letters]
        name = "".join(letter.name for letter in partners)
        yield f"{name}, partners", with_idle_slabs(shape, partners, pairs)
        if pairs and letters.count(Y) == 1:
            own = [partners[i] if letter == Y else letter for i, letter in enumerate(letters)]
            single = [[i] for i, letter in enumerate(letters) if letter != Y]
            yield f"{name}, own operators", with_idle_slabs(shape, own, single)


def with_idle_slabs(
    shape: Join, letters: Sequence[Letter], groups: Sequence[Sequence[int]]
) -> Surgery:
    """Prepare, idle, join twice, idle, measure; observe groups of terms, and that joins agree."""
    build = SurgeryBuilder()
    for term, letter in zip(shape.terms, letters, strict=True):
        build.add(Row.PREPARE, tile=term.tile, aux=letter)
    outcomes = [build.add(Row.JOIN, slab=slab, operands=encode_join(shape)) for slab in (1, 2)]
    bits = [
        build.add(Row.MEASURE, slab=3, tile=term.tile, aux=letter)
        for term, letter in zip(shape.terms, letters, strict=True)
    ]
    for operands in [outcomes, *([bits[i] for i in group] for group in groups)]:
        build.add(Row.OBSERVABLE, aux=build.name("parity"), operands=operands)
    return build.freeze()


def routes(tiles: int) -> Iterator[Join]:
    """Every route of so many tiles from a Z of (0, 0) to another patch, mixed edges included."""

    def grow(path: list[tuple[Tile, Letter]], edges: list[Edge], walled: bool) -> Iterator[Join]:
        tile, letter = path[-1]
        for side in sides_of(letter) if len(path) == 1 else Side:
            ahead = neighbour(tile, side)
            if ahead in dict(path):
                continue
            last = len(path) > tiles
            for carried in (letter_at(side),) if last else (letter, PARTNER[letter]):
                mixed = carried != letter
                if mixed and walled:
                    continue
                longer = [*path, (ahead, carried)]
                joined = [*edges, edge(tile, side, mixed)]
                if last:
                    route = tuple(RouteTile(*step) for step in path[1:])
                    yield Join((Term(*path[0]), Term(*longer[-1])), route, tuple(joined))
                else:
                    yield from grow(longer, joined, mixed)

    return grow([((0, 0), Z)], [], False)


def all_routes(longest: int) -> Iterator[Case]:
    """All routes between two patches up to a length; edges are mixed where letters change."""
    for tiles in range(1, longest + 1):
        for shape in routes(tiles):
            first, last = shape.terms
            steps = [f"{letter.name}{tile}" for tile, letter in (first, *shape.route, last)]
            for basis, surgery in joins(shape):
                yield Case(f"routes of {tiles}", f"{basis}, {' '.join(steps)}", surgery, 5)


def shapes() -> Iterator[Case]:
    """All shapes, turned by a quarter three times: X and Z change places with each."""
    kinds = (("join", PLAIN, joins), ("mixed", MIXED, joins), ("twisted", TWISTED, twisted_joins))
    for kind, named, experiments in kinds:
        for name, shape in named.items():
            for quarters in range(4):
                highest = HIGHEST_TURNED if quarters > 1 else sys.maxsize
                for basis, surgery in experiments(turned(shape, quarters)):
                    yield Case(f"{kind}: {name}", f"{basis}, turned {quarters}", surgery, highest)


def products() -> Iterator[Case]:
    """All products of three patches on two floor plans, by the number of Y letters."""
    for plan, letters in product(PLANS, product("IXYZ", repeat=3)):
        if set(letters) == {"I"}:
            continue
        shape = planned(plan, letters)
        for basis, surgery in twisted_joins(shape):
            row = f"products with {letters.count('Y')} Y: {plan}"
            yield Case(row, f"{''.join(letters)}, {basis}", surgery)


LIVES = {
    (0, 0): "for that slab",
    (0, 1): "from that slab on",
    (1, 0): "until that slab",
    (1, 1): "on",
}
"""By slabs before and after: how long a patch lives of which Y is measured."""


def lifetimes() -> Iterator[Case]:
    """Y of patches that live for few slabs, at every corner that routing allows for that."""
    bases = ((X, Z), (Z, X))
    for (before, after), (prepared, measured) in product(LIVES, bases):
        for quarters, corner in enumerate(LOOPS):
            is_fit = (before or corner in BORN[prepared]) and (after or corner in ENDED[measured])
            for name, shape in ATTACHED.items():
                if is_fit or name == "corner":
                    basis = f"{prepared.name} to {measured.name}, turned {quarters}, at {name}"
                    surgery = quarter_turns(
                        turned(shape, quarters), prepared, measured, before, after
                    )
                    yield Case(f"Y of a patch that lives {LIVES[before, after]}", basis, surgery)


# -- programs --------------------------------------------------------------------------------------

LABELLED = {
    "fresh": "",
    "after a round": "syndrome 1;",
    "after a slab": "syndrome;",
    "labelled after a round": "h 0; syndrome 1; h 0;",
    "labelled after a slab": "h 0; syndrome; h 0;",
}
"""What stands before a program on qubit 0, so that S and Y meet patches of every past."""

WAITS = {"at once": "", "a round later": "syndrome 1;", "a slab later": "syndrome;"}

ONE_QUBIT = {
    "S, Z": "{pre} s 0; {wait} mz 0",
    "SX, X": "h 0; {pre} sx 0; {wait} mx 0",
    "S and SDG": "h 0; {pre} s 0; {wait} sdg 0; mx 0; mx 0",
    "S and S": "h 0; {pre} s 0; {wait} s 0; mx 0; mx 0",
    "SX and SXDG": "{pre} sx 0; {wait} sxdg 0; mz 0; mz 0",
    "S, Y": "h 0; {pre} s 0; {wait} my 0",
    "SX, Y": "{pre} sx 0; {wait} my 0",
    "S, Y, Y": "h 0; {pre} s 0; my 0; {wait} my 0",
    "Y, Y": "{pre} my 0; {wait} my 0",
    "Y, Y from |+>": "h 0; {pre} my 0; {wait} my 0",
    "Y, Y, Y": "{pre} my 0; my 0; {wait} my 0",
    "Y, H, Y": "{pre} my 0; h 0; {wait} my 0",
    "Y, SDG, X": "{pre} my 0; {wait} sdg 0; mx 0",
    "Y, S, X": "h 0; {pre} my 0; {wait} s 0; mx 0",
    "Y, SX, Z": "{pre} my 0; {wait} sx 0; mz 0",
    "S, H, S, H, S, X": "{pre} s 0; h 0; {wait} s 0; h 0; s 0; mx 0; mx 0",
    "T port, twice": "h 0; {pre} t 0; {wait} tdg 0; mx 0",
    "T port, S": "h 0; {pre} t 0; {wait} s 0; my 0; my 0",
}

FAR = "swap 1 17;"
"""Exchanges names: the second qubit is then at the other end of a chip for 18 patches."""

TWO_QUBITS = {
    "CX": "h 0; cx 0 1; cx 0 1; mx 0; mz 1",
    "CX, from the target": "h 1; cx 1 0; cx 1 0; mx 1; mz 0",
    "CX, Bell": "h 0; cx 0 1; ppm XX 0 1; ppm ZZ 0 1; my 0; my 1",
    "CZ": "h 0; h 1; cz 0 1; cz 0 1; mx 0; mx 1",
    "CZ, one way": "h 0; cz 0 1; mx 0; mz 1",
    "CY": "h 0; cy 0 1; cy 0 1; mx 0; mz 1",
    "CX with labels": "syndrome; h 0; h 1; cx 0 1; cx 0 1; ppm XX 0 1; ppm XX 0 1; ppm ZZ 0 1",
    "CX, S, CX": "h 0; cx 0 1; s 0; sx 1; sdg 0; sxdg 1; cx 0 1; mx 0; mz 1",
    "CZ, S, CZ": "h 0; h 1; cz 0 1; s 0; s 1; sdg 0; sdg 1; cz 0 1; mx 0; mx 1",
    "ZZ": "h 0; ppm ZZ 0 1; ppm ZZ 0 1; mz 0; mz 1",
    "XZ": "h 1; ppm XZ 0 1; ppm XZ 0 1; mx 0; mz 1",
    "YY": "ppm YY 0 1; ppm YY 0 1",
    "YZ": "h 0; cx 0 1; ppm YZ 0 1; ppm YZ 0 1; my 0; mz 1",
}

MANY_QUBITS = {
    "S and Y of 4 in parallel": "h 0; h 1; h 2; h 3; s 0; s 1; s 2; s 3; my 0; my 1; my 2; my 3",
    "S of 9 in parallel": " ".join(f"s {q};" for q in range(9))
    + " ".join(f"mz {q};" for q in range(9)),
    "Y, Y of 4 in parallel": "my 0; my 1; my 2; my 3; my 0; my 1; my 2; my 3",
    "S and SDG of 4 in parallel": " ".join(
        f"{gate} {q};" for gate in ("h", "s", "sdg", "mx") for q in range(4)
    ),
    "S beside CX": "h 0; h 2; s 0; cx 2 1; s 3; sdg 0; cx 2 1; sdg 3; mx 0; mz 1; mx 2; mz 3",
    "GHZ of 5": "h 0; cx 0 1; cx 1 2; cx 2 3; cx 3 4; mz 0; mz 1; mz 2; mz 3; mz 4",
    "XXXX and ZZZZ": "ppm XXXX 0 1 2 3; ppm ZZZZ 0 1 2 3; ppm XXXX 0 1 2 3; mz 0; mz 1; mz 2; mz 3",
    "XZZX": "ppm XZZX 0 1 2 3; ppm XZZX 0 1 2 3; mx 0; mz 1; mz 2; mx 3",
}

SHORT = {"mx": "measure_x", "my": "measure_y", "mz": "measure_z"}


def program(text: str) -> Circuit:
    """Operations with their qubits, separated by semicolons; every measurement is a result."""
    steps = [step.split() for step in text.split(";") if step.strip()]
    words = [word for name, *rest in steps if name != "syndrome" for word in rest]
    out, bits = CircuitBuilder(), []
    count = 1 + max(int(word) for word in words if word.isdigit())
    wires = [out.add("alloc", attr=f"q{q}") for q in range(count)]
    for name, *rest in steps:
        if name == "syndrome":
            out.add(name, attr=int(rest[0]) if rest else 0)
            continue
        spec = BY_NAME[SHORT.get(name, name)]
        attr: int | str = rest.pop(0) if spec.attr else 0
        qubits = [int(word) for word in rest]
        first = out.add(spec.name, [wires[q] for q in qubits], attr=attr)
        for slot, q in enumerate(qubits):
            wires[q] = first + slot
        if spec.makes_bit:
            bits.append(first + len(qubits))
    for number, bit in enumerate(bits):
        out.add("result", [bit], attr=f"m{number}")
    return out.freeze()


def programs() -> Iterator[Case]:
    """Programs by hand."""
    for letter in (X, Z):
        yield Case("memory", letter.name, memory(letter))
        yield Case("memory", f"{letter.name}, three slabs", memory(letter, 3))
    for name, text in ONE_QUBIT.items():
        for (past, pre), (pause, wait) in product(LABELLED.items(), WAITS.items()):
            yield Case(
                f"program: {name}", f"{past}, {pause}", program(text.format(pre=pre, wait=wait))
            )
    for name, text in TWO_QUBITS.items():
        yield Case(f"program: {name}", "neighbours", program(text))
        yield Case(f"program: {name}", "far apart", program(FAR + text))
    for name, text in MANY_QUBITS.items():
        yield Case(f"program: {name}", "", program(text))


def pairs(patches: int) -> Iterator[Case]:
    """Gates and products between any two patches: what routes the lowering takes."""
    for a, b in permutations(range(patches), 2):
        texts = {
            "CX": f"h {a}; h {b}; cx {a} {b}; mx {a}; mx {b}",
            "CX, Z": f"cx {a} {b}; mz {a}; mz {b}",
            "CZ": f"h {a}; cz {a} {b}; mx {a}; mz {b}",
            "CZ, other way": f"h {b}; cz {a} {b}; mz {a}; mx {b}",
            "CZ, both": f"h {a}; h {b}; cz {a} {b}; cz {a} {b}; mx {a}; mx {b}",
        }
        for letters in ("ZZ", "ZX", "XZ", "XX"):
            prepare = "".join(f"h {q}; " for q, c in zip((a, b), letters, strict=True) if c == "Z")
            p, q = ("mx" if letter == "Z" else "mz" for letter in letters)
            texts[letters] = (
                f"{prepare}ppm {letters} {a} {b}; ppm {letters} {a} {b}; {p} {a}; {q} {b}"
            )
        for name, text in texts.items():
            yield Case(f"every pair: {name}", text, program(text), 5)


def random_programs(count: int) -> Iterator[Case]:
    """Random Clifford programs there and back, on five qubits and on two."""
    for seed in range(count):
        yield Case("random, 5 qubits", f"seed {seed}", there_and_back(seed), HIGHEST_RANDOM)
        yield Case("random, 2 qubits", f"seed {seed}", there_and_back(seed, qubits=2, gates=5))


# -- the table -------------------------------------------------------------------------------------


def distance_of(case: Case, distance: int) -> int | None:
    """The circuit distance; None for a circuit without observables."""
    if isinstance(case.subject, Surgery):
        emission = emit(case.subject, distance)
    else:
        emission = build(case.subject, distance).emission
    circuit = apply_noise(emission.circuit, NOISE)
    circuit.detector_error_model(decompose_errors=True)  # raises if anything is random
    return len(circuit.shortest_graphlike_error()) if circuit.num_observables else None


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--distances", type=int, nargs="+", default=[3, 5, 7])
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--random", type=int, default=20, help="random programs of each kind")
    parser.add_argument("--patches", type=int, default=6, help="patches of which every pair meets")
    parser.add_argument("--routes", type=int, default=3, help="tiles of the longest route")
    parser.add_argument("--only", default="", help="rows that contain this text")
    return parser.parse_args()


def main() -> int:
    """Print the table, then what falls short."""
    options = arguments()
    cases = [
        *programs(),
        *pairs(options.patches),
        *random_programs(options.random),
        *shapes(),
        *products(),
        *lifetimes(),
        *all_routes(options.routes),
    ]
    rows: dict[str, list[Case]] = {}
    for case in cases:
        if options.only in case.row:
            rows.setdefault(case.row, []).append(case)
    columns = ["experiment", "circuits", *(f"d = {distance}" for distance in options.distances)]
    for line in (columns, ["---"] * len(columns)):
        print("|", " | ".join(line), "|")
    short: list[str] = []
    with ProcessPoolExecutor(options.processes) as pool:
        for row, group in rows.items():
            cells = [search(group, distance, pool, short) for distance in options.distances]
            name = row.replace("|", "\\|")
            print("|", " | ".join([name, str(len(group)), *cells]), "|", flush=True)
    print()
    print("\n".join(short) or "None falls short.")
    return int(bool(short))


def search(group: list[Case], distance: int, pool: Executor, short: list[str]) -> str:
    """The cell of a row at a distance; what falls short is added to `short`."""
    some = [case for case in group if distance <= case.highest]
    found = list(pool.map(distance_of, some, [distance] * len(some), chunksize=4))
    for case, length in zip(some, found, strict=True):
        if length is None or length < distance:
            short.append(f"{case.row} ({case.name}) at d = {distance}: {length}")
    lengths = sorted({length for length in found if length is not None})
    return " to ".join(str(length) for length in sorted({*lengths[:1], *lengths[-1:]}))


if __name__ == "__main__":
    sys.exit(main())
