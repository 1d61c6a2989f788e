"""Random programs in OpenQASM 2, with the line that each of their operations is on."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

PLAIN = ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "id")
TURNS = {"rx": 1, "ry": 1, "rz": 1, "u1": 1, "p": 1, "u2": 2, "u3": 3, "u": 3, "U": 3}
PAIRS = {"cx": 0, "cz": 0, "cy": 0, "swap": 0, "ch": 0, "CX": 0, "csx": 0}
PAIR_TURNS = {"crz": 1, "cu1": 1, "cp": 1, "rzz": 1, "rxx": 1, "crx": 1, "cry": 1, "cu3": 3}
TRIPLES = ("ccx", "cswap", "rccx")
ANGLES = ("pi/2", "-pi/4", "0.3", "sin(0.4)+1", "2*pi/3", "sqrt(2)^2", "-(1.5e-1)", "pi")


@dataclass
class Maker:
    """Writes statements; `lines` are those of the operations, once for each element."""

    random: Random
    measured: bool
    text: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)
    gates: dict[str, tuple[int, int]] = field(default_factory=dict)
    clbits: int = 0
    outcomes: int = 0

    def make(self) -> str:
        self.text = ["// a comment: h q;", "OPENQASM 2.0;", 'include "qelib1.inc";']
        for _ in range(self.random.randint(0, 2)):
            self.define()
        for name in ("q", "anc")[: self.random.randint(1, 2)]:
            self.sizes[name] = self.random.randint(1, 3) if name == "q" else 2
            self.text.append(f"qreg {name}[{self.sizes[name]}];")
        if self.measured:
            self.text += ["creg c[2];", "creg", "  d [3] ;"]
        for _ in range(self.random.randint(2, 12)):
            self.statement()
        notes = self.random.choices(["", "", " // x q[0]; }"], k=len(self.text))
        return "\n".join(line + note for line, note in zip(self.text, notes, strict=True))

    def define(self) -> None:
        """A gate definition, maybe of a name that Qiskit knows otherwise."""
        names = [n for n in ("mine", "other", "swap", "rzz", "csx") if n not in self.gates]
        name = self.random.choice(names)
        params = self.random.randint(0, 2) if name in ("mine", "other") else int(name == "rzz")
        qubits = self.random.randint(1, 3) if name in ("mine", "other") else 2
        formal = ", ".join("ab"[:params])
        wires = ["x0", "x1", "x2"][:qubits]
        body = []
        for _ in range(self.random.randint(0, 3)):
            angle = self.random.choice(["a*2", "-a", "a/3+cos(a)", "pi"]) if params else "0.7"
            body.append(f"  {self.random.choice(['u1', 'rx', 'ry'])}({angle}) {wires[-1]};")
            if qubits > 1:
                body.append(f"  cx {wires[0]}, {wires[1]}; barrier {wires[0]}, {wires[1]};")
        for known, (count, width) in self.gates.items():
            if width <= qubits and self.random.random() < 0.5:
                given = ", ".join([formal.split(",")[0] or "0.2"] * count)
                body.append(f"  {known}({given}) {', '.join(wires[:width])};")
        shown = f"({formal})" if params or self.random.random() < 0.3 else ""
        self.text += [f"gate {name}{shown} {','.join(wires)} {{", *body, "}"]
        self.gates[name] = params, qubits

    def statement(self) -> None:
        kind = self.random.random()
        before = ""
        if self.measured and self.random.random() < 0.25:
            before = f"if ({self.random.choice('cd')}=={self.random.randrange(3)}) "
        if self.measured and kind < 0.2 and self.outcomes < 6:
            self.measure(before)
        elif self.measured and kind < 0.3 and self.outcomes < 6:
            self.apply(f"{before}reset", 1, outcomes=True)
        elif kind < 0.35:
            self.write(f"barrier {self.random.choice(list(self.sizes))};", 1)
        else:
            name, params, qubits = self.gate()
            angles = ", ".join(self.random.choice(ANGLES) for _ in range(params))
            shown = f"({angles})" if params else ""
            self.apply(f"{before}{name}{shown}", qubits)

    def gate(self) -> tuple[str, int, int]:
        tables = [
            *[(name, 0, 1) for name in PLAIN],
            *[(name, count, 1) for name, count in TURNS.items()],
            *[(name, count, 2) for name, count in {**PAIRS, **PAIR_TURNS}.items()],
            *[(name, 0, 3) for name in TRIPLES],
        ]
        defined = [(name, *shape) for name, shape in self.gates.items()]
        known = [row for row in tables if row[0] not in self.gates]
        able = [row for row in known + defined * 8 if row[2] <= sum(self.sizes.values())]
        return self.random.choice(able)

    def apply(self, name: str, qubits: int, *, outcomes: bool = False) -> None:
        """On elements, or on whole registers."""
        every = [(reg, at) for reg, size in self.sizes.items() for at in range(size)]
        if qubits == 1 and self.random.random() < 0.3:
            register = self.random.choice(list(self.sizes))
            self.outcomes += outcomes * self.sizes[register]
            self.write(f"{name} {register};", self.sizes[register])
        elif qubits == 2 and len(self.sizes) > 1 and self.random.random() < 0.3:
            at = self.random.randrange(self.sizes["q"])
            self.write(f"{name} anc , q[{at}];", self.sizes["anc"])
        else:
            chosen = self.random.sample(every, qubits)
            self.outcomes += outcomes
            operands = ",".join(f"{register}[{at}]" for register, at in chosen)
            self.write(f"{name} {operands};", 1)

    def measure(self, before: str) -> None:
        if "anc" in self.sizes and self.random.random() < 0.3:
            self.outcomes += 2
            self.write(f"{before}measure anc -> c;", 2)
            return
        self.outcomes += 1
        at, bit = self.random.randrange(self.sizes["q"]), self.random.randrange(3)
        self.write(f"{before}measure q[{at}] -> d[{bit}];", 1)

    def write(self, statement: str, count: int) -> None:
        """One statement, at times after another one on its line, or over two lines."""
        if self.random.random() < 0.1 and " " in statement:
            head, _, tail = statement.rpartition(" ")
            self.text += [f"  {head}", tail]
            line = len(self.text) - 1
        elif self.random.random() < 0.2:
            self.text[-1] += f" {statement}"
            line = len(self.text)
        else:
            self.text.append(statement)
            line = len(self.text)
        self.lines += [line] * count


def random_program(random: Random, *, measured: bool) -> tuple[str, list[int]]:
    """A program, and the lines of Qiskit's instructions."""
    maker = Maker(random, measured)
    return maker.make(), maker.lines
