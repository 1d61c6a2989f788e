"""T gates of Reqomp's and Unqomp's circuits: rows of uncomputation_published.csv.

    python uncomputation_reqomp.py reqomp CHECKOUT adder_100 mcx_200
    python uncomputation_reqomp.py unqomp CHECKOUT adder_100 mcx_200

CHECKOUT is a checkout of github.com/eth-sri/Reqomp, which has Unqomp in it and the published counts
of both in `evaluation_results`.  Python 3.10 with qiskit-terra 0.24 runs Reqomp, Python 3.8 with
qiskit-terra 0.16 runs Unqomp.  Each circuit is built by the examples of the checkout; a row is
printed only if it has as many qubits and CX gates as were published.  A relative-phase Toffoli has
4 T, a Toffoli 7; gates with angles that are no multiples of pi/4 count as rotations.

Budgets of Reqomp are those of the tables in its appendix: the fewest ancillas, a quarter, half and
three quarters of Unqomp's, and the least number from which on more ancillas change nothing.
"""

import ast
import contextlib
import importlib
import io
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, List, NamedTuple  # noqa: UP035 -- Python 3.8

from qiskit import QuantumRegister, transpile

TOFFOLIS = {"rccx": 4, "ccx": 7}
BASIS = ["rccx", "ccx", "cx", "x", "h", "id", "ry", "u", "u1", "u2", "u3"]


class Absent(ModuleType):
    """A package that the examples import for other comparisons."""

    __path__: List[str] = []  # noqa: RUF012, UP006

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


class Published(NamedTuple):
    """A line of `evaluation_results`."""

    qubits: int
    gates: int
    cx: int


class Results:
    """The published results for a program and a size."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder / "evaluation_results"
        self.name = name

    def lines(self, budget: str) -> List[str]:  # noqa: UP006
        path = self.folder / "_".join([self.name, *([budget] if budget else [])])
        return path.read_text().splitlines()

    def counts(self, budget: str) -> Published:
        """The counts at a number of ancillas, of Unqomp (u), or at the only one there is ("")."""
        (line,) = (line for line in self.lines(budget) if ";" in line)
        return Published(*map(int, line.split(";")[-4:-1]))

    def arguments(self) -> List[Any]:  # noqa: UP006
        """The random numbers that the program was made with."""
        lines = self.lines("u")
        after = [line for line in lines if ";" in line]
        return [ast.literal_eval(line) for line in lines[lines.index(after[0]) + 1 :]]

    def budgets(self) -> Dict[int, Published]:  # noqa: UP006
        """The counts at the budgets of the tables, by number of ancillas."""
        if not (self.folder / f"{self.name}_8").exists() and (self.folder / self.name).exists():
            return {4 * int(self.name.split("_")[1]): self.counts("")}
        found = {}
        for path in self.folder.glob(f"{self.name}_[0-9]*"):
            budget = path.name[len(self.name) + 1 :]
            if any(";" in line for line in self.lines(budget)):
                found[int(budget)] = self.counts(budget)
        enough = min(k for k, each in found.items() if each.gates == found[max(found)].gates)
        least = min(found)
        unqomp = self.counts("u").qubits - (found[least].qubits - least)
        chosen = {least, enough}
        for reduction in (0.75, 0.5, 0.25):
            chosen |= {max([k for k in found if (unqomp - k) / unqomp >= reduction] or [least])}
        return {k: found[k] for k in sorted(chosen) if k <= enough}


def build(package: str, results: Results) -> Any:
    """The program, with ancillas and without uncomputation."""
    kind, size = results.name.split("_")
    n = int(size)

    def example(module: str, function: str, *arguments: Any) -> Any:
        return getattr(importlib.import_module(f"{package}.examples.{module}"), function)(
            n, *arguments
        )

    if kind in ("mcx", "mcry"):
        name = "ancilla_circuit" if package == "reqomp" else "ancillaallocation"
        controls, target = QuantumRegister(n), QuantumRegister(1)
        circuit = importlib.import_module(f"{package}.{name}").AncillaCircuit(controls, target)
        if kind == "mcx":
            circuit.mcx(controls, target)
        else:
            circuit.mcry(4, controls, target)
        return circuit
    return {
        "adder": lambda: example("adder", "makesAdder"),
        "dj": lambda: example("deutschjozsa", "makesDJ")[0],
        "grover": lambda: example("grover", "makesGroverCircuit")[0],
        "intcomp": lambda: example(
            "intergercomparator", "makeIntegerComparator", *results.arguments()
        ),
        "mult": lambda: example("adder", "makesMult"),
        "plr": lambda: example("piecewiselinrot", "makesPLR", *results.arguments()[1:]),
        "polypr": lambda: example("polynomialpaulirot", "makesPolyPauliRot", [2] * n),
        "wa": lambda: example("weightedadder", "makeWeightedAdder", *results.arguments()),
    }[kind]()


def row(system: str, results: Results, published: Published, circuit: Any) -> str:
    """A row of the table; raises if the circuit is not the one that was published."""
    single = ["u"] if system == "reqomp" else ["u1", "u2", "u3"]
    lowered = transpile(circuit, basis_gates=["id", "cx", *single], optimization_level=0)
    got = (lowered.num_qubits, lowered.count_ops()["cx"])
    if got != (published.qubits, published.cx):
        raise ValueError(f"{results.name}: published {published}, got qubits and CX {got}")
    gates = transpile(circuit, basis_gates=BASIS, optimization_level=0)
    t = rotations = 0
    for gate in gates:
        operation = gate[0]
        t += TOFFOLIS.get(operation.name, 0)
        steps = [float(angle) / (math.pi / 4) for angle in operation.params]
        # The largest angles are only known up to multiples of pi/4.
        rotations += any(abs(step - round(step)) > 1e-9 or abs(step) > 2**40 for step in steps)
    return ",".join(map(str, (results.name, system.capitalize(), *published, t, rotations)))


def main() -> None:
    """Print the rows of some programs."""
    system, checkout, *names = sys.argv[1:]
    sys.setrecursionlimit(20000)
    sys.path.insert(0, f"{checkout}/unqomp" if system == "unqomp" else checkout)
    for part in ("", ".components", ".components.oracles", ".algorithms", ".algorithms.education"):
        sys.modules[f"qiskit.aqua{part}"] = Absent(f"qiskit.aqua{part}")
    for name in names:
        results = Results(Path(checkout), name)
        if system == "unqomp":
            circuit = build(system, results).circuitWithUncomputation()
            print(row(system, results, results.counts("u"), circuit), flush=True)
            continue
        for budget, published in results.budgets().items():
            with contextlib.redirect_stdout(io.StringIO()):
                circuit = build(system, results).uncompute(budget)
            print(row(system, results, published, circuit), flush=True)


if __name__ == "__main__":
    main()
