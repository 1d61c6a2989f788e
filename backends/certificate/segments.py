"""What `uncompute` means, read off a circuit: the scratch qubits of each segment.

They are the qubits that `rev_begin` lists or, if it lists none, those that the segment writes and
that are known to be in |0> where it begins (allocated or reset, and not written since) or allocated
inside.  `uncompute` puts each of them back to its value at `rev_begin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from qwasmc.backends.certificate.naming import Qubit, labels, labels_like, program_qubits
from qwasmc.backends.certificate.undecided import Undecided
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import CODE, OPS

READS = frozenset(
    {"z", "s", "sdg", "t", "tdg", "rz", "p", "cz", "cp", "crz", "ccz", "measure_z", "barrier"}
    | {"rev_begin", "ctrl_begin", "free", "output"}
)
"""Operations that leave basis states of their qubits as they are."""

CONTROLS = {"cx": 1, "cy": 1, "ccx": 2, "cswap": 1}
"""How many of its first qubits another operation leaves as they are."""


PERMUTES = frozenset({"x", "y", "swap", *CONTROLS})
"""Operations that can write scratch qubits."""


@dataclass(slots=True)
class Segment:
    """A segment that is undone."""

    name: str
    loc: int
    begin: int
    """Row of its `rev_begin`."""
    end: int
    """Row of its `rev_end`."""
    undo: int
    """Row of its `uncompute`."""
    scratch: tuple[int, ...]
    """Wires."""


class Source(NamedTuple):
    """A circuit, and what there is to know before it is run."""

    circuit: Circuit
    wire: list[int]
    """By value."""
    qubits: list[Qubit]
    """Those of the program."""
    labels: list[str]
    """By wire; "" is an ancilla."""
    segments: list[Segment]
    """Those that are undone, in the order in which that happens."""
    from_zero: set[int]
    """Scratch wires that are in |0> since they were allocated."""

    @property
    def is_located(self) -> bool:
        """Whether each measurement in X has a location, unlike those that a compiler adds."""
        measured = self.circuit.op == CODE["measure_x"]
        return bool((self.circuit.loc[measured] >= 0).all())


def survey(circuit: Circuit, like: Source | None = None) -> Source:
    """The qubits and segments of a circuit.  Qubits that are `like` another's have its labels.

    Raises `Undecided` if the marks of segments do not fit together.
    """
    wire: list[int] = circuit.wires().tolist()
    qubits = program_qubits(circuit, wire)
    names = labels_like(qubits, like.qubits, like.from_zero) if like else labels(qubits)
    by_wire = [names.get(at, "") for at in range(max(wire, default=-1) + 1)]
    return _Surveyor(Source(circuit, wire, qubits, by_wire, [], set())).run()


class _Surveyor:
    def __init__(self, out: Source) -> None:
        self.out = out
        self.circuit = out.circuit
        self.wire = out.wire
        self.clean: dict[int, int] = {}
        """By wire, the row that put it into |0>."""
        self.dirty: dict[int, int] = {}
        """By wire, the first row that has written it since."""
        self.open: list[tuple[Segment, dict[int, None]]] = []
        """Segments that have begun, and which of the wires that are written can be scratch."""
        self.complete: dict[str, Segment] = {}

    def run(self) -> Source:
        circuit = self.circuit
        rows = zip(circuit.op.tolist(), circuit.cond.tolist(), circuit.all_values(), strict=True)
        for row, (code, cond, values) in enumerate(rows):
            spec = OPS[code]
            if spec.name == "alloc":
                self.put_to_zero(self.wire[int(circuit.first[row])], row)
            elif spec.name == "reset" and cond < 0:
                self.put_to_zero(self.wire[values[0]], row)
            elif spec.name in ("rev_begin", "rev_end", "uncompute"):
                self.mark(spec.name, row, values)
            elif spec.qubits and spec.name not in READS and not self.is_diagonal(row):
                for value in values[CONTROLS.get(spec.name, 0) :]:
                    self.write(self.wire[value], row)
        return self.out

    def is_diagonal(self, row: int) -> bool:
        """Whether a row is a rotation about a product of Z."""
        name = OPS[self.circuit.op[row]].name
        return name == "ppr" and not str(self.circuit.attribute(row)).strip("Z")

    def put_to_zero(self, wire: int, row: int) -> None:
        self.clean[wire] = row
        self.dirty.pop(wire, None)

    def write(self, wire: int, row: int) -> None:
        self.dirty.setdefault(wire, row)
        for segment, written in self.open:
            if self.was_clean(wire, segment):
                written[wire] = None

    def was_clean(self, wire: int, segment: Segment) -> bool:
        """Whether a wire is known to be in |0> where a segment begins, or allocated inside."""
        since = self.clean.get(wire)
        if since is None or self.dirty.get(wire, segment.begin) < segment.begin:
            return False
        return since < segment.begin or self.made_by_alloc(wire)

    def made_by_alloc(self, wire: int) -> bool:
        """Whether a wire was put into |0> when it was allocated, and not since."""
        return bool(self.circuit.op[self.clean[wire]] == CODE["alloc"])

    def mark(self, what: str, row: int, values: list[int]) -> None:
        name = str(self.circuit.attribute(row))
        if what == "rev_begin":
            listed = tuple(self.wire[value] for value in values)
            self.open.append((Segment(name, int(self.circuit.loc[row]), row, -1, -1, listed), {}))
        elif (what == "rev_end" and not self.open) or (
            what == "uncompute" and name not in self.complete
        ):
            raise Undecided(f"segment '{name}' is not complete", int(self.circuit.loc[row]))
        elif what == "rev_end":
            segment, written = self.open.pop()
            segment.end = row
            segment.scratch = segment.scratch or tuple(written)
            self.complete[name] = segment
        else:
            segment = self.complete.pop(name)
            segment.undo = row
            self.out.segments.append(segment)
            for wire in segment.scratch:
                if self.was_clean(wire, segment):
                    if self.made_by_alloc(wire):
                        self.out.from_zero.add(wire)
                    self.dirty.pop(wire, None)
