"""Damaged programs: whatever is in a file, the compiler answers with a result or a diagnostic.

    python tests/benchmarks/fuzz.py [--inputs 20000] [--seed 0]

Takes the examples (and the golden inputs of the error tests), damages them by seeded edits
(characters, tokens, lines, splices of two programs, hostile values) and runs each through the
whole compiler, down to a d=3 circuit where it is small.  Prints every input that ends in
anything but a result or a diagnostic, or takes more than five seconds, and exits 1 if there
was one.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from qwasmc.backends.stim.emit import emit
from qwasmc.diagnostics import CompileError, render
from qwasmc.grammar.evaluator import Limits
from qwasmc.grammar.qwasm import read
from qwasmc.ir.surgery import Row
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.specialise import specialise
from qwasmc.verify import verify

ROOT = Path(__file__).parents[2]
HOSTILE = (
    *("0", "-1", "1e999", "{10**1000}", "{'a'*10}", "{[1,2]}", "{1/0}", "0x", "99999999999"),
    *('"', "'", "{", "}", "{{", "(", ")", "[", "]", "->", "if", "&&", "||", "==", "!", ",", ";"),
    *("=", "\0", "é", "\ufeff", "\u2028", "\t", "{x", '{f"{x}"}', "0..9", "9..0", "math.pi"),
    *("nan", "-> m", "[CAP_X]"),
)
TOO_LONG = 5.0
"""Seconds."""
SMALL = 40
"""Joins of a program that is emitted."""


def damage(rng: random.Random, texts: list[str]) -> str:
    """One program with one to three edits."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice((0, 1, 2, 2, 2, 3, 3, 4, 5))
        lines = text.split("\n")
        at = rng.randrange(len(lines))
        place = rng.randint(0, len(text))
        if kind == 0:
            text = text[:place] + text[place + rng.randint(1, 5) :]
        elif kind == 1:
            text = text[:place] + rng.choice(HOSTILE) + text[place:]
        elif kind == 2:
            lines.insert(rng.randrange(len(lines)), lines[at])
            text = "\n".join(lines)
        elif kind == 3:
            del lines[at]
            text = "\n".join(lines)
        elif kind == 4:
            other = rng.choice(texts).split("\n")
            lines[at:at] = other[: rng.randint(1, 8)]
            text = "\n".join(lines)
        else:
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = rng.choice(HOSTILE)
            lines[at] = " ".join(words)
            text = "\n".join(lines)
    return text


def compile_text(text: str, limits: Limits) -> str:
    """How far a program gets: "refused", or the last stage it reached."""
    try:
        circuit = defer_paulis(specialise(read(text, "fuzz.qwasm", limits=limits)))
        verify(circuit)
        if circuit.n_values > 10_000:
            return "circuit"
        surgery = lower_surgery(circuit)
        verify(surgery)
        if (surgery.kind == Row.JOIN).sum() > SMALL:
            return "surgery"
        emit(surgery, 3)
        return "stim"
    except CompileError as refused:
        for diagnostic in refused.diagnostics:
            render(diagnostic)
        return "refused"


def main() -> int:
    """Run and summarise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    sources = [*ROOT.glob("examples/*.qwasm"), *ROOT.glob("tests/errors/*.qwasm")]
    texts = [path.read_text() for path in sorted(sources)]
    limits = Limits(statements=20_000)
    rng = random.Random(arguments.seed)
    ends: Counter[str] = Counter()
    bad = 0
    for number in range(arguments.inputs):
        text = damage(rng, texts)
        started = time.perf_counter()
        try:
            ends[compile_text(text, limits)] += 1
            seconds = time.perf_counter() - started
            problem = f"{seconds:.1f} s\n" if seconds > TOO_LONG else ""
        except Exception:
            problem = traceback.format_exc()
        if problem:
            bad += 1
            print(f"input {number}: {problem}{text!r}\n")
    print(f"{arguments.inputs} inputs: {dict(ends)}, {bad} bad")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
