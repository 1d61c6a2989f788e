"""The text of a slab, with its detectors, and what is known before and after it.

A slab is d rounds, with a Y letter in a join two more, or as many as a wait row says; all its
regions keep step.  A round is one layer of resets, the layers of two-qubit gates (`schedule`), and
one layer of measurements; new data qubits are reset with the first round's ancillas and measured
with the last round's.  Patches on their way to or from Y (`inplace_y`) go through *phases*, and
where one begins a slab is cut into *stretches*.  A stretch of r rounds has r (S + 2) layers, S the
largest number of slots among its regions, and two texts, first round and REPEAT block; the slab's
last round is a third.

Each stabilizer of a living patch is known by the records that last gave its value; that makes
detectors without search.  Signs of logical operators are nodes of `parity.Parities`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from qwasmc.backends.stim import injection, port
from qwasmc.backends.stim.chip import Chip
from qwasmc.backends.stim.code import OTHER, Ints, patch_code
from qwasmc.backends.stim.inplace_y import (
    InPlacement,
    InPlaceY,
    PlacedRound,
    detector,
    in_place_y,
)
from qwasmc.backends.stim.merge import logical_support
from qwasmc.backends.stim.parity import ZERO, Node, Parities
from qwasmc.backends.stim.patch import KNOWN, NO_RECORDS, UNKNOWN, Patch
from qwasmc.backends.stim.shape import Placement, targets
from qwasmc.backends.stim.slabs import Slab, is_in_y
from qwasmc.diagnostics import CompileError
from qwasmc.ir.surgery import Letter, Magic, Row, Surgery, Tile

SHIFT = "SHIFT_COORDS(0, 0, 1)\n"
TICK = "TICK\n"

TWIST_ROUNDS = 2
"""Rounds by which a slab with a Y letter is longer than others.

The outcome rests on stretched stabilizers, whose measurements fail more often than others, so
that faults in time outweigh those in space: see tests/benchmarks/twist_rounds.py.
"""


class State:
    """What emission knows between slabs."""

    def __init__(self, surgery: Surgery, rounds: int, chip: Chip) -> None:
        self.surgery, self.rounds, self.chip = surgery, rounds, chip
        self.distance = distance = chip.distance
        self.parities = Parities()
        self.patches: dict[Tile, Patch] = {}
        self.records = 0
        """Measurements so far."""
        self.code = patch_code(distance)
        self.types: Ints = self.code.letters[:, 0].max(axis=1)
        """The letters of a patch's stabilizers."""
        self.nodes: dict[int, Node] = {}
        """The nodes of join and measure rows."""
        self.inputs: dict[int, tuple[Node, Node]] = {}
        self.outputs: dict[int, tuple[Node, Node]] = {}
        """The signs of X and Z of what INPUT and OUTPUT rows leave open."""


def slab_rounds(surgery: Surgery, slab: Slab, rounds: int) -> int:
    """The rounds of a slab if ordinary ones have `rounds`."""
    waits = surgery.aux[slab.waits]
    twisted = any(
        term.letter == Letter.Y for region in slab.regions for term in region.shape.code.join.terms
    )
    ordinary = max(rounds + TWIST_ROUNDS * twisted, _least(surgery, slab))
    return int(waits.sum()) + (slab.length - len(waits)) * ordinary


def _least(surgery: Surgery, slab: Slab) -> int:
    """The rounds that a slab needs at least."""
    shapes = [region.shape for region in slab.regions]
    least = max((each.least for each in shapes if isinstance(each, InPlaceY)), default=1)
    if slab.waits and surgery.aux[slab.waits[0]] < least:
        message = f"a patch in this slab needs {least} rounds for its Y"
        raise CompileError(surgery.locations.diagnostic(message, int(surgery.loc[slab.waits[0]])))
    return least


