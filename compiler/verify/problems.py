"""What the checks of several representations share: the list of problems, and a few of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from qwasmc.diagnostics import Diagnostic, Locations
from qwasmc.ir.requirement import requirement

MAX_PROBLEMS = 20
"""Problems listed at most."""


@dataclass(slots=True)
class Problems:
    """Collects diagnostics, up to a limit."""

    locations: Locations
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, message: str, loc: int = -1) -> None:
        """A problem, at a source position if there is one."""
        if len(self.found) < MAX_PROBLEMS:
            known = loc if loc < len(self.locations.file) else -1
            self.found.append(self.locations.diagnostic(message, known))


def paulis_problem(letters: str, count: int) -> str:
    """What is wrong with the letters of a Pauli product on so many qubits, or nothing."""
    if len(letters) != count:
        return f"{len(letters)} Pauli letters for {count} qubits"
    if not letters or letters.strip("XYZ"):
        return f"'{letters[:64]}' is not a product of X, Y and Z"
    return ""


def requirement_problem(text: str) -> str:
    """What is wrong with the text of a requirement, or nothing."""
    return "" if requirement(text) else f"'{text[:64]}' is not a requirement"


WIDTHS = {"result_int": (1, 64), "result_float": (64, 64)}
"""How many bits each row of a number has, at least and at most."""


def width_text(name: str) -> str:
    """The same in words."""
    least, most = WIDTHS[name]
    return f"takes {most} bits" if least == most else f"takes {least} to {most} bits"
