"""Value numbers: which qubits certainly hold equal values, on every path through basis states.

    0  alloc              -> 0          a is 0
    1  cx b, a            a: b          a number is the xor of those that it is the parity of
    2  ccx b, c, a        a: b ^ bc     that of a product is a hash of both factors' numbers
    3  cx b, a            a: bc
    4  ccx b, c, a        a: 0          so a is in |0> again

Equal numbers are equal values, but for hash collisions (2^-128 each); different numbers mean
nothing.  A Hadamard and whatever else is no permutation gives a qubit a number of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import MAX_FIXED, VARIADIC
from qwasmc.ir.wires import COUNT, TAKES_QUBITS, Wired
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS, Effect

KEEPS = np.array([spec.effect is Effect.DIAGONAL or not spec.is_gate for spec in OPS])
KEEPS[[CODE[name] for name in ("reset", "measure_x", "measure_y", "ppm")]] = False
"""By op code: whether basis values of all its qubits stay as they are."""

PERMUTES = np.array([spec.effect is Effect.PERMUTES for spec in OPS])
CONTROLS = np.array([spec.controls for spec in OPS])
SWAPS = np.array([spec.name in ("swap", "cswap") for spec in OPS])

ALLOC, RESET, MEASURE_Z = CODE["alloc"], CODE["reset"], CODE["measure_z"]
PPR, CONST, XOR, AND = CODE["ppr"], CODE["const"], CODE["xor"], CODE["and"]

LANES = 2
"""64-bit words of a number."""

ONE = (0x9E3779B97F4A7C15, 0xD1B54A32D192ED03)
"""The number of the value 1."""

SEEDS = np.array(
    [[0x243F6A8885A308D3, 0x13198A2E03707344], [0xA4093822299F31D0, 0x082EFA98EC4E6C89]]
)
"""By lane, what hashes of fresh values and of products start from."""


class Numbers(NamedTuple):
    """By row and fixed operand, the number (two words) of the wire before the row and after it."""

    before: NDArray[np.uint64]
    after: NDArray[np.uint64]


def value_numbers(wired: Wired, zero: Sequence[int] = ()) -> Numbers:
    """The numbers of a circuit's values.

    Qubits without a name are in |0> where they are allocated, and so are some wires that are
    `zero`; any other may enter in any state.
    """
    return Numbering(wired, zero).run(np.arange(len(wired)))


def kept_values(wired: Wired) -> NDArray[np.bool_]:
    """By row, whether basis values of all its qubits stay as they are."""
    keeps: NDArray[np.bool_] = KEEPS[wired.op]
    products = np.flatnonzero(wired.op == PPR)
    keeps[products] = [not wired.names[at].strip("Z") for at in wired.attr[products]]
    return keeps


class Numbering:
    """The numbers that wires and bits have, while rows are run in any order."""

    def __init__(self, wired: Wired, zero: Sequence[int] = ()) -> None:
        self.wired = wired
        self.wire = np.zeros((wired.n_wires, LANES), dtype=np.uint64)
        self._bit = np.zeros((wired.n_bits, LANES), dtype=np.uint64)
        self._fresh = np.zeros(1, dtype=np.uint64)
        unnamed = wired.names.index("") if "" in wired.names else -1
        named_zero = np.zeros(wired.n_wires, dtype=np.bool_)
        named_zero[list(zero)] = True
        self._zero = np.zeros(len(wired), dtype=np.bool_)
        rows = np.flatnonzero(wired.op == ALLOC)
        self._zero[rows] = (wired.attr[rows] == unnamed) | named_zero[wired.made[rows]]
        self._keeps = kept_values(wired)

    def run(self, rows: NDArray[np.intp]) -> Numbers:
        """Run rows of the circuit."""
        wired = self.wired
        before = np.zeros((len(rows), MAX_FIXED, LANES), dtype=np.uint64)
        after = np.zeros_like(before)
        columns = wired.op, wired.operands, wired.pool, wired.made, wired.cond, wired.attr
        state = self.wire, self._bit, self._fresh
        _run(rows, *columns, self._keeps, self._zero, *state, before, after)
        return Numbers(before, after)

    def renew(self, wires: Iterable[int]) -> None:
        """Let wires have any values: numbers that no others have."""
        for wire in wires:
            _draw(self._fresh, self.wire[wire])


def is_zero(numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which numbers are that of |0>."""
    return np.logical_not(numbers.any(axis=-1))


