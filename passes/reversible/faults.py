"""Why a segment cannot be undone: errors that point at the source and say what to do."""

from __future__ import annotations

from dataclasses import replace

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.wires import MAKES_QUBIT, Wired
from qwasmc.ops import OPS


class Faults:
    """Writes errors about the rows of a circuit."""

    def __init__(self, wired: Wired) -> None:
        self.wired = wired

    def name(self, row: int) -> str:
        """The name in a marker."""
        return str(self.wired.names[self.wired.attr[row]])

    def qubit(self, wire: int) -> str:
        """A wire by the name that the program gives it."""
        rows = (MAKES_QUBIT[self.wired.op] & (self.wired.made == wire)).nonzero()[0]
        name = self.name(int(rows[0])) if len(rows) else ""
        return f"qubit {name}" if name else "a qubit without a name"

    def place(self, row: int) -> str:
        """Where a row stands in the source."""
        place = self.wired.locations.place(int(self.wired.loc[row]))
        return f"{place.file}:{place.line}:{place.column}" if place else "an unknown place"

    def at(
        self,
        row: int,
        message: str,
        *,
        label: str = "",
        help: str = "",
        notes: tuple[str, ...] = (),
    ) -> CompileError:
        """An error at a row."""
        loc = int(self.wired.loc[row])
        found = self.wired.locations.diagnostic(message, loc, label, help)
        return CompileError(replace(found, notes=notes))

    def no_scratch(self, row: int, segment: str) -> CompileError:
        """A segment writes nothing that could be undone."""
        return self.at(
            row,
            f"segment '{segment}' has no scratch qubit",
            label="writes no qubit that is in |0> here",
            help=f"name the qubits that UNCOMPUTE is to restore: REV_BEGIN {segment}, qubit, ...",
        )

    def ended(self, row: int, segment: str, wire: int, undo: int) -> CompileError:
        """A scratch qubit is measured, reset or freed before it is undone."""
        name = OPS[self.wired.op[row]].name
        does = {"free": "freed", "reset": "reset", "output": "handed out"}.get(name, "measured")
        return self.at(
            row,
            f"scratch {self.qubit(wire)} of segment '{segment}' is {does} before it is undone",
            label=f"{does} here",
            help="do this behind UNCOMPUTE, or copy the qubit with a CNOT and use the copy",
            notes=(f"it is undone at {self.place(undo)}",),
        )

    def superposes(self, row: int, segment: str, wire: int, inside: bool) -> CompileError:
        """A scratch qubit is written by an operation that makes superpositions."""
        spec = OPS[self.wired.op[row]]
        where = "computes" if inside else "changes"
        return self.at(
            row,
            f"'{spec.name}' {where} scratch {self.qubit(wire)} of segment '{segment}' in a way "
            "that cannot be undone by value",
            label="is no permutation of basis states",
            help="compute scratch by X, CNOT, Toffoli and SWAP; a qubit that is to keep its state "
            "is no scratch: list those that are behind REV_BEGIN",
        )

    def stays(self, row: int, wire: int) -> CompileError:
        """A qubit that is said to be scratch does not return to |0>."""
        return self.at(
            row,
            f"scratch {self.qubit(wire)} is not known to be in |0> in the end",
            label="behind this",
            help="undo what computes it by the same X, CNOT, Toffoli and SWAP gates in reverse",
        )

    def moved(self, row: int, segment: str, wire: int) -> CompileError:
        """A swap exchanges a scratch qubit with one that is not restored."""
        return self.at(
            row,
            f"a scratch qubit of segment '{segment}' is exchanged with {self.qubit(wire)}, "
            "which is not restored",
            help=f"list both qubits behind REV_BEGIN {segment}",
        )

    def too_long(self, row: int, most: int) -> CompileError:
        """What undoes segments has too many operations."""
        message = f"the program has more than {most:,} operations when segments are undone"
        help = "a segment that undoes one inside doubles it when it is undone itself"
        found = self.wired.locations.diagnostic(message, int(self.wired.loc[row]), help=help)
        return CompileError(replace(found, kind=Kind.LIMIT))

    def changed(self, row: int, segment: str, wire: int, undo: int) -> CompileError:
        """A scratch qubit has another value in the end, but not by its segment."""
        return self.at(
            row,
            f"scratch {self.qubit(wire)} of segment '{segment}' is changed by what is not undone",
            label="changed here",
            help=f"change it between REV_BEGIN {segment} and REV_END, or do not list it there",
            notes=(f"it is to be restored at {self.place(undo)}",),
        )

    def overwritten(
        self, row: int, segment: str, wire: int, change: int, undo: int
    ) -> CompileError:
        """What a scratch qubit was computed from has another value where it is to be undone."""
        name = OPS[self.wired.op[change]].name
        how = {"free": "freed", "reset": "reset", "uncompute": "undone"}.get(name, "overwritten")
        return self.at(
            change,
            f"segment '{segment}' cannot be undone: {self.qubit(wire)} was {how}",
            label=f"{how} here",
            help="undo the segment before this, copy the qubit first, or undo this as well",
            notes=(
                f"the segment needs its old value for the operation at {self.place(row)}",
                f"it is undone at {self.place(undo)}",
            ),
        )
