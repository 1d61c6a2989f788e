"""Where magic states come from: factories, as tiles, slabs and error rates.

A factory is a block of tiles that delivers T|+> on its output tile, over and over.  The state is
joined through the north side of that tile, from the lane north of the block, and its consumer's
helper stands on the tile below it.  "15-to-1" is made of rows (`distillation`); the others are
models: their rows are one INJECT each, and their error rates are declared, with a source.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.surgery import Surgery, Tile
from qwasmc.passes.scheduling import distillation
from qwasmc.target import DEFAULT_CODE, Code, tile_qubits

BUSY = 3
"""Slabs for which the consumer needs the tile below the output, from that of its join on."""


@dataclass(frozen=True, slots=True, eq=False)
class Factory:
    """A source of magic states at one physical error rate and distance.

    Slabs are counted from the start of a production.
    """

    name: str
    width: int
    height: int
    output: Tile
    """Where the state is delivered, counted from the block's north-west corner."""
    rows: Surgery | None
    """One production; None if an INJECT on the output tile in slab 0 stands for it."""
    latency: int
    """The first slab in which the state may be joined."""
    period: int
    """Slabs between the starts of two productions, at least (on average, if attempts fail)."""
    claim: int
    """The first slab that needs the tile below the output; the output is needed one before."""
    flags: int
    """Bits of which none may be 1, or else the state is thrown away."""
    error: float
    """Probability that a delivered state is wrong."""
    acceptance: float
    """Probability that no flag is raised."""
    source: str
    """Where `error`, `acceptance` and `period` come from."""

    @property
    def tiles(self) -> int:
        """Tiles of the block."""
        return self.width * self.height

    def next_start(self, start: int, joined: int) -> int:
        """The first slab in which a production may start after one whose state was `joined`."""
        return max(start + self.period, joined + BUSY - self.claim)


def port(p: float, distance: int, code: Code = DEFAULT_CODE) -> Factory:
    """An ideal source: what it delivers is declared to be free of errors."""
    return _through_port("port", 0.0, BUSY, "declared")


def injection(p: float, distance: int, code: Code = DEFAULT_CODE) -> Factory:
    """A state injected at physical error rate p, as it is.

    Attempts that fail are repeated after two or three rounds, within the slab of the injection.
    """
    source = (
        "error p: Li, New J. Phys. 17, 023037 (2015), as in Litinski, Quantum 3, 205, table 1, and "
        "Gidney, Fowler, Quantum 3, 135"
    )
    return _through_port("injection", p, BUSY, source)


@dataclass(frozen=True, slots=True)
class Cultivated:
    """A published operating point of cultivation, from injection to idling at distance 15."""

    p: float
    fault_distance: int
    error: float
    volume: float
    """Expected qubit-rounds for one state, failed attempts included."""
    qubits: int
    """Of the site when it is full."""


CULTIVATION = (
    Cultivated(5e-4, 3, 3.0e-7, 4434, 454),
    Cultivated(5e-4, 5, 4.3e-11, 18963, 463),
    Cultivated(1e-3, 3, 3.0e-6, 7067, 454),
    Cultivated(1e-3, 5, 2.1e-9, 57067, 463),
)
"""Gidney, Shutty, Jones, arXiv:2409.17595: points of its data (doi:10.5281/zenodo.13777072, as
tabulated for GSJ24Factory of the package qdk); at fault distance 5 those that its abstract quotes.
At p = 1e-3, 80 % and 99 % of attempts are discarded (its figure 1), which the volumes include.
"""


