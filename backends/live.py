"""Runs a Program as it is, shot by shot: control flow follows the outcomes of measurements.

The qubits are in a state that Stim or Qiskit Aer keeps (`Qubits`); `decode` prepares the rest.

Runs may record different results, as in a loop that ends when a measurement says so.  Then an
outcome has a place for each result that any run recorded, and '-' where this run did not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence

from qwasmc.backends.decode import Code, decode
from qwasmc.backends.machine import Label, Machine, Segment
from qwasmc.backends.qubits import Qubits
from qwasmc.backends.results import MISSING, Column, Counts, Outcome, count
from qwasmc.ir.program import Program

MAX_STEPS = 10_000_000
"""Most operations that one run of a program executes."""


def run(
    program: Program, qubits: Qubits, shots: int, seed: int | None, max_steps: int = MAX_STEPS
) -> Counts:
    """Run a program so many times, from a seed or fresh randomness.

    Raises `CompileError` for a run that fails, takes too long or needs too many qubits.
    """
    machine = Machine(qubits, program.locations)
    code = decode(program, machine)
    rng = random.Random(seed)
    runs: Counter[tuple[tuple[int, ...], Outcome]] = Counter()
    for _ in range(shots):
        machine.start(rng.getrandbits(62))
        _run_once(machine, code, max_steps)
        runs[tuple(machine.recorded), tuple(machine.values)] += 1
    return _counted(machine.labels, runs)


def _run_once(machine: Machine, code: Code, max_steps: int) -> None:
    """From the start of `main` to the end of the program."""
    steps = 0
    at: tuple[Segment, list[object]] | None = (code.entry, code.registers.copy())
    while at is not None:
        segment, registers = at
        steps += segment.steps
        if steps > max_steps:
            message = f"a run of the program did not end within {max_steps} operations"
            raise machine.limit(message, segment.loc, "this was still running")
        for step in segment.body:
            step(registers)
        at = segment.end(registers)


def _counted(labels: Sequence[Label], runs: Counter[tuple[tuple[int, ...], Outcome]]) -> Counts:
    """The report on runs: what each recorded, and its values."""
    named = {
        recorded: unique_names([labels[at] for at in recorded])
        for recorded in dict.fromkeys(recorded for recorded, _ in runs)
    }
    columns = merged(named.values())
    seen: Counter[Outcome] = Counter()
    for (recorded, values), times in runs.items():
        found = dict(zip(named[recorded], values, strict=True))
        seen[tuple(found.get(column, MISSING) for column in columns)] += times
    return count([Column(name=name, kind=kind) for name, kind in columns], seen)


def unique_names(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Results under names of their own, in order of execution: m, m.2, m.3."""
    taken: set[str] = set()
    times: Counter[str] = Counter()
    found: list[Label] = []
    for name, kind in labels:
        times[name] += 1
        time = times[name]
        own = name if time == 1 else f"{name}.{time}"
        while own in taken:
            time += 1
            own = f"{name}.{time}"
        taken.add(own)
        found.append(Label(own, kind))
    return tuple(found)


def merged(lists: Iterable[tuple[Label, ...]]) -> list[Label]:
    """All results of some runs, a new one right after the one that it followed.

    Longer lists come first, so the order does not depend on which run was first.
    """
    following: dict[Label | None, list[Label]] = {}
    known: set[Label] = set()
    for labels in sorted(lists, key=lambda labels: (-len(labels), labels)):
        before: Label | None = None
        for label in labels:
            if label not in known:
                known.add(label)
                following.setdefault(before, []).append(label)
            before = label
    order: list[Label] = []
    todo = following.get(None, [])
    while todo:
        order.append(todo.pop())
        todo += following.get(order[-1], [])
    return order
