"""Small circuits as lists of rows on wires, rewrites that keep them equal and mutants.

Wires 0 ... n - 1 are the program's, later ones ancillas.  A row is a `Row`; the bit that a
measurement makes is named, so that rows can move.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME


class Row(NamedTuple):
    name: str
    on: tuple[int, ...]
    cond: str = ""
    """The bit it depends on, or a parity of several: "a+b", "a*b" for a conjunction."""
    bit: str = ""
    angle: float = 0.0
    paulis: str = ""
    own: bool = False
    """Whether it measures an ancilla of the compiler."""


Rows = list[Row]


def build(rows: Rows, n: int) -> Circuit:
    """The circuit; bits that the program measures are its results."""
    builder = CircuitBuilder(locations=Locations())
    file = builder.locations.add_file("a.qasm", "")
    loc = builder.locations.add(file, 1, 1, 2)
    now: dict[int, int] = {q: builder.add("alloc", attr=f"q{q}", loc=loc) for q in range(n)}
    bits: dict[str, int] = {}
    for row in rows:
        if row.name in ("alloc", "free"):
            if row.name == "alloc":
                now[row.on[0]] = builder.add("alloc", attr="")
            else:
                builder.add("free", [now.pop(row.on[0])])
            continue
        cond = -1
        if row.cond:
            names = row.cond.replace("*", "+").split("+")
            cond = bits[names[0]]
            if len(names) > 1:
                name = "and" if "*" in row.cond else "xor"
                cond = builder.add(name, [bits[name] for name in names])
        first = builder.add(
            row.name,
            [now[wire] for wire in row.on],
            cond=cond,
            angle=row.angle,
            attr=row.paulis or 0,
            loc=-1 if row.own else loc,
        )
        for slot, wire in enumerate(row.on):
            now[wire] = first + slot
        if row.bit:
            bits[row.bit] = first + len(row.on)
    for name, bit in bits.items():
        if not name.startswith("own"):
            builder.add("result", [bit], attr=name, loc=loc)
    return builder.freeze()


# -- random programs

ONE = ("h", "x", "y", "z", "s", "sdg", "sx", "sxdg", "t", "tdg")
TWO = ("cx", "cy", "cz", "swap")
THREE = ("ccx", "ccz", "cswap")
TURNS = ("rx", "ry", "rz", "p", "cp", "crz")


def gate(name: str, on: tuple[int, ...], cond: str = "", angle: float = 0.0) -> Row:
    return Row(name, on, cond, angle=angle)


def random_gates(rng: np.random.Generator, n: int, count: int, names: tuple[str, ...]) -> Rows:
    rows = []
    able = [name for name in names if BY_NAME[name].qubits <= n]
    for _ in range(count):
        name = str(rng.choice(able))
        on = tuple(rng.permutation(n)[: BY_NAME[name].qubits].tolist())
        angle = float(rng.choice([0.3, -1.1, math.pi / 4, math.pi / 2]))
        rows.append(gate(name, on, angle=angle if BY_NAME[name].angle else 0.0))
    return rows


def random_program(rng: np.random.Generator, n: int, count: int) -> Rows:
    """Gates, some measurements and resets, and gates that depend on what was measured."""
    names = (*ONE, *TWO, *THREE, "t", "tdg", "rz", "crz", "h", "h", "cx", "cx")
    rows: Rows = []
    bits: list[str] = []
    for row in random_gates(rng, n, count, names):
        kind = rng.random()
        if kind < 0.08 and len(bits) < 3:
            bits.append(f"m{len(bits)}")
            name = str(rng.choice(["measure_z", "measure_x", "measure_y", "ppm"]))
            on = tuple(rng.permutation(n)[: 2 if name == "ppm" and n > 1 else 1].tolist())
            letters = "".join(rng.choice(list("XYZ"), len(on))) if name == "ppm" else ""
            cond = str(rng.choice(bits[:-1])) if len(bits) > 1 and rng.random() < 0.2 else ""
            rows.append(Row(name, on, cond, bit=bits[-1], paulis=letters))
        elif kind < 0.1:
            rows.append(Row("reset", row.on[:1]))
        elif kind < 0.25 and bits:
            some = rng.choice(bits, size=int(rng.integers(1, 3)))
            cond = str(rng.choice(["+", "*"])).join(dict.fromkeys(some.tolist()))
            rows.append(row._replace(cond=cond))
        else:
            rows.append(row)
    return rows


# -- rewrites

TOFFOLI = (
    *[("cx", (1, 2)), ("tdg", (2,)), ("cx", (0, 2)), ("t", (2,)), ("cx", (1, 2)), ("tdg", (2,))],
    *[("cx", (0, 2)), ("t", (1,)), ("t", (2,)), ("cx", (0, 1)), ("t", (0,)), ("tdg", (1,))],
    ("cx", (0, 1)),
)
"""ccz, in 7 T."""

SAME: dict[str, tuple[tuple[tuple[str, tuple[int, ...]], ...], ...]] = {
    "x": ((("h", (0,)), ("z", (0,)), ("h", (0,))), (("sx", (0,)), ("sx", (0,)))),
    "y": ((("z", (0,)), ("x", (0,))),),
    "z": ((("s", (0,)), ("s", (0,))),),
    "s": ((("t", (0,)), ("t", (0,))),),
    "sdg": ((("z", (0,)), ("s", (0,))),),
    "t": ((("tdg", (0,)), ("s", (0,))), (("x", (0,)), ("tdg", (0,)), ("x", (0,)))),
    "h": ((("s", (0,)), ("sx", (0,)), ("s", (0,))),),
    "sx": ((("h", (0,)), ("s", (0,)), ("h", (0,))), (("sdg", (0,)), ("h", (0,)), ("sdg", (0,)))),
    "cx": ((("h", (1,)), ("cz", (0, 1)), ("h", (1,))),),
    "cz": ((("h", (0,)), ("cx", (1, 0)), ("h", (0,))), (("cz", (1, 0)),)),
    "cy": ((("sdg", (1,)), ("cx", (0, 1)), ("s", (1,))),),
    "swap": ((("cx", (0, 1)), ("cx", (1, 0)), ("cx", (0, 1))),),
    "ccx": ((("h", (2,)), *TOFFOLI, ("h", (2,))), (("ccx", (1, 0, 2)),)),
    "ccz": (TOFFOLI, (("ccz", (2, 0, 1)),)),
    "cswap": ((("cx", (2, 1)), ("ccx", (0, 1, 2)), ("cx", (2, 1))),),
}
"""Gates and other ways to write them, up to a global phase."""


def rewritten(rng: np.random.Generator, rows: Rows, n: int, times: int) -> Rows:
    """An equal circuit: identities, pairs that cancel, swaps of neighbours, gadgets."""
    rows = list(rows)
    for number in range(times):
        kind = rng.random()
        at = int(rng.integers(len(rows))) if rows else 0
        if kind < 0.35 and rows:
            rows[at : at + 1] = alternative(rng, rows[at], n, number)
        elif kind < 0.6:
            (new,) = random_gates(rng, n, 1, (*ONE, *TWO, *THREE, "rz"))
            inverse = new._replace(name=BY_NAME[new.name].inverse or "", angle=-new.angle)
            rows[at:at] = [new, inverse]
        elif at + 1 < len(rows) and free_to_swap(rows[at], rows[at + 1]):
            rows[at : at + 2] = [rows[at + 1], rows[at]]
    return rows


def alternative(rng: np.random.Generator, row: Row, n: int, number: int) -> Rows:
    """Other rows for a gate; a bit of its own is called after `number`."""
    own = f"own{number}"
    anc = n + number
    if row.cond or row.bit:
        return [row]
    if row.name == "h" and rng.random() < 0.5:
        return hadamard_gadget(row.on[0], anc, own)
    if row.name == "t" and rng.random() < 0.5:
        return t_gadget(row.on[0], anc, own)
    if row.name == "ccz" and rng.random() < 0.7:
        return ccz_gadget(*row.on, anc, own)
    if row.name in SAME:
        ways = SAME[row.name]
        return [
            gate(name, tuple(row.on[slot] for slot in slots))
            for name, slots in ways[int(rng.integers(len(ways)))]
        ]
    return [row]


def free_to_swap(a: Row, b: Row) -> bool:
    """Whether rows act on different wires, and neither needs the other's bit or order."""
    if set(a.on) & set(b.on) or (a.bit and b.bit) or (a.name == b.name == "reset"):
        return False
    return not (a.bit and a.bit in b.cond) and not (b.bit and b.bit in a.cond)


