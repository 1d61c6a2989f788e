"""Run inside TQEC's environment: EXPERIMENT DISTANCE OUT writes a noiseless Stim circuit.

Prints the CPU seconds of a first generation, with an empty database of detectors, and of a
second one that finds all its detectors there; children included, imports excluded.
"""

import os
import sys
from pathlib import Path

from tqec import Basis, compile_block_graph
from tqec.compile.detectors.database import DetectorDatabase
from tqec.gallery import cnot, memory

GRAPHS = {"memory": memory, "cnot": cnot}

experiment, distance, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
database = DetectorDatabase()
for _ in ("cold", "warm"):
    started = sum(os.times()[:4])
    compiled = compile_block_graph(GRAPHS[experiment](Basis.Z))
    circuit = compiled.generate_stim_circuit(
        k=(distance - 1) // 2,
        detector_database=database,
        database_path=out.with_suffix(".pickle"),
    )
    print(sum(os.times()[:4]) - started)
out.write_text(str(circuit))
