"""Is this emitted circuit right?  Checks of one compilation that share no code with the emitter.

Each check returns a `Check`; only "proved" means that the property holds.  What is expected
comes from the program (`qwasmc.logical`) and from Stim; of the emitter, only its claims are
used: which records make up a bit, and which Pauli strings are the logical operators.

The logical action is compared by stabilizer flows (McEwen, Bacon, Gidney, arXiv:2302.02192,
appendix A): P -> Q xor bits says that an input stabilized by P becomes an output stabilized by
Q, up to a sign that the bits tell.  The flows of a Clifford program determine it, so it is
enough that the physical circuit has a generating set of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import compress
from typing import NamedTuple

import numpy as np
import pymatching
import sinter
import stim

from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.stim.emission import Emission, OpenPatch
from qwasmc.backends.stim.probe import LETTERS, probe
from qwasmc.diagnostics import CompileError
from qwasmc.gf2 import members, relations
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Row, Surgery
from qwasmc.logical import Form, Logical, to_stim
from qwasmc.ops import CODE

MAX_LOGICAL = 2000
"""Most wires and records of a program whose flows are generated (cubic time)."""

MAX_RECORDS = 1_000_000
"""Most measurements of a physical circuit whose flows are checked."""

MAX_DETECTORS = 200_000
"""Most detectors of a circuit whose distance is searched for."""

MAX_SAMPLED = 200_000_000
"""Most detectors, counted once per shot, that are sampled and decoded."""

SHOTS, MIN_SHOTS = 50_000, 1_000
"""Shots at each distance: as many as are tried first (then four times as many, and so on), and so
few that the check is not worth making."""

SPARE = 64
"""Runs beyond the number of results: -log2 of the probability that their rank is too low."""

SEED = 1

CERTAINTY = 1000.0
"""Each bound of an error rate is wrong with a probability of at most 1 / CERTAINTY."""

MAX_TEXT = 300
"""Most characters of one of Stim's messages that are repeated."""


class Build(NamedTuple):
    """A program, what it was lowered to and what was emitted, without noise."""

    program: Circuit
    surgery: Surgery
    emission: Emission


def validate(
    build: Build, opened: Build, noisy: Callable[[Circuit, int], stim.Circuit]
) -> list[dict[str, str]]:
    """All checks of a compilation, as JSON-able data.

    `opened` is the same compilation with its inputs and outputs left open; `noisy` compiles a
    program at a distance, under uniform noise of the strength to sample at.
    """
    distance = build.emission.distance
    circuit = noisy(build.program, distance)
    checks = [
        check_determinism(circuit),
        check_action("logical action", opened),
        check_action("results", build),
        check_observables(build),
    ]
    program, remark = build.program, ""
    if not circuit.num_observables and checks[1].result == "proved":
        program = probe(build.program, visible_flows(opened))
        circuit = noisy(program, distance)
        remark = "; its own results being random, the program between known inputs and outputs"
    checks += [
        check_distance(circuit, distance),
        check_suppression(circuit, partial(noisy, program), distance),
    ]
    checks[4:] = [check._replace(detail=check.detail + remark) for check in checks[4:]]
    return [check._asdict() for check in checks]


# -- determinism -----------------------------------------------------------------------------------


def check_determinism(noisy: stim.Circuit) -> Check:
    """Every detector and observable has one value without noise, and a matching decoder fits."""
    name = "determinism"
    try:
        model = noisy.detector_error_model(decompose_errors=True)
    except ValueError as problem:
        return Check(name, "failed", _short(problem))
    counted = f"{model.num_detectors} detectors and {model.num_observables} observables"
    return Check(name, "proved", f"{counted} are deterministic; all errors decompose")


# -- logical action --------------------------------------------------------------------------------


class Claim(NamedTuple):
    """The logical flow `before` -> `after` xor the results numbered `results`; signs included."""

    before: stim.PauliString
    after: stim.PauliString
    results: tuple[int, ...]

    def __str__(self) -> str:
        results = "".join(f" xor result[{number}]" for number in self.results)
        return f"{self.before} -> {self.after}{results}"


