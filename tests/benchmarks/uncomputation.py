"""Programs with scratch qubits: qubits, gates and T of ours and of others, as Markdown tables.

    python tests/benchmarks/uncomputation.py [--peer-python PYTHON] [--only NAME...]

First table: the programs that Unqomp (Paradis et al., PLDI 2021, tables 2 and 4) and Reqomp
(arXiv:2212.10395, appendix, tables of its small and large examples) are measured on, at their
sizes.  Their rows are published counts; T gates, which the papers do not give, are those of the
circuits that their public code makes, with as many qubits and CX gates as published
(uncomputation_reqomp.py; both in uncomputation_published.csv).  Qiskit's rows are its own circuits,
lowered and folded by us; Qrisp's come from PYTHON, an interpreter that has qrisp 0.9, in the same
run.  Ours are compiled at -O2, all inputs unknown, without a budget and with `max_qubits` of each
published row; every one has a certificate.  Rotations are counted, not synthesised.  Gates are all
gates on qubits, measurements included for us.

Second table: adders of 8 to 1,024 bits, each compiled in a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import reversible_programs as programs
from qiskit import QuantumCircuit
from qiskit.circuit.library import (
    IntegerComparator,
    PiecewiseLinearPauliRotations,
    PolynomialPauliRotations,
    WeightedAdder,
)
from qiskit.synthesis.arithmetic import (
    adder_ripple_c04,
    adder_ripple_v95,
    multiplier_cumulative_h18,
)
from qiskit.synthesis.multi_controlled import synth_mcx_n_clean_m15

import qwasmc
from qwasmc.backends.stats import stats
from qwasmc.pipeline import OPEN_ENDS, SYNTHESISE, select

HERE = Path(__file__).resolve().parent
ROWS = select("program", "circuit", 2, (OPEN_ENDS,))
PASSES = [row.name for row in ROWS[: ROWS.index(SYNTHESISE)]]
"""Those of -O2 up to where rotations would be written as words."""

LOWERING = ("promote", "specialise", "uncompute", "open-ends", "lower-gates", "cancel", "fold")
"""What Qiskit's circuits go through, to count their T gates."""

STAGES = ("uncompute", "erase", "certify")
"""What is timed of the second table's compilations, besides the whole."""

BIT_SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)

CONSTANTS = {12: 463, 100: 18270226206346497142991649151}
WEIGHTS = {
    10: [5, 8, 7, 8, 4, 0, 0, 5, 7, 5],
    20: [4, 7, 8, 9, 0, 4, 6, 9, 2, 7, 3, 1, 10, 10, 5, 1, 0, 7, 2, 8],
}
PIECES = {
    6: (
        [10, 23, 42, 47, 51, 53, 63],
        [39, 32, 77, 27, 77, 4, 74],
        [174, 40, 110, 163, 100, 185, 130],
    ),
    40: (
        [
            *(20297797663, 110178409200, 235127051431, 298596274015, 379353600309, 547738707059),
            *(611989949811, 667049494391, 750847900668, 770779178164, 792465377200, 796088453275),
            *(802140485279, 805357442298, 879411751218, 895878400886, 913955124548, 983090404018),
            *(983383876560, 1000224228509, 1003835961125, 1056181325513, 1074634397556),
            1099188783971,
        ],
        [34, 31, 26, 7, 54, 91, 97, 4, 7, 46, 46, 22, 31, 86, 3, 10, 14, 8, 3, 5, 93, 2, 47, 32],
        [
            *(32, 40, 188, 47, 133, 177, 0, 98, 150, 11, 63, 38, 9, 1, 88, 157, 160, 190, 191, 28),
            *(73, 86, 125, 7),
        ],
    ),
}
"""The random numbers of Reqomp's evaluation, by size."""


class Counts(NamedTuple):
    """What one system makes of one program; NaN is not known."""

    system: str
    qubits: float
    gates: float
    two_qubit: float
    t: float
    rotations: float
    seconds: float = math.nan

    def line(self, name: str, budget: int | None = None) -> str:
        """A row of the first table."""
        numbers = ["-" if math.isnan(value) else f"{value:,.0f}" for value in self[1:-1]]
        seconds = "-" if math.isnan(self.seconds) else f"{self.seconds:.2f}"
        system = self.system if budget is None else f"{self.system} within {budget}"
        return f"| {' | '.join([name, system, *numbers, seconds])} |"


class Program(NamedTuple):
    """A program, what it is called in others' evaluations, and how others write it."""

    text: str
    published: str = ""
    qrisp: tuple[str, ...] = ()
    arguments: tuple[Any, ...] = ()
    qiskit: Callable[[], QuantumCircuit] | None = None


