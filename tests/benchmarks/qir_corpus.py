"""How much of the QIR that producers write compiles here, and whether it means the same.

    python tests/benchmarks/qir_corpus.py FOLDER [--shots 2000] [--seed 1] [--list]

FOLDER has one folder per producer with .ll and .bc files.  Every file is loaded, specialised to a
circuit and simulated; qir-runner (the package qirrunner) runs the same file, and the
distributions of the recorded outputs are compared: by a two-sample chi-square test over outcomes,
and over each output by itself.  Prints a table by producer; with --list also what was refused, and
why, and every disagreement.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import chi2

from qwasmc import driver, reading
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.options import Options, Watch
from qwasmc.reading import Source

LEAST_P = 1e-6
"""Distributions disagree if equal ones would differ so much less often than this."""

POOLED = 10
"""Outcomes seen less often are counted together."""

SECONDS = 120

QIR = Options(language="qir")

RUNNER = """
import collections, json, sys
from qirrunner import run
text = []
run(sys.argv[1], shots=int(sys.argv[2]), rng_seed=int(sys.argv[3]),
    output_fn=lambda piece: text.append(str(piece)))
seen, shot = collections.Counter(), []
for line in "".join(text).splitlines():
    words = line.split("\\t")
    if words[0] == "OUTPUT" and words[1] in ("RESULT", "BOOL", "INT", "DOUBLE"):
        shot.append({"true": "1", "false": "0"}.get(words[2], words[2]))
    elif words[0] == "END":
        seen[tuple(shot)] += 1
        shot = []
print(json.dumps([[list(key), times] for key, times in seen.items()]))
"""

Outcomes = Counter[tuple[str, ...]]


@dataclass(slots=True)
class Finding:
    """What became of a file."""

    file: str
    refused: str = ""
    circuit: bool = False
    ours: Outcomes | None = None
    theirs: Outcomes | None = None
    agree: bool = False


def run_theirs(path: Path, shots: int, seed: int) -> Outcomes | None:
    """What qir-runner sees; None if it does not run the file."""
    command = [sys.executable, "-c", RUNNER, str(path), str(shots), str(seed)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return None
    return Counter({tuple(map(number, key)): n for key, n in json.loads(done.stdout)})


def number(text: str) -> str:
    """A recorded value as text that does not depend on who writes it."""
    return str(float(text)) if any(c in text for c in ".enE") else str(int(text))


def run_ours(source: Source, shots: int, seed: int) -> Outcomes:
    """What our simulation sees."""
    found = driver.simulate(source, QIR, Watch(), shots, seed)
    by_character = all(isinstance(result, str) for result in found["results"])
    return Counter(
        {
            tuple(map(number, key if by_character else key.split())): times
            for key, times in found["counts"].items()
        }
    )


def differ(a: Counter[object], b: Counter[object]) -> bool:
    """Whether two samples come from different distributions."""
    total_a, total_b = a.total(), b.total()
    common = {key for key in a | b if a[key] + b[key] >= POOLED}
    cells = [(a[key], b[key]) for key in common]
    cells.append((total_a - sum(x for x, _ in cells), total_b - sum(y for _, y in cells)))
    cells = [(x, y) for x, y in cells if x + y]
    statistic = 0.0
    for x, y in cells:
        share = (x + y) / (total_a + total_b)
        statistic += (x - share * total_a) ** 2 / (share * total_a)
        statistic += (y - share * total_b) ** 2 / (share * total_b)
    return len(cells) > 1 and float(chi2.sf(statistic, len(cells) - 1)) < LEAST_P


def agree(ours: Outcomes, theirs: Outcomes) -> bool:
    """Whether the outcomes, and each output by itself, are distributed alike."""
    lengths = {len(key) for key in ours} | {len(key) for key in theirs}
    if len(lengths) != 1 or differ(Counter(ours), Counter(theirs)):
        return False
    for at in range(lengths.pop()):
        columns: list[Counter[object]] = [Counter(), Counter()]
        for column, outcomes in zip(columns, (ours, theirs), strict=True):
            for key, times in outcomes.items():
                column[key[at]] += times
        if differ(*columns):
            return False
    return True


def examine(path: Path, name: str, shots: int, seed: int) -> Finding:
    """Load, specialise, simulate and compare one file."""
    found = Finding(name)
    source = Source(name, path.read_bytes())
    found.theirs = run_theirs(path, shots, seed)
    try:
        ir = reading.read(source, QIR, Watch())
        reading.verify_ir(ir)
    except CompileError as refused:
        found.refused = refused.diagnostics[0].message
        return found
    try:
        driver.compile_source(source, Options(language="qir", emit="circuit"), Watch())
        found.circuit = True
    except CompileError as refused:
        if refused.exit_code != Kind.LIMIT:
            found.refused = refused.diagnostics[0].message
            return found
    try:
        found.ours = run_ours(source, shots, seed)
    except CompileError as refused:
        found.refused = f"simulation: {refused.diagnostics[0].message}"
    if found.ours is not None and found.theirs is not None:
        found.agree = agree(found.ours, found.theirs)
    return found


def table(findings: dict[str, list[Finding]]) -> str:
    """Rows of Markdown, one per producer and one for all."""
    lines = [
        "| producer | files | load | refused | to a circuit | simulated "
        "| run by qir-runner | of those, simulated here | agree |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    everything = [finding for found in findings.values() for finding in found]
    for producer, found in (*sorted(findings.items()), ("all", everything)):
        loaded = [f for f in found if not f.refused or f.refused.startswith("simulation")]
        run = [f for f in found if f.theirs is not None]
        both = [f for f in run if f.ours is not None]
        numbers: Sequence[int] = (
            len(found),
            len(loaded),
            len(found) - len(loaded),
            sum(f.circuit for f in found),
            sum(f.ours is not None for f in found),
            len(run),
            len(both),
            sum(f.agree for f in both),
        )
        lines.append(f"| {producer} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines)


def main() -> None:
    """Examine every file and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shots", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    findings: dict[str, list[Finding]] = defaultdict(list)
    for path in sorted(arguments.folder.rglob("*")):
        if path.suffix not in (".ll", ".bc"):
            continue
        name = path.relative_to(arguments.folder)
        producer = str(name.parent)
        findings[producer].append(examine(path, str(name), arguments.shots, arguments.seed))
    print(table(findings))
    if not arguments.list:
        return
    for found in findings.values():
        for finding in found:
            if finding.refused:
                print(f"{finding.file}: {finding.refused}")
            elif finding.theirs is not None and not finding.agree:
                ours = finding.ours.most_common(4) if finding.ours else None
                print(f"{finding.file}: {ours}, qir-runner: {finding.theirs.most_common(4)}")


if __name__ == "__main__":
    main()