def check_action(name: str, build: Build) -> Check:
    """The circuit has the stabilizer flows of the program, signs included.

    Of a closed program those are the deterministic parities of its results.  No parity of
    results may be fixed that is not fixed in the program.
    """
    try:
        logical = to_stim(build.program)
    except CompileError as problem:
        why = problem.diagnostics[0].message
        return Check(name, "not decided", f"the program is not a stabilizer program: {why}")
    records = build.emission.records
    size = logical.wires + logical.circuit.num_measurements
    if size > MAX_LOGICAL or records > MAX_RECORDS:
        return Check(
            name,
            "skipped",
            f"the program has {size} wires and records (limit {MAX_LOGICAL}), "
            f"the circuit {records} measurements (limit {MAX_RECORDS})",
        )
    try:
        interface = _Interface.of(build, logical)
        claims = _claims(logical, interface.forms)
        flows = [interface.flow(claim) for claim in claims]
    except _Mismatch as problem:
        return Check(name, "failed", str(problem))
    circuit = interface.with_conjunctions(build.emission.circuit)
    wrong = _wrong_flows(circuit, flows)
    if any(wrong):
        first = next(compress(claims, wrong))
        detail = f"{sum(wrong)} of {len(claims)} flows are missing, the first one is {first}"
        return Check(name, "failed", detail)
    free = len(interface.results) - _parities_among_results(claims)
    random = _rank(circuit, interface)
    if random < free:
        detail = f"{random} of the results are random and independent, not {free}"
        return Check(name, "failed", detail)
    if not claims and not interface.results:
        return Check(name, "skipped", "no inputs, outputs or results, so nothing to compare")
    stand_ins = f" (S stands in for {logical.stand_ins} T gates)" if logical.stand_ins else ""
    detail = f"{len(claims)} flows hold with their signs{stand_ins}"
    if logical.ands:
        detail += f" for every value of {len(logical.ands)} conjunctions of outcomes"
    detail += f" and generate all flows of the program; {free} results are random and independent"
    return Check(name, "proved", detail)


def visible_flows(opened: Build) -> list[tuple[stim.PauliString, stim.PauliString]]:
    """The flows of an open program as inputs and outputs over wires, the fewest X first."""
    logical = to_stim(opened.program)
    claims = _claims(logical, [logical.bits[value] for _, value in logical.results])
    flows = [(claim.before, claim.after) for claim in claims]
    return sorted(flows, key=lambda flow: len(flow[0].pauli_indices("X")))


class _Mismatch(Exception):
    """Program and artifact do not even have the same inputs, outputs and results."""


def _claims(logical: Logical, forms: Sequence[Form]) -> list[Claim]:
    """Generators of the program's flows that can be seen from outside.

    Those are the products of flows whose records add up to results (given as forms).  Discarded
    wires must not occur in them.  A conjunction is a symbol: its own only relation to records is
    that a free record may stand for it.
    """
    outputs = {wire for _, wire in logical.outputs}
    discarded = [wire for wire in range(logical.wires) if wire not in outputs]
    circuit = logical.circuit.copy()
    circuit.append("R", discarded)
    flows = circuit.flow_generators()
    symbols: dict[object, int] = {}

    def vector(names: Sequence[object]) -> int:
        return sum(1 << symbols.setdefault(name, len(symbols)) for name in names)

    vectors = [vector(f.measurements_copy()) for f in flows]
    vectors += [vector([*sorted(f.records), *(("and", key) for key in f.ands)]) for f in forms]
    vectors += [vector([record, ("and", key)]) for key, record in logical.stand_for.items()]
    claims = []
    for relation in relations(vectors):
        chosen = members(relation)
        numbers = [i - len(flows) for i in chosen if len(flows) <= i < len(flows) + len(forms)]
        flow = stim.Flow("1 -> 1")
        for i in chosen:
            if i < len(flows):
                flow *= flows[i]
        after = _padded(flow.output_copy(), logical.wires)
        for wire in discarded:
            after[wire] = "I"  # it was reset, so +Z or nothing
        for number in numbers:
            after *= -1 if forms[number].constant else 1
        before = _padded(flow.input_copy(), logical.wires)
        if before.weight or after.weight or numbers:
            claims.append(Claim(before, after, tuple(numbers)))
    return claims


