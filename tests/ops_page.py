"""The reference page of the op table; `python tests/ops_page.py --write` rewrites it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from qwasmc.ops import OPS, Cost, Effect, OpSpec, Type
from qwasmc.scalars import FLOAT_PREDICATES, FUNCTIONS, INTEGER_PREDICATES

PAGE = Path(__file__).parent.parent / "docs" / "reference" / "ops.md"

HEAD = """# Operations

Every operation of the program and circuit IR is a row of the table in `compiler/ops.py`; this
page is made from it. In the text form an operation is called `qw.` and its name, takes its
qubits and then its bits, and gives its qubits back in the same order, then the bit it makes.
`n` is any number. Gates that permute basis states may compute scratch qubits.

Gates, resets and measurements may be predicated on a bit, which is then the last operand (`cond`):
where it is 0, the qubits stay as they are and the outcome is 0. In a program the angle of a
rotation may be computed: an operand of type `f64` after the qubits takes the place of the
attribute.
"""

COSTS = {
    Cost.FREE: "free",
    Cost.CLIFFORD: "Clifford",
    Cost.MAGIC: "one T state",
    Cost.SYNTHESIS: "rewritten first",
}

EFFECTS = {Effect.NONE: "", Effect.DIAGONAL: "keeps", Effect.PERMUTES: "permutes"}

COLUMNS = (
    *("name", "takes", "makes", "attributes", "inverse", "Stim", "Qiskit", "QIR", "basis states"),
    "cost",
)

CLASSICAL = """
## Numbers, memory and slots

Only programs have what follows. It is run when a program becomes a circuit; what depends on
measurement results becomes `xor`, `and` and predicated operations. Integers have 64 bits and wrap
around, floating-point numbers are those of IEEE 754. An address or the number of a slot is an
integer.
"""

FLOW = """
## Control flow

A function consists of blocks with arguments; the last operation of a block says where it goes on,
and hands over the arguments. No operation leads to the first block, whose arguments are the
function's parameters.
"""

WORDS = {
    "`cmpi`": INTEGER_PREDICATES,
    "`cmpf`": FLOAT_PREDICATES,
    "`mathf`": FUNCTIONS,
}
"""What the attributes of some rows may say."""

NAMES = {Type.QUBIT: "qubit", Type.I1: "i1", Type.I64: "i64", Type.F64: "f64"}


def ops_page() -> str:
    """The page: a table of what circuits have and one of the rest, and what each row does."""
    both = [spec for spec in OPS if spec.in_circuit]
    flow = [spec for spec in OPS if spec.ends_block or spec.flexible]
    numbers = [spec for spec in OPS if spec not in both and spec not in flow]
    lines = [HEAD, *table(COLUMNS, [cells(spec) for spec in both])]
    lines += ["", *(f"- `{spec.name}`: {spec.doc}" for spec in both)]
    columns = ("name", "takes", "makes", "attribute", "what it does")
    lines += [CLASSICAL, *table(columns, [number_cells(spec) for spec in numbers])]
    lines += [
        "",
        *(f"- {row} knows {', '.join(map(code, words))}." for row, words in WORDS.items()),
    ]
    columns = ("name", "takes", "goes on in", "attribute", "what it does")
    lines += [FLOW, *table(columns, [flow_cells(spec) for spec in flow])]
    return "\n".join(lines) + "\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table."""
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def cells(spec: OpSpec) -> list[str]:
    """A row of the table of what circuits have."""
    attributes = [spec.attr] if spec.attr else []
    attributes += ["angle"] if spec.angle else []
    return [
        code(spec.name),
        amount(spec.qubits, spec.bits),
        amount(spec.made_qubits(spec.qubits), int(spec.makes_bit)),
        ", ".join(map(code, attributes)),
        code(spec.inverse or ""),
        code(spec.stim),
        code(spec.qiskit),
        code(spec.qir),
        EFFECTS[spec.effect],
        COSTS[spec.cost],
    ]


def number_cells(spec: OpSpec) -> list[str]:
    """A row of the table of operations on numbers."""
    takes = [Type.QUBIT] * spec.qubits + [Type.I1] * spec.bits + [*spec.takes]
    made = spec.made_qubits(spec.qubits)
    makes = [Type.QUBIT] * made + [Type.I1] * spec.makes_bit + [*spec.makes]
    return [code(spec.name), listed(takes), listed(makes), code(spec.attr), spec.doc]


def flow_cells(spec: OpSpec) -> list[str]:
    """A row of the table of control flow."""
    takes = "any values" if spec.flexible else listed([Type.I1] * spec.bits)
    if spec.targets:
        blocks = f"{spec.targets} block{'' if spec.targets == 1 else 's'}"
    else:
        blocks = "" if spec.ends_block else "the next operation"
    return [code(spec.name), takes, blocks, code(spec.attr), spec.doc]


def code(text: str) -> str:
    """The text as code, if there is any."""
    return f"`{text}`" if text else ""


def listed(types: Sequence[Type]) -> str:
    """Types in a cell."""
    return ", ".join(NAMES[type] for type in types) or "nothing"


def amount(qubits: int, bits: int) -> str:
    """Numbers of qubits and bits, in words."""
    parts = [
        f"{'n' if count < 0 else count} {what}{'' if count == 1 else 's'}"
        for count, what in ((qubits, "qubit"), (bits, "bit"))
        if count
    ]
    return ", ".join(parts) or "nothing"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(ops_page())
    else:
        sys.stdout.write(ops_page())
