"""What learned rules gain beyond -O2 on circuits that they were not learned from.

    python tests/benchmarks/rewriting.py ../shared/corpus --rules FILE... [--objective depth]
        [--groups qasmbench ...] [--only TEXT] [--wisq PYTHON] [--seconds 60]
    python tests/benchmarks/rewriting.py ../shared/corpus --rules FILE... --million

Which circuits are learned from and which judge is said in `rewriting_circuits.py`.  A circuit is
counted as it comes (`input`: -O0), after -O2, and after the rules on top of -O2: `greedy`, the
first rule that gains, in their order, and `policy`, where a set has one.  With --wisq, GUOQ
(`rewriting_peer.py`) gets the circuit of -O2 as well, in its own gate set, for so many seconds on
a two-qubit objective; `cancel` writes what it gives in our gates again.  It knows no measurements
but those at the end.

Volume is tiles times slabs of the default schedule.  CPU seconds are those of a compilation,
or of rewriting alone.  Each circuit after rules is checked against the one before by single runs
on state vectors where they are small enough, else by MQT QCEC and the compiler's own checker of
passes, which shares no code with rewriting; what neither decides is counted.  That QCEC calls
circuits different is no proof: it says so of a multiplier on 75 qubits (multiplier_n75) in which
nothing but neighbouring S and T on single qubits were merged.

Means are geometric, against -O2, of counts plus one.  Exit code 1 if the objective or the T gates
of any circuit rose, or if a check failed.
"""

from __future__ import annotations

import argparse
import json
import math
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from fold_speed import adder_gates, circuit_of, random_gates
from mapping import as_qasm
from mqt import qcec
from qiskit import QuantumCircuit, qasm2, transpile
from rewriting_circuits import LEAST, MOST, HeldOut, held_out

import qwasmc
from qwasmc.backends.equivalence import compare
from qwasmc.backends.qiskit import to_qiskit
from qwasmc.cost import TAKES_TIME, cost, depth, rotation_count, t_count, two_qubit_count
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.ops import OBJECTIVES, OPS
from qwasmc.passes.learning.measuring import surgery_volume
from qwasmc.passes.rewrite import rewrite
from qwasmc.rules.notation import read_rules
from qwasmc.rules.rule import RuleSet

sys.path.insert(0, str(Path(__file__).parents[1]))
from trajectories import assert_same

PEER = Path(__file__).with_name("rewriting_peer.py")
BASIS = ["h", "x", "s", "sdg", "t", "tdg", "cx"]
WORK = 1 << 27
"""Most rows times entries of a state vector."""

SECONDS = 30
"""For each checker."""

FAILED, DISPUTED = "FAILED", "QCEC disagrees"

MILLION = 1_000_000
BITS = MILLION // 34
"""Bits of an adder of as many gates."""

COUNTS = ("T", "two-qubit", "depth", "volume")


class Row(NamedTuple):
    """A circuit as one tool made it."""

    tool: str
    counts: tuple[float, ...]
    seconds: float
    check: str = ""


def counts(circuit: Circuit) -> tuple[float, ...]:
    """What COUNTS says; the volume is not a number if there is no schedule."""
    try:
        volume = float(surgery_volume(circuit))
    except CompileError:
        volume = math.nan
    long = depth(circuit, TAKES_TIME)
    return t_count(circuit), two_qubit_count(circuit), long, volume


def timed(make: Callable[[], Circuit]) -> tuple[Circuit, float]:
    """What a function makes, and its CPU seconds."""
    start = time.process_time()
    circuit = make()
    return circuit, time.process_time() - start


# -- checks ------------------------------------------------------------------------------------


def checked(before: Circuit, after: Circuit) -> str:
    """Who says that two circuits are the same, or what else came out."""
    if after is before:
        return "unchanged"
    n_qubits = sum(OPS[code].makes_qubit for code in before.op.tolist())
    if len(before) << n_qubits <= WORK:
        try:
            assert_same(before, after)
        except AssertionError:
            return f"{FAILED}: state vector"
        return "state vector"
    verdict = by_qcec(before, after)
    if verdict.startswith("equivalent"):
        return "QCEC"
    try:
        with limited(SECONDS):
            found = compare(before, after).result
    except TimeoutError:
        found = "not decided"
    if found == "not decided" and verdict == "not_equivalent":
        return DISPUTED
    return {"proved": "own checker", "failed": f"{FAILED}: own checker"}.get(found, found)


