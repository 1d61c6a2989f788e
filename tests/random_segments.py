"""Random QWASM programs with reversible segments, for tests.

Most can be undone: scratch qubits are computed from data and each other, what they were computed
from is left alone as a rule, and segments are undone from the last to the first as a rule.  Now and
then a rule is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

ONTO = ("QLX", "QLY", "QLCNOT", "QLCNOT", "QLCCX", "QLCCX", "APPLY_CY", "QLSWAP", "APPLY_FREDKIN")
"""Gates that compute scratch."""

PHASES = (
    *("QLZ", "QLS", "QLT", "QLTDG", "QLRZ", "APPLY_P", "QLCZ", "APPLY_CP", "APPLY_CRZ", "QLCCZ"),
    "QLPPR",
)

ARITY = {"QLCNOT": 2, "APPLY_CY": 2, "QLSWAP": 2, "QLCCX": 3, "APPLY_FREDKIN": 3} | {
    "QLCZ": 2,
    "APPLY_CP": 2,
    "APPLY_CRZ": 2,
    "QLCCZ": 3,
    "QLPPR": 2,
}


@dataclass
class Writer:
    """Writes a program."""

    rng: np.random.Generator
    lines: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    clean: list[str] = field(default_factory=list)
    """Scratch qubits in |0>."""
    bits: list[str] = field(default_factory=list)
    """Registers with outcomes."""
    held: list[str] = field(default_factory=list)
    """Data that scratch was computed from that is to be undone yet."""
    names: int = 0
    spent: list[str] = field(default_factory=list)
    """Names of segments that are undone."""
    regions: bool = False
    """Whether there are qubits c0 and c1 for control regions."""
    inside: bool = False
    """Whether what is written is in a loop or in a control region."""
    careless: float = 0.02
    """How often a rule is broken."""

    def add(self, line: str) -> None:
        self.lines.append(line)

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def pick(self, items: list[str], count: int = 1) -> list[str]:
        return [items[at] for at in self.rng.permutation(len(items))[:count]]

    def gate(self, name: str, qubits: list[str], on_bits: float = 0.0) -> str:
        """The text of a gate."""
        angle = f"{self.rng.uniform(-3, 3):.3f}"
        text = f"{name} {', '.join(qubits)}"
        if name == "QLRZ":
            text = f"{name} {qubits[0]}, {angle}"
        elif name == "QLPPR":
            text = f'{name} "ZZ", {angle}, {", ".join(qubits)}'
        elif name in ("APPLY_P", "APPLY_CP", "APPLY_CRZ"):
            text += f", theta={angle}"
        if self.bits and self.chance(on_bits):
            return f"IF {self.pick(self.bits)[0]}: {text}"
        return text

    def every(self, scratch: list[str]) -> list[str]:
        """Data and scratch qubits."""
        return list(dict.fromkeys([*self.data, *scratch]))

    # -- a program

    def program(self) -> str:
        rng = self.rng
        self.data = [f"d{at}" for at in range(rng.integers(2, 5))]
        self.clean = [f"s{at}" for at in range(rng.integers(1, 5))]
        self.add(".caps CAP_ALLOC CAP_MAGIC")
        self.add(f"ALLOC_LQ n={len(self.data)} -> {', '.join(self.data)}")
        self.add(f"ALLOC_LQ n={len(self.clean)} -> {', '.join(self.clean)}")
        self.regions = len(self.data) < 4 and self.chance(0.6)
        if self.regions:
            self.add("ALLOC_LQ n=2 -> c0, c1")
        for each in [*self.data, *(["c0", "c1"] if self.regions else [])]:
            self.add(f"QLRY {each}, {rng.uniform(0.4, 2.7):.3f}")
            self.add(f"QLRZ {each}, {rng.uniform(0.4, 2.7):.3f}")
        if self.chance(0.4):
            self.measured()
        for _ in range(rng.integers(1, 4)):
            if not self.clean:
                break
            kind = rng.integers(10)
            if kind == 0:
                self.loop()
            elif kind == 1:
                self.two_segments()
            elif kind == 2:
                self.renewed()
            elif kind <= 4 and self.regions:
                self.controlled(self.segment)
            else:
                self.segment()
            self.between()
        return "\n".join(self.lines) + "\n"

    def measured(self) -> None:
        """A bit to depend on."""
        register = f"r{len(self.bits)}"
        self.add(f"ALLOC_LQ n=1 -> m{len(self.bits)}")
        self.add(f"QLH m{len(self.bits)}")
        if self.chance(0.5):
            self.add(f"QLCNOT {self.pick(self.data)[0]}, m{len(self.bits)}")
        self.add(f"QLMEASURE m{len(self.bits)}, {register}")
        self.bits.append(register)

    def controlled(self, write: Callable[[], None]) -> None:
        """Something in a control region, or in two."""
        self.inside = True
        controls = [["c0"], ["c0", "c1"], ["c1"]][self.rng.integers(3)]
        self.add(f"CTRL_BEGIN {', '.join(controls)}")
        write()
        if len(controls) == 1 and self.chance(0.2):
            self.add(f"CTRL_BEGIN c{1 - int(controls[0][1])}")
            self.act([], [])
            self.add("CTRL_END")
        self.add("CTRL_END")
        self.inside = False

    def between(self) -> None:
        """Something that is not in a segment."""
        for _ in range(self.rng.integers(3)):
            self.add(self.gate(*self.on("QLH", "QLT", "QLCNOT", "QLCZ"), on_bits=0.1))

    def on(self, *names: str) -> tuple[str, list[str]]:
        """One of some gates, on data."""
        name = self.pick([each for each in names if ARITY.get(each, 1) <= len(self.data)])[0]
        return name, self.pick(self.data, ARITY.get(name, 1))

    def renewed(self) -> None:
        """A scratch qubit is freed and allocated again, or reset."""
        for each in self.pick(self.clean):
            if self.chance(0.5):
                self.add(f"FREE_LQ {each}")
                self.add(f"ALLOC_LQ n=1 -> {each}")
            else:
                if self.chance(0.5):
                    self.add(f"QLCNOT {self.pick(self.data)[0]}, {each}")
                self.add(f"QLRESET {each}")
        self.segment()

    def loop(self) -> None:
        """A segment some times."""
        label = f"again{len(self.lines)}"
        self.add(f"MOV r9, {self.rng.integers(2, 4)}")
        self.add(f"{label}:")
        self.inside = True
        self.segment()
        self.inside = False
        self.add("SUB r9, r9, 1")
        self.add(f"JNZ r9, {label}")

    # -- segments

    def name(self) -> str:
        """A name, which may be that of a segment that is undone."""
        if self.spent and self.chance(0.5):
            return self.spent.pop()
        self.names += 1
        return f"n{self.names}"

    def segment(self, depth: int = 0, keep: list[str] | None = None) -> None:
        """A segment, an action, and the segment is undone."""
        name, scratch, held = self.compute(depth)
        if self.regions and self.chance(0.2) and not depth and not self.inside:
            self.controlled(lambda: self.act(scratch, []))
        self.act(scratch, keep or [])
        if not self.chance(self.careless):
            self.undo(name, scratch, held)

    def two_segments(self) -> None:
        """Two segments, which are undone in some order."""
        both = [self.compute(1)]
        if self.clean:
            both.append(self.compute(1))
        self.act([each for _, scratch, _ in both for each in scratch], [])
        order = both[::-1] if self.chance(0.7) else both
        for each in order:
            self.undo(*each)
            if self.chance(0.3):
                self.act([], [])

    def undo(self, name: str, scratch: list[str], held: int) -> None:
        self.add(f"UNCOMPUTE {name}")
        self.spent.append(name)
        self.clean += scratch
        del self.held[held:]

    def compute(self, depth: int) -> tuple[str, list[str], int]:
        """A segment; its name and scratch qubits, and how many qubits were held before."""
        rng, name, held = self.rng, self.name(), len(self.held)
        scratch = self.pick(self.clean, int(rng.integers(1, len(self.clean) + 1)))
        listed = list(scratch)
        if self.chance(0.15):  # a data qubit is scratch, too, and what it holds comes back
            listed += [each for each in self.pick(self.data) if each not in self.held]
        self.held += [each for each in listed if each in self.data]
        explicit = len(listed) > len(scratch) or self.chance(0.3)
        self.add(f"REV_BEGIN {name}{''.join(f', {each}' for each in listed if explicit)}")
        self.clean = [each for each in self.clean if each not in scratch]
        if self.chance(0.1) and not explicit and not self.inside:
            scratch.append(f"w{len(self.lines)}")
            listed.append(scratch[-1])
            self.add(f"ALLOC_LQ n=1 -> {scratch[-1]}")
        for wire in scratch:
            self.onto(wire, listed)
        for _ in range(rng.integers(5)):
            kind = rng.integers(12)
            if kind == 0 and depth < 2 and self.clean:
                self.segment(depth + 1, keep=listed)
            elif kind <= 2:
                self.temporary(listed)
            elif kind == 3:
                self.result(listed)
            elif kind == 4:
                self.add(self.gate(*self.phase(listed), on_bits=0.1))
            else:
                self.onto(self.pick(listed)[0], listed)
        self.add("REV_END")
        return name, scratch, held

    def onto(self, wire: str, scratch: list[str]) -> None:
        """Compute a scratch qubit."""
        others = [each for each in self.every(scratch) if each != wire]
        name = self.pick([each for each in ONTO if ARITY.get(each, 1) <= len(others)])[0]
        arity = ARITY.get(name, 1)
        if name in ("QLSWAP", "APPLY_FREDKIN") and len(scratch) < 2:
            name, arity = "QLCNOT", 2
        partner = [each for each in scratch if each != wire]
        if name == "QLSWAP":
            qubits = [*self.pick(partner), wire]
        elif name == "APPLY_FREDKIN":
            other = self.pick(partner)[0]
            left = [each for each in others if each != other]
            qubits = [*self.pick(left), other, wire]
        else:
            qubits = [*self.pick(others, arity - 1), wire]
        if self.chance(self.careless):
            qubits = self.pick([*others, wire], arity)
        self.held += [each for each in qubits if each in self.data and each not in scratch]
        self.add(self.gate(name, qubits, on_bits=0.15))

    def temporary(self, scratch: list[str]) -> None:
        """A data qubit changes for a while."""
        name, qubits = self.on("QLX", "QLCNOT", "QLCCX", "QLSWAP")
        text = self.gate(name, qubits, on_bits=0.1)
        self.add(text)
        self.onto(self.pick(scratch)[0], scratch)
        self.held += qubits
        if not self.chance(self.careless):
            self.add(text)

    def result(self, scratch: list[str]) -> None:
        """Something is computed onto a data qubit that is not used to compute."""
        free = [each for each in self.data if each not in self.held and each not in scratch]
        if self.chance(self.careless):
            free = self.data
        if free:
            target = self.pick(free)[0]
            controls = [each for each in self.every(scratch) if each != target]
            name = self.pick(["QLCNOT", "QLCCX"])[0]
            if len(controls) > 1 or name == "QLCNOT":
                some = self.pick(controls, ARITY[name] - 1)
                self.add(self.gate(name, [*some, target], on_bits=0.1))

    def phase(self, scratch: list[str]) -> tuple[str, list[str]]:
        """A diagonal gate on some qubits."""
        every = self.every(scratch)
        name = self.pick([each for each in PHASES if ARITY.get(each, 1) <= len(every)])[0]
        return name, self.pick(every, ARITY.get(name, 1))

    def act(self, scratch: list[str], keep: list[str]) -> None:
        """What the segment is for; writes the qubits in `keep`, if there are any."""
        for _ in range(self.rng.integers(1, 5)):
            kind = self.rng.integers(8)
            free = [each for each in self.data if each not in self.held]
            if kind < 3:
                self.add(self.gate(*self.phase(scratch), on_bits=0.1))
            elif kind == 3 and free:
                self.add(self.gate("QLH", self.pick(free)))
            elif kind == 4 and self.chance(0.2):
                self.add(f"BAR_REGION {', '.join(self.pick(self.every(scratch), 2))}")
            elif kind < 7 and set(keep) - set(scratch) and scratch:
                target = self.pick([each for each in keep if each not in scratch])
                self.add(self.gate("QLCNOT", [*self.pick(scratch), *target], on_bits=0.1))
            else:
                self.result(scratch)
        if self.chance(self.careless):
            self.add(self.gate(*self.on("QLX", "QLH", "QLCNOT")))


def program(seed: int, careless: float = 0.02) -> str:
    """A program."""
    return Writer(np.random.default_rng(seed), careless=careless).program()