class SlabEmitter:
    """Writes one slab and advances the emitter's state past it."""

    def __init__(self, emitter: State, slab: Slab) -> None:
        self.emitter, self.slab = emitter, slab
        self.parities = emitter.parities
        self.rounds = slab_rounds(emitter.surgery, slab, emitter.rounds)
        self.placements = [emitter.chip.place(region.shape, region.tile) for region in slab.regions]
        self.plans = [_plan(placement, self.rounds) for placement in self.placements]
        """What each region does: the first round of each of its phases, and the phase."""
        self.home = {
            tile: (number, term)
            for number, region in enumerate(slab.regions)
            for term, tile in enumerate(region.patches)
        }
        """Region number and term of each patch."""
        injects = [row for row in slab.births if emitter.surgery.kind[row] == Row.INJECT]
        self.ports = {self.home[emitter.surgery.tile(row)][0] for row in injects}
        """Regions that are injected in this slab."""
        starts = {start for plan in self.plans for start, _ in plan}
        watched = range(1, injection.WATCHED_ROUNDS + 1) if self.ports else ()
        self.cuts = sorted(starts | {start for start in watched if start < self.rounds})
        """The first rounds of the slab's stretches, in which the rounds are alike."""
        self.layers = 0
        """Layers written so far."""

    def text(self) -> str:
        """The slab as Stim text."""
        rounds: list[tuple[int, str]] = []
        for begin, end in pairwise([*self.cuts, self.rounds]):
            self._enter(begin)
            layers = [phase.layers(self.depth) for phase in self.phases]
            resets = ""
            if begin == 0:
                resets = self._births(layers)
                self._outcomes()
            gates = _in_step(layers)
            rounds.append((1, resets + gates + self._detectors(begin) + SHIFT))
            self._advance(1)
            if end > begin + 1:
                rounds.append((end - begin - 1, gates + self._detectors() + SHIFT))
                self._advance(end - begin - 1)
            self._leave(end)
        ends = self._ends()
        if ends:
            times, last = rounds.pop()
            rounds += [(times - 1, last), (1, last + ends)]
        return "".join(_repeated(times, text + TICK) for times, text in rounds)

    def _enter(self, begin: int) -> None:
        """Begin the stretch that starts with a round."""
        self.phases = [
            next(phase for start, phase in reversed(plan) if start <= begin) for plan in self.plans
        ]
        """What each region does in this stretch."""
        sizes = [phase.records for phase in self.phases]
        self.offsets: list[int] = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        """Of each region's records within those of a round."""
        self.size = self.offsets.pop()
        self.depth = max(phase.depth for phase in self.phases)
        if self.ports and begin == 0:
            self.depth = max(self.depth, injection.DEPTH)

    def _advance(self, rounds: int) -> None:
        """Go past some rounds of the stretch."""
        self.emitter.records += rounds * self.size
        self.layers += rounds * (self.depth + 2)
        last = self.emitter.records - self.size
        self.before = [last + offset for offset in self.offsets]
        """Each region's first record in the round before."""

    def _leave(self, end: int) -> None:
        """Bring the patches up to date that go on to another phase of theirs, or have done all."""
        for number, (phase, plan) in enumerate(zip(self.phases, self.plans, strict=True)):
            if isinstance(phase, PlacedRound) and end in (self.rounds, *(at for at, _ in plan)):
                (patch,), base = self._patches(number), self.before[number]
                patch.know([[base + i for i in records] for records in phase.kind.after])
                if phase.kind.outcome:
                    records = np.array(phase.kind.outcome)
                    y = self.parities.add(patch.sign(Letter.Y), base, records)
                    patch.sign_x, patch.sign_z = ZERO, y

    def _patches(self, number: int) -> list[Patch]:
        """The patches of a region, by term."""
        return [self.emitter.patches[tile] for tile in self.slab.regions[number].patches]

    def _births(self, layers: list[list[str]]) -> str:
        """Bring new patches to life; the data resets.  Ports change their region's `layers`."""
        emitter, surgery = self.emitter, self.emitter.surgery
        text = "".join(placement.split_resets for placement in self.placements)
        for row in self.slab.births:
            tile = surgery.tile(row)
            patch = Patch(np.full(len(emitter.types), UNKNOWN, dtype=np.int64))
            emitter.patches[tile] = patch
            match Row(surgery.kind[row]):
                case Row.INPUT:
                    emitter.inputs[row] = patch.sign_x, patch.sign_z
                case Row.PREPARE:
                    text += self._prepare(row, patch)
                case Row.INJECT:
                    self._inject(row, patch, layers)
        return text

    def _prepare(self, row: int, patch: Patch) -> str:
        """Transversal preparation of a patch."""
        emitter, tile = self.emitter, self.emitter.surgery.tile(row)
        placement = self.placements[self.home[tile][0]]
        if is_in_y(emitter.surgery, row):
            shape = in_place_y(emitter.distance, prepared=True)
            patch.values[list(shape.ends)] = KNOWN
            return placement.in_bases("RX", "R", shape.ends_x, shape.ends_z)
        letter = emitter.surgery.aux[row]
        patch.values[emitter.types == letter] = KNOWN
        data = emitter.chip.data(tile, emitter.code.sites)
        return f"{'RX' if letter == Letter.X else 'R'} {targets(data)}\n"

    def _inject(self, row: int, patch: Patch, layers: list[list[str]]) -> None:
        """Bring a port to life: see `port`."""
        emitter, surgery = self.emitter, self.emitter.surgery
        tile = surgery.tile(row)
        number, _ = self.home[tile]
        if self.slab.regions[number].row >= 0 or isinstance(self.phases[number], PlacedRound):
            message = "a patch can only idle in the slab that injects it"
            raise CompileError(surgery.locations.diagnostic(message, int(surgery.loc[row])))
        patch.values[injection.known_stabilizers(emitter.distance)] = KNOWN
        base = emitter.records + self.offsets[number]
        patch.flip(Letter.X, self.parities, base, injection.x_sign(emitter.distance))
        magic = Magic(int(surgery.aux[row]))
        layers[number] = list(port.first_round(self.placements[number], self.depth, magic))

    def _outcomes(self) -> None:
        """The outcomes of the joins, from the first round's records."""
        for number, region in enumerate(self.slab.regions):
            if region.row >= 0:
                terms, patches = region.shape.code.join.terms, self._patches(number)
                pairs = zip(terms, patches, strict=True)
                signs = [node for term, patch in pairs for node in patch.sign(term.letter)]
                self.emitter.nodes[region.row] = self.parities.add(
                    tuple(signs),
                    self.emitter.records + self.offsets[number],
                    region.shape.merge.outcome,
                    int(region.shape.merge.negative),
                )

    def _detectors(self, begin: int = -1) -> str:
        """Detectors of the first round of the stretch that starts at `begin`, or of a later one."""
        lines: list[str] = []
        base, end = self.emitter.records, self.emitter.records + self.size
        for number, (phase, plan) in enumerate(zip(self.phases, self.plans, strict=True)):
            if all(start != begin for start, _ in plan):
                lines += self._repeated_detectors(
                    number, watched=0 < begin < injection.WATCHED_ROUNDS
                )
            elif isinstance(phase, PlacedRound):
                known = self._patches(number)[0].known()
                lines += phase.first_detectors(known, base + self.offsets[number], end)
            else:
                lines += self._first_detectors(number)
        return "".join(lines)

    def _first_detectors(self, number: int) -> Iterator[str]:
        """A region's detectors in the slab's first round: stabilizers of patches, and of fresh
        sites alone."""
        shape, end = self.slab.regions[number].shape, self.emitter.records + self.size
        values = np.full(shape.stabilizers, UNKNOWN, dtype=np.int64)
        values[shape.merge.fresh] = KNOWN
        more: dict[int, str] = {}
        for rows, patch in zip(shape.merge.rows, self._patches(number), strict=True):
            values[rows] = patch.values
            for stabilizer, records in patch.corrections:
                more[int(rows[stabilizer])] = _recs(records - end)
        heads, back = self._heads(number, watched=True), self.offsets[number] - self.size
        flags = range(shape.stabilizers, shape.records)
        known = np.flatnonzero(values == KNOWN).tolist()
        for i in (*known, *flags):
            yield f"{heads[i]}{i + back}]\n"
        old = np.flatnonzero(values >= 0)
        for i, record in zip(old.tolist(), (values[old] - end).tolist(), strict=True):
            yield f"{heads[i]}{i + back}] rec[{record}]{more.get(i, '')}\n"

    def _heads(self, number: int, watched: bool) -> list[str]:
        """The heads of a region's detectors, in a round in which ports are `watched` or not."""
        if watched and number in self.ports:
            return port.watched_heads(self.placements[number])
        return self.phases[number].detectors

    def _repeated_detectors(self, number: int, watched: bool) -> Iterator[str]:
        """A region's detectors in a round like the one before: everything against that round; flags
        by themselves."""
        heads, k = self._heads(number, watched), self.slab.regions[number].shape.stabilizers
        back = self.offsets[number] - self.size
        before = self.before[number] - self.emitter.records - self.size
        for i in range(k):
            yield f"{heads[i]}{i + back}] rec[{i + before}]\n"
        for i in range(k, self.phases[number].records):
            yield f"{heads[i]}{i + back}]\n"

    def _ends(self) -> str:
        """Split the regions and measure patches out; bring everything up to date."""
        last = self.emitter.records - self.size
        splits, text = [], ""
        for placement in self.placements:
            splits.append(self.emitter.records)
            self.emitter.records += placement.shape.splits
            text += placement.split_measurements
        bases = {}
        for row in self.slab.measures:
            bases[row] = self.emitter.records
            text += self._measurement(row)
        detectors: list[str] = []
        for number, split in enumerate(splits):
            if isinstance(self.phases[number], Placement):
                detectors += self._split(number, last + self.offsets[number], split)
        for row, base in bases.items():
            detectors += self._measured(row, base)
        for row in self.slab.outputs:
            patch = self.emitter.patches.pop(self.emitter.surgery.tile(row))
            self.emitter.outputs[row] = patch.sign_x, patch.sign_z
        return text + "".join(detectors)

    def _split(self, number: int, last: int, split: int) -> Iterator[str]:
        """The patches of a region after its last round (records from `last`) and its split
        (records from `split`); the detectors of stabilizers that are measured out."""
        shape, end = self.slab.regions[number].shape, self.emitter.records
        patches = self._patches(number)
        for rows, patch, corrections in zip(
            shape.merge.rows, patches, shape.corrections, strict=True
        ):
            patch.values = rows + last
            patch.corrections = [(i, records + split) for i, records in corrections]
        for term, letter, records in shape.byproducts:
            for part in (Letter.X, Letter.Z):
                if letter & part:
                    patches[term].flip(OTHER[part], self.parities, split, records)
        heads = self.placements[number].detectors
        for i, sites in shape.measured_out:
            yield f"{heads[i]}{last + i - end}]{_recs(sites + (split - end))}\n"

    def _measurement(self, row: int) -> str:
        """Transversal measurement of a patch."""
        emitter, surgery = self.emitter, self.emitter.surgery
        placement = self.placements[self.home[surgery.tile(row)][0]]
        if is_in_y(surgery, row):
            shape = in_place_y(emitter.distance, prepared=False)
            emitter.records += len(shape.ends_x) + len(shape.ends_z)
            return placement.in_bases("MX", "M", shape.ends_x, shape.ends_z)
        data = emitter.chip.data(surgery.tile(row), emitter.code.sites)
        emitter.records += len(data)
        return f"{'MX' if surgery.aux[row] == Letter.X else 'M'} {targets(data)}\n"

    def _measured(self, row: int, base: int) -> Iterator[str]:
        """The outcome of a patch measured out into records from `base`, and its detectors."""
        emitter, end = self.emitter, self.emitter.records
        letter, tile = Letter(int(emitter.surgery.aux[row])), emitter.surgery.tile(row)
        patch = emitter.patches.pop(tile)
        number, term = self.home[tile]
        if is_in_y(emitter.surgery, row):
            heads = self.phases[number].detectors
            emitter.nodes[row] = self.parities.add(patch.sign(Letter.Y))
            values = (patch.values - end).tolist()
            for i, sites in in_place_y(emitter.distance, prepared=False).ends.items():
                yield detector(heads[i], [values[i], *(base + site - end for site in sites)])
            return
        support = logical_support(emitter.distance, letter) @ np.array([1, emitter.distance])
        emitter.nodes[row] = self.parities.add(patch.sign(letter), base, support)
        rows = self.slab.regions[number].shape.merge.rows[term].tolist()
        heads = self.placements[number].detectors
        more = dict(patch.corrections)
        for i in np.flatnonzero(emitter.types == letter).tolist():
            members = emitter.code.members[i, 0]
            records = np.concatenate([members[members >= 0] + base, more.get(i, NO_RECORDS)]) - end
            yield f"{heads[rows[i]]}{patch.values[i] - end}]{_recs(records)}\n"


def _plan(placement: Placement, rounds: int) -> Sequence[tuple[int, Placement | PlacedRound]]:
    """The phases of a region: the first round of each, and what it does."""
    return placement.phases(rounds) if isinstance(placement, InPlacement) else [(0, placement)]


def _repeated(times: int, text: str) -> str:
    """A round that happens so many times."""
    return f"REPEAT {times} {{\n{_indented(text)}}}\n" if times > 1 else text * times


def _in_step(regions: list[list[str]]) -> str:
    """Layers of all regions, side by side."""
    return TICK.join("".join(layer) for layer in zip(*regions, strict=True))


def _recs(lookbacks: Ints) -> str:
    return "".join(f" rec[{back}]" for back in lookbacks.tolist())


def _indented(text: str) -> str:
    """Whole lines, one level deeper."""
    return f"    {text[:-1]}\n".replace("\n", "\n    ", text.count("\n") - 1)
