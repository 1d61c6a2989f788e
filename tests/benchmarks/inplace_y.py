"""Y in place against Y by a loop: distances and logical error rates of two S gates.

    python tests/benchmarks/inplace_y.py [--shots 1000000]

Two S gates on |+>, then X, under uniform noise of 1e-3: with helpers that are prepared in Y in
place, and with loops around a helper's corner.  Besides, a patch that is prepared, kept and
measured in Y, and one in Z, for three slabs.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import sinter
import stim

from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import parse_noise
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
    encode_join,
)

NOISE = parse_noise("uniform:0.001")


def phase_gates(join: Join, prepared: Letter) -> Surgery:
    """Two S gates on |+>, then X: always 1.  The helper, the join's first patch, is prepared in Y
    in the slab before, or in another letter in the join's own."""
    helper, target = join.terms
    build = SurgeryBuilder()
    build.add(Row.PREPARE, tile=target.tile, aux=Letter.X)
    bits = []
    for slab in (1, 3):
        born = slab - 1 if prepared == Letter.Y else slab
        build.add(Row.PREPARE, slab=born, tile=helper.tile, aux=prepared)
        bits.append(build.add(Row.JOIN, slab=slab, operands=encode_join(join)))
        bits.append(build.add(Row.MEASURE, slab=slab, tile=helper.tile, aux=Letter.X))
    bits.append(build.add(Row.MEASURE, slab=3, tile=target.tile, aux=Letter.X))
    build.add(Row.OBSERVABLE, aux=build.name("m"), operands=bits)
    return build.freeze()


def in_place() -> Surgery:
    """With Z of a neighbour in Y."""
    terms = Term((0, 1), Letter.Z), Term((0, 0), Letter.Z)
    return phase_gates(Join(terms, (), (Edge((0, 0), Side.S, False),)), Letter.Y)


def loops() -> Surgery:
    """With Y of a helper in |0>, around its north-east corner."""
    route = [((0, 1), Letter.Z), ((1, 1), Letter.Z), ((1, 2), Letter.X)]
    edges = [
        Edge((0, 0), Side.S, False),
        Edge((0, 1), Side.S, False),
        Edge((0, 1), Side.E, False),
        Edge((1, 1), Side.S, True),
        Edge((0, 2), Side.E, False),
    ]
    terms = Term((0, 2), Letter.Y), Term((0, 0), Letter.Z)
    join = Join(terms, tuple(RouteTile(*one) for one in route), tuple(edges))
    return phase_gates(join, Letter.Z)


def memory(letter: Letter) -> Surgery:
    """A patch prepared and measured in a letter, three slabs in all."""
    build = SurgeryBuilder()
    build.add(Row.PREPARE, aux=letter)
    bit = build.add(Row.MEASURE, slab=2, aux=letter)
    build.add(Row.OBSERVABLE, aux=build.name("m"), operands=[bit])
    return build.freeze()


def circuits() -> Iterator[tuple[str, int, stim.Circuit]]:
    """Name, distance and noisy circuit of each line of the table."""
    for distance in (3, 5):
        for name, surgery in (
            ("S S by loops", loops()),
            ("S S in place", in_place()),
            ("Y for three slabs", memory(Letter.Y)),
            ("Z for three slabs", memory(Letter.Z)),
        ):
            yield name, distance, apply_noise(emit(surgery, distance).circuit, NOISE)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shots", type=int, default=1_000_000)
    shots = parser.parse_args().shots
    tasks = {}
    for name, distance, circuit in circuits():
        graphlike = len(circuit.shortest_graphlike_error())
        tasks[name, distance] = sinter.Task(
            circuit=circuit, json_metadata={"name": name, "d": distance, "graphlike": graphlike}
        )
    found = sinter.collect(
        num_workers=1,
        tasks=tasks.values(),
        decoders=["pymatching"],
        max_shots=shots,
        max_errors=5000,
    )
    rates = {(s.json_metadata["name"], s.json_metadata["d"]): s for s in found}
    print(f"{'':17}  d  graphlike  logical error rate")
    for (name, distance), task in tasks.items():
        stats = rates[name, distance]
        graphlike = task.json_metadata["graphlike"]
        print(f"{name:17}  {distance}  {graphlike:9}  {stats.errors / stats.shots:.2e}")


if __name__ == "__main__":
    main()
