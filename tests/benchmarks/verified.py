"""Programs compiled with `--verify`: what each check found, and what it took.

    python tests/benchmarks/verified.py [--distances 3 5 7] [--only TEXT]

A cell is what the check counted if it proved its property (detectors, flows, observables, faults,
errors among shots at d and at d + 2), else its verdict; docs/verification.md says what the checks
are.  A row of many programs counts verdicts.  What is refused, because a check failed or because it
cannot be compiled, is named at the end, with exit code 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from qwasmc.diagnostics import CompileError
from qwasmc.driver import compile_source
from qwasmc.options import Options, Watch
from qwasmc.reading import Source, read_source
from qwasmc.running import InternalError

ROOT = Path(__file__).parents[2]
CORPUS = ROOT.parent / "shared" / "corpus" / "circuits"

CHECKS = ("determinism", "logical action", "results", "observables", "distance", "suppression")

ROUND = "QLSYNDROME rounds=1"
"""Keeps a gate from becoming a part of the preparation."""

ONE_QUBIT = {
    "S": f"QLH 0; {ROUND}; QLS 0; QLMEASURE 0, r0, basis=Y",
    "S S = Z": f"QLH 0; {ROUND}; QLS 0; QLS 0; QLMEASURE 0, r0, basis=X",
    "S S^-1": f"QLH 0; {ROUND}; QLS 0; QLSDG 0; QLMEASURE 0, r0, basis=X",
    "SX": f"{ROUND}; QLH 0; QLS 0; QLH 0; QLMEASURE 0, r0, basis=Y",
    "Y measured twice": f"{ROUND}; QLMEASURE 0, r0, basis=Y; QLMEASURE 0, r1, basis=Y",
    "prepared in Y": f"QLH 0; QLS 0; {ROUND}; QLMEASURE 0, r0, basis=Y",
    "T": f"QLH 0; {ROUND}; QLT 0; QLMEASURE 0, r0, basis=Y",
}
"""In the machine style, after |0> is prepared."""

TOFFOLI = "qreg q[3]; creg c[3]; ccx q[0], q[1], q[2]; measure q -> c;"


class Case(NamedTuple):
    """A program in a row of the table, its options, and the largest distance to compile it at."""

    row: str
    name: str
    source: Source
    options: dict[str, Any]
    highest: int = sys.maxsize


class Finding(NamedTuple):
    """What a compilation's checks found, by name: verdict and detail; or why there is no output."""

    checks: dict[str, tuple[str, str]]
    problem: str
    seconds: float


def machine(text: str, qubits: int = 1) -> Source:
    """A program in the machine style, from instructions separated by semicolons."""
    steps = [f"QLINIT {qubits}", *(step.strip() for step in text.split(";"))]
    return Source("program", "\n".join(steps).encode())


def qasm(text: str) -> Source:
    """A program in OpenQASM 2."""
    return Source("program", f'OPENQASM 2.0;\ninclude "qelib1.inc";\n{text}\n'.encode())


def cuccaro(bits: int) -> str:
    """A ripple-carry adder in place, b += a (Cuccaro et al., quant-ph/0410184, figure 6)."""
    carries = ["c[0]", *(f"a[{i}]" for i in range(bits))]
    steps = [f"qreg a[{bits}]; qreg b[{bits}]; qreg c[2]; creg sum[{bits + 1}];"]
    for i in range(bits):
        low, a, b = carries[i], f"a[{i}]", f"b[{i}]"
        steps.append(f"cx {a}, {b}; cx {a}, {low}; ccx {low}, {b}, {a};")
    steps.append(f"cx a[{bits - 1}], c[1];")
    for i in reversed(range(bits)):
        low, a, b = carries[i], f"a[{i}]", f"b[{i}]"
        steps.append(f"ccx {low}, {b}, {a}; cx {a}, {low}; cx {low}, {b};")
    steps += [f"measure b[{i}] -> sum[{i}];" for i in range(bits)]
    return "\n".join([*steps, f"measure c[1] -> sum[{bits}];"])