def _parities_among_results(claims: Sequence[Claim]) -> int:
    """The dimension of the claims that say nothing of inputs and outputs."""
    quantum = []
    for claim in claims:
        letters = [*claim.before, *claim.after]
        quantum.append(sum(letter << (2 * at) for at, letter in enumerate(letters)))
    return len(relations(quantum))


def _padded(pauli: stim.PauliString, length: int) -> stim.PauliString:
    """A Pauli string of at least this length; Stim leaves out wires that nothing touches."""
    return pauli + stim.PauliString(max(0, length - len(pauli)))


class Parity(NamedTuple):
    """The XOR of records and a constant."""

    records: frozenset[int] = frozenset()
    constant: int = 0

    def xor(self, other: Parity) -> Parity:
        """The XOR of two parities."""
        return Parity(self.records ^ other.records, self.constant ^ other.constant)


ZERO, ONE = Parity(), Parity(constant=1)


class Handle(NamedTuple):
    """The logical X and Z of an open wire: a physical Pauli string and its sign each."""

    x: tuple[stim.PauliString, Parity]
    z: tuple[stim.PauliString, Parity]


@dataclass(slots=True)
class _Interface:
    """What the program's inputs, outputs and results are in the physical circuit.

    Counted as results, after the named ones: the conjunctions, then all their operands.  In the
    physical circuit a conjunction is a record too, that of a qubit added for it.
    """

    forms: list[Form]
    """What each result is in the logical program."""
    results: list[Parity]
    """What it is in the physical circuit."""
    inputs: dict[int, Handle]
    """By wire."""
    outputs: dict[int, Handle]
    qubits: int
    conjunctions: int

    @classmethod
    def of(cls, build: Build, logical: Logical) -> _Interface:
        """Read the interface off the rows and the emission's claims."""
        surgery, emission = build.surgery, build.emission
        rows = np.flatnonzero(surgery.kind == Row.RESULT).tolist()
        given = [surgery.names[int(surgery.aux[row])] for row in rows]
        names = [name for name, _ in logical.results]
        if given != names:
            raise _Mismatch(f"the results are {given}, not {names}")
        values = [value for _, value in logical.results]
        bits = [surgery.operands(row)[0] for row in rows]
        for value, row in zip(*_conjunctions(build), strict=True):
            values += [value, *build.program.values(_maker(build.program, value))]
            bits += [row, *surgery.operands(row)]
        read = _Reader(surgery, emission)
        return cls(
            forms=[logical.bits[value] for value in values],
            results=[read.bit(bit) for bit in bits],
            inputs=_inputs(build, logical, read),
            outputs=_outputs(build, logical, read),
            qubits=emission.num_qubits,
            conjunctions=len(read.numbers),
        )

    def with_conjunctions(self, circuit: stim.Circuit) -> stim.Circuit:
        """The circuit with a random record for each conjunction at its end."""
        extra = range(self.qubits, self.qubits + self.conjunctions)
        whole = circuit.copy()
        whole.append("R", extra)
        whole.append("MX", extra)
        whole.append("R", extra)
        return whole

    def flow(self, claim: Claim) -> stim.Flow:
        """The physical flow that a claim amounts to."""
        before, start = self._pauli(claim.before, self.inputs)
        after, sign = self._pauli(claim.after, self.outputs)
        sign = sign.xor(start)
        for number in claim.results:
            sign = sign.xor(self.results[number])
        if sign.constant:
            after = -after
        return stim.Flow(input=before, output=after, measurements=sorted(sign.records))

    def _pauli(
        self, pauli: stim.PauliString, handles: dict[int, Handle]
    ) -> tuple[stim.PauliString, Parity]:
        """A logical Pauli as a physical one and the parity of its sign."""
        total, sign = stim.PauliString(self.qubits) * pauli.sign, Parity()
        for wire in pauli.pauli_indices():
            if wire not in handles:
                raise _Mismatch(f"qubit {wire} matters but never enters the chip")
            letter = LETTERS[pauli[wire]]
            if letter == "Y":
                total *= 1j  # Y = i X Z
            for part, (string, part_sign) in zip("XZ", handles[wire], strict=True):
                if letter in (part, "Y"):
                    total *= string
                    sign = sign.xor(part_sign)
        return total, sign


