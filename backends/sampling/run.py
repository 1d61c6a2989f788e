"""Samples a circuit in batches, on one process, many, or a cluster: all count the same shots.

A shot is an error of an observable when the decoder mispredicts that observable, and an error
of the whole when it mispredicts any.  With post-selection, shots in which a detector with a
fourth coordinate fires (a magic state that failed, see `port`), or in which an observable that is
a flag is mispredicted (a distillation that failed), are discarded and count for nothing.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np
import sinter
import stim

from qwasmc.backends.sampling import batch
from qwasmc.backends.sampling.batch import Job, Tally
from qwasmc.backends.sampling.decoders import DecoderError, check_name
from qwasmc.backends.sampling.rates import Sampled, sampled
from qwasmc.backends.sampling.records import Records, to_stats
from qwasmc.backends.sampling.workers import ALONE, Workers
from qwasmc.ir.surgery import FLAG

SAVE_EVERY = 5.0
"""Seconds between two lines of counts in a file."""


class SampleError(ValueError):
    """The circuit or the request cannot be sampled; the message says why."""


def sample(
    circuit: stim.Circuit,
    *,
    shots: int,
    max_errors: int | None = None,
    decoder: str = "pymatching",
    workers: Workers = ALONE,
    names: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    postselect: bool = False,
    seed: int = 0,
    records: Records | None = None,
    progress: Callable[[str], object] = lambda _: None,
) -> Sampled:
    """Sample `circuit` until `shots` shots or about `max_errors` errors of the whole.

    A Stim circuit numbers its observables; `names` names them, else they are `L0`, `L1`, ...
    `metadata` describes the circuit in the counts, for plots.  `postselect` discards the shots in
    which a detector with a nonzero fourth coordinate fires or a flag is 1.  Shots that `records`
    has already are not run again.

    Raises `SampleError` for a circuit without observables, for one whose errors the decoder
    cannot be told about (say, a detector that is random without noise), for bad arguments, and for
    post-selection without a detector to select on or a shot that passes it, and for a decoder that
    is not installed or fails; `CompileError` for a decoder that nobody knows.
    """
    check_name(decoder)
    _check_arguments(shots, max_errors)
    labels = _labels(circuit, names)
    model = _error_model(circuit)
    mask = flags = None
    if postselect:
        mask = sinter.post_selection_mask_from_4th_coord(model)
        flags = np.packbits([name.startswith(FLAG) for name in labels], bitorder="little")
        if not (mask.any() or flags.any()):
            raise SampleError("there is no marked detector and no flag to post-select on")
    task = sinter.Task(
        circuit=circuit,
        decoder=decoder,
        detector_error_model=model,
        postselection_mask=mask,
        postselected_observables_mask=flags,
        json_metadata=dict(metadata or {}),
    )
    job = Job(
        task.strong_id(),
        str(circuit),
        str(model),
        decoder,
        seed,
        "" if mask is None else mask.tobytes().hex(),
        "" if flags is None else flags.tobytes().hex(),
    )
    run = _Run(task, job, workers, records, progress)
    try:
        tally = run.until(shots, max_errors)
    except DecoderError as problem:
        raise SampleError(str(problem)) from problem
    if tally.shots == tally.discards:
        raise SampleError(f"post-selection discarded all {tally.shots} shots")
    return sampled(tally, labels, to_stats(task, tally, run.seconds))


class _Run:
    """Batches of one circuit, counted in their order and saved now and then."""

    def __init__(
        self,
        task: sinter.Task,
        job: Job,
        workers: Workers,
        records: Records | None,
        progress: Callable[[str], object],
    ) -> None:
        self.task = task
        self.job = job
        self.workers = workers
        self.records = records
        self.progress = progress
        self.tally = records.counted(job.id, task.circuit.num_observables) if records else Tally()
        self.unsaved = Tally()
        self.saved_at = time.monotonic()
        self.seconds = 0.0  # of all workers together

    def until(self, shots: int, max_errors: int | None) -> Tally:
        """Count up to so many shots, or to the batch that brings so many errors."""
        waiting: deque[Future[Tally]] = deque()
        todo = self._batches(shots)
        start_batch = self.workers.send(self.job)
        try:
            while max_errors is None or self.tally.errors < max_errors:
                while len(waiting) < 2 * self.workers.count and (following := next(todo, None)):
                    waiting.append(start_batch(*following))
                if not waiting:
                    break
                self._count(waiting.popleft().result())
        finally:
            self._save()
        return self.tally

    def _batches(self, shots: int) -> Iterator[tuple[int, int]]:
        """The first shot of each batch and how many it has."""
        start = self.tally.shots
        while start < shots:
            count = min(batch.size(start, self.task.circuit.num_detectors), shots - start)
            yield start, count
            start += count

    def _count(self, made: Tally) -> None:
        self.tally.add(made)
        self.unsaved.add(made)
        self.progress(f"{self.tally.shots} shots, {self.tally.errors} errors")
        if time.monotonic() - self.saved_at > SAVE_EVERY:
            self._save()

    def _save(self) -> None:
        now = time.monotonic()
        seconds = (now - self.saved_at) * self.workers.count
        if self.records and self.unsaved.shots:
            self.records.append(to_stats(self.task, self.unsaved, seconds))
        self.seconds += seconds
        self.unsaved = Tally()
        self.saved_at = now


def _check_arguments(shots: int, max_errors: int | None) -> None:
    for name, value in (("shots", shots), ("max_errors", max_errors)):
        if value is not None and value < 1:
            raise SampleError(f"{name} must be at least 1, not {value}")


def _labels(circuit: stim.Circuit, names: Sequence[str] | None) -> Sequence[str]:
    count: int = circuit.num_observables
    if count == 0:
        raise SampleError("the circuit has no observables, so there is no logical error to count")
    if names is None:
        return [f"L{index}" for index in range(count)]
    if len(set(names)) != count or len(names) != count:
        raise SampleError(f"{count} observables need as many distinct names, not {list(names)}")
    return names


def _error_model(circuit: stim.Circuit) -> stim.DetectorErrorModel:
    try:
        return circuit.detector_error_model(decompose_errors=True, approximate_disjoint_errors=True)
    except ValueError as problem:
        raise SampleError(f"the circuit has no error model to decode with: {problem}") from problem
