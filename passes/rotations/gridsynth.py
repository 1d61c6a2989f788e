"""Runs Qiskit's gridsynth on the rotations that standard input lists; a program of its own.

    angle epsilon          the gates of one word in order of time, a line for each line
    0.3 0.002        =>    s h t h t ...

`synthesis` runs this in a new process: gridsynth remembers what it has factored, so that its words
depend on what the process has asked before.  In a process of its own they depend on the input
alone, importing Qiskit costs nothing where no rotation needs it, and a crash is an error message.
"""

from __future__ import annotations

import sys

from qiskit.synthesis import gridsynth_rz


def main() -> None:
    """A word for each line of standard input."""
    for line in sys.stdin:
        angle, epsilon = map(float, line.split())
        circuit = gridsynth_rz(angle, epsilon)
        # Line by line, so that after a crash it is known how far this came.
        print(*(gate.operation.name for gate in circuit.data), flush=True)


if __name__ == "__main__":
    main()
