"""How good injected states are: error rate per accepted state and acceptance.

    python tests/benchmarks/injection.py [--shots 1000000] [--distances 3 5 7]

A patch is injected, idles for d rounds and is read out perfectly in Y (the Clifford stand-in
S|+> for T|+>), under uniform noise.  A state is discarded if a detector of the first r rounds
fires, or ("marked") one with a fourth coordinate; PyMatching decodes the others.
"hook" is what ports do; "corner" is the injection of Li (arXiv:1410.7808) and Lao and Criger
(arXiv:2109.13500): a phase gate on a data qubit at the corner, which starts in |+>, with |+> on one
side of the diagonal through it and |0> on the other.  "first order" is the rate's slope at p = 0
if every detector counts: the sum of the faults that no detector sees, over p.

Published for comparison, the data of Gidney, arXiv:2302.12292 (SI1000 at 1e-3, starting from d = 3,
5, 7 with two rounds watched, then d = 15; correlated decoder): hook 3.9e-3, 9.0e-4, 5.6e-4 with
80%, 52%, 27% accepted; corner 7.5e-3, 5.4e-3, 5.1e-3 with 72%, 33%, 9%.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pymatching
import stim
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
from injected import injected, marked, noisy, readout, stabilizers
from unseen import faults

from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel

BATCH = 50_000


def hook(distance: int, p: float) -> stim.Circuit:
    """What ports do."""
    return noisy(injected(distance, distance), p)


def corner(distance: int, p: float) -> stim.Circuit:
    """The same with a usual first round that injects at the south-east corner."""
    emission = injected(distance, distance)
    text = str(emission.circuit)
    head = text[: text.index("RX[")]
    layers = text[len(head) :].split("TICK\n")
    first = layers[7:14]  # the second round, like all later ones
    plus = [(x, y) for x, y in np.ndindex(distance, distance) if x >= y]
    zero = [(x, y) for x, y in np.ndindex(distance, distance) if x < y]
    for name, sites in (("RX", plus), ("R", zero)):
        first[0] += f"{name} {' '.join(str(emission.qubit(*site)) for site in sites)}\n"
    first[1] += f"S {emission.qubit(distance - 1, distance - 1)}\n"
    first[6] = _corner_detectors(first[6], distance, plus)
    circuit = stim.Circuit(head + "TICK\n".join(first + layers[7:]))
    end = readout(emission, more=_records_of_corner(emission.circuit, distance))
    return apply_noise(circuit, NoiseModel.uniform(p)) + end


def _corner_detectors(last: str, distance: int, plus: list[tuple[int, int]]) -> str:
    """A round's measurements with the detectors of the stabilizers that the start fixes."""
    known = set()
    for place, (letter, sites) in stabilizers(distance).items():
        alike = all((site in plus) == (letter == "X") for site in sites)
        if alike and (distance - 1, distance - 1) not in sites:
            known.add(place)
    text = ""
    for line in last.splitlines(keepends=True):
        if not line.startswith("DETECTOR"):
            text += line
        else:
            x, y, *_ = line[line.index("(") + 1 : line.index(")")].split(", ")
            if (float(x), float(y)) in known:
                text += line.rpartition(" ")[0] + "\n"
    return text


def _records_of_corner(circuit: stim.Circuit, distance: int) -> set[int]:
    """The records that flip Y for the corner but not for the hook, or the other way round."""
    every = set(range(distance**2 - 1))
    (patch,) = injected(distance, distance).outputs
    return every ^ set(patch.sign_x.records) ^ set(patch.sign_z.records)


def rates(
    circuit: stim.Circuit, masks: dict[str, NDArray[np.bool_]], shots: int
) -> dict[str, tuple[float, float]]:
    """Acceptance and error rate per accepted shot, for several choices of discarding detectors."""
    model = circuit.detector_error_model(decompose_errors=True)
    matching = pymatching.Matching.from_detector_error_model(model)
    sampler = circuit.compile_detector_sampler()
    accepted, errors = dict.fromkeys(masks, 0), dict.fromkeys(masks, 0)
    for _ in range(shots // BATCH):
        fired, flips = sampler.sample(BATCH, separate_observables=True)
        wrong = (matching.decode_batch(fired) != flips).any(axis=1)
        for name, mask in masks.items():
            kept = ~fired[:, mask].any(axis=1)
            accepted[name] += int(kept.sum())
            errors[name] += int((kept & wrong).sum())
    total = shots // BATCH * BATCH
    return {name: (accepted[name] / total, errors[name] / accepted[name]) for name in masks}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--shots", type=int, default=1_000_000)
    parser.add_argument("--distances", type=int, nargs="+", default=[3, 5, 7])
    arguments = parser.parse_args()
    print("injection  d  p       discards on    accepted  error rate  first order / p")
    for distance in arguments.distances:
        for p in (1e-3, 5e-4):
            for name, make in (("corner", corner), ("hook", hook)):
                circuit = make(distance, p)
                places = circuit.get_detector_coordinates()
                when = np.array([places[i][2] for i in range(circuit.num_detectors)])
                masks = {f"r = {r}": when < r for r in sorted({1, 2, distance})}
                masks["marked"] = marked(circuit)
                if name == "corner":
                    del masks["marked"]
                slope = faults(circuit)[1] / p
                for which, (kept, error) in rates(circuit, masks, arguments.shots).items():
                    row = f"{name:9}  {distance}  {p:<6.4f}  {which:13}  {kept:8.3f}"
                    print(f"{row}  {error:10.2e}  {slope:.2f}", flush=True)


if __name__ == "__main__":
    main()
