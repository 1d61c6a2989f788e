"""Program -> Folded: which regions a program consists of and how often it has each.

    loop: CALL adder; ADD r1, r1, 1; CMP r1, 1000; JLT loop      =>     region 3, 1000 times

Nothing is unrolled (`runner`); what is not counted exactly is an upper bound and named in `bounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Block, Program
from qwasmc.passes.folded.branches import Endless
from qwasmc.passes.folded.regions import Regions
from qwasmc.passes.folded.runner import Runner
from qwasmc.passes.folded.summary import multiplicities


@dataclass(frozen=True, slots=True)
class Folded:
    """What a program consists of."""

    regions: Regions
    times: dict[int, int]
    """By region: how often a run of the program has it."""
    qubits: int
    """The largest number of qubits at a time."""
    calls: int
    """Calls that were met; most did what one before them did."""
    steps: int
    """Operations that were run to find all this out."""
    functions: int
    bounded: bool
    """Whether measurement results decide what is done; then all is for the dearer way."""
    locations: Locations

    @property
    def operations(self) -> int:
        """Quantum operations of a run."""
        return sum(times * len(self.regions.lines[at]) for at, times in self.times.items())

    def circuits(self) -> list[Circuit]:
        """The regions that a run has, in the order of `times`."""
        return [self.regions.circuit(number, self.locations) for number in self.times]


def fold(program: Program, max_iterations: int | None = None) -> Folded:
    """What the `main` of a program consists of.

    CompileError as `specialise` has it, and Kind.LIMIT where too much depends on measurement
    results, or too many operations would have to be run.  Loops whose end depends on results are
    counted for `max_iterations`.
    """
    cut: frozenset[Block] = frozenset()
    while True:
        runner = Runner(program, max_iterations, cut)
        try:
            found = runner.run()
            break
        except Endless as endless:
            cut |= {head for head in [endless.head] if head is not None}
    return Folded(
        regions=runner.world.regions,
        times=multiplicities(found),
        qubits=found.peak,
        calls=runner.world.calls,
        steps=runner.world.steps,
        functions=len(program.functions),
        bounded=runner.branched,
        locations=program.locations,
    )