def hadamard_gadget(q: int, anc: int, own: str) -> Rows:
    """H by a measurement: the ancilla takes the state over, then gives it back."""
    return [
        *[Row("alloc", (anc,)), gate("h", (anc,)), gate("cz", (q, anc))],
        *[Row("measure_x", (q,), bit=own, own=True), gate("x", (anc,), own)],
        *[Row("reset", (q,), own=True), gate("swap", (q, anc)), Row("free", (anc,))],
    ]


def t_gadget(q: int, anc: int, own: str) -> Rows:
    """T by a T state, a measurement and a corrected S."""
    return [
        *[Row("alloc", (anc,)), gate("h", (anc,)), gate("t", (anc,)), gate("cx", (q, anc))],
        *[Row("measure_z", (anc,), bit=own, own=True), gate("s", (q,), own)],
        Row("free", (anc,)),
    ]


def ccz_gadget(a: int, b: int, c: int, anc: int, own: str) -> Rows:
    """CCZ by a temporary AND in 4 T (Gidney, arXiv:1709.06648), undone by a measurement."""
    return [
        *[Row("alloc", (anc,)), gate("h", (anc,)), gate("t", (anc,)), gate("cx", (a, anc))],
        *[gate("tdg", (anc,)), gate("cx", (b, anc)), gate("t", (anc,)), gate("cx", (a, anc))],
        *[gate("tdg", (anc,)), gate("h", (anc,)), gate("sdg", (anc,)), gate("cz", (anc, c))],
        *[Row("measure_x", (anc,), bit=own, own=True), gate("cz", (a, b), own)],
        Row("free", (anc,)),
    ]


# -- mutants


def mutant(rng: np.random.Generator, rows: Rows, n: int) -> Rows:
    """One row dropped, added or altered."""
    rows = list(rows)
    gates = [k for k, row in enumerate(rows) if not row.bit and row.name not in ("alloc", "free")]
    if not gates:
        return random_gates(rng, n, 1, ("t", "h", "x"))
    at = int(rng.choice(gates))
    row = rows[at]
    kind = rng.random()
    if kind < 0.25:
        del rows[at]
    elif kind < 0.4 and row.cond:
        rows[at] = row._replace(cond="")
    elif kind < 0.6 and row.angle:
        rows[at] = row._replace(angle=row.angle + float(rng.choice([1e-3, math.pi / 4])))
    elif kind < 0.8 and BY_NAME[row.name].inverse not in (None, row.name):
        rows[at] = row._replace(name=BY_NAME[row.name].inverse or "")
    elif kind < 0.9 and len(row.on) > 1:
        rows[at] = row._replace(on=(row.on[1], row.on[0], *row.on[2:]))
    else:
        rows[at:at] = random_gates(rng, n, 1, (*ONE, *TWO))
    return rows
