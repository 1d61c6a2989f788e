"""Problem -> Plan, by qiskit-addon-cutting: where to cut, and what to run instead.

    q0: -H-o----        piece 0: q0: -H-[..]-      with 6 pairs of operations [..] for the cut cx,
    q1: ---X-o--                 q1: ---[..]-o-    some of which measure; each pair is a term
    q2: -----X--        piece 1: ...

Experiments of a piece that are equal are run once, for all the terms that have them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from qiskit import qasm3
from qiskit.circuit import QuantumCircuit, QuantumRegister
from qiskit.quantum_info import PauliList
from qiskit_addon_cutting import find_cuts, generate_cutting_experiments, partition_problem
from qiskit_addon_cutting.automated_cut_finding import DeviceConstraints, OptimizationParameters
from qiskit_addon_cutting.instructions import Move
from qiskit_addon_cutting.qpd import QPDBasis, TwoQubitQPDGate, WeightType
from qiskit_addon_cutting.utils.observable_grouping import ObservableCollection

from qwasmc.backends.cutting.plan import Cut, Experiment, Observable, Part, Piece, Plan, Term
from qwasmc.backends.cutting.problem import Problem, problem_of
from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import Circuit

MAX_BACKJUMPS = 1000
"""How many times the search for cuts may go back to a choice before the last."""

MAX_SEARCH = 5_000_000
"""The same times the qubits and the gates on two: each step back may copy a state for each gate."""

MAX_OVERHEAD = 1e15
"""Largest sampling overhead; nobody can run that often."""

MAX_TERMS = 5000
"""Most terms."""

MAX_WRITTEN = 2_000_000
"""Most gates of all experiments of all terms, before equal ones are found."""

OBSERVED, SIGNS = "observable_measurements", "qpd_measurements"
"""The registers that experiments measure into, by their names in the addon."""


def cut(
    circuit: Circuit,
    max_qubits: int,
    observables: Sequence[str] | None = None,
    samples: float = math.inf,
    precision: float = 0.01,
    seed: int = 0,
) -> Plan:
    """Cut a closed circuit into pieces of at most so many qubits.

    `observables` are Pauli letters for the program's qubits; without them, they are its results.
    `samples` is how many terms are drawn; if infinite, all of them are taken.  `precision` is the
    standard error that the bound on shots is for.  Raises CompileError for what cannot be cut, and
    for more terms than `MAX_TERMS`.
    """
    problem = problem_of(circuit, observables)
    found = _Search(problem, max_qubits, seed)
    return _Writer(problem, found, samples, seed).plan(max_qubits, precision)


class _Search:
    """Finds cuts; `circuit` has cut gates, and cut moves for cut wires, on the lines `last`."""

    def __init__(self, problem: Problem, max_qubits: int, seed: int) -> None:
        self.problem = problem
        whole = _circuit(problem)
        pairs = sum(len(step.lines) == 2 for step in problem.steps)
        backjumps = min(MAX_BACKJUMPS, MAX_SEARCH // max(1, whole.num_qubits * pairs))
        try:
            with np.errstate(over="ignore"):
                marked, metadata = find_cuts(
                    whole,
                    OptimizationParameters(seed=seed, max_backjumps=backjumps),
                    DeviceConstraints(qubits_per_subcircuit=max_qubits),
                )
            self.overhead = float(metadata["sampling_overhead"])
        except OverflowError:  # more than a floating-point number holds
            self.overhead = math.inf
        if self.overhead > MAX_OVERHEAD:
            message = (
                f"the cuts found for pieces of {max_qubits} qubits have a sampling overhead of "
                f"{self.overhead:.3g}: at most {MAX_OVERHEAD:g} is of use"
            )
            raise error(message, kind=Kind.LIMIT, help="allow more: --max-qubits")
        self.minimum = bool(metadata["minimum_reached"])
        self.cuts: list[Cut] = []
        self.bases: list[QPDBasis] = []
        self.last = list(range(whole.num_qubits))
        wires = sum(kind == "Wire Cut" for kind, _ in metadata["cuts"])
        self.circuit = QuantumCircuit(whole.num_qubits + wires)
        self.apply(marked)

    def apply(self, marked: QuantumCircuit) -> None:
        """Copy a circuit with marked cuts.

        The addon's own `cut_wires` takes the wrong lines where cuts of several wires alternate.
        """
        fresh, at = marked.num_qubits, 0
        for instruction in marked.data:
            lines = [marked.find_bit(qubit).index for qubit in instruction.qubits]
            operation = instruction.operation
            if operation.name == "cut_wire":
                operation = TwoQubitQPDGate.from_instruction(Move())
                self.circuit.append(operation, [self.last[lines[0]], fresh])
                self.last[lines[0]] = fresh
                fresh += 1
                self.add("wire", at, operation.basis, lines)
                continue
            self.circuit.append(operation, [self.last[line] for line in lines])
            if isinstance(operation, TwoQubitQPDGate):
                self.add("gate", at, operation.basis, lines)
            at += 1

    def add(self, kind: str, at: int, basis: QPDBasis, lines: Sequence[int]) -> None:
        """List a cut of the step `at`, or of a wire in front of it."""
        step = self.problem.steps[at]
        place = self.problem.source.locations.place(step.loc)
        self.bases.append(basis)
        self.cuts.append(
            Cut(
                kind=kind,
                gate=step.operation.name,
                qubits=[step.names[step.lines.index(line)] for line in lines],
                place=None if place is None else str(place),
                overhead=float(basis.overhead),
            )
        )


def _circuit(problem: Problem) -> QuantumCircuit:
    """The gates; a line with an observable and no gate gets one, so that it is in a piece.

    There is one piece at least.
    """
    made = QuantumCircuit(len(problem.names))
    for step in problem.steps:
        made.append(step.operation, step.lines)
    used = {line for step in problem.steps for line in step.lines}
    seen = {line for _, each in problem.observables for line in each.letters}
    if not problem.names:
        raise error("a program without qubits cannot be cut")
    for line in sorted(seen - used) if seen | used else [0]:
        made.id(line)
    return made


class _Writer:
    """Writes the experiments of a cut circuit."""

    def __init__(self, problem: Problem, found: _Search, samples: float, seed: int) -> None:
        self.problem = problem
        self.found = found
        products = _products(problem, found)
        parts = partition_problem(found.circuit, observables=products)
        self.labels = sorted(parts.subcircuits)
        self.circuits = parts.subcircuits
        self.observed = {label: parts.subobservables[label] for label in self.labels}
        self.groups = {label: ObservableCollection(self.observed[label]) for label in self.labels}
        self.check_terms(found.bases, samples)
        with _seeded(seed):
            self.experiments, self.coefficients = generate_cutting_experiments(
                self.circuits, self.observed, samples
            )
        self.samples = samples

    def check_terms(self, bases: Sequence[QPDBasis], samples: float) -> None:
        """Refuse more terms than can be written."""
        terms = math.prod(int(np.count_nonzero(basis.coeffs)) for basis in bases)
        gates = sum(
            len(self.circuits[label].data) * len(self.groups[label].groups) for label in self.labels
        )
        most = max(1, min(MAX_TERMS, MAX_WRITTEN // gates))
        if min(terms, samples) > most:
            cuts = f"{len(bases)} cut{'s' if len(bases) > 1 else ''}"
            raise error(
                f"{terms} terms of {cuts} are too many: at most {most} can be written here",
                kind=Kind.LIMIT,
                help=f"draw some of them, --samples {most}, or allow more qubits: --max-qubits",
            )

    def plan(self, max_qubits: int, precision: float) -> Plan:
        """All of it."""
        pieces, numbers = zip(*(self.piece(at) for at in range(len(self.labels))), strict=True)
        terms = [
            Term(
                coefficient=float(coefficient),
                sampled=kind is WeightType.SAMPLED,
                experiments=[number[at].tolist() for number in numbers],
            )
            for at, (coefficient, kind) in enumerate(self.coefficients)
        ]
        overhead = self.found.overhead
        return Plan(
            max_qubits=max_qubits,
            qubits=[self.problem.names[line] for line in self.problem.order],
            overhead=overhead,
            minimum=self.found.minimum,
            shots={"error": precision, "shots": math.ceil(overhead / precision**2)},
            cuts=self.found.cuts,
            observables=self.observables(),
            pieces=list(pieces),
            draws=self.draws(terms),
            terms=terms,
        )

    def piece(self, at: int) -> tuple[Piece, NDArray[np.int64]]:
        """A piece with its different experiments, and their numbers by term and group."""
        label = self.labels[at]
        number: dict[Key, int] = {}
        experiments: list[Experiment] = []
        order: list[int] = []
        for made in self.experiments[label]:
            key = _key(made)
            if key not in number:
                number[key] = len(experiments)
                experiments.append(_experiment(f"{at}.{len(experiments)}", made))
            order.append(number[key])
        groups = len(self.groups[label].groups)
        piece = Piece(qubits=self.circuits[label].num_qubits, experiments=experiments)
        return piece, np.array(order).reshape(-1, groups)

    def observables(self) -> list[Observable]:
        """The observables with what is measured of them in each piece."""
        return [
            Observable(
                name=name,
                paulis="".join(product.letters.get(line, "I") for line in self.problem.order),
                sign=product.sign,
                parts=[self.part(label, at) for label in self.labels],
            )
            for at, (name, product) in enumerate(self.problem.observables)
        ]

    def part(self, label: int, observable: int) -> Part:
        """What is measured of an observable in a piece."""
        collection = self.groups[label]
        group, at = collection.lookup[self.observed[label][observable]][0]
        mask = collection.groups[group].pauli_bitmasks[at]
        bits = [f"{OBSERVED}[{bit}]" for bit in range(mask.bit_length()) if mask >> bit & 1]
        return Part(group=group, bits=bits)

    def draws(self, terms: Sequence[Term]) -> int:
        """How many times a term was drawn: the share of the samples that is not taken in full."""
        weight = sum(abs(term["coefficient"]) for term in terms)
        drawn = sum(abs(term["coefficient"]) for term in terms if term["sampled"])
        # The addon rounds this up; without rounding errors, which are far smaller than one draw.
        return math.ceil(self.samples * drawn / weight - 1e-6) if drawn else 0


Key = tuple[tuple[str, tuple[float, ...], tuple[int, ...], tuple[int, ...]], ...]
"""What an experiment does."""


def _key(made: QuantumCircuit) -> Key:
    return tuple(
        (
            each.operation.name,
            tuple(each.operation.params),
            tuple(made.find_bit(qubit).index for qubit in each.qubits),
            tuple(made.find_bit(bit).index for bit in each.clbits),
        )
        for each in made.data
    )


def _experiment(name: str, made: QuantumCircuit) -> Experiment:
    """An experiment with registers that are always called the same."""
    written = {bit for each in made.data for bit in each.clbits}
    registers = [register for register in made.cregs if written.intersection(register)]
    named = QuantumCircuit(QuantumRegister(made.num_qubits, "q"), *registers)
    for each in made.data:
        named.append(
            each.operation, [made.find_bit(qubit).index for qubit in each.qubits], each.clbits
        )
    signs = [f"{SIGNS}[{at}]" for reg in registers if reg.name == SIGNS for at in range(reg.size)]
    return Experiment(name=name, qasm=qasm3.dumps(named), signs=signs)


def _products(problem: Problem, found: _Search) -> PauliList:
    """The observables, without their signs, on the lines where the circuit ends."""
    shape = len(problem.observables), found.circuit.num_qubits
    x, z = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    for row, (_, product) in enumerate(problem.observables):
        for line, letter in product.letters.items():
            last = found.last[line]
            x[row, last], z[row, last] = letter in "XY", letter in "YZ"
    return PauliList.from_symplectic(z, x)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the generator that the addon draws from, and put it back."""
    kept = np.random.get_state()
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        np.random.set_state(kept)