def mcx(n: int) -> Program:
    methods = ("mcx", "mcx khattar", "mcx balauca")
    circuit = lambda: synth_mcx_n_clean_m15(n)  # noqa: E731
    return Program(programs.mcx(n), f"mcx_{n}", methods, (n,), circuit)


def adder(n: int) -> Program:
    return Program(programs.adder(n), f"adder_{n}", ("adder",), (n,), lambda: adder_ripple_v95(n))


def comparator(n: int) -> Program:
    value = CONSTANTS[n]
    return Program(
        programs.comparator(n, value),
        f"intcomp_{n}",
        ("comparator",),
        (n, value),
        lambda: IntegerComparator(n, value),
    )


def mcry(n: int) -> Program:
    return Program(programs.mcry(n, 4.0), f"mcry_{n}", ("mcry",), (n, 4.0))


def deutsch_jozsa(n: int) -> Program:
    return Program(programs.deutsch_jozsa(n), f"dj_{n}")


def grover(n: int) -> Program:
    iterations = math.floor(math.pi / 4 * math.sqrt(2**n))
    return Program(programs.grover(n, iterations), f"grover_{n}")


def multiplier(n: int) -> Program:
    return Program(
        programs.multiplier(n),
        f"mult_{n}",
        ("multiplier",),
        (n,),
        lambda: multiplier_cumulative_h18(n, n),
    )


def weighted_adder(n: int) -> Program:
    return Program(
        programs.weighted_adder(WEIGHTS[n]),
        f"wa_{n}",
        ("weighted_adder",),
        (WEIGHTS[n],),
        lambda: WeightedAdder(n, list(WEIGHTS[n])),  # it changes the list
    )


def piecewise_linear(n: int) -> Program:
    pieces = PIECES[n]
    return Program(
        programs.piecewise_linear(n, *pieces),
        f"plr_{n}",
        ("piecewise_linear",),
        (n, *pieces),
        lambda: PiecewiseLinearPauliRotations(n, *pieces),
    )


def polynomial(n: int) -> Program:
    # As many terms as Reqomp's, of moderate angles: two of each power of x / 2^n.
    coefficients = [Fraction(2, 2 ** (n * k)) for k in range(n)]
    return Program(
        programs.polynomial(n, coefficients),
        f"polypr_{n}",
        ("polynomial",),
        (n, list(map(float, coefficients))),
        lambda: PolynomialPauliRotations(n, list(map(float, coefficients))),
    )


MAKERS: dict[str, tuple[Callable[[int], Program], tuple[int, ...]]] = {
    "and_chain": (lambda n: Program(programs.and_chain(n), "", ("and_chain",), (n,)), (7,)),
    "adder": (adder, (12, 100)),
    "gidney": (
        lambda n: Program(programs.gidney(n), f"adder_{n}", ("gidney", "gidney mcm"), (n,)),
        (12, 100),
    ),
    "cuccaro": (
        lambda n: Program(
            programs.cuccaro(n), "", ("cuccaro",), (n,), lambda: adder_ripple_c04(n, "fixed")
        ),
        (12, 100),
    ),
    "comparator": (comparator, (12, 100)),
    "mcx": (mcx, (12, 200)),
    "mcry": (mcry, (12, 200)),
    "deutsch_jozsa": (deutsch_jozsa, (10, 100)),
    "grover": (grover, (5, 10)),
    "multiplier": (multiplier, (5, 16)),
    "weighted_adder": (weighted_adder, (10, 20)),
    "piecewise_linear": (piecewise_linear, (6, 40)),
    "polynomial": (polynomial, (5, 10)),
}
"""How to make each program, and the sizes it is measured at."""


def published(name: str) -> list[Counts]:
    """The rows of other evaluations on a program."""
    with open(HERE / "uncomputation_published.csv") as file:
        return [
            Counts(each["system"], *(float(each[key]) for key in Counts._fields[1:-1]))
            for each in csv.DictReader(file)
            if each["program"] == name
        ]


def compiled(text: str, budget: int | None = None) -> qwasmc.Artifact:
    """A program within so many qubits, by us."""
    options = {"emit": "circuit", "open": True, "feed_forward": True, "max_qubits": budget}
    return qwasmc.compile(text, passes=PASSES, **options)


def ours(text: str, budget: int | None = None) -> Counts:
    """What we make of a program within so many qubits; nothing known if they are too few."""
    start = time.process_time()
    try:
        circuit = compiled(text, budget).ir
    except qwasmc.CompileError:
        return Counts("qwasmc (impossible)", *[math.nan] * 5)
    return _counted("qwasmc", circuit, time.process_time() - start)