@kernel
def _mix(word: Any) -> Any:
    """A hash of 64 bits (splitmix64: Steele, Lea, Flood, OOPSLA 2014)."""
    word = np.uint64(word) + np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@kernel
def _product(a: NDArray[Any], b: NDArray[Any], out: NDArray[Any]) -> None:
    """The number of the product of two values."""
    one = np.uint64(ONE[0])
    other = np.uint64(ONE[1])
    if (a[0] | a[1]) == 0 or (b[0] | b[1]) == 0:
        out[0] = out[1] = 0
    elif (a[0] == one and a[1] == other) or (a[0] == b[0] and a[1] == b[1]):
        out[0], out[1] = b[0], b[1]
    elif b[0] == one and b[1] == other:
        out[0], out[1] = a[0], a[1]
    elif (a[0] ^ b[0]) == one and (a[1] ^ b[1]) == other:
        out[0] = out[1] = 0
    else:
        swapped = a[0] > b[0] or (a[0] == b[0] and a[1] > b[1])
        low, high = (b, a) if swapped else (a, b)
        for lane in range(LANES):
            word = _mix(low[0] ^ np.uint64(SEEDS[1, lane]))
            word = _mix(low[1] ^ word)
            word = _mix(high[0] ^ word)
            out[lane] = _mix(high[1] ^ word)


@kernel
def _draw(fresh: NDArray[Any], out: NDArray[Any]) -> None:
    """A number that no other value has."""
    fresh[0] += np.uint64(1)
    for lane in range(LANES):
        out[lane] = _mix(_mix(fresh[0] ^ np.uint64(SEEDS[0, lane])))


@kernel
def _run(
    rows: NDArray[Any],
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    made: NDArray[Any],
    cond: NDArray[Any],
    attr: NDArray[Any],
    keeps: NDArray[np.bool_],
    zero: NDArray[np.bool_],
    wire: NDArray[np.uint64],
    bit: NDArray[np.uint64],
    fresh: NDArray[np.uint64],
    before: NDArray[np.uint64],
    after: NDArray[np.uint64],
) -> None:
    """Run rows on the numbers of wires and bits, in place; fills in `before` and `after`."""
    delta = np.zeros(LANES, dtype=np.uint64)
    factor = np.zeros(LANES, dtype=np.uint64)
    for at, row in enumerate(rows):
        code = op[row]
        if VARIADIC[code]:
            some = pool[operands[row, 0] : operands[row, 0] + operands[row, 1]]
            if TAKES_QUBITS[code]:
                if not keeps[row]:
                    for each in some:
                        _draw(fresh, wire[each])
                if made[row] >= 0:
                    _draw(fresh, bit[made[row]])
            elif code in (XOR, AND):
                for lane in range(LANES):
                    delta[lane] = np.uint64(ONE[lane]) if code == AND else np.uint64(0)
                for each in some:
                    if code == XOR:
                        delta ^= bit[each]
                    else:
                        factor[:] = delta
                        _product(factor, bit[each], delta)
                bit[made[row]] = delta
            continue
        count = COUNT[code] if TAKES_QUBITS[code] else 0
        for slot in range(count):
            before[at, slot] = wire[operands[row, slot]]
        if code == ALLOC and zero[row]:
            wire[made[row]] = 0
        elif code == CONST:
            for lane in range(LANES):
                bit[made[row], lane] = np.uint64(ONE[lane]) if attr[row] else np.uint64(0)
        elif code == MEASURE_Z and cond[row] < 0:
            bit[made[row]] = wire[operands[row, 0]]
        elif made[row] >= 0:
            _draw(fresh, bit[made[row]] if count else wire[made[row]])
        if PERMUTES[code]:
            for lane in range(LANES):
                delta[lane] = bit[cond[row], lane] if cond[row] >= 0 else np.uint64(ONE[lane])
            for slot in range(CONTROLS[code]):
                factor[:] = delta
                _product(factor, wire[operands[row, slot]], delta)
            last = operands[row, count - 1]
            if SWAPS[code]:
                partner = operands[row, count - 2]
                factor[:] = delta
                _product(factor, wire[last] ^ wire[partner], delta)
                wire[partner] ^= delta
            wire[last] ^= delta
        elif code == RESET and cond[row] < 0:
            wire[operands[row, 0]] = 0
        elif not keeps[row]:
            for slot in range(count):
                _draw(fresh, wire[operands[row, slot]])
        for slot in range(count):
            after[at, slot] = wire[operands[row, slot]]
