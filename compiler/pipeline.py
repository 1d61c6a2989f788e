"""The pass table: what a compilation consists of, and why in this order.

Rows are in the order they run.  The functions are resolved by name on first use, so that the
heavy packages behind them load when they are needed and not before; this is the one place of
late imports.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from qwasmc.diagnostics import Kind, did_you_mean, error

IRS = ("program", "circuit", "surgery")
"""The representations, from the source down."""

LEVELS = range(4)
"""Levels of -O."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A row: `function` ("module:name") maps the IR `takes` to the IR `gives`.

    `level` is the lowest -O that runs it; None for a pass that runs only when asked for.
    `options` are the options of a compilation that the function takes.
    What a pass that `optimises` makes is kept only if it costs no more than what it got.
    """

    name: str
    function: str
    takes: str
    gives: str
    level: int | None
    doc: str
    options: tuple[str, ...] = ()
    optimises: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """`before` must not run after `after`, because of `reason`."""

    before: str
    after: str
    reason: str


PROMOTE = Pass(
    "promote",
    "qwasmc.passes.promote:promote",
    "program",
    "program",
    0,
    "Make SSA values of the memory that variables live in.",
)

SPECIALISE = Pass(
    "specialise",
    "qwasmc.passes.specialise:specialise",
    "program",
    "circuit",
    0,
    "Run the classical part; what is left is a straight line.",
    ("max_iterations",),
)

UNCOMPUTE = Pass(
    "uncompute",
    "qwasmc.passes.uncompute:uncompute",
    "circuit",
    "circuit",
    0,
    "Undo reversible segments; control what is in control regions.",
    ("scratch", "measured", "max_qubits"),
)

ERASE = Pass(
    "erase",
    "qwasmc.passes.erase:erase",
    "circuit",
    "circuit",
    1,
    "Measure ancillas that return to |0>, in place of Toffolis that undo them.",
    ("measured",),
)

REVERSIBLE = (UNCOMPUTE, ERASE)
"""The passes about scratch qubits, whose work gets a certificate."""

OPEN_ENDS = Pass(
    "open-ends",
    "qwasmc.passes.open_ends:open_ends",
    "circuit",
    "circuit",
    None,
    "Leave allocated qubits unknown at the start and live ones open at the end (--open).",
)

LOWER_GATES = Pass(
    "lower-gates",
    "qwasmc.passes.lower_gates:lower_gates",
    "circuit",
    "circuit",
    0,
    "Write Toffolis and rotations as Clifford, T and rz gates.",
    ("feed_forward",),
)

CANCEL = Pass(
    "cancel",
    "qwasmc.passes.cancel:cancel",
    "circuit",
    "circuit",
    1,
    "Cancel Clifford gates with others that they reach by commuting.",
    optimises=True,
)

FOLD = Pass(
    "fold",
    "qwasmc.passes.fold:fold",
    "circuit",
    "circuit",
    1,
    "Add up rotations about equal Pauli products.",
    optimises=True,
)

SYNTHESISE = Pass(
    "synthesise",
    "qwasmc.passes.synthesise:synthesise",
    "circuit",
    "circuit",
    0,
    "Write rz gates as words of Clifford and T gates.",
    ("synthesis_error", "feed_forward"),
)

REWRITE = Pass(
    "rewrite",
    "qwasmc.passes.rewrite:rewrite",
    "circuit",
    "circuit",
    1,
    "Apply rewriting rules that a person has approved (--rules).",
    ("rule_sets", "objective", "corrections"),
    optimises=True,
)

DEFER_PAULIS = Pass(
    "defer-paulis",
    "qwasmc.passes.defer_paulis:defer_paulis",
    "circuit",
    "circuit",
    0,
    "Move predicated Paulis into the results they would flip.",
)

LOWER_SURGERY = Pass(
    "lower-surgery",
    "qwasmc.passes.lower_surgery:lower_surgery",
    "circuit",
    "surgery",
    0,
    "Place patches, route joint measurements and schedule them into slabs.",
    ("floor_plan", "factory", "factories", "max_tiles", "distance", "error_rate", "code"),
)

BACK_HALF = (DEFER_PAULIS, LOWER_SURGERY)
"""The passes that take a circuit of Clifford and T gates to patches."""

PASSES: tuple[Pass, ...] = (
    PROMOTE,
    SPECIALISE,
    UNCOMPUTE,
    ERASE,
    OPEN_ENDS,
    LOWER_GATES,
    CANCEL,
    FOLD,
    Pass(
        "reduce-t",
        "qwasmc.passes.reduce_t:reduce_t",
        "circuit",
        "circuit",
        3,
        "Find fewer T gates with ancillas, measurements and corrections.",
        ("time_budget", "ancillas", "note"),
        optimises=True,
    ),
    CANCEL,
    Pass(
        "resynthesise",
        "qwasmc.passes.resynthesise:resynthesise",
        "circuit",
        "circuit",
        2,
        "Find fewer two-qubit gates for the same rotations.",
        optimises=True,
    ),
    SYNTHESISE,
    FOLD,
    CANCEL,
    REWRITE,
    DEFER_PAULIS,
    LOWER_SURGERY,
)

ORDER: tuple[Order, ...] = (
    Order(
        "promote",
        "specialise",
        "values are quicker to follow than memory, and a circuit has neither",
    ),
    Order(
        "uncompute",
        "open-ends",
        "scratch qubits are in |0> where they begin, and none of them is left open",
    ),
    Order(
        "uncompute",
        "lower-gates",
        "segments are undone by value, and gates that are lowered permute no basis states",
    ),
    Order(
        "uncompute",
        "erase",
        "what it measures are the last of the gates that undo a segment",
    ),
    Order(
        "erase",
        "lower-gates",
        "it saves Toffolis, of which nothing is left then",
    ),
    Order(
        "lower-gates",
        "synthesise",
        "it leaves the rotations that are to be synthesised",
    ),
    Order(
        "open-ends",
        "lower-gates",
        "a qubit known to be |0> makes a Toffoli cheaper, and one that enters open is not known",
    ),
    Order(
        "lower-gates",
        "reduce-t",
        "it reduces T gates, which Toffolis must have become",
    ),
    Order(
        "reduce-t",
        "synthesise",
        "the words of rotations have many Hadamards and next to nothing to gain",
    ),
    Order(
        "fold",
        "reduce-t",
        "every T that is folded away before makes the search shorter",
    ),
    Order(
        "fold",
        "resynthesise",
        "each rotation costs gates on two qubits, until it is gone",
    ),
    Order(
        "resynthesise",
        "synthesise",
        "for it a rotation is as long as a T, and a word much longer",
    ),
    Order(
        "resynthesise",
        "rewrite",
        "rules are learned from what it leaves",
    ),
    Order(
        "rewrite",
        "defer-paulis",
        "Paulis that rules predicate on results are deferred with the others",
    ),
    Order(
        "resynthesise",
        "defer-paulis",
        "the back half does not change gates any more",
    ),
    Order(
        "synthesise",
        "defer-paulis",
        "Paulis do not commute through rotations, but through most gates of their words",
    ),
    Order(
        "synthesise",
        "lower-surgery",
        "patches have Clifford gates and take T states, but know no other gates",
    ),
    Order(
        "open-ends",
        "defer-paulis",
        "a Pauli still pending at the end of the program must be put back before it leaves open",
    ),
    Order(
        "defer-paulis",
        "lower-surgery",
        "patches have Pauli frames, which are classical expressions, but no predicated gates",
    ),
)


def misordered(rows: Sequence[Pass]) -> str:
    """What is wrong with running `rows` in this order, or nothing."""
    for row, following in pairwise(rows):
        if row.gives != following.takes:
            return (
                f"'{following.name}' takes a {following.takes}, "
                f"but '{row.name}' before it gives a {row.gives}"
            )
    first: dict[str, int] = {}
    for i, row in enumerate(rows):
        first.setdefault(row.name, i)  # a pass may run again behind what it must come before
    for order in ORDER:
        if first.get(order.before, -1) > first.get(order.after, len(rows)):
            return f"'{order.before}' must come before '{order.after}': {order.reason}"
    return ""


def _check_table() -> None:
    names = {row.name for row in PASSES}
    wrong = misordered(PASSES)
    assert not wrong, wrong
    assert {row.takes for row in PASSES} | {row.gives for row in PASSES} <= set(IRS)
    assert {name for order in ORDER for name in (order.before, order.after)} <= names


_check_table()


def select(start: str, end: str, level: int, extra: Sequence[Pass] = ()) -> list[Pass]:
    """The rows that an -O level runs to get from the IR `start` to `end`, and those in `extra`."""
    first, last = IRS.index(start), IRS.index(end)
    return [
        row
        for row in PASSES
        if (row in extra or (row.level is not None and row.level <= level))
        and first <= IRS.index(row.takes)
        and IRS.index(row.gives) <= last
    ]


def named(names: Sequence[str], start: str) -> list[Pass]:
    """The rows called `names`, in that order, to be run on the IR `start`."""
    by_name = {row.name: row for row in PASSES}
    for name in names:
        if name not in by_name:
            hint = did_you_mean(name, by_name) or f"the passes are {', '.join(by_name)}"
            raise error(f"unknown pass '{name}'", kind=Kind.USAGE, help=hint)
    rows = [by_name[name] for name in names]
    wrong = misordered(rows)
    if not wrong and rows and rows[0].takes != start:
        wrong = f"'{rows[0].name}' takes a {rows[0].takes}, but the input is a {start}"
    if wrong:
        raise error(f"these passes cannot run: {wrong}", kind=Kind.USAGE)
    return rows


EXTRAS = {
    "distributed": "cluster",
    "matplotlib": "plot",
    "qiskit_addon_cutting": "cut",
    "qiskit_aer": "simulate",
    "stimcirq": "cirq",
}
"""The extra of this package that brings a package which some modules need."""


def load(function: str) -> Callable[..., Any]:
    """The function named "module:name"; its module is imported now.

    Raises `CompileError` where that needs an extra which is not installed.
    """
    module, _, name = function.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as missing:
        package = str(missing.name).partition(".")[0]
        if package not in EXTRAS:
            raise
        message = f"this needs the package {package}, which is not installed"
        help = f"pip install 'qwasmc[{EXTRAS[package]}]'"
        raise error(message, kind=Kind.USAGE, help=help) from missing
    return found