def cultivation(p: float, distance: int, fault_distance: int) -> Factory:
    """A cultivated state, at the lowest published error rate that is not below p.

    A site is as many tiles as have its qubits: one from distance 15 on, more below.  Early stages
    need few of them, and share the site with further attempts, so that a state takes volume /
    qubits rounds on average.  ValueError above the published rates.
    """
    for point in CULTIVATION:
        if point.fault_distance == fault_distance and point.p >= p:
            slabs = math.ceil(point.volume / point.qubits / distance)
            tiles = math.ceil(point.qubits / tile_qubits(distance)) + 1  # and the helper's
            height = max(2, math.ceil(math.sqrt(tiles)))
            source = f"arXiv:2409.17595 at p = {point.p:g}, idling at distance 15 included"
            name = f"cultivation-{fault_distance}"
            site = _through_port(name, point.error, max(BUSY, slabs), source)
            return replace(site, width=-(-tiles // height), height=height, latency=slabs)
    raise ValueError(f"no published cultivation at p = {p:g}")


def _through_port(name: str, error: float, period: int, source: str) -> Factory:
    """A model whose states appear by INJECT, on a tile with the helper's tile below it."""
    return Factory(
        name=name,
        width=1,
        height=2,
        output=(0, 0),
        rows=None,
        latency=1,
        period=period,
        claim=1,
        flags=0,
        error=error,
        acceptance=1.0,
        source=source,
    )


HAMMING_WEIGHTS = (1, 0, 0, 35, 105, 168, 280, 435, 435, 280, 168, 105, 35, 0, 0, 1)
"""How many sets of w inputs of 15-to-1, all wrong, raise no flag: words of the Hamming code."""


def distilled(p_in: float) -> tuple[float, float]:
    """Error of the output, and acceptance, of 15-to-1 with inputs flipped with probability p_in.

    35 p_in^3 and 1 - 15 p_in to leading order (Bravyi, Kitaev, Phys. Rev. A 71, 022316,
    section V).  Sets of an odd size are wrong.
    """
    passed = [n * p_in**w * (1 - p_in) ** (15 - w) for w, n in enumerate(HAMMING_WEIGHTS)]
    return sum(passed[1::2]) / sum(passed), sum(passed)


def fifteen_to_one(p: float, distance: int, code: Code = DEFAULT_CODE) -> Factory:
    """The block of `distillation`, fed with injected states.

    A logical error of a patch is thrown away with the state, as if it always raised a flag, or
    delivered, as if it never did, where it can be (see `distillation.EXPOSED`; X and Z are half
    each of a patch's errors).  At d = 3, 5, 7 and p = 1e-3 sampled errors are within a factor of
    two of this (tests/benchmarks/distillation.py).
    """
    error, acceptance = distilled(injection(p, distance, code).error)
    per_slab = distance * code.patch_error(p, distance)
    tile_slabs = distillation.WIDTH * distillation.HEIGHT * distillation.SLABS
    return Factory(
        name="15-to-1",
        width=distillation.WIDTH,
        height=distillation.HEIGHT,
        output=distillation.OUTPUT,
        rows=distillation.template(),
        latency=distillation.SLABS,
        period=distillation.PERIOD,
        claim=distillation.CLAIM,
        flags=distillation.CHECKS,
        error=min(1.0, error + distillation.EXPOSED * per_slab / 2),
        acceptance=acceptance * math.exp(-tile_slabs * per_slab),
        source=(
            "its own rows; wrong inputs: 35 p^3, Bravyi, Kitaev, Phys. Rev. A 71, 022316; "
            "patches: the model of the target's code"
        ),
    )


@dataclass(frozen=True, slots=True)
class SizedBlock:
    """A published factory, sized in qubits and rounds; inputs are as good as gates."""

    name: str
    p: float
    error: float
    qubits: int
    cycles: float
    """Rounds for one state, with failed attempts."""


LITINSKI = (
    SizedBlock("(15-to-1)_7,3,3", 1e-4, 4.4e-8, 810, 18.1),
    SizedBlock("(15-to-1)_9,3,3", 1e-4, 9.3e-10, 1150, 18.1),
    SizedBlock("(15-to-1)_11,5,5", 1e-4, 1.9e-11, 2070, 30.0),
    SizedBlock("(15-to-1)^4_9,3,3 x (15-to-1)_25,9,9", 1e-4, 6.3e-25, 18600, 67.8),
    SizedBlock("(15-to-1)_17,7,7", 1e-3, 4.5e-8, 4620, 42.6),
    SizedBlock("(15-to-1)^6_11,5,5 x (15-to-1)_25,11,11", 1e-3, 2.7e-12, 30700, 82.5),
    SizedBlock("(15-to-1)^6_13,5,5 x (15-to-1)_29,11,13", 1e-3, 3.3e-14, 39100, 97.5),
    SizedBlock("(15-to-1)^6_15,7,7 x (15-to-1)_41,17,17", 1e-3, 4.5e-20, 73400, 128),
)
"""Litinski, Quantum 3, 205 (2019), table 1: subscripts are the distances d_X, d_Z, d_m."""


def published(block: SizedBlock, p: float, distance: int) -> Factory:
    """A published factory that no circuit is made of: its qubits as tiles, and its rounds as slabs.

    ValueError unless it is of those for the lowest published error rate that is not below p.
    """
    if block.p != min((each.p for each in LITINSKI if each.p >= p), default=None):
        raise ValueError(f"{block.name} is published for p = {block.p:g}")
    slabs = math.ceil(block.cycles / distance)
    tiles = math.ceil(block.qubits / tile_qubits(distance)) + 1  # and the helper's
    height = max(2, math.ceil(math.sqrt(tiles)))
    source = f"Litinski, Quantum 3, 205 (2019), table 1, at p = {block.p:g}"
    made = _through_port(block.name, block.error, max(BUSY, slabs), source)
    return replace(made, width=-(-tiles // height), height=height, latency=slabs)


FACTORIES: dict[str, Callable[..., Factory]] = {
    "port": port,
    "injection": injection,
    "cultivation-3": lambda p, distance, _=None: cultivation(p, distance, 3),
    "cultivation-5": lambda p, distance, _=None: cultivation(p, distance, 5),
    "15-to-1": fifteen_to_one,
}
"""By name: the factory at a physical error rate and a distance of a code."""

ESTIMATED: dict[str, Callable[..., Factory]] = {
    block.name: lambda p, distance, _=None, block=block: published(block, p, distance)
    for block in LITINSKI
    if " x " in block.name
}
"""The same for two levels of distillation, of which only estimates are made."""

_ALL = {**FACTORIES, **ESTIMATED}


def known(name: str, p: float, distance: int, code: Code = DEFAULT_CODE) -> Factory | None:
    """The same for a name, None if nothing is known of it there."""
    try:
        return _ALL[name](p, distance, code)
    except ValueError:
        return None


def built(name: str, p: float, distance: int, code: Code = DEFAULT_CODE) -> Factory:
    """A kind of factory at a physical error rate and a distance of a code.

    CompileError if nothing is known of it there.
    """
    try:
        return _ALL[name](p, distance, code)
    except ValueError as unknown:
        raise error(
            str(unknown),
            kind=Kind.LIMIT,
            help="use --factory 15-to-1, or lower the physical error rate",
        ) from unknown


def declared_error(name: str, p: float, distance: int) -> float:
    """The error rate of states that come from outside of a circuit, 0 if none do."""
    return built(name, p, distance).error if name.startswith("cultivation") else 0.0
