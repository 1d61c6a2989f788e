"""Logical error rates of a noisy circuit: Stim samples, a decoder predicts, sinter counts.

A shot is an error of an observable when the decoder mispredicts that observable, and an error
of the whole when it mispredicts any.  With post-selection, shots in which a detector with a
fourth coordinate fires (a magic state that failed, see `port`), or in which an observable that is
a flag is mispredicted (a distillation that failed), are discarded and count for nothing.

Shots cannot be seeded: sinter sizes its batches by the clock and gives each worker fresh
randomness, so two runs agree within their intervals and not shot by shot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import sinter
import stim

from qwasmc.ir.surgery import FLAG

_MISTAKE_KEY = "obs_mistake_mask="
"""Prefix of sinter's counts by set of mispredicted observables, e.g. `obs_mistake_mask=_E`."""

_LIKELIHOOD_FACTOR = math.exp(1.959964**2 / 2)
"""How much less likely than the best rate the ends of a 95% interval are: the logarithm of the
likelihood ratio is half a chi-squared variable (Wilks, Ann. Math. Statist. 9, 60, 1938)."""


class SampleError(ValueError):
    """The circuit or the request cannot be sampled; the message says why."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among shots, the rate per shot and its 95% likelihood interval."""

    shots: int
    errors: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sampled:
    """Error rates by observable name, and of any observable; `csv` is what sinter reads."""

    observables: Mapping[str, Rate]
    total: Rate
    discards: int
    """Shots on top of the rates', discarded by post-selection."""
    csv: str

    def to_json(self) -> dict[str, Any]:
        """`{"observables": {name: rate}, "total": rate, "discards": shots}`, ready for JSON."""
        return {
            "observables": {name: asdict(rate) for name, rate in self.observables.items()},
            "total": asdict(self.total),
            "discards": self.discards,
        }


def sample(
    circuit: stim.Circuit,
    *,
    shots: int,
    max_errors: int | None = None,
    decoder: str = "pymatching",
    workers: int = 1,
    names: Sequence[str] | None = None,
    metadata: Mapping[str, Any] | None = None,
    postselect: bool = False,
) -> Sampled:
    """Sample `circuit` until `shots` shots or about `max_errors` errors of the whole.

    A Stim circuit numbers its observables; `names` names them, else they are `L0`, `L1`, ...
    `metadata` describes the circuit in the CSV row, for sinter's plots.  `postselect` discards the
    shots in which a detector with a nonzero fourth coordinate fires or a flag is 1.  Workers are
    processes: on systems without fork, call this from under `if __name__ == "__main__"`.

    Raises `SampleError` for a circuit without observables, for one whose errors the decoder
    cannot be told about (say, a detector that is random without noise), for bad arguments, and for
    post-selection without a detector to select on or a shot that passes it.
    """
    _check_arguments(shots, max_errors, workers)
    labels = _labels(circuit, names)
    if decoder not in sinter.BUILT_IN_DECODERS:
        known = ", ".join(sorted(sinter.BUILT_IN_DECODERS))
        raise SampleError(f"unknown decoder '{decoder}': sinter knows {known}")
    model = _error_model(circuit)
    _check_decoder(decoder, model)
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
    (stats,) = sinter.collect(
        num_workers=workers,
        tasks=[task],
        max_shots=shots,
        max_errors=max_errors,
        count_observable_error_combos=True,
    )
    kept = stats.shots - stats.discards
    if not kept:
        raise SampleError(f"post-selection discarded all {stats.shots} shots")
    return Sampled(
        observables={
            label: rate(kept, errors)
            for label, errors in zip(labels, _mistakes(stats, len(labels)), strict=True)
        },
        total=rate(kept, stats.errors),
        discards=stats.discards,
        csv=f"{sinter.CSV_HEADER}\n{stats.to_csv_line()}\n",
    )


def rate(shots: int, errors: int) -> Rate:
    """The error rate and the rates not less likely than it by more than a 95% test allows."""
    fit = sinter.fit_binomial(
        num_shots=shots, num_hits=errors, max_likelihood_factor=_LIKELIHOOD_FACTOR
    )
    return Rate(shots, errors, errors / shots, fit.low, fit.high)


def _check_arguments(shots: int, max_errors: int | None, workers: int) -> None:
    for name, value in (("shots", shots), ("max_errors", max_errors), ("workers", workers)):
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


def _check_decoder(decoder: str, model: stim.DetectorErrorModel) -> None:
    """Meet a missing package here, not in a worker process."""
    try:
        sinter.BUILT_IN_DECODERS[decoder].compile_decoder_for_dem(dem=model)
    except ImportError as problem:
        raise SampleError(f"decoder '{decoder}' is not installed: {problem}") from problem


def _mistakes(stats: sinter.TaskStats, count: int) -> list[int]:
    """Mispredicted shots per observable, from sinter's counts per set of observables."""
    errors = [0] * count
    for key, times in stats.custom_counts.items():
        if key.startswith(_MISTAKE_KEY):
            for index, mark in enumerate(key.removeprefix(_MISTAKE_KEY)):
                errors[index] += times * (mark == "E")
    return errors
