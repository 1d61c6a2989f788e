"""Random programs as physical circuits for other tools: does each do what the program does?

    python tests/benchmarks/physical_round_trips.py [--programs 50] [-d 3]

Qiskit's circuit and tsim's text, with true T gates and their corrections, are run by an exact
simulation of stabilizer states in superposition (tests/magic_tableau.py): the probability of each
run's results has to be the program's.  Cirq's JSON is read by Cirq and turned back into Stim's
language: its detector error model, under noise, has to be the one that was written.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cirq
import stimcirq

sys.path.insert(0, str(Path(__file__).parents[1]))

from physical_programs import noisy, physical, random_program
from test_emit_physical import assert_qiskit, assert_tsim

from qwasmc.backends import cirq as cirq_writer
from qwasmc.backends.physical import Physical
from qwasmc.backends.qiskit_physical import to_qiskit
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit

RUNS = range(2)
"""Seeds of the runs of each program."""

RESOLVERS = [*cirq.DEFAULT_RESOLVERS, stimcirq.JSON_RESOLVER]


def check_qiskit(circuit: Circuit, made: Physical) -> None:
    assert_qiskit(circuit, to_qiskit(made), RUNS)


def check_tsim(circuit: Circuit, made: Physical) -> None:
    assert_tsim(circuit, made, RUNS)


def check_cirq(circuit: Circuit, made: Physical) -> None:
    written = noisy(made)
    back = cirq.read_json(json_text=cirq_writer.write(written), resolvers=RESOLVERS)
    stim = stimcirq.cirq_circuit_to_stim_circuit(back)
    assert stim.detector_error_model() == written.circuit.detector_error_model()


CHECKS: dict[str, Callable[[Circuit, Physical], None]] = {
    "qiskit-physical": check_qiskit,
    "tsim": check_tsim,
    "cirq": check_cirq,
}


def outcome(check: Callable[[Circuit, Physical], None], circuit: Circuit, made: Physical) -> str:
    try:
        check(circuit, made)
    except CompileError as refused:
        return f"refused: {refused.diagnostics[0].message}"
    except AssertionError:
        return "differs"
    return "equal"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=50)
    parser.add_argument("-d", "--distance", type=int, default=3)
    given = parser.parse_args()
    found = {name: Counter[str]() for name in CHECKS}
    start = time.process_time()
    for seed in range(given.programs):
        circuit = random_program(1000 + seed, qubits=1 + seed % 3, gates=8, magic=seed % 3)
        made = physical(circuit, given.distance)
        for name, check in CHECKS.items():
            found[name][outcome(check, circuit, made)] += 1
    print(f"{given.programs} programs, d = {given.distance}, {time.process_time() - start:.0f} s")
    for name, verdicts in found.items():
        print(f"{name:<16} {', '.join(f'{n} {what}' for what, n in sorted(verdicts.items()))}")


if __name__ == "__main__":
    main()
