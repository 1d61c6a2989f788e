"""A machine with a different number for everything, for tests."""

from __future__ import annotations

from pathlib import Path

from qwasmc.target import Target, read_target

EXAMPLES = Path(__file__).parent.parent / "examples"
BELL, MAGIC = EXAMPLES / "bell.qwasm", EXAMPLES / "magic.qwasm"

LAB = """
name = "lab"
doc = "A machine with a different number for everything."
{top}
[code]
{code}
[qubit]
instruction_set = "gate_based"
one_qubit_gate_time = "20 ns"
two_qubit_gate_time = "50 ns"
one_qubit_measurement_time = "400 ns"
reset_time = "300 ns"
one_qubit_gate_error_rate = 0.0001
two_qubit_gate_error_rate = 0.002
one_qubit_measurement_error_rate = 0.003
reset_error_rate = 0.004
{idle}
"""

IDLE = {
    "rate": "idle_error_rate = 0.0005",
    "t2": 't2 = "30 us"',
    "t1": 't1 = "20 us"\nt2 = "30 us"',
}


def described(top: str = "", code: str = "", idle: str = "rate") -> str:
    """Its description, with lines added at the top and in [code], and one way to wait."""
    return LAB.format(top=top, code=code, idle=IDLE[idle])


def lab(top: str = "", code: str = "", idle: str = "rate") -> Target:
    """The machine itself."""
    return read_target(described(top, code, idle).encode(), "lab.toml")
