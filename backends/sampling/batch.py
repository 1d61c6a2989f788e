"""A batch of shots, as one worker runs it: sampled, decoded and counted.

The shots of a batch follow from the job's seed and the number of its first shot alone, so counts
do not depend on who runs which batch, nor on how often a run was stopped and resumed (with the same
version of Stim, on machines of the same SIMD width).
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from qwasmc.backends.sampling.decoders import DecoderError, compiled

FIRST = 256
"""Shots of the first batch; sizes double from there."""

MAX_SHOTS = 1 << 14
"""Most shots of a batch."""

MAX_BITS = 1 << 28
"""Most detection events of a batch, which bounds the memory of a worker."""

_KEPT = 4
"""Circuits that a worker keeps ready."""


@dataclass(frozen=True, slots=True)
class Job:
    """A circuit to be sampled, as it travels to a worker.

    `id` is sinter's strong id, which tells circuits, models, decoders and masks apart;
    `detector_mask` and `flag_mask`, bit-packed and in hexadecimal digits, mark detectors and
    observables that discard a shot.
    """

    id: str
    circuit: str = field(compare=False)
    model: str = field(compare=False)
    decoder: str
    seed: int
    detector_mask: str = ""
    flag_mask: str = ""


@dataclass(slots=True)
class Tally:
    """What was counted in so many shots; `mistakes` by set of mispredicted observables.

    A set is written as sinter does: `_E` is the second of two observables.
    """

    shots: int = 0
    errors: int = 0
    discards: int = 0
    mistakes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another batch as well."""
        self.shots += other.shots
        self.errors += other.errors
        self.discards += other.discards
        self.mistakes.update(other.mistakes)


class _Ready(NamedTuple):
    """A circuit and a decoder, ready to run."""

    circuit: stim.Circuit
    decoder: sinter.CompiledDecoder


def size(start: int, detectors: int) -> int:
    """Shots of the batch that begins at shot `start`: it follows from nothing else."""
    most = max(1, min(MAX_SHOTS, MAX_BITS // max(1, detectors)))
    return min(most, max(FIRST, start))


def run_stored(path: str, start: int, shots: int) -> Tally:
    """Run shots of the job in a file of JSON."""
    return run(_stored(path), start, shots)


@lru_cache(maxsize=_KEPT)
def _stored(path: str) -> Job:
    return Job(**json.loads(Path(path).read_text(encoding="utf-8")))


def run(job: Job, start: int, shots: int) -> Tally:
    """Run the shots from number `start` on; raises `DecoderError`."""
    circuit, decoder = _ready(job)
    sampler = circuit.compile_detector_sampler(seed=_seed(job, start))
    events, flips = sampler.sample(shots, separate_observables=True, bit_packed=True)
    if job.detector_mask:
        kept = ~(events & _bits(job.detector_mask)).any(axis=1)
        events, flips = events[kept], flips[kept]
    mistaken = flips ^ _decoded(decoder, events, flips.shape, job.decoder)
    if job.flag_mask:
        mistaken = mistaken[~(mistaken & _bits(job.flag_mask)).any(axis=1)]
    return _tally(mistaken, shots, circuit.num_observables)


def _bits(mask: str) -> NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex(mask), dtype=np.uint8)


def _decoded(
    decoder: sinter.CompiledDecoder,
    events: NDArray[np.uint8],
    shape: tuple[int, ...],
    name: str,
) -> NDArray[np.uint8]:
    """The decoder's predictions, (shots, bytes of observables)."""
    try:
        made: NDArray[np.uint8] = decoder.decode_shots_bit_packed(
            bit_packed_detection_event_data=events
        )
    except MemoryError:
        raise
    except Exception as wrong:  # decoders are other people's
        raise DecoderError(f"decoder '{name}' failed: {type(wrong).__name__}: {wrong}") from wrong
    if made.shape != shape or made.dtype != np.uint8:
        message = f"predictions of {made.dtype} in the shape {made.shape}, not uint8 in {shape}"
        raise DecoderError(f"decoder '{name}' made {message}")
    return made


def _tally(mistaken: NDArray[np.uint8], shots: int, observables: int) -> Tally:
    """Count shots that were kept, (kept, bytes of observables)."""
    wrong = mistaken[mistaken.any(axis=1)]
    sets, times = np.unique(wrong, axis=0, return_counts=True)
    bits = np.unpackbits(sets, axis=1, count=observables, bitorder="little")
    names = ["".join("_E"[bit] for bit in row) for row in bits.tolist()]
    mistakes = Counter(dict(zip(names, times.tolist(), strict=True)))
    return Tally(shots, len(wrong), shots - len(mistaken), mistakes)


@lru_cache(maxsize=_KEPT)
def _ready(job: Job) -> _Ready:
    model = stim.DetectorErrorModel(job.model)
    return _Ready(stim.Circuit(job.circuit), compiled(job.decoder, model))


def _seed(job: Job, start: int) -> int:
    """63 bits for the batch that begins at a shot."""
    digest = hashlib.sha256(f"{job.seed} {job.id} {start}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
