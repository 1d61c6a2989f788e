"""Gates as calls of quantum instructions that qir-runner, QDK and Quantinuum's tools share.

    sxdg a           h__body a; s__adj a; h__body a
    cp t a b         rz__body t/2 a; rz__body t/2 b; rzz__body -t/2 a b
    ppr XZ t a b     h__body a; cx__body a b; rz__body t b; cx__body a b; h__body a

Equal up to global phase, which means nothing where conditions are classical.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from qwasmc.backends.clifford import MEASURED, product
from qwasmc.ops import BY_NAME, MARKERS


class Call(NamedTuple):
    """A call of `__quantum__qis__{stem}` on some of the qubits of an operation.

    Its angle is so many times that of the operation; 0 for a gate without one.
    """

    stem: str
    on: tuple[int, ...]
    turn: float = 0.0


DIRECT = frozenset(
    {"h", "x", "y", "z", "s", "sdg", "t", "tdg", "rx", "ry", "rz"} | {"cx", "cy", "cz"}
    | {"swap", "ccx", "reset"}
)  # fmt: skip
"""Operations that are one instruction, which the op table names."""

DECOMPOSED: dict[str, tuple[Call, ...]] = {
    "sx": (Call("h__body", (0,)), Call("s__body", (0,)), Call("h__body", (0,))),
    "sxdg": (Call("h__body", (0,)), Call("s__adj", (0,)), Call("h__body", (0,))),
    "p": (Call("rz__body", (0,), 1.0),),
    "cp": (
        Call("rz__body", (0,), 0.5),
        Call("rz__body", (1,), 0.5),
        Call("rzz__body", (0, 1), -0.5),
    ),
    "crz": (Call("rz__body", (1,), 0.5), Call("rzz__body", (0, 1), -0.5)),
    "ccz": (Call("h__body", (2,)), Call("ccx__body", (0, 1, 2)), Call("h__body", (2,))),
    "cswap": (
        Call("cx__body", (2, 1)),
        Call("ccx__body", (0, 1, 2)),
        Call("cx__body", (2, 1)),
    ),
}
"""Gates that have no instruction of their own."""

GATES = DIRECT | DECOMPOSED.keys() | {"ppr"}

_MARKED = "segments and control regions become gates at -O1 or more"
REASONS = {
    "input": "in a program of QIR every qubit begins in |0>",
    "output": "no qubit outlives a program of QIR",
    "result_float": "QIR does not put numbers together from bits",
    **dict.fromkeys(MARKERS, f"QIR has nothing like it; {_MARKED}"),
}
"""Why an operation cannot be written."""

ROTATIONS = {letters: f"r{letters.lower()}__body" for letters in ("X", "Y", "Z", "XX", "YY", "ZZ")}
"""Instructions that rotate about a Pauli product."""

MEASUREMENTS = MEASURED.keys() | {"ppm"}


class Measurement(NamedTuple):
    """How to measure a Pauli product: Z of one qubit (`target`, -1: the outcome is 0) between
    two changes of basis.
    """

    gather: tuple[Call, ...]
    target: int
    scatter: tuple[Call, ...]


@lru_cache(maxsize=4096)
def gate(name: str, paulis: str = "") -> tuple[Call, ...]:
    """The calls that a gate or a reset is; `paulis` are the letters of a `ppr`."""
    if name == "ppr":
        return _rotation(paulis)
    if name in DECOMPOSED:
        return DECOMPOSED[name]
    spec = BY_NAME[name]
    assert name in DIRECT, name
    return (Call(spec.qir, tuple(range(spec.qubits)), float(spec.angle)),)


@lru_cache(maxsize=4096)
def measurement(paulis: str) -> Measurement:
    """The measurement of a Pauli product, with a letter for each qubit."""
    made = product(paulis)
    return Measurement(_calls(made.gather), made.target, _calls(made.scatter))


def _rotation(paulis: str) -> tuple[Call, ...]:
    support = tuple(at for at, letter in enumerate(paulis) if letter != "I")
    stem = ROTATIONS.get("".join(paulis[at] for at in support))
    if stem or not support:
        return (Call(stem, support, 1.0),) if stem else ()
    made = measurement(paulis)
    return (*made.gather, Call("rz__body", (made.target,), 1.0), *made.scatter)


def _calls(gates: Iterable[tuple[str, tuple[int, ...]]]) -> tuple[Call, ...]:
    """Gates without angles as calls."""
    found = ((call, on) for name, on in gates for call in gate(name))
    return tuple(Call(call.stem, tuple(on[at] for at in call.on)) for call, on in found)
