"""One compilation in a fresh process: PROGRAM DISTANCE NOISE OUT writes a circuit.

Prints a JSON object: CPU seconds of the start of Python with all imports, of each stage of the
compilation, the peak memory in MB, and the size of what was made.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qwasmc import driver, options, reading
from qwasmc.pipeline import PASSES, load

STAGES = (
    "qwasmc.grammar.qwasm:read",
    "qwasmc.verify:verify",
    "qwasmc.backends.stim.emit:emit",
    "qwasmc.backends.stim.noise:Noiser",
    "qwasmc.backends.report:observable_names",
    "importlib.metadata:version",
    *(row.function for row in PASSES),
)
"""What the driver loads on first use."""


@dataclass(slots=True)
class CpuWatch(options.Watch):
    """Times stages in CPU seconds."""

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        start = time.process_time()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.process_time() - start


def main() -> None:
    program, distance, noise, out = sys.argv[1:]
    for function in STAGES:
        load(function)
    imported = time.process_time()
    watch = CpuWatch()
    wanted = options.Options(distance=int(distance), noise=noise, level=0)
    artifact = driver.compile_source(reading.read_source(program), wanted, watch)
    with Path(out).open("w") as file:
        artifact.write(file)
    total = time.process_time() - imported
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spent = {"imports": imported, "stages": watch.timings, "total": total, "peak": peak}
    print(json.dumps(spent | size(artifact)))


def size(artifact: driver.Artifact) -> dict[str, int]:
    """How large the artifact is."""
    emission = artifact.emission
    return {
        "slabs": artifact.surgery.slabs,
        "qubits": emission.num_qubits,
        "records": emission.records,
        "bytes": Path(sys.argv[-1]).stat().st_size,
    }


if __name__ == "__main__":
    main()
