"""What writers of physical circuits get, and the simplest writer: Stim's own text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import stim

from qwasmc.backends.report import observable_names
from qwasmc.backends.stim.emission import Emission
from qwasmc.ir.surgery import Surgery


@dataclass(frozen=True, slots=True)
class Physical:
    """A compiled program, ready to be written for some tool.

    `fragments` makes the Stim text with its noise anew each time.  Its pieces are those of
    `Emission.texts`: coordinates, slab by slab, and observables without records.  `title` says in a
    line what the output is.
    """

    surgery: Surgery
    emission: Emission
    fragments: Callable[[], Iterator[str]]
    title: str = "qwasmc"

    @property
    def circuit(self) -> stim.Circuit:
        """The whole circuit, with its noise."""
        whole = stim.Circuit()
        for text in self.fragments():
            whole.append_from_stim_program_text(text)
        return whole


def without_noise(surgery: Surgery, emission: Emission) -> Physical:
    """A physical circuit as it was emitted."""
    return Physical(surgery, emission, emission.texts)


def stim_circuit(physical: Physical) -> stim.Circuit:
    """The physical circuit, with its noise."""
    return physical.circuit


def stim_text(physical: Physical) -> Iterator[str]:
    """The same as text, piece by piece, under the names of its observables."""
    yield f"# {physical.title}\n"
    for number, name in enumerate(observable_names(physical.surgery)):
        yield f"# observable {number}: {name}\n"
    yield from physical.fragments()