def _counted(system: str, circuit: Any, seconds: float) -> Counts:
    found = stats(circuit)
    gates = sum(found["gates"].values()) + found["measurements"]
    return Counts(
        system,
        found["qubits"],
        gates,
        found["two_qubit"],
        found["t_count"] + found["t_predicated"],
        found["rotations"],
        seconds,
    )


def qiskit(make: Callable[[], QuantumCircuit]) -> Counts:
    """What Qiskit's own circuit has, lowered by us without measurements."""
    start = time.process_time()
    circuit = qwasmc.compile(make(), emit="circuit", passes=LOWERING, feed_forward=False).ir
    return _counted("Qiskit", circuit, time.process_time() - start)


def qrisp(name: str, arguments: tuple[Any, ...], python: str, timeout: float) -> Counts:
    """What Qrisp makes of a program; nothing known if it fails or is late."""
    command = [python, str(HERE / "uncomputation_qrisp.py"), name, json.dumps(arguments)]
    system = "Qrisp" + name.partition(" ")[1] + name.partition(" ")[2]
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout, check=True)
    except subprocess.TimeoutExpired:
        return Counts(f"{system} (more than {timeout:.0f} s)", *[math.nan] * 5)
    except subprocess.CalledProcessError as failed:
        reason = failed.stderr.decode().strip().rpartition("\n")[2].partition(":")[0]
        return Counts(f"{system} ({reason})", *[math.nan] * 5)
    return Counts(system, *json.loads(done.stdout).values())


def comparison(program: Program, arguments: argparse.Namespace) -> Iterator[tuple[Counts, Any]]:
    """All rows on one program, with the budget of ours."""
    others = published(program.published)
    yield from ((counts, None) for counts in others)
    if program.qiskit:
        yield qiskit(program.qiskit), None
    for name in program.qrisp if arguments.peer_python else ():
        yield qrisp(name, program.arguments, arguments.peer_python, arguments.timeout), None
    yield ours(program.text), None
    for budget in sorted({int(counts.qubits) for counts in others}, reverse=True):
        yield ours(program.text, budget), budget


def one_adder(n: int) -> dict[str, float]:
    """What compiling Gidney's adder takes, in this process."""
    text = programs.gidney(n)
    compiled(programs.gidney(8))  # kernels are compiled before the clock starts
    start = time.process_time()
    artifact = compiled(text)
    seconds = time.process_time() - start
    found = stats(artifact.ir)
    return {
        "bits": n,
        "t": found["t_count"],
        "qubits": found["qubits"],
        "stages": sum(artifact.watch.timings.get(name, 0.0) for name in STAGES),
        "seconds": seconds,
        "peak": _peak(),
    }


def _peak() -> float:
    """The most memory this process had, in MiB; getrusage counts its parent's as well (Linux)."""
    (line,) = (x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) / 1024


def adders() -> Iterator[str]:
    """Rows of the second table."""
    for n in BIT_SIZES:
        command = [sys.executable, str(Path(__file__)), "--adder", str(n)]
        done = subprocess.run(command, capture_output=True, check=True)
        bits, t, qubits, stages, seconds, peak = json.loads(done.stdout).values()
        yield f"| {bits} | {t} | {qubits} | {stages:.2f} | {seconds:.1f} | {peak:.0f} |"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer-python", help="An interpreter that has qrisp; none: without it.")
    parser.add_argument("--timeout", type=float, default=120.0, help="Seconds for each of Qrisp's.")
    parser.add_argument("--only", nargs="+", choices=MAKERS, default=[], metavar="NAME")
    parser.add_argument("--adder", type=int, help="Only this adder of the second table, as JSON.")
    arguments = parser.parse_args()
    if arguments.adder:
        print(json.dumps(one_adder(arguments.adder)))
        return
    print("| program | system | qubits | gates | two-qubit | T | rotations | CPU s |")
    print("|---|---|---|---|---|---|---|---|")
    for name, (make, sizes) in MAKERS.items():
        for size in sizes if not arguments.only or name in arguments.only else ():
            for counts, budget in comparison(make(size), arguments):
                print(counts.line(f"{name} {size}", budget), flush=True)
    if not arguments.only:
        print(f"\n| bits | T | qubits | s of {', '.join(STAGES)} | CPU s | peak MiB |")
        print("|---|---|---|---|---|---|")
        for line in adders():
            print(line, flush=True)


if __name__ == "__main__":
    main()
