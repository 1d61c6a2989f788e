"""Run inside Deltakit's environment: EXPERIMENT DISTANCE OUT writes a noiseless Stim circuit.

Prints the CPU seconds of one generation, imports excluded.
"""

import sys
import time
from pathlib import Path

from deltakit_circuit.gates import PauliBasis
from deltakit_explorer.codes import RotatedPlanarCode, css_code_memory_circuit

experiment, distance, out = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
assert experiment == "memory"
started = time.process_time()
code = RotatedPlanarCode(distance, distance)
circuit = css_code_memory_circuit(code, distance, PauliBasis.Z).as_stim_circuit()
print(time.process_time() - started)
out.write_text(str(circuit))
