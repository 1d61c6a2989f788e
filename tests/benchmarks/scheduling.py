"""How many slabs schedules take, and how the time to find them grows.

    python tests/benchmarks/scheduling.py growth [PATCHES [PORTS]]
    python tests/benchmarks/scheduling.py circuits FILE.qasm...

`growth` schedules random programs of equally many MAGIC, CONTROL and TURN tasks, up to a million of
each.  `circuits` translates gates one by one: cx to CONTROL, t to MAGIC, s to TURN, h to an
exchange of letters; the bound is the longest chain of tasks.
"""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path

import numpy as np

import qwasmc
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.surgery import Letter
from qwasmc.ops import OPS
from qwasmc.passes.scheduling.improve import best_schedule, least_slabs
from qwasmc.passes.scheduling.plan import FAMILIES, Source, make_plan
from qwasmc.passes.scheduling.scheduler import Unroutable, make_schedule
from qwasmc.passes.scheduling.tasks import Act, Tasks

X, Z = Letter.X, Letter.Z


def random_tasks(count: int, n_patches: int, seed: int = 1) -> Tasks:
    """So many MAGIC, CONTROL and TURN tasks each, in any order on any patches."""
    rng = np.random.default_rng(seed)
    kinds = np.repeat(np.array([Act.MAGIC, Act.CONTROL, Act.TURN], np.uint8), count)
    rng.shuffle(kinds)
    ends = np.ones(n_patches, np.uint8)
    act = np.concatenate([Act.APPEAR * ends, kinds, Act.MEASURE * ends]).astype(np.uint8)
    start = np.concatenate([[0], np.cumsum(np.where(act == Act.CONTROL, 2, 1))]).astype(np.int32)
    patch = rng.integers(0, n_patches, start[-1], dtype=np.int32)
    patch[:n_patches] = patch[-n_patches:] = np.arange(n_patches)
    first = start[:-1][act == Act.CONTROL]
    patch[first + 1] = (patch[first] + rng.integers(1, n_patches, len(first))) % n_patches
    letter = np.full(start[-1], Z, np.uint8)
    letter[first + 1] = X
    return Tasks(act, start, patch, letter, n_patches)


def circuit_tasks(circuit: Circuit) -> Tasks:
    """The tasks of a Clifford+T circuit, gate by gate; Paulis and bits are left out."""
    patch_of: dict[int, int] = {}
    label: list[int] = []
    rows: list[tuple[Act, list[tuple[int, int]]]] = []
    for row, code in enumerate(circuit.op.tolist()):
        spec, first = OPS[code], int(circuit.first[row])
        patches = [patch_of.pop(value) for value in circuit.values(row) if value in patch_of]
        if spec.makes_qubit:
            patches = [len(label)]
            label.append(0)
            rows.append((Act.APPEAR, [(patches[0], Z)]))
        elif spec.name == "h":
            label[patches[0]] ^= 3
        elif spec.name in ("cx", "cz"):
            letters = (Z, X if spec.name == "cx" else Z)
            pairs = [(p, letter ^ label[p]) for p, letter in zip(patches, letters, strict=True)]
            rows.append((Act.CONTROL, pairs))
        elif spec.name in ("s", "sdg", "t", "tdg"):
            act = Act.TURN if spec.name[0] == "s" else Act.MAGIC
            rows.append((act, [(patches[0], Z ^ label[patches[0]])]))
        elif spec.name == "swap":
            patches.reverse()
        elif not (spec.is_pauli or spec.ends_qubit or not patches):
            raise SystemExit(f"no translation for '{spec.name}'")
        patch_of.update({first + slot: patch for slot, patch in enumerate(patches)})
    pairs = [pair for _, each in rows for pair in each]
    return Tasks(
        np.array([act for act, _ in rows], np.uint8),
        np.cumsum([0] + [len(each) for _, each in rows]).astype(np.int32),
        np.array([patch for patch, _ in pairs], np.int32),
        np.array([letter for _, letter in pairs], np.uint8),
        len(label),
    )


def growth(n_patches: int = 50, n_ports: int = 8) -> None:
    """Print time and memory per task for programs of growing length."""
    make_schedule(random_tasks(10, 4), make_plan("bus", 4, [Source()]))
    print("plan     tasks     slabs  CPU s  us/task  peak MB")
    for family in ("sparse", "bus"):
        plan = make_plan(family, n_patches, [Source()] * n_ports)
        for count in (10_000, 100_000, 1_000_000):
            tasks = random_tasks(count, n_patches)
            begun = time.process_time()
            slabs = make_schedule(tasks, plan).slabs
            spent = time.process_time() - begun
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            micro = spent * 1e6 / len(tasks)
            print(f"{family:7}{len(tasks):8}{slabs:10}{spent:7.1f}{micro:9.1f}{peak:9.0f}")


def row(tasks: Tasks, family: str, n_ports: int) -> str:
    """Tiles, slabs, best slabs and CPU seconds on a floor plan; a dash if a task has no route."""
    plan = make_plan(family, tasks.n_patches, [Source()] * n_ports)
    slabs = []
    begun = time.process_time()
    for make in (make_schedule, lambda *args: best_schedule(*args)[0]):
        try:
            slabs.append(str(make(tasks, plan).slabs))
        except Unroutable:
            slabs.append("-")
    spent = time.process_time() - begun
    return f"{plan.tiles:5}{slabs[0]:>5}{slabs[1]:>5}{spent:5.1f}"


def circuits(files: list[str], n_ports: int = 8) -> None:
    """Print slabs on each floor plan: program order, and the best of some tries."""
    head = "".join(f"{family:>20}" for family in FAMILIES)
    print(f"circuit              tasks  bound{head}      tiles, slabs, best slabs, CPU s")
    for name in files:
        program = qwasmc.parse(Path(name))
        circuit = qwasmc.run_passes(program, ["promote", "specialise", "lower-gates"])
        tasks = circuit_tasks(circuit)
        cells = "".join(row(tasks, family, n_ports) for family in FAMILIES)
        print(f"{Path(name).stem:18}{len(tasks):8}{least_slabs(tasks):7}{cells}", flush=True)


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["growth"]
    if what == "growth":
        growth(*map(int, rest))
    else:
        circuits(rest)
