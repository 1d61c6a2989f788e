"""uncompute: Circuit -> Circuit.  Segments and control regions become plain gates.

    0-2  alloc a, b, r, s                       0-1  alloc a, b, r
    3    rev_begin {name = "and"}               2    alloc w               an ancilla for s
    4    ccx a, b, s                            3    ccx a, b, w
    5    rev_end {name = "and"}           =>    4    cx w, r
    6    cx s, r                                5    ccx a, b, w           undone
    7    uncompute {name = "and"}               6    free w

A segment is undone by the operations that computed it, in reverse (`reversible.segments`); `erase`
makes measurements of the last ones.  In a control region only the action gets the controls
(`reversible.controlling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from qwasmc.cost import width
from qwasmc.diagnostics import Kind, did_you_mean, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import MAKES_QUBIT, Wired, to_circuit, to_wires
from qwasmc.ops import CODE, OPS
from qwasmc.passes.erase import erase
from qwasmc.passes.reversible.budget import Rewriter, rooms, too_few
from qwasmc.passes.reversible.controlling import control
from qwasmc.passes.reversible.holding import hold
from qwasmc.passes.reversible.homes import lives_of, rehome
from qwasmc.passes.reversible.segments import Expansion, expand
from qwasmc.passes.reversible.sheet import Sheet

AUTO = "auto"
"""The name of all qubits that return to |0>."""

MARKER = np.array([spec.is_marker for spec in OPS])

TRIES = 4
"""How often segments are written in less room, until a budget is kept."""


def uncompute(
    circuit: Circuit,
    scratch: Sequence[str] = (),
    measured: bool = False,
    max_qubits: int | None = None,
) -> Circuit:
    """The circuit without segments and control regions; raises where a segment cannot be undone.

    Qubits and registers called `scratch` become ancillas of the compiler too; they must return to
    |0> by what the circuit does.  `AUTO` stands for all qubits that certainly do.  With `measured`,
    segments that are written in another order may measure ancillas.  At most `max_qubits` are live
    at once.
    """
    if not MARKER[circuit.op].any() and not scratch:
        return circuit
    wired = to_wires(circuit)
    if not _segment_inside(wired):  # then segments may be written in another order
        wired = control(wired, np.zeros(len(wired), dtype=np.bool_))
    wired, held = hold(wired)
    sheet, rewriter = _sheet(wired, measured, {})
    found = _expanded(sheet, rewriter, held)
    result = _plain(sheet, found, scratch)
    if max_qubits is None or _width(result, measured) <= max_qubits:
        return result
    spaces, outside = rooms(sheet, found)

    def within(budget: int) -> tuple[Circuit, int]:
        """A circuit that is perhaps as narrow, and how many qubits it needs."""
        narrow, reached = result, _width(result, measured)
        target = budget
        for _ in range(TRIES if reached > budget else 0):
            wanted = {
                row: max(target - space.others, 0)
                for row, space in spaces.items()
                if space.others + space.own > target
            }
            again, rewritten = _sheet(wired, measured, wanted)
            narrow = _plain(again, _expanded(again, rewritten, held), scratch)
            reached = _width(narrow, measured)
            if reached <= budget or rewritten.stuck:
                break
            target -= reached - budget  # ancillas that are in no room, as those of controls
        return narrow, reached

    narrow, reached = within(max_qubits)
    if reached <= max_qubits:
        return narrow
    least = max(max_qubits + 1, outside, rewriter.least(spaces))
    while (reached := within(least)[1]) > least:  # more than is known of rooms
        least = min(max(reached, least + 1), _width(result, measured))
    raise too_few(max_qubits, reached)


def _width(circuit: Circuit, measured: bool) -> int:
    """The qubits that a circuit needs when ancillas are erased, measured or not."""
    return max(width(erase(circuit, way)) for way in {measured, False})


def _segment_inside(wired: Wired) -> bool:
    """Whether a control region has part of a segment in it."""
    change = np.zeros(len(wired), dtype=np.int64)
    change[wired.op == CODE["ctrl_begin"]] = 1
    change[wired.op == CODE["ctrl_end"]] = -1
    segments = np.isin(wired.op, [CODE[name] for name in ("rev_begin", "rev_end", "uncompute")])
    return bool((segments & (np.cumsum(change) != 0)).any())


def _sheet(wired: Wired, measured: bool, wanted: Mapping[int, int]) -> tuple[Sheet, Rewriter]:
    sheet = Sheet(wired)
    return sheet, Rewriter(sheet, measured, wanted)


def _expanded(sheet: Sheet, rewriter: Rewriter, held: Sequence[int]) -> Expansion:
    """The rows of a circuit; wires that are `held` are scratch, too."""
    found = expand(sheet, rewriter)
    found.scratch.update(dict.fromkeys(held))
    return found


def _plain(sheet: Sheet, found: Expansion, scratch: Sequence[str]) -> Circuit:
    """The circuit of an expansion, without control regions and with ancillas for scratch."""
    declared = _declared(sheet.wired, [name for name in scratch if name != AUTO])
    written = control(sheet.take(found.rows), np.array(found.exempt))
    some = list(found.scratch)
    if AUTO in scratch:
        some += lives_of(written, range(sheet.wired.n_wires)).idle
    return to_circuit(rehome(written, some, declared))


def _declared(wired: Wired, names: Sequence[str]) -> list[int]:
    """The wires of qubits, or of registers of qubits, with some names."""
    by_name: dict[str, list[int]] = {}
    for row in np.flatnonzero(MAKES_QUBIT[wired.op]).tolist():
        name, wire = wired.names[wired.attr[row]], int(wired.made[row])
        for each in dict.fromkeys((name, name.partition("[")[0])):
            by_name.setdefault(each, []).append(wire)
    for name in names:
        if name not in by_name:
            message = f"the program has no qubit or register '{name:.60}'"
            raise error(message, kind=Kind.USAGE, help=did_you_mean(name, by_name))
    return [wire for name in names for wire in by_name[name]]