class _Reader:
    """Reads the emission's claims; conjunctions get the records after its own.

    Conjunctions reduce here as they do in `qwasmc.logical`: equal ones are one, and a factor
    that is constant, repeated or opposed leaves none.
    """

    def __init__(self, surgery: Surgery, emission: Emission) -> None:
        self.emission = emission
        self.records = emission.circuit.num_measurements
        self.numbers: dict[frozenset[Parity], int] = {}
        """Of each irreducible conjunction, by its factors."""
        self.ands: dict[int, Parity] = {}
        for row in np.flatnonzero(surgery.kind == Row.AND).tolist():
            self.ands[row] = self.conjunction({self.bit(bit) for bit in surgery.operands(row)})

    def bit(self, bit: int) -> Parity:
        records, constant, ands = self.emission.bit_parity(bit)
        total = Parity(frozenset(records), constant)
        for row in ands:
            total = total.xor(self.ands[row])
        return total

    def conjunction(self, factors: set[Parity]) -> Parity:
        factors = factors - {ONE}
        if ZERO in factors or any(factor.xor(ONE) in factors for factor in factors):
            return ZERO
        if len(factors) < 2:
            return factors.pop() if factors else ONE
        number = self.numbers.setdefault(frozenset(factors), len(self.numbers))
        return Parity(frozenset([self.records + number]))

    def handle(self, patch: OpenPatch) -> Handle:
        x, z = (
            Parity(frozenset(sign.records), sign.constant) for sign in (patch.sign_x, patch.sign_z)
        )
        return Handle((patch.x, x), (patch.z, z))


def _conjunctions(build: Build) -> tuple[list[int], list[int]]:
    """The `and` bits of the program and the AND rows of its surgery, which keep their order."""
    program, surgery = build.program, build.surgery
    values = program.first[:-1][program.op == CODE["and"]].tolist()
    rows = np.flatnonzero(surgery.kind == Row.AND).tolist()
    if len(values) != len(rows):
        raise _Mismatch(f"there are {len(rows)} conjunctions, not {len(values)}")
    return values, rows


def _maker(program: Circuit, value: int) -> int:
    """The row that makes a value."""
    return int(np.searchsorted(program.first, value, side="right")) - 1


def _inputs(build: Build, logical: Logical, read: _Reader) -> dict[int, Handle]:
    """The inputs' operators, by wire; one that is thrown away unseen need not be on the chip."""
    patches = {int(build.surgery.aux[patch.row]): patch for patch in build.emission.inputs}
    if not patches.keys() <= set(range(len(logical.inputs))):
        raise _Mismatch(f"there are inputs {sorted(patches)}, not {len(logical.inputs)}")
    return {logical.inputs[number].value: read.handle(patch) for number, patch in patches.items()}


def _outputs(build: Build, logical: Logical, read: _Reader) -> dict[int, Handle]:
    """The outputs' operators, by wire: a label exchanges X and Z, the frame flips their signs."""
    surgery = build.surgery
    leaving = [surgery.names[int(surgery.aux[patch.row])] for patch in build.emission.outputs]
    if leaving != [name for name, _ in logical.outputs]:
        raise _Mismatch(f"the outputs are {leaving}, not {logical.outputs}")
    found = {}
    for patch, (_, wire) in zip(build.emission.outputs, logical.outputs, strict=True):
        label, x_bit, z_bit = surgery.operands(patch.row)
        x, z = reversed(read.handle(patch)) if label else read.handle(patch)
        found[wire] = Handle((x[0], x[1].xor(read.bit(z_bit))), (z[0], z[1].xor(read.bit(x_bit))))
    return found


def _wrong_flows(circuit: stim.Circuit, flows: Sequence[stim.Flow]) -> list[bool]:
    """Which of these commuting flows a circuit does not have.

    Up to signs Stim decides exactly; a flow that holds up to its sign has one sign in all runs,
    so a single run decides that.
    """
    if not circuit.has_all_flows(flows, unsigned=True):
        return [not circuit.has_flow(flow) for flow in flows]
    return [bool(outcome) for outcome in _signs(circuit, flows)]


