"""Speed of the way from lattice surgery to a file, noise included; nothing is asserted.

    python tests/benchmarks/emission.py [--distances 5 11]

Every compilation runs in a process of its own.  Programs: layers of CNOTs between neighbours (few
different regions), CNOTs between random pairs (nearly every region is a new one), and an adder of
24 qubits with T gates.  Speed is noisy Stim text in MB per CPU second of emission, noise and
writing; peak memory is that of the whole process, of which about 180 MB are Python and its imports.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from pathlib import Path
from random import Random

from scaling import compiled, layered, show

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "circuits"


def shuffled(qubits: int, layers: int) -> str:
    """CNOTs between all qubits in random pairs, many times, as OpenQASM 2."""
    draw = Random(1)
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{qubits}];", f"creg c[{qubits}];"]
    for _ in range(layers):
        order = draw.sample(range(qubits), qubits)
        lines += [f"cx q[{a}],q[{b}];" for a, b in zip(order[::2], order[1::2], strict=True)]
    return "\n".join([*lines, "measure q -> c;\n"])


def programs(folder: Path) -> Iterable[tuple[str, Path]]:
    """Names and files."""
    for name, suffix, text in (
        ("30 patches, 10 layers", "qwasm", layered(30, 10)),
        ("36 patches, 10 shuffled layers", "qasm", shuffled(36, 10)),
    ):
        path = folder / f"program.{suffix}"
        path.write_text(text)
        yield name, path
    adder = CORPUS / "feynman" / "adder_8.qasm"
    if adder.exists():
        yield adder.stem, adder


def measured(distances: list[int], folder: Path) -> Iterable[list[str]]:
    """Rows of the table."""
    for name, program in programs(folder):
        for distance in distances:
            found = compiled(program, distance, folder)
            emit, write = found["stages"]["emit"], found["stages"]["write"]
            size = found["bytes"] / 1e6
            yield [
                name,
                str(distance),
                str(found["qubits"]),
                str(found["slabs"]),
                f"{found['total'] - emit - write:.2f}",
                f"{emit:.2f}",
                f"{write:.2f}",
                f"{size:.1f}",
                f"{size / (emit + write):.0f}",
                f"{found['peak']:.0f}",
            ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--distances", type=int, nargs="*", default=[5, 11])
    options = parser.parse_args()
    head = "program,d,qubits,slabs,up to surgery s,emit s,noise and write s,MB,MB/s,peak MB"
    with tempfile.TemporaryDirectory() as name:
        show(head.split(","), measured(options.distances, Path(name)))


if __name__ == "__main__":
    main()
