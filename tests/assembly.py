"""Runs machine-style QWASM line by line, as a machine would: what the compiler is compared with.

No macros, no expressions.  Measurements take their outcomes from an iterator; a run is the list of
what it does to qubits, the results at its end, and why it ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

JUMPS = {
    "JZ": lambda sign: sign == 0,
    "JNZ": lambda sign: sign != 0,
    "JLT": lambda sign: sign < 0,
    "JLE": lambda sign: sign <= 0,
    "JGT": lambda sign: sign > 0,
    "JGE": lambda sign: sign >= 0,
}

INTEGERS = {
    "ADD": lambda a, b: a + b,
    "SUB": lambda a, b: a - b,
    "MUL": lambda a, b: a * b,
    "AND": lambda a, b: a & b,
    "OR": lambda a, b: a | b,
    "XOR": lambda a, b: a ^ b,
    "SHL": lambda a, b: a << b if 0 <= b < 64 else 0,
    "SHR": lambda a, b: (a % 2**64) >> b if 0 <= b < 64 else 0,
}


def wrapped(value: int) -> int:
    """Modulo 2^64, between -2^63 and 2^63 - 1."""
    return (value + 2**63) % 2**64 - 2**63


class Stop(Exception):
    """The run ends here; the argument says why."""


@dataclass
class Machine:
    text: str
    outcomes: Iterator[int]
    fuel: int = 1000
    seen: list[tuple[Any, ...]] = field(default_factory=list)
    registers: dict[str, Any] = field(default_factory=dict)
    qubits: set[int] = field(default_factory=set)
    stack: list[int] = field(default_factory=list)
    sign: int | None = None

    def __post_init__(self) -> None:
        self.lines: list[list[str]] = []
        self.labels: dict[str, int] = {}
        for line in self.text.splitlines():
            words = line.partition(";")[0].replace(",", " ").split()
            if words and words[0].endswith(":"):
                self.labels[words.pop(0)[:-1]] = len(self.lines)
            if words:
                self.lines.append(words)
        written = [
            [word for word in words if "=" not in word][-1]
            for words in self.lines
            if {"QLMEASURE", "QLPPM"} & set(words)
        ]
        self.measured = dict.fromkeys(written, 0)
        self.registers.update(self.measured)

    def run(self) -> str:
        """Run the program; returns why it ended."""
        at = 0
        try:
            while at < len(self.lines):
                self.fuel -= 1
                if not self.fuel:
                    raise Stop("no fuel")
                words = self.lines[at]
                if words[0] == "IF":
                    if not self.value(words[1][:-1]):
                        at += 1
                        continue
                    words = words[2:]
                at = self.step(at + 1, words[0], words[1:])
        except Stop as stop:
            return str(stop)
        return "end"

    def value(self, word: str) -> Any:
        if word[0] in "rf":
            if word not in self.registers:
                raise Stop("unwritten")
            return self.registers[word]
        return float(word) if "." in word else int(word, 0)

    def step(self, after: int, name: str, words: list[str]) -> int:
        """Run a line; returns the one to go on with."""
        if name == "HALT":
            raise Stop("end")
        if name == "RET":
            if not self.stack:
                raise Stop("fail")
            return self.stack.pop()
        if name == "JMP":
            return self.labels[words[0]]
        if name == "CALL":
            self.stack.append(after)
            return self.labels[words[0]]
        if name in JUMPS:
            sign = self.sign if len(words) == 1 else self.value(words[0])
            if sign is None:
                raise Stop("unwritten")
            return self.labels[words[-1]] if JUMPS[name](sign) else after
        if name.startswith("QL"):
            self.quantum(name, words)
        else:
            self.compute(name, words)
        return after

    def compute(self, name: str, words: list[str]) -> None:
        if name == "CMP":
            a, b = map(self.value, words)
            if isinstance(a, int) and isinstance(b, int):
                a, b = wrapped(a), wrapped(b)
            self.sign = (a > b) - (a < b)
            return
        register, *rest = words
        real = register[0] == "f"
        if name == "MOV":
            value = self.value(rest[0])
        elif name == "NOT":
            value = ~self.value(words[-1])
        else:
            value = INTEGERS[name](*map(self.value, words[-2:]))
        self.registers[register] = float(value) if real else wrapped(int(value))

    def quantum(self, name: str, words: list[str]) -> None:
        if name == "QLINIT":
            self.qubits.update(range(int(words[0])))
        elif name == "QLMEASURE":
            self.act("measure_" + (words[2][-1].lower() if words[2:] else "z"), words[:1])
            self.registers[words[1]] = next(self.outcomes)
        elif name == "QLPPM":
            self.act("ppm", words[1:-1], words[0].strip('"'))
            self.registers[words[-1]] = next(self.outcomes)
        elif name == "QLPPR":
            self.act("ppr", words[2:], words[0].strip('"'), self.value(words[1]))
        elif name in ("QLRX", "QLRZ"):
            self.act(name[2:].lower(), words[:-1], self.value(words[-1]))
        elif name == "QLFREE":
            self.act("free", words)
            self.qubits.remove(self.value(words[0]))
        elif name == "QLCNOT":
            self.act("cx", words)
        else:
            self.act(name[2:].lower(), words)

    def act(self, name: str, words: list[str], *more: Any) -> None:
        qubits = [self.value(word) for word in words]
        if len(set(qubits)) < len(qubits) or set(qubits) - self.qubits:
            raise Stop("empty slot")
        self.seen.append((name, *qubits, *more))

    def results(self) -> dict[str, int]:
        """The registers that measurements write."""
        return {name: self.registers[name] for name in self.measured}