def _rank(circuit: stim.Circuit, interface: _Interface) -> int:
    """How many results are independent of each other in noiseless runs with random inputs.

    The rank in enough runs: never more than the true one, less with probability 2^-SPARE.
    """
    mixed = [q for handle in interface.inputs.values() for q in handle.x[0].pauli_indices()]
    mixed += [q for handle in interface.inputs.values() for q in handle.z[0].pauli_indices()]
    whole = stim.Circuit()
    whole.append("DEPOLARIZE1", sorted({*mixed}), 0.75)
    whole += _without_annotations(circuit)
    for parity in interface.results:
        records = [stim.target_rec(r - circuit.num_measurements) for r in sorted(parity.records)]
        whole.append("DETECTOR", records)
    sampler = whole.compile_detector_sampler(seed=SEED)
    runs = sampler.sample(len(interface.results) + SPARE, bit_packed=True)
    rows = [int.from_bytes(run.tobytes()) for run in runs]
    return len(rows) - len(relations(rows))


def _without_annotations(circuit: stim.Circuit) -> stim.Circuit:
    """The circuit without detectors and observables; as text, which Stim reads fastest."""
    lines = str(circuit).splitlines()
    annotations = ("DETECTOR", "OBSERVABLE_INCLUDE")
    return stim.Circuit("\n".join(x for x in lines if not x.lstrip().startswith(annotations)))


def _signs(circuit: stim.Circuit, flows: Sequence[stim.Flow]) -> list[int]:
    """For flows that hold up to sign, whether the sign is wrong.

    Each input qubit is half of a Bell pair, which is stabilized by P on one half times the
    transpose of P on the other; so P -> Q makes the transpose of P times Q a stabilizer of the
    result, for all flows at once.
    """
    n = max([circuit.num_qubits, *(len(flow.output_copy()) for flow in flows)])
    open_qubits = sorted({q for flow in flows for q in flow.input_copy().pauli_indices()})
    twin = {qubit: n + number for number, qubit in enumerate(open_qubits)}
    whole = stim.Circuit()
    for qubit, other in twin.items():
        whole.append("H", [other])
        whole.append("CX", [other, qubit])
    whole += circuit
    for flow in flows:
        product = _padded(flow.output_copy(), n + len(twin))
        before = flow.input_copy()
        product *= before.sign
        for qubit in before.pauli_indices():
            letter = LETTERS[before[qubit]]
            product[twin[qubit]] = letter
            product *= -1 if letter == "Y" else 1  # the transpose of Y
        if product.weight:
            whole.append("MPP", stim.target_combined_paulis(product))
        else:
            whole.append("MPAD", [int(product.sign == -1)])
    sample = whole.reference_sample()
    outcomes = sample[circuit.num_measurements :].tolist()
    return [
        (outcome + sum(int(sample[record]) for record in flow.measurements_copy())) % 2
        for outcome, flow in zip(outcomes, flows, strict=True)
    ]


# -- observables -----------------------------------------------------------------------------------


def check_observables(build: Build) -> Check:
    """Each observable of the circuit is the parity of results that its row says."""
    name = "observables"
    surgery, emission = build.surgery, build.emission
    rows = np.flatnonzero(surgery.kind == Row.OBSERVABLE).tolist()
    emitted = _observable_records(emission.circuit)
    if not rows and not emitted:
        return Check(name, "skipped", "no deterministic parity")
    if sorted(emitted) != list(range(len(rows))):
        return Check(name, "failed", f"observables {sorted(emitted)} for {len(rows)} parities")
    for number, row in enumerate(rows):
        records: frozenset[int] = frozenset()
        for bit in surgery.operands(row):
            records ^= frozenset(emission.bit_parity(bit).records)
        if records != emitted[number]:
            label = surgery.names[int(surgery.aux[row])]
            return Check(name, "failed", f"observable {number} is not {label}")
    return Check(name, "proved", f"{len(rows)} observables are the parities they are named for")


