"""How much of the QIR that producers write comes back through the QIR that is written here.

    python tests/benchmarks/qir_roundtrip.py FOLDER [--shots 500] [--seed 1] [--list]

FOLDER has one folder per producer with .ll and .bc files.  Each file is read and written twice: as
a program with its loops and calls (as at -O0), and as the circuit that is left when what does not
depend on measurements has been run, or the program where there is none.  LLVM verifies what is
written, qir-runner runs it, and the distributions of the recorded outputs are compared with those
of the file itself in qir-runner, or in our simulation where qir-runner refuses it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from llvmlite import binding
from qir_corpus import QIR, Outcomes, agree, run_ours, run_theirs

from qwasmc import reading
from qwasmc.backends.qir import write
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.options import Watch
from qwasmc.pipeline import load
from qwasmc.reading import Source

WAYS = ("program", "circuit")
STAGES = ("written", "base", "verified", "run", "compared", "agree")


@dataclass(slots=True)
class Finding:
    """What became of a file; `reached` has the stages by way."""

    file: str
    read: bool = False
    reached: dict[str, set[str]] = field(default_factory=lambda: {way: set() for way in WAYS})
    notes: list[str] = field(default_factory=list)


def forms(path: Path, name: str) -> dict[str, Program | Circuit]:
    """The program and the circuit of a file."""
    ir = reading.read(Source(name, path.read_bytes()), QIR, Watch())
    if reading.kind_of(ir) == "circuit":
        return dict.fromkeys(WAYS, ir)
    ir = load("qwasmc.passes.promote:promote")(ir)
    try:
        return {"program": ir, "circuit": load("qwasmc.passes.specialise:specialise")(ir)}
    except CompileError as refused:
        if refused.exit_code != Kind.LIMIT:
            raise
        return dict.fromkeys(WAYS, ir)


def reference(path: Path, name: str, shots: int, seed: int) -> Outcomes | None:
    """The outcomes of the file itself."""
    found = run_theirs(path, shots, seed)
    if found is None:
        try:
            found = run_ours(Source(name, path.read_bytes()), shots, seed)
        except CompileError:
            return None
    return found


def examine(path: Path, name: str, shots: int, seed: int) -> Finding:
    """Read, write, verify, run and compare one file."""
    found = Finding(name)
    try:
        irs = forms(path, name)
    except CompileError as refused:
        found.notes.append(f"not read: {refused.diagnostics[0].message}")
        return found
    found.read = True
    expected = reference(path, name, shots, seed)
    for way, ir in irs.items():
        reached = found.reached[way]
        try:
            text = write(ir)
        except CompileError as refused:
            found.notes.append(f"{way}: {refused.diagnostics[0].message}")
            continue
        reached.add("written")
        if '"qir_profiles"="base_profile"' in text:
            reached.add("base")
        binding.parse_assembly(text, context=binding.create_context()).verify()
        reached.add("verified")
        with tempfile.NamedTemporaryFile("w", suffix=".ll") as file:
            file.write(text)
            file.flush()
            seen = run_theirs(Path(file.name), shots, seed + 1)
        if seen is None:
            found.notes.append(f"{way}: qir-runner does not run what was written")
            continue
        reached.add("run")
        if expected is None:
            found.notes.append(f"{way}: nothing to compare with")
            continue
        reached.add("compared")
        if agree(seen, expected):
            reached.add("agree")
        else:
            most = f"{seen.most_common(3)} for {expected.most_common(3)}"
            found.notes.append(f"{way}: {most}")
    return found


def table(findings: dict[str, list[Finding]]) -> str:
    """Rows of Markdown, one per producer and one for all."""
    heads = [f"{way}: {stage}" for way in WAYS for stage in STAGES]
    lines = [f"| producer | files | read | {' | '.join(heads)} |", "|---" * (len(heads) + 3) + "|"]
    everything = [finding for found in findings.values() for finding in found]
    for producer, found in (*sorted(findings.items()), ("all", everything)):
        reached = Counter(
            (way, stage) for each in found for way in WAYS for stage in each.reached[way]
        )
        numbers = [len(found), sum(each.read for each in found)]
        numbers += [reached[way, stage] for way in WAYS for stage in STAGES]
        lines.append(f"| {producer} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines)


def main() -> None:
    """Examine every file and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shots", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    findings: dict[str, list[Finding]] = defaultdict(list)
    for path in sorted(arguments.folder.rglob("*")):
        if path.suffix in (".ll", ".bc"):
            name = str(path.relative_to(arguments.folder))
            found = examine(path, name, arguments.shots, arguments.seed)
            findings[str(Path(name).parent)].append(found)
    print(table(findings))
    if arguments.list:
        for found in findings.values():
            for finding in found:
                for note in finding.notes:
                    print(f"{finding.file}: {note}")


if __name__ == "__main__":
    main()
