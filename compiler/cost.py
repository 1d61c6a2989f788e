"""What a circuit costs: the numbers that optimisation lowers.

An *objective* orders circuits; of two circuits the one with the smaller `cost` is better:

    t           rotations that are still to be synthesised, T gates, gates on two qubits, depth
    two-qubit   gates on two qubits, rotations, T gates, depth
    depth       depth, rotations, T gates, gates on two qubits
    volume      qubits times depth, rotations, T gates, gates on two qubits

T gates that depend on results come right after those that always run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.circuit import VARIADIC, Circuit
from qwasmc.kernel import kernel
from qwasmc.ops import CODE, OPS, Cost

IS_T = np.array([spec.cost is Cost.MAGIC for spec in OPS])
IS_ROTATION = np.array([spec.angle for spec in OPS])
MEASURES = np.array([spec.qubits != 0 and spec.makes_bit for spec in OPS])
TAKES_TIME = np.array([spec.is_gate for spec in OPS]) | MEASURES
TAKES_TIME[CODE["reset"]] = True

_LIFE = np.array([spec.makes_qubit - spec.ends_qubit for spec in OPS])
_OF_TWO = np.array([spec.is_gate and spec.qubits == 2 for spec in OPS])
_OF_ANY = np.array([spec.is_gate and spec.qubits < 0 for spec in OPS])


def cost(circuit: Circuit, objective: str) -> tuple[int, ...]:
    """What an objective says about a circuit, to be compared with that of another one."""
    two, deep = two_qubit_count(circuit), depth(circuit, TAKES_TIME)
    magic = (rotation_count(circuit), t_count(circuit), predicated_t_count(circuit))
    return {
        "t": (*magic, two, deep),
        "two-qubit": (two, *magic, deep),
        "depth": (deep, *magic, two),
        "volume": (width(circuit) * deep, *magic, two),
    }[objective]


def counts(circuit: Circuit) -> dict[str, int]:
    """What each objective compares first; for `t`, rotations and T gates together."""
    deep = depth(circuit, TAKES_TIME)
    return {
        "t": rotation_count(circuit) + t_count(circuit) + predicated_t_count(circuit),
        "two-qubit": two_qubit_count(circuit),
        "volume": width(circuit) * deep,
        "depth": deep,
    }


def t_count(circuit: Circuit) -> int:
    """How many T and T^-1 gates there are that always run."""
    return int((IS_T[circuit.op] & (circuit.cond < 0)).sum())


def predicated_t_count(circuit: Circuit) -> int:
    """How many T and T^-1 gates there are that run for some results only."""
    return int((IS_T[circuit.op] & (circuit.cond >= 0)).sum())


def rotation_count(circuit: Circuit) -> int:
    """How many gates with an angle there are."""
    return int(IS_ROTATION[circuit.op].sum())


def two_qubit_count(circuit: Circuit) -> int:
    """How many gates there are on two qubits, with rows on any number that have two."""
    of_two = _OF_ANY[circuit.op] & (circuit.operands[:, 1] == 2)
    return int((_OF_TWO[circuit.op] | of_two).sum())


def width(circuit: Circuit) -> int:
    """The largest number of qubits live at once."""
    return int(np.cumsum(_LIFE[circuit.op]).max(initial=0))


def depth(circuit: Circuit, counted: NDArray[np.bool_]) -> int:
    """The length of the longest chain of dependent rows, counting those with a `counted` op."""
    return _depth(circuit.op, circuit.operands, circuit.pool, circuit.cond, circuit.first, counted)


@kernel
def _depth(
    op: NDArray[Any],
    operands: NDArray[Any],
    pool: NDArray[Any],
    cond: NDArray[Any],
    first: NDArray[Any],
    counted: NDArray[np.bool_],
) -> int:
    reached = np.zeros(first[-1], dtype=np.int32)
    deepest = 0
    for row in range(len(op)):
        level = reached[cond[row]] if cond[row] >= 0 else 0
        if VARIADIC[op[row]]:
            start = operands[row, 0]
            for value in pool[start : start + operands[row, 1]]:
                level = max(level, reached[value])
        else:
            for value in operands[row]:
                if value >= 0:
                    level = max(level, reached[value])
        level += counted[op[row]]
        reached[first[row] : first[row + 1]] = level
        deepest = max(deepest, level)
    return deepest