def by_qcec(*circuits: Circuit) -> str:
    """What QCEC says about two circuits; nothing if they are not for it."""
    if any(measured_at_end(circuit) is None for circuit in circuits):
        return ""
    both = [to_qiskit(circuit).circuit for circuit in circuits]
    return str(qcec.verify(*both, timeout=SECONDS, seed=1).equivalence).rpartition(".")[2]


@contextmanager
def limited(seconds: int) -> Iterator[None]:
    """TimeoutError if what is in here takes longer."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


# -- GUOQ --------------------------------------------------------------------------------------


def measured_at_end(circuit: Circuit) -> list[int] | None:
    """The wires that a circuit measures, if it does nothing else but gates before; else None."""
    wire = circuit.wires().tolist()
    found: list[int] = []
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        wires = [wire[value] for value in circuit.values(row)] if spec.qubits else []
        if circuit.cond[row] >= 0 or (spec.is_gate and set(wires) & set(found)):
            return None
        if spec.name == "measure_z":
            found += wires
        elif spec.makes_bit or spec.name == "reset":
            return None
    return found


def guoq(circuit: Circuit, python: str, seconds: int) -> Row | None:
    """What GUOQ makes of a circuit; None if it cannot read it."""
    measured = measured_at_end(circuit)
    if measured is None:
        return None
    text = as_qasm(circuit)
    plain = transpile(QuantumCircuit.from_qasm_str(text), basis_gates=BASIS, optimization_level=0)
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "in.qasm", Path(folder) / "out.qasm"
        qasm2.dump(plain, file)
        command = [python, str(PEER), str(file), str(out), "TWO_Q", str(seconds)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        made = out.read_text() if found["changed"] else file.read_text()
    made += f"creg c[{len(measured)}];\n" if measured else ""
    made += "".join(f"measure q[{wire}] -> c[{i}];\n" for i, wire in enumerate(measured))
    back = qwasmc.run_passes(qwasmc.parse(made), ["promote", "specialise", "cancel"])
    assert isinstance(back, Circuit)
    return Row("GUOQ", counts(back), found["seconds"])


# -- the table ---------------------------------------------------------------------------------


class Comparison:
    """Compares circuit by circuit, and keeps what came out."""

    def __init__(self, rules: list[RuleSet], arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.tools = {"greedy": [replace(each, policy=None) for each in rules]}
        if any(each.policy for each in rules):
            self.tools["policy"] = rules
        self.seen: set[bytes] = set()
        self.rows: dict[str, list[dict[str, Row]]] = {}
        self.wrong: list[str] = []

    def add(self, held: HeldOut) -> None:
        """Compare on one program, unless it gives no circuit of the right size, or a known one."""
        objective = self.arguments.objective
        try:
            made, spent = timed(lambda: compiled(held, 2, objective))
            plain, spent_plain = timed(lambda: compiled(held, 0, objective))
        except CompileError:
            return
        gates = sum(OPS[code].is_gate for code in made.op.tolist())
        key = b"".join(column.tobytes() for column in (made.op, made.operands, made.angle))
        if gates > MOST or (held.group == "programs" and gates < LEAST) or key in self.seen:
            return
        self.seen.add(key)
        rows = {"input": Row("input", counts(plain), spent_plain)}
        rows["-O2"] = Row("-O2", counts(made), spent)
        for tool, rules in self.tools.items():
            rows[tool] = self.rewritten(held, tool, made, rules)
        peer = self.arguments.wisq and guoq(made, self.arguments.wisq, self.arguments.seconds)
        if peer:
            rows["GUOQ"] = peer
        self.rows.setdefault(held.group, []).append(rows)
        for row in rows.values():
            print(f"{held.name:<40} {text(row)}", flush=True)

    def rewritten(self, held: HeldOut, tool: str, before: Circuit, rules: list[RuleSet]) -> Row:
        """The row of one way to use rules."""
        objective = self.arguments.objective
        after, seconds = timed(lambda: rewrite(before, rules, objective))
        row = Row(tool, counts(after), seconds, checked(before, after))
        dearer = cost(after, objective) > cost(before, objective)
        more_t = t_count(after) > t_count(before) or rotation_count(after) > rotation_count(before)
        if dearer or more_t or row.check.startswith(FAILED):
            why = "the objective rose" if dearer else "T rose" if more_t else row.check
            self.wrong.append(f"{held.name}, {tool}: {why}")
        return row

    def summary(self) -> Iterator[str]:
        """Geometric means by group, and the checks."""
        everything = [rows for group in self.rows.values() for rows in group]
        groups = {**self.rows, "all": everything}
        if self.arguments.wisq:
            groups["all that GUOQ reads"] = [rows for rows in everything if "GUOQ" in rows]
        yield f"{'':<20} {'':<8} circuits" + "".join(f"{name:>10}" for name in COUNTS) + "   CPU s"
        for name, group in groups.items():
            for tool in ("input", "greedy", "policy", "GUOQ"):
                shared = [rows for rows in group if tool in rows]
                if shared:
                    means = "".join(f"{mean(shared, tool, at):>10.4f}" for at in range(len(COUNTS)))
                    spent = sum(rows[tool].seconds for rows in shared)
                    yield f"{name:<20} {tool:<8} {len(shared):>8}{means}{spent:>8.1f}"
        for tool in self.tools:
            found = Counter(rows[tool].check for rows in everything)
            yield f"{tool}: " + ", ".join(f"{number} {check}" for check, number in found.items())
            better = [sum(rows[tool].counts[at] < rows["-O2"].counts[at] for rows in everything)
                      for at in range(len(COUNTS))]  # fmt: skip
            less = zip(COUNTS, better, strict=True)
            yield f"{tool}, circuits with less: " + ", ".join(f"{n} {name}" for name, n in less)


def compiled(held: HeldOut, level: int, objective: str) -> Circuit:
    """The circuit of a program."""
    return qwasmc.compile(held.program, emit="circuit", level=level, objective=objective).program


def mean(group: list[dict[str, Row]], tool: str, at: int) -> float:
    """The geometric mean of one count against -O2."""
    pairs = [(rows[tool].counts[at], rows["-O2"].counts[at]) for rows in group]
    logs = [math.log((new + 1) / (old + 1)) for new, old in pairs if not math.isnan(new + old)]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


def text(row: Row) -> str:
    """A row of the table."""
    shown = "".join(f"{count:>10.0f}" for count in row.counts)
    return f"{row.tool:<7}{shown}{row.seconds:>8.2f}s  {row.check}"


def million(tools: dict[str, list[RuleSet]], objective: str) -> None:
    """Time the pass on circuits of a million gates."""
    cases: dict[str, Any] = {
        "random gates on 50 qubits": (50, random_gates(MILLION)),
        f"adder of {BITS} bits": (2 * BITS + 2, adder_gates(BITS)),
    }
    for name, (qubits, gates) in cases.items():
        before = circuit_of(qubits, gates)
        print(f"{name}: {len(gates)} gates, depth {depth(before, TAKES_TIME)}", flush=True)
        for tool, rules in tools.items():
            after, seconds = timed(
                lambda before=before, rules=rules: rewrite(before, rules, objective)
            )
            print(f"    {tool}: depth {depth(after, TAKES_TIME)}, {seconds:.2f} CPU s", flush=True)


def main() -> int:
    """Print a line for each circuit and tool, then means, checks and what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--rules", type=Path, nargs="+", required=True)
    parser.add_argument("--objective", choices=OBJECTIVES, default="t")
    parser.add_argument("--groups", nargs="+", default=[])
    parser.add_argument("--only", default="", help="Circuits with this text in their names.")
    parser.add_argument("--wisq", metavar="PYTHON", help="Interpreter with wisq.")
    parser.add_argument("--seconds", type=int, default=60, help="For each circuit, for GUOQ.")
    parser.add_argument("--million", action="store_true")
    arguments = parser.parse_args()
    rules = [read_rules(path.read_bytes(), str(path)) for path in arguments.rules]
    found = Comparison(rules, arguments)
    for each in found.tools.values():  # so that no time includes compiling loops
        rewrite(circuit_of(50, random_gates(100)), each, arguments.objective)
    if arguments.million:
        million(found.tools, arguments.objective)
        return 0
    print(f"{'':<40} {'':<7}" + "".join(f"{name:>10}" for name in COUNTS) + "     CPU")
    for held in held_out(arguments.corpus):
        if arguments.only in held.name and held.group in (arguments.groups or [held.group]):
            found.add(held)
    print(*found.summary(), sep="\n")
    print("\n".join(found.wrong) or "Nothing rose and no check failed.")
    return int(bool(found.wrong))


if __name__ == "__main__":
    sys.exit(main())
