"""The reference page of the op table; `python tests/ops_page.py --write` rewrites docs/ops.md."""

from __future__ import annotations

import sys
from pathlib import Path

from qwasmc.ops import OPS, Cost, OpSpec

PAGE = Path(__file__).parent.parent / "docs" / "ops.md"

HEAD = """# Operations

Every operation of the program and circuit IR is a row of the table in `compiler/ops.py`; this
page is made from it. In the text form an operation is called `qw.` and its name, takes its
qubits and then its bits, and gives its qubits back in the same order, then the bit it makes.
`n` is any number. An operation that neither makes nor ends a value may be predicated on a bit,
which is then the last operand (`cond`).
"""

COSTS = {
    Cost.FREE: "free",
    Cost.CLIFFORD: "Clifford",
    Cost.MAGIC: "one T state",
    Cost.SYNTHESIS: "rewritten first",
}

COLUMNS = ("name", "takes", "makes", "attributes", "inverse", "Stim", "Qiskit", "QIR", "cost")


def ops_page() -> str:
    """The page: a table, and what each operation does."""
    lines = [HEAD, f"| {' | '.join(COLUMNS)} |", f"|{'---|' * len(COLUMNS)}"]
    lines += [f"| {' | '.join(cells(spec))} |" for spec in OPS]
    lines += ["", *(f"- `{spec.name}`: {spec.doc}" for spec in OPS)]
    return "\n".join(lines) + "\n"


def cells(spec: OpSpec) -> list[str]:
    """A row of the page."""
    made = 1 if spec.makes_qubit else 0 if spec.ends_qubit else spec.qubits
    attributes = [spec.attr] if spec.attr else []
    attributes += ["angle"] if spec.angle else []
    return [
        f"`{spec.name}`",
        amount(spec.qubits, spec.bits),
        amount(made, int(spec.makes_bit)),
        ", ".join(f"`{name}`" for name in attributes),
        f"`{spec.inverse}`" if spec.inverse else "",
        f"`{spec.stim}`" if spec.stim else "",
        f"`{spec.qiskit}`" if spec.qiskit else "",
        f"`{spec.qir}`" if spec.qir else "",
        COSTS[spec.cost],
    ]


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
