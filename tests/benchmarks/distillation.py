"""15-to-1 in rows: its size, what it does to wrong inputs and to noise, and published factories.

    python tests/benchmarks/distillation.py [--distances 3 5] [--shots 200000]

The stand-in reading, emitted and sampled: the output is measured in Y in place.  Errors are of
states that no flag rejects, bars are one standard deviation.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import pymatching
import stim

from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.ir.surgery import Letter, Row, Surgery, SurgeryBuilder
from qwasmc.passes.scheduling import distillation, factories

P = 1e-3

WRONG_INPUTS = (0.02, 0.05, 0.1)


def measured() -> Surgery:
    """A production, its output measured in Y: observables 0 to 3 are flags, 4 the output."""
    out = SurgeryBuilder()
    made = distillation.produce(out, (0, 0), 0)
    tile = distillation.OUTPUT
    y = out.add(Row.MEASURE, slab=distillation.SLABS, tile=tile, aux=Letter.Y)
    for bits in [*([flag] for flag in made.flags), [y, made.x, made.z]]:
        out.add(Row.OBSERVABLE, aux=out.name(f"o{len(out.names)}"), operands=bits)
    return out.freeze()


def with_wrong_inputs(circuit: stim.Circuit, p_in: float) -> stim.Circuit:
    """Z with this probability on every injected qubit; no round of injection is repeated."""
    out = stim.Circuit()
    for step in circuit:
        out.append(step)
        if step.name in ("S", "S_DAG") and step.tag == "T":
            out.append("Z_ERROR", step.targets_copy(), p_in)
    return out


def sample(circuit: stim.Circuit, shots: int, *, decode: bool) -> tuple[int, int]:
    """Accepted shots, and wrong outputs among them."""
    detectors, flips = circuit.compile_detector_sampler(seed=1).sample(
        shots, separate_observables=True
    )
    if decode:
        model = circuit.detector_error_model(decompose_errors=True)
        decoder = pymatching.Matching.from_detector_error_model(model)
        flips ^= decoder.decode_batch(detectors).astype(bool)
    accepted = flips[~flips[:, :4].any(axis=1), 4]
    return len(accepted), int(np.count_nonzero(accepted))


def rate(errors: int, shots: int) -> str:
    """A rate and its standard deviation."""
    return f"{errors / shots:.2e} +- {math.sqrt(max(errors, 1)) / shots:.0e}"


def print_size(distances: list[int]) -> None:
    """Tiles, slabs, qubits, rounds."""
    tiles, period = distillation.WIDTH * distillation.HEIGHT, distillation.PERIOD
    print(f"block: {tiles} tiles, {distillation.SLABS} slabs, one state every {period} slabs")
    print(f"  {tiles * period} tile-slabs a state (Litinski, Quantum 3, 128, section 3: 11 x 11)")
    for d in distances:
        made = emit(distillation.template(), d)
        rounds = sum(made.slab_rounds)
        print(
            f"  d = {d}: {made.num_qubits} qubits, {rounds} rounds for {distillation.SLABS} slabs"
        )


def print_wrong_inputs(shots: int) -> None:
    """The emitted block without other noise, against the formula."""
    print("\nwrong inputs   acceptance (exact)   error (exact)   35 p^3")
    circuit = emit(measured(), 3).circuit
    for p_in in WRONG_INPUTS:
        accepted, wrong = sample(with_wrong_inputs(circuit, p_in), shots, decode=False)
        error, acceptance = factories.distilled(p_in)
        print(
            f"{p_in:12}   {accepted / shots:.4f} ({acceptance:.4f})   "
            f"{rate(wrong, accepted)} ({error:.2e})   {35 * p_in**3:.2e}"
        )


def print_noise(distances: list[int], shots: int) -> None:
    """Circuit noise, perfect inputs."""
    print(f"\nuniform noise {P:g}, quiet ports   acceptance (estimate)   error (estimate)")
    inputs_error, inputs_acceptance = factories.distilled(P)
    for d in distances:
        circuit = apply_noise(emit(measured(), d).circuit, parse_noise(f"uniform:{P}"))
        accepted, wrong = sample(circuit, shots, decode=True)
        factory = factories.fifteen_to_one(P, d)
        print(
            f"d = {d}   {accepted / shots:.4f} ({factory.acceptance / inputs_acceptance:.4f})   "
            f"{rate(wrong, accepted)} ({factory.error - inputs_error:.1e})"
        )


def print_published() -> None:
    """Error and qubit-rounds for a state, beside published factories."""
    print("\nfactory   p   error   qubits   rounds a state   qubit-rounds")
    for p in (1e-3, 1e-4):
        blocks = [block for block in factories.LITINSKI if block.p == p]
        for d in range(7, 31, 2):
            ours = factories.fifteen_to_one(p, d)
            if ours.error < 2 * factories.distilled(p)[0]:
                qubits = 2 * ours.tiles * (d + 1) ** 2
                rounds = ours.period * d / ours.acceptance
                blocks.append(factories.SizedBlock(f"ours, d = {d}", p, ours.error, qubits, rounds))
                break
        for b in blocks:
            volume = b.qubits * b.cycles
            print(f"{b.name}   {p:g}   {b.error:.1e}   {b.qubits}   {b.cycles:.1f}   {volume:.2g}")
    for point in factories.CULTIVATION:
        name = f"cultivation, fault distance {point.fault_distance}"
        rounds = point.volume / point.qubits
        print(
            f"{name}   {point.p:g}   {point.error:.1e}   {point.qubits}   {rounds:.1f}   "
            f"{point.volume:.2g}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--distances", type=int, nargs="+", default=[3, 5])
    parser.add_argument("--shots", type=int, default=200_000)
    options = parser.parse_args()
    print_size(options.distances)
    print_wrong_inputs(options.shots)
    print_noise(options.distances, options.shots)
    print_published()


if __name__ == "__main__":
    main()
