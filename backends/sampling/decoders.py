"""Decoders by name: those of sinter, and those that packages add.

A decoder is a `sinter.Decoder`.  A package adds one by an entry point of the group
`qwasmc.decoders` whose object makes it without arguments; so it is found on every machine of a
cluster on which that package is installed.  Those that need an extra of qwasmc are added by its
own entry points.
"""

from __future__ import annotations

import tempfile
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import sinter
import stim
from numpy.typing import NDArray

from qwasmc.diagnostics import Kind, did_you_mean, error

GROUP = "qwasmc.decoders"
"""Group of the entry points by which packages add decoders."""

NEEDS = {
    "fusion_blossom": "fusion-blossom",
    "hypergraph_union_find": "mwpf",
    "mw_parity_factor": "mwpf",
}
"""The packages that some of sinter's decoders need."""


class DecoderError(ValueError):
    """A decoder that is not known, not installed, or that fails."""


class _ThroughFiles:
    """A decoder that reads and writes files only, as a `sinter.CompiledDecoder`."""

    def __init__(self, decoder: sinter.Decoder, model: stim.DetectorErrorModel) -> None:
        self._decoder = decoder
        self._model = model

    def decode_shots_bit_packed(
        self, *, bit_packed_detection_event_data: NDArray[np.uint8]
    ) -> NDArray[np.uint8]:
        """Predictions, (shots, bytes of observables), from events, (shots, bytes of detectors)."""
        shots = len(bit_packed_detection_event_data)
        observables = self._model.num_observables
        with tempfile.TemporaryDirectory() as folder:
            model, events, predictions = (Path(folder, name) for name in ("dem", "dets", "obs"))
            self._model.to_file(model)
            bit_packed_detection_event_data.tofile(events)
            self._decoder.decode_via_files(
                num_shots=shots,
                num_dets=self._model.num_detectors,
                num_obs=observables,
                dem_path=model,
                dets_b8_in_path=events,
                obs_predictions_b8_out_path=predictions,
                tmp_dir=Path(folder),
            )
            packed = np.fromfile(predictions, dtype=np.uint8)
        return packed.reshape(shots, (observables + 7) // 8)


def known() -> list[str]:
    """The names of all decoders."""
    return sorted({*sinter.BUILT_IN_DECODERS, *entry_points(group=GROUP).names})


def check_name(name: str) -> None:
    """Raise a `CompileError` for a decoder that nobody knows."""
    if name in sinter.BUILT_IN_DECODERS or entry_points(group=GROUP, name=name):
        return
    help = did_you_mean(name, known()) or f"there are {', '.join(known())}"
    raise error(f"unknown decoder '{name}'", kind=Kind.USAGE, help=help)


def compiled(name: str, model: stim.DetectorErrorModel) -> sinter.CompiledDecoder:
    """A decoder made ready for an error model; raises `DecoderError`."""
    try:
        decoder = _decoder(name)
        try:
            return decoder.compile_decoder_for_dem(dem=model)
        except NotImplementedError:
            return _ThroughFiles(decoder, model)
    except ImportError as missing:
        raise DecoderError(
            f"decoder '{name}' is not installed: {missing}{_hint(name)}"
        ) from missing
    except (DecoderError, MemoryError):
        raise
    except Exception as wrong:  # decoders are other people's
        raise DecoderError(f"decoder '{name}' failed: {type(wrong).__name__}: {wrong}") from wrong


def _decoder(name: str) -> sinter.Decoder:
    if name in sinter.BUILT_IN_DECODERS:
        return sinter.BUILT_IN_DECODERS[name]
    for point in entry_points(group=GROUP, name=name):
        return point.load()()
    raise DecoderError(f"decoder '{name}' is not installed on a machine of the cluster")


def _hint(name: str) -> str:
    """What to install for a decoder."""
    needed = [NEEDS[name]] if name in NEEDS else []
    for point in entry_points(group=GROUP, name=name):
        needed += [f"'qwasmc[{extra}]'" for extra in point.extras]
    return f"; pip install {needed[0]}" if needed else ""