def _observable_records(circuit: stim.Circuit) -> dict[int, frozenset[int]]:
    """The absolute records of each observable."""
    found: dict[int, frozenset[int]] = {}
    measured = 0
    for item in _without_plain_loops(circuit):
        if item.name == "OBSERVABLE_INCLUDE":
            number = int(item.gate_args_copy()[0])
            records = frozenset(measured + target.value for target in item.targets_copy())
            found[number] = found.get(number, frozenset()) ^ records
        else:
            measured += item.num_measurements
    return found


def _without_plain_loops(
    circuit: stim.Circuit,
) -> Iterator[stim.CircuitInstruction | stim.CircuitRepeatBlock]:
    """The instructions of a circuit; loops without observables, which may be long, stay."""
    for item in circuit:
        if isinstance(item, stim.CircuitRepeatBlock) and item.body_copy().num_observables:
            for _ in range(item.repeat_count):
                yield from _without_plain_loops(item.body_copy())
        else:
            yield item


# -- distance --------------------------------------------------------------------------------------


def check_distance(noisy: stim.Circuit, distance: int) -> Check:
    """No fewer than `distance` graphlike errors flip an observable undetected."""
    name = "distance"
    if noisy.num_observables == 0:
        return Check(name, "skipped", "no deterministic parity, so no logical error to look for")
    detectors = noisy.num_detectors
    if detectors > MAX_DETECTORS:
        detail = f"{detectors} detectors are more than the limit of {MAX_DETECTORS}"
        return Check(name, "skipped", detail)
    try:
        length = len(noisy.shortest_graphlike_error())
    except ValueError as problem:
        return Check(name, "not decided", _short(problem))
    result = "proved" if length >= distance else "failed"
    return Check(name, result, f"the shortest undetected logical error takes {length} faults")


# -- suppression -----------------------------------------------------------------------------------


class Sample(NamedTuple):
    """Logical errors among shots, with bounds of the rate."""

    errors: int
    shots: int
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.errors}/{self.shots} ({self.low:.2g} to {self.high:.2g})"


def check_suppression(
    circuit: stim.Circuit, noisy: Callable[[int], stim.Circuit], distance: int
) -> Check:
    """There are fewer logical errors at distance + 2, by bounds that do not overlap."""
    name = "suppression"
    if circuit.num_observables == 0:
        return Check(name, "skipped", "no deterministic parity, so no logical error to count")
    larger = noisy(distance + 2)
    most = MAX_SAMPLED // max(1, larger.num_detectors)
    if most < MIN_SHOTS:
        detail = f"{larger.num_detectors} detectors leave fewer than {MIN_SHOTS} shots"
        return Check(name, "skipped", detail)
    shots, result = min(SHOTS, most), "not decided"
    while True:
        here, there = _sample(circuit, shots), _sample(larger, shots)
        if there.high < here.low:
            result = "proved"
        elif here.high < there.low:
            result = "failed"
        shots *= 4
        if result != "not decided" or shots > most:
            return Check(name, result, f"d={distance}: {here}, d={distance + 2}: {there}")


def _sample(circuit: stim.Circuit, shots: int) -> Sample:
    """Decode a fixed number of shots; a shot is an error if any observable is mispredicted.

    With k errors in n shots, the probability of at most (or at least) k at a rate p is at most
    exp(-n KL(k/n || p)), Chernoff's bound: one over the likelihood ratio sinter's fit limits.
    """
    model = circuit.detector_error_model(decompose_errors=True)
    matching = pymatching.Matching.from_detector_error_model(model)
    sampler = circuit.compile_detector_sampler(seed=SEED)
    batch = math.ceil(shots / 10)
    errors = 0
    for start in range(0, shots, batch):
        detections, flips = sampler.sample(min(batch, shots - start), separate_observables=True)
        errors += int((matching.decode_batch(detections) != flips).any(axis=1).sum())
    fit = sinter.fit_binomial(num_shots=shots, num_hits=errors, max_likelihood_factor=CERTAINTY)
    return Sample(errors, shots, fit.low or 0.0, 1.0 if fit.high is None else fit.high)


def _short(problem: Exception) -> str:
    """The start of one of Stim's messages."""
    text = " ".join(str(problem).split())
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}..."
