"""CPU seconds and memory of compilation, by distance and by size; nothing is asserted.

    python tests/benchmarks/scaling.py [--distances 3 5 ...] [--patches 2 10 30 100]
        [--layers 10 100 1000]

Every compilation runs in a process of its own, from QWASM text to a Stim file with noise.  The
first table is a CNOT at many distances, the start of Python and its imports apart.  The second
is layers of CNOTs on many patches: all in pairs, then all in pairs shifted by one.  A *plaquette
in a slab* is the unit of its size: measurements, divided by the rounds of a slab.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
NOISE = "uniform:0.001"
SMALL = 3
"""The distance of programs with many slabs."""

MAX_SIZE = 30_000
"""Most patches times layers."""


def compiled(program: Path, distance: int, folder: Path) -> dict[str, Any]:
    """What one compilation in a fresh process reports."""
    command = [sys.executable, HERE / "cold.py", program, distance, NOISE, folder / "out.stim"]
    done = subprocess.run([str(word) for word in command], capture_output=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def layered(patches: int, layers: int) -> str:
    """Layers of CNOTs, of all neighbours in pairs and then of all in pairs shifted by one."""
    names = [f"q{q}" for q in range(patches)]
    profile = f'profile="logical:surface_code(d={SMALL})"'
    lines = [
        ".version 0.1",
        ".caps CAP_ALLOC",
        f"a: ALLOC_LQ n={patches}, {profile} -> {', '.join(names)} [CAP_ALLOC]",
    ]
    for layer in range(layers):
        first = layer % 2 if patches > 2 else 0
        lines += [f"c: APPLY_CNOT q{q}, q{q + 1}" for q in range(first, patches - 1, 2)]
    lines += [f"m: MEASURE_Z {name} -> m{name}" for name in names]
    return "\n".join(lines) + "\n"


def by_distance(distances: Sequence[int], folder: Path) -> Iterable[list[str]]:
    """Rows of the first table."""
    for distance in distances:
        found = compiled(HERE / "programs" / "cnot.qwasm", distance, folder)
        stages, volume = found["stages"], found["records"] / distance
        yield [
            str(distance),
            str(found["qubits"]),
            f"{found['imports']:.2f}",
            f"{1e3 * (found['total'] - stages['emit'] - stages['write']):.1f}",
            f"{1e3 * stages['emit']:.1f}",
            f"{1e3 * stages['write']:.1f}",
            f"{1e3 * found['total']:.1f}",
            f"{1e6 * found['total'] / volume:.1f}",
            f"{found['peak']:.0f}",
        ]


def by_size(patches: Sequence[int], layers: Sequence[int], folder: Path) -> Iterable[list[str]]:
    """Rows of the second table."""
    program = folder / "layers.qwasm"
    for count in patches:
        for depth in layers:
            if count * depth > MAX_SIZE:
                continue
            program.write_text(layered(count, depth))
            found = compiled(program, SMALL, folder)
            stages, volume = found["stages"], found["records"] / SMALL
            front = found["total"] - stages["emit"] - stages["write"]
            yield [
                str(count),
                str(depth),
                str(found["slabs"]),
                f"{volume:.0f}",
                f"{found['total']:.2f}",
                *(f"{1e6 * cpu / volume:.1f}" for cpu in (front, stages["emit"], stages["write"])),
                f"{1e6 * found['total'] / volume:.1f}",
                f"{1e6 * found['total'] / (found['qubits'] * found['slabs']):.1f}",
                f"{found['peak']:.0f}",
                f"{found['bytes'] / 1e6:.1f}",
            ]


def show(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a Markdown table, each row as soon as it is known."""
    for row in (columns, ["---"] * len(columns)):
        print("|", " | ".join(row), "|")
    for row in rows:
        print("|", " | ".join(row), "|", flush=True)
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--distances", type=int, nargs="*", default=list(range(3, 26, 2)))
    parser.add_argument("--patches", type=int, nargs="*", default=[2, 10, 30, 100])
    parser.add_argument("--layers", type=int, nargs="*", default=[10, 100, 1000])
    options = parser.parse_args()
    each = "us per plaquette in a slab"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        head = "d,qubits,imports s,passes ms,emit ms,noise and write ms,sum ms"
        show([*head.split(","), each, "peak MB"], by_distance(options.distances, folder))
        head = "patches,layers,slabs,plaquettes x slabs,CPU s,passes us,emit us,noise and write us"
        rows = by_size(options.patches, options.layers, folder)
        show([*head.split(","), each, "us per qubit x slab", "peak MB", "MB written"], rows)


if __name__ == "__main__":
    main()
