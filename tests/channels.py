"""Exact channels of small circuits that are written down as text, to compare circuits by.

    input a          a qubit of the program in any state; alloc s: one that is called s
    alloc _w         an ancilla: a name that begins with _ is not the circuit's
    m = measure_x _w without location, so it is the compiler's; any other row has one
    cz a b if m      a row with a condition
    rz a 0.3         a row with an angle
    rev_begin f s    a segment and its scratch qubits
    ctrl_begin a b   what follows happens where a and b are 1

A channel is its Choi matrix: every input is entangled with a copy of its own, all that is measured,
reset or thrown away is kept on axes that are summed over in the end.  `uncompute` adds the
amplitudes of |1> of each scratch qubit to those of |0>, which is what it means where the scratch
qubits were in |0> and their values are determined by the other qubits.
"""

from __future__ import annotations

from itertools import chain

import numpy as np
from statevector import MATRIX, MEASURED, X, apply, rotation

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import BY_NAME, OPS

H = MATRIX["h"]


def circuit(text: str) -> Circuit:
    """The circuit of some lines."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    builder = CircuitBuilder()
    file = builder.locations.add_file("test", text)
    value: dict[str, int] = {}
    for number, line in enumerate(lines):
        made, words = (line[0], line[2:]) if "=" in line else ("", line)
        cond = value[words[-1]] if "if" in words else -1
        name, *words = words[: words.index("if")] if "if" in words else words
        spec = BY_NAME[name]
        own = name == "measure_x" and words[0].startswith("_")
        loc = -1 if own else builder.locations.add(file, number + 1, 1, 2)
        angle = float(words.pop()) if spec.angle else 0.0
        attr: int | str = 0
        if spec.attr == "name" and spec.makes_qubit:
            attr = "" if words[0].startswith("_") else words[0]
        elif spec.attr:
            attr = int(words.pop(0)) if not spec.attr_is_text else words.pop(0)
        operands = [] if spec.makes_qubit else [value[word] for word in words]
        first = builder.add(name, operands, cond=cond, angle=angle, attr=attr, loc=loc)
        if spec.ends_qubit:
            del value[words[0]]
        elif spec.qubits or spec.makes_qubit:
            value.update((word, first + at) for at, word in enumerate(words))
        if made:
            value[made] = builder.first[-1] - 1
    return builder.freeze()


class Channel:
    """The state of a circuit behind each of its rows."""

    def __init__(self, circuit: Circuit, unknown: list[str]) -> None:
        self.circuit = circuit
        self.wire = circuit.wires()
        self.state = np.ones(())
        self.reference = [self.new_copy(name) for name in unknown]
        self.axis: dict[int, int] = {}
        """By wire."""
        self.named: dict[str, int] = {}
        self.bits: dict[int, np.ndarray] = {}
        """By value; arrays that broadcast to the state."""
        self.unknown = dict(zip(unknown, self.reference, strict=True))
        self.results: list[np.ndarray] = []
        self.scratch: dict[str, list[int]] = {}
        self.controls: list[list[int]] = []
        for row in range(len(circuit)):
            self.step(row)

    def new_axis(self) -> int:
        self.state = np.stack([self.state, np.zeros_like(self.state)], axis=-1)
        return self.state.ndim - 1

    def new_copy(self, name: str) -> int:
        """Two axes in |00> + |11>; the first one is the reference."""
        pair = np.eye(2)
        self.state = np.multiply.outer(self.state, pair)
        return self.state.ndim - 2

    def bit(self, value: int) -> np.ndarray:
        bit = self.bits[value]
        return bit.reshape(bit.shape + (1,) * (self.state.ndim - bit.ndim))

    def along(self, axis: int) -> np.ndarray:
        shape = [1] * self.state.ndim
        shape[axis] = 2
        return np.array([False, True]).reshape(shape)

    def step(self, row: int) -> None:
        circuit, spec = self.circuit, OPS[self.circuit.op[row]]
        values = circuit.values(row)
        cond = int(circuit.cond[row])
        when = self.bit(cond) if cond >= 0 else np.array(True)
        made = int(circuit.first[row + 1]) - 1
        if spec.makes_qubit:
            name = str(circuit.attribute(row))
            axis = self.unknown[name] + 1 if name in self.unknown else self.new_axis()
            self.axis[int(self.wire[circuit.first[row]])] = axis
            if name:
                self.named[name] = axis
            return
        axes = [self.axis[int(self.wire[value])] for value in values] if spec.qubits else []
        if spec.is_gate:
            for control in chain.from_iterable(self.controls):
                when = when & self.along(control)
            letters = str(circuit.attribute(row)) if spec.name == "ppr" else ""
            angle = float(circuit.angle[row])
            matrix = rotation(spec.name, angle, letters) if spec.angle else MATRIX[spec.name]
            self.state = np.where(when, apply(self.state, matrix, axes), self.state)
        elif spec.name in (*MEASURED, "reset"):
            basis = H if spec.name == "measure_x" else np.eye(2)
            self.state = apply(self.state, basis, axes)
            bit = self.record(self.along(axes[0]) & when)
            self.state = apply(self.state, basis, axes)
            if spec.name == "reset":
                self.state = np.where(bit, apply(self.state, X, axes), self.state)
            else:
                self.bits[made] = bit
        elif spec.name in ("xor", "and"):
            found = [self.bit(value) for value in values]
            total = np.array(spec.name == "and")
            for each in found:
                total = total & each if spec.name == "and" else total ^ each
            self.bits[made] = total
        elif spec.name == "const":
            self.bits[made] = np.array(bool(circuit.attr[row])).reshape((1,) * self.state.ndim)
        elif spec.name == "result":
            self.results.append(self.bits[values[0]])
        elif spec.name == "rev_begin":
            self.scratch[str(circuit.attribute(row))] = axes
        elif spec.name == "ctrl_begin":
            self.controls.append(axes)
        elif spec.name == "ctrl_end":
            self.controls.pop()
        elif spec.name == "uncompute":
            for axis in self.scratch[str(circuit.attribute(row))]:
                self.state = apply(self.state, np.array([[1, 1], [0, 0]]), [axis])
        else:
            assert spec.name in ("free", "output", "rev_end", "barrier"), spec.name

    def record(self, bit: np.ndarray) -> np.ndarray:
        """Copy a bit to a new axis."""
        self.state = np.stack([np.where(bit, 0, self.state), np.where(bit, self.state, 0)], axis=-1)
        return self.along(self.state.ndim - 1)

    def choi(self, names: list[str]) -> np.ndarray:
        """The matrix, on references, these qubits (|0> if the circuit has none) and results."""
        kept = list(self.reference)
        for name in names:
            kept.append(self.named[name] if name in self.named else self.new_axis())
        for result in self.results:
            bit = result.reshape(result.shape + (1,) * (self.state.ndim - result.ndim))
            self.record(bit)
            kept.append(self.state.ndim - 1)
        rest = [axis for axis in range(self.state.ndim) if axis not in kept]
        matrix = self.state.transpose(*kept, *rest).reshape(2 ** len(kept), -1)
        return matrix @ matrix.conj().T


def same(before: Circuit, after: Circuit, unknown: list[str], names: list[str]) -> bool:
    """Whether circuits are the same channel from unknown qubits to some qubits and the results."""
    a, b = (Channel(each, unknown).choi(names) for each in (before, after))
    return a.shape == b.shape and bool(np.abs(a - b).max() < 1e-7)
