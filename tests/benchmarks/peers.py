"""Logical error rates and generation times, ours beside other generators, in one run.

    python tests/benchmarks/peers.py --cache DIR [--systems loom tqec] [--experiments s] [--timing]

Each peer is installed from PyPI into an environment of its own below DIR, where a small
program in `generators/` prints its noiseless circuit.  Every circuit, ours too, then gets the
same noise (`uniform:0.001`) and is decoded with PyMatching here.  What the experiments are and
what came out is told in docs/peers.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import stim

from qwasmc.backends.sampling.run import sample
from qwasmc.backends.sampling.workers import processes
from qwasmc.backends.stim.noise import apply_noise, circuit_qubits
from qwasmc.backends.stim.noise_models import parse_noise

HERE = Path(__file__).resolve().parent
NOISE = parse_noise("uniform:0.001")
DISTANCES = (3, 5)
TIMING_DISTANCE = 11
PACKAGES = {"deltakit": "deltakit==0.10.2", "loom": "el-loom==0.4.0", "tqec": "tqec==0.2.0"}

EXPERIMENTS = {
    "memory": ("stim", "deltakit", "loom", "tqec", "qwasmc"),
    "cnot": ("loom", "tqec", "qwasmc"),
    "cnot-4d": ("qwasmc",),
    "cnot-idle": ("loom", "qwasmc"),
    "s": ("loom", "qwasmc"),
    "s-idle": ("loom", "qwasmc"),
    "s-s": ("loom", "qwasmc"),
}
"""Who can do what."""


class GeneratorFailed(Exception):
    """A generator ended with an error; the message is the line that names it."""


@dataclass(frozen=True)
class Generated:
    """A noiseless circuit, and CPU seconds for a first and, if it differs, a second time."""

    circuit: stim.Circuit
    seconds: tuple[float, ...]


def generate_stim(experiment: str, distance: int, cache: Path) -> Generated:
    started = time.process_time()
    circuit = stim.Circuit.generated(
        "surface_code:rotated_memory_z", distance=distance, rounds=distance
    )
    return Generated(circuit, (time.process_time() - started,))


def generate_ours(experiment: str, distance: int, cache: Path) -> Generated:
    """Ours in a fresh process, from the text of the program to that of the circuit."""
    program = HERE / "programs" / f"{experiment}.qwasm"
    out = cache / f"qwasmc-{experiment}-{distance}.stim"
    command = [sys.executable, HERE / "cold.py", program, distance, "none", out]
    spent = json.loads(run([str(word) for word in command], cache))
    return Generated(stim.Circuit.from_file(out), (spent["total"],))


def generate_peer(name: str) -> Callable[[str, int, Path], Generated]:
    def generate(experiment: str, distance: int, cache: Path) -> Generated:
        out = cache / f"{name}-{experiment}-{distance}.stim"
        script = HERE / "generators" / f"gen_{name}.py"
        command = [str(python_of(name, cache)), str(script), experiment, str(distance), str(out)]
        printed = run(command, cache)
        return Generated(stim.Circuit.from_file(out), tuple(map(float, printed.split())))

    return generate


GENERATORS: dict[str, Callable[[str, int, Path], Generated]] = {
    "stim": generate_stim,
    "qwasmc": generate_ours,
    **{name: generate_peer(name) for name in PACKAGES},
}


def run(command: list[str], cache: Path) -> str:
    """What the command prints.  It runs in the cache, because some peers leave logs behind."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cache)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        named = [line for line in lines if "error" in line.lower()]
        raise GeneratorFailed((named or lines or ["no message"])[-1].strip())
    return done.stdout


def python_of(name: str, cache: Path) -> Path:
    """The interpreter of a peer's environment, made and filled on first use."""
    home = cache / PACKAGES[name]
    python = home / "bin" / "python"
    if not (home / "installed").exists():
        venv.create(home, with_pip=True, clear=True)
        run([str(python), "-m", "pip", "install", "--quiet", PACKAGES[name]], cache)
        (home / "installed").touch()
    return python


def error_rate(circuit: stim.Circuit, max_errors: int, workers: int) -> tuple[str, int]:
    """The rate with its interval, and the graphlike circuit distance."""
    noisy = apply_noise(circuit, NOISE)
    with processes(workers) as pool:
        total = sample(noisy, shots=20_000_000, max_errors=max_errors, workers=pool).total
    text = f"{total.rate:.2e} [{total.low:.2e}, {total.high:.2e}]"
    return text, len(noisy.shortest_graphlike_error())


def rows(
    experiments: list[str], systems: list[str], cache: Path, max_errors: int, workers: int
) -> Iterator[tuple[str, ...]]:
    for experiment in experiments:
        for system in EXPERIMENTS[experiment]:
            if system not in systems:
                continue
            for distance in DISTANCES:
                try:
                    made = GENERATORS[system](experiment, distance, cache)
                except GeneratorFailed as problem:
                    yield (experiment, system, str(distance), *[""] * 4, str(problem))
                    continue
                rate, found = error_rate(made.circuit, max_errors, workers)
                yield (
                    experiment,
                    system,
                    str(distance),
                    str(len(circuit_qubits(made.circuit))),
                    str(made.circuit.num_ticks + 1),
                    str(made.circuit.num_observables),
                    str(found),
                    rate,
                )


def timings(systems: list[str], cache: Path) -> Iterator[tuple[str, ...]]:
    for experiment in ("memory", "cnot"):
        for system in EXPERIMENTS[experiment]:
            if system in systems:
                try:
                    made = GENERATORS[system](experiment, TIMING_DISTANCE, cache)
                except GeneratorFailed as problem:
                    yield experiment, system, str(problem)
                else:
                    yield experiment, system, ", ".join(f"{cpu:.2g}" for cpu in made.seconds)


def show(columns: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> None:
    """Print a Markdown table, each row as soon as it is known."""
    for line in chain([columns, ("---",) * len(columns)], lines):
        print("|", " | ".join(line), "|", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cache", type=Path, required=True, help="where environments go")
    parser.add_argument("--systems", nargs="+", choices=GENERATORS, default=list(GENERATORS))
    parser.add_argument("--experiments", nargs="+", choices=EXPERIMENTS, default=list(EXPERIMENTS))
    parser.add_argument("--max-errors", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--timing", action="store_true", help="d=11 too: minutes for Loom")
    options = parser.parse_args()
    options.cache = options.cache.resolve()
    options.cache.mkdir(parents=True, exist_ok=True)
    columns = ("experiment", "system", "d", "qubits", "layers", "obs.", "dist.", "LER [95%]")
    lines = rows(
        options.experiments, options.systems, options.cache, options.max_errors, options.workers
    )
    show(columns, lines)
    if options.timing:
        lines = timings(options.systems, options.cache)
        show(("experiment", "system", f"CPU s at d={TIMING_DISTANCE} (first, again)"), lines)


if __name__ == "__main__":
    main()
