"""Run inside Loom's environment: EXPERIMENT DISTANCE OUT writes a noiseless Stim circuit.

Prints the CPU seconds of one generation, imports excluded.
"""

import sys
import time
from pathlib import Path

from loom.eka import Eka, Lattice
from loom.eka.operations import (
    MeasureBlockSyndromes,
    MeasureLogicalX,
    MeasureLogicalZ,
    ResetAllDataQubits,
)
from loom.eka.utilities import Direction, SingleQubitPauliEigenstate
from loom.executor import EkaToStimConverter
from loom.interpreter import interpret_eka
from loom_rotated_surface_code.code_factory import RotatedSurfaceCode
from loom_rotated_surface_code.operations import AuxCNOT, LogicalPhaseViaYwall

PLUS = SingleQubitPauliEigenstate.PLUS


def program(experiment, d):
    """Upper left corners of the blocks, and slices of parallel operations."""
    phase = (LogicalPhaseViaYwall("q", Direction.RIGHT),)
    one, every = (MeasureBlockSyndromes("q", 1),), (MeasureBlockSyndromes("q", d),)
    reset, measure = (ResetAllDataQubits("q"),), (MeasureLogicalZ("q"),)
    if experiment == "memory":
        return {"q": (1, 1)}, [reset, every, measure]
    if experiment == "s":
        return {"q": (1, 1)}, [reset, phase, measure]
    if experiment == "s-idle":
        return {"q": (1, 1)}, [reset, one, phase, one, measure]
    if experiment == "s-s":
        plus = (ResetAllDataQubits("q", state=PLUS),)
        return {"q": (1, 1)}, [plus, phase, phase, (MeasureLogicalX("q"),)]
    idle = experiment == "cnot-idle"
    before = [tuple(MeasureBlockSyndromes(name, 1) for name in "ct")] if idle else []
    after = [tuple(MeasureBlockSyndromes(name, d) for name in "ct")] if idle else []
    return {"c": (1, 1), "t": (d + 2, d + 2)}, [
        tuple(ResetAllDataQubits(name) for name in "ct"),
        *before,
        (AuxCNOT(("c", "t")),),
        *after,
        tuple(MeasureLogicalZ(name) for name in "ct"),
    ]


def generate(experiment, d):
    lattice = Lattice.square_2d((2 * d + 4, 2 * d + 4))
    corners, operations = program(experiment, d)
    blocks = [
        RotatedSurfaceCode.create(dx=d, dz=d, lattice=lattice, unique_label=name, position=corner)
        for name, corner in corners.items()
    ]
    step = interpret_eka(Eka(lattice, blocks=blocks, operations=operations))
    circuit, _, _ = EkaToStimConverter().convert(step, with_ticks=True)
    return circuit


if __name__ == "__main__":
    started = time.process_time()
    made = generate(sys.argv[1], int(sys.argv[2]))
    print(time.process_time() - started)
    Path(sys.argv[3]).write_text(str(made))