def cases() -> Iterator[Case]:
    """All programs, in the order of the table."""
    for name, text in ONE_QUBIT.items():
        yield Case(name, "", machine(text), {"level": 0})
    for plan, letters in product(("sparse", "bus"), product("IXYZ", repeat=3)):
        paulis = "".join(letters)
        if paulis != "III":
            yield Case(
                f"63 products, {plan}",
                paulis,
                products(paulis),
                {"level": 0, "floor_plan": plan},
            )
    magic = read_source(str(ROOT / "examples" / "magic.qwasm"))
    yield Case("magic.qwasm", "", magic, {})
    yield Case("T, 15-to-1", "", machine(ONE_QUBIT["T"]), {"level": 0, "factory": "15-to-1"})
    yield Case("Toffoli", "", qasm(TOFFOLI), {})
    yield Case("Cuccaro adder, 4 bits", "", qasm(cuccaro(4)), {}, 5)
    for folder, count in (("feynman", 10), ("qasmbench", 5)):
        files = sorted((CORPUS / folder).glob("*.qasm"), key=lambda path: path.stat().st_size)
        for path in files[:count]:
            yield Case(f"{folder}/{path.stem}", "", read_source(str(path)), {}, 3)


def products(paulis: str) -> Source:
    """|000>, a product measured twice, all qubits measured."""
    measured = [f"QLPPM {paulis}, 0, 1, 2, r{i}" for i in range(2)]
    return machine("; ".join(measured + [f"QLMEASURE {q}, r{q + 2}" for q in range(3)]), 3)


def verify(case: Case, distance: int) -> Finding:
    """Compile and check."""
    options = Options(distance=distance, verify=True, **case.options)
    started = time.process_time()
    checks, problem = {}, ""
    try:
        made = compile_source(case.source, options, Watch())
    except (CompileError, InternalError) as refused:
        problem = str(refused)
    else:
        found = made.verification
        checks = {item["check"]: (item["result"], item["detail"]) for item in found}
    return Finding(checks, problem, time.process_time() - started)


def cells(findings: list[Finding]) -> list[str]:
    """Passes, the checks of the back half, refusals, CPU seconds."""
    passes = [
        verdict
        for finding in findings
        for check, (verdict, _) in finding.checks.items()
        if check not in CHECKS
    ]
    cells = [counted(passes)]
    for check in CHECKS:
        found = [finding.checks[check] for finding in findings if check in finding.checks]
        if len(findings) == 1 and found:
            cells.append(shown(check, *found[0]))
        else:
            cells.append(counted([verdict for verdict, _ in found]))
    refused = sum(bool(finding.problem) for finding in findings)
    return [*cells, str(refused), f"{sum(finding.seconds for finding in findings):.1f}"]


def shown(check: str, verdict: str, detail: str) -> str:
    """The cell of one program's check."""
    numbers = re.findall(r"\d+/\d+", detail) if check == "suppression" else []
    numbers = numbers or re.findall(r"\d+", detail)[:1]
    if verdict == "proved":
        return ", ".join(numbers)
    return " ".join([verdict, *([", ".join(numbers)] if verdict == "not decided" else [])])


def counted(verdicts: list[str]) -> str:
    """How many there are of each verdict."""
    kinds = dict.fromkeys(verdicts)
    return ", ".join(f"{verdicts.count(kind)} {kind}" for kind in kinds)


def main() -> int:
    """Print the table, each row as soon as it is known, then what was refused."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--distances", type=int, nargs="+", default=[3, 5, 7])
    parser.add_argument("--only", default="", help="rows that contain this text")
    options = parser.parse_args()
    rows: dict[str, list[Case]] = {}
    for case in cases():
        if options.only in case.row:
            rows.setdefault(case.row, []).append(case)
    columns = ["program", "d", "passes", *CHECKS, "refused", "CPU s"]
    for line in (columns, ["---"] * len(columns)):
        print("|", " | ".join(line), "|")
    wrong: list[str] = []
    for row, group in rows.items():
        for distance in options.distances:
            some = [case for case in group if distance <= case.highest]
            findings = [verify(case, distance) for case in some]
            wrong += [
                f"{case.row} {case.name} at d = {distance}: {finding.problem}"
                for case, finding in zip(some, findings, strict=True)
                if finding.problem
            ]
            if some:
                print("|", " | ".join([row, str(distance), *cells(findings)]), "|", flush=True)
    print()
    print("\n".join(wrong) or "None refused.")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
