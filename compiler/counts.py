"""What a program asks of a fault-tolerant machine, in the units of estimates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogicalCounts:
    """Logical resources of one run, counted as the QDK's resource estimator counts them.

    `qubits` is the largest number of logical qubits at a time.  `t` counts T and its inverse,
    `rotations` rotations about one axis by anything but a multiple of pi/4, in `rotation_depth`
    layers of one rotation per qubit, `ccz` Toffolis and doubly controlled Z, `ccix` temporary ANDs,
    `measurements` measurements of one or more qubits.  All are exact, however large.
    """

    qubits: int
    t: int = 0
    rotations: int = 0
    rotation_depth: int = 0
    ccz: int = 0
    ccix: int = 0
    measurements: int = 0
