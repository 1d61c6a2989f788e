"""Random programs for the certificate, with circuits that do the same, and wrong ones."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.wires import to_circuit, to_wires
from qwasmc.ops import BY_NAME, CODE, OPS

INPUTS = ["a", "b", "c", "r"]
SCRATCH = ["v", "w"]


class Pair:
    """A program with a segment, and the same with ancillas that are undone or measured."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.before = [f"input {name}" for name in INPUTS] + [f"alloc {name}" for name in SCRATCH]
        self.after = [f"input {name}" for name in INPUTS]
        self.writes = {"v": self.group("v", "abc"), "w": self.group("w", "abcv")}
        early = self.rng.random() < 0.3
        self.before.append("rev_begin f v w")
        for name, rows in self.writes.items():
            self.before += rows
            self.compute(name)
        self.before.append("rev_end f")
        if early:
            self.after += ["early = measure_x _v", "free _v"]
        for _ in range(self.rng.randint(1, 4)):
            self.both(self.act("abcw" if early else "abcvw"))
        self.before.append("uncompute f")
        if early:
            self.compute("v")
        self.undo("w")
        repairs = self.undo("v", "early" if early else "")
        for _ in range(self.rng.randint(0, 3)):
            self.both(self.act("abc"))
        self.after += repairs
        self.both(self.rng.choice([["h a"], ["k = measure_z b", "result k k"], ["sx r"], []]))

    def group(self, name: str, readable: str) -> list[str]:
        """What computes a scratch qubit, perhaps with a temporary change of another qubit."""
        rows = []
        for _ in range(self.rng.randint(1, 3)):
            p, q = self.rng.sample(readable, 2)
            rows += self.rng.choice(
                [
                    [f"cx {p} {name}"],
                    [f"ccx {p} {q} {name}"],
                    [f"x {name}", f"ccx {p} {q} {name}"],
                    ["cx a b", f"ccx b c {name}", "cx a b"],
                ]
            )
        return rows

    def act(self, usable: str) -> list[str]:
        """Rows that leave the inputs and the scratch qubits as they are."""
        p, q = self.rng.sample(usable, 2)
        return self.rng.choice(
            [
                *([f"{name} {p}"] for name in ("z", "s", "t", "tdg")),
                *([f"{name} {p} {q} 0.7"] for name in ("cp", "crz", "ppr ZZ")),
                *([f"{name} {p} r"] for name in ("cx", "cy")),
                *([f"{name} {p} {q} r"] for name in ("ccx", "ccz")),
                [f"cz {p} {q}"],
                ["h r"],
                [f"rz {p} 0.3"],
            ]
        )

    def both(self, rows: list[str]) -> None:
        self.before += rows
        self.after += map(renamed, rows)

    def compute(self, name: str) -> None:
        self.after += [f"alloc _{name}", *map(renamed, self.writes[name])]

    def undo(self, name: str, pending: str = "") -> list[str]:
        """Undo an ancilla by gates or by a measurement; corrections that may wait."""
        rows = [renamed(row) for row in reversed(self.writes[name])]
        if not pending and self.rng.random() < 0.4:
            self.after += [*rows, f"free _{name}"]
            return []
        outcome = f"m{name}"
        self.after += [f"{outcome} = measure_x _{name}", f"free _{name}"]
        if pending:
            self.after.append(f"both = xor {outcome} {pending}")
            outcome = "both"
        repairs = []
        for row in rows:
            gate, *words = row.split()
            if words[-1] != f"_{name}":
                repairs.append(row)
            elif len(words) > 1:
                repair = {"cx": "z", "ccx": "cz"}[gate]
                repairs.append(f"{repair} {' '.join(words[:-1])} if {outcome}")
        if name == "v":
            return repairs
        self.after += repairs
        return []


def renamed(row: str) -> str:
    """A row with ancillas in place of scratch qubits."""
    gate, *words = row.split()
    return " ".join([gate, *(f"_{word}" if word in SCRATCH else word for word in words)])


GATES = ["x", "y", "z", "s", "t", "h", "h", "sx", "rx", "ry", "rz", "cx", "cx", "cy", "cz", "cp"]
GATES += ["swap", "ccx", "ppr XZ", "ppr YX"]


def controlled_rows(rng: Random, free: list[str], depth: int = 0) -> list[str]:
    """Gates, control regions and conjugations, on some qubits."""
    rows = []
    for _ in range(rng.randint(1, 2)):
        kind = rng.random() if depth < 3 else 1
        if kind < 0.4:
            around = [random_gate(rng, free) for _ in range(rng.randint(1, 3))]
            undone = [inverse(row) for row in reversed(around)]
            rows += [*around, *controlled_rows(rng, free, depth + 1), *undone]
        elif kind < 0.7 and len(free) > 2:
            controls = rng.sample(free, rng.randint(1, 2))
            others = [name for name in free if name not in controls]
            inner = controlled_rows(rng, others, depth + 1)
            rows += [f"ctrl_begin {' '.join(controls)}", *inner, "ctrl_end"]
        else:
            rows.append(random_gate(rng, free))
    return rows


def random_gate(rng: Random, free: list[str]) -> str:
    """A gate on some of the qubits."""
    name = rng.choice(GATES)
    spec = BY_NAME[name.split()[0]]
    count = 2 if spec.qubits < 0 else spec.qubits
    if count > len(free):
        name, spec, count = "h", BY_NAME["h"], 1
    angle = f" {rng.choice(['0.3', '-0.3'])}" if spec.angle else ""
    return f"{name} {' '.join(rng.sample(free, count))}{angle}"


def inverse(row: str) -> str:
    """The inverse of a gate."""
    name, *words = row.split()
    if BY_NAME[name].angle:
        words[-1] = {"0.3": "-0.3", "-0.3": "0.3"}[words[-1]]
    return " ".join([str(BY_NAME[name].inverse), *words])


SIMILAR = (
    ("x", "z", "h", "s", "t", "tdg", "sdg", "sx"),
    ("cx", "cz", "swap", "cy"),
    ("ccx", "ccz", "cswap"),
)


def mutant(circuit: Circuit, rng: Random) -> Circuit:
    """The circuit with a gate dropped, doubled, replaced, exchanged with its neighbour, or with
    its qubits exchanged; or the same."""
    wired = to_wires(circuit)
    gates = [row for row, code in enumerate(wired.op.tolist()) if OPS[code].is_gate]
    row, kind = rng.choice(gates), rng.randrange(5)
    order = list(range(len(wired)))
    op, operands = wired.op.copy(), wired.operands.copy()
    name = OPS[op[row]].name
    count = BY_NAME[name].qubits
    if kind == 0:
        order.remove(row)
    elif kind == 1:
        order.insert(row, row)
    elif kind == 2 and count > 1:
        a, b = rng.sample(range(count), 2)
        operands[row, [a, b]] = operands[row, [b, a]]
    elif kind == 3 and count > 0:
        op[row] = CODE[rng.choice(SIMILAR[count - 1])]
    elif row + 1 in gates:
        order[row], order[row + 1] = row + 1, row
    columns = ("made", "cond", "angle", "attr", "loc")
    return to_circuit(
        replace(
            wired,
            op=op[order],
            operands=operands[order],
            **{column: getattr(wired, column)[order] for column in columns},
        )
    )
