"""Damaged programs: whatever is in a file, the compiler answers with a result or a diagnostic.

    python tests/benchmarks/fuzz.py [--inputs 20000] [--seed 0] [--language qwasm] [--folder DIR]

Takes the examples, the inputs of the error tests and what is in a folder, damages them by seeded
edits (characters, tokens, lines, splices of two programs, hostile values) and runs each through
the whole compiler, down to a d=3 circuit where it is small.  Prints every input that ends in
anything but a result or a diagnostic, or takes more than five seconds, and exits 1 if there was
one.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

from qwasmc import driver, reading
from qwasmc.backends.stim.emit import emit
from qwasmc.diagnostics import CompileError, render
from qwasmc.ir.surgery import Row
from qwasmc.languages import BY_NAME, LANGUAGES, detect
from qwasmc.options import Options, Watch
from qwasmc.passes.defer_paulis import defer_paulis
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.lower_surgery import lower_surgery
from qwasmc.passes.promote import promote
from qwasmc.passes.specialise import specialise
from qwasmc.passes.synthesise import synthesise
from qwasmc.reading import Source
from qwasmc.verify import verify

ROOT = Path(__file__).parents[2]
SEEDS = {
    "qwasm": ("examples/*.qwasm", "tests/errors/*.qwasm"),
    "qvm": ("examples/*.qvm.json", "tests/qvm_errors/*.json"),
    "qir": ("examples/*.ll", "tests/llvm/*.ll"),
    "qasm2": ("examples/adder.qasm",),
    "qasm3": ("examples/grover.qasm",),
    "stim": ("examples/*.stim",),
    "ir": (),
}
"""Where the programs to damage are, by language; those of `ir` are printed from the others."""

LARGEST_SEED = 6_000
"""Bytes of a program from elsewhere; damage to a larger one is mostly refused for its size."""

WORD = re.compile(r"[\w.-]+")

HOSTILE = (
    *("0", "-1", "1e999", "{10**1000}", "{'a'*10}", "{[1,2]}", "{1/0}", "0x", "99999999999"),
    *('"', "'", "{", "}", "{{", "(", ")", "[", "]", "->", "if", "&&", "||", "==", "!", ",", ";"),
    *("=", "\0", "é", "\ufeff", "\u2028", "\t", "{x", '{f"{x}"}', "0..9", "9..0", "math.pi"),
    *("nan", "-> m", "[CAP_X]", "null", "i64", "%0", "@a", "true", "1000000000", "rec[-9]", "*"),
    *("9223372036854775808", "-9223372036854775808", "label", "ptr", "<", "/*", "\\", "REPEAT 9 {"),
)
TOO_LONG = 5.0
"""Seconds."""
SMALL = 40
"""Joins of a program that is emitted."""


def damage(rng: random.Random, texts: list[str]) -> str:
    """One program with one to three edits."""
    text = rng.choice(texts)
    for _ in range(rng.randint(1, 3)):
        kind = rng.choice((0, 1, 2, 2, 2, 3, 3, 4, 5, 6, 6, 6))
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
        elif kind == 6:
            text = exchange(rng, text)
        else:
            words = lines[at].split(" ")
            words[rng.randrange(len(words))] = rng.choice(HOSTILE)
            lines[at] = " ".join(words)
            text = "\n".join(lines)
    return text


def exchange(rng: random.Random, text: str) -> str:
    """A program with one word, or all that are equal to it, exchanged for another of its words."""
    words = [(found.start(), found.end()) for found in WORD.finditer(text)]
    if not words:
        return text
    start, end = rng.choice(words)
    other = slice(*rng.choice(words))
    if rng.random() < 0.2:
        return re.sub(rf"\b{re.escape(text[start:end])}\b", lambda _: text[other], text)
    return text[:start] + text[other] + text[end:]


class TooLong(BaseException):
    """Nobody but this script catches it."""


def _too_long(*_: object) -> None:
    raise TooLong


def sound(ir: driver.IR) -> None:
    """Raise what is no CompileError unless what the compiler has made is well formed."""
    try:
        verify(ir)
    except CompileError as wrong:
        raise AssertionError(f"invalid {reading.kind_of(ir)}: {wrong}") from wrong


def compile_text(text: str, language: str) -> str:
    """How far a program gets: "refused", or the last stage it reached."""
    options = Options(language=language, limits={"statements": 20_000})
    source = Source("fuzz", text.encode("utf-8", "surrogatepass"))
    try:
        ir = reading.read(source, options, Watch())
        sound(ir)
        if reading.kind_of(ir) == "surgery":
            return "read"
        if reading.kind_of(ir) == "program":
            reading.print_ir(ir)
            ir = promote(ir)
            sound(ir)
            left_after = 3 if len(text) % 2 else None
            ir = specialise(ir, max_iterations=left_after, max_operations=100_000)
            sound(ir)
        if len(ir) > 1_000:
            return "circuit"
        circuit = defer_paulis(synthesise(lower_gates(ir), synthesis_error=0.9))
        sound(circuit)
        surgery = lower_surgery(circuit)
        sound(surgery)
        if (surgery.kind == Row.JOIN).sum() > SMALL:
            return "surgery"
        emit(surgery, 3)
        return "stim"
    except CompileError as refused:
        for diagnostic in refused.diagnostics:
            render(diagnostic)
        return "refused"


def seeds(language: str, folder: str | None) -> list[str]:
    """The programs to damage: those of this repository and the small ones in a folder."""
    found = ours(language)
    if folder is None:
        return found
    row = BY_NAME[language]
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        data = path.read_bytes()
        if len(data) <= LARGEST_SEED and b"\0" not in data and detect(path.name, data) is row:
            found.append(data.decode("utf-8", "replace"))
    return found


def ours(language: str) -> list[str]:
    """The programs of this repository."""
    if language == "ir":
        read = (
            reading.read(Source(path.name, path.read_bytes()), Options(), Watch())
            for path in sorted(ROOT.glob("examples/*.qwasm")) + sorted(ROOT.glob("examples/*.ll"))
        )
        return [reading.print_ir(ir) for ir in read]
    return [path.read_text() for pattern in SEEDS[language] for path in sorted(ROOT.glob(pattern))]


def main() -> int:
    """Run and summarise."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--language", choices=[row.name for row in LANGUAGES], default="qwasm")
    parser.add_argument("--folder", help="where more programs to damage are")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    texts = seeds(arguments.language, arguments.folder)
    rng = random.Random(arguments.seed)
    ends: Counter[str] = Counter()
    bad = 0
    slowest = 0.0
    signal.signal(signal.SIGALRM, _too_long)
    for number in range(arguments.inputs):
        text = damage(rng, texts)
        started = time.perf_counter()
        problem = ""
        try:
            signal.setitimer(signal.ITIMER_REAL, TOO_LONG)
            ends[compile_text(text, arguments.language)] += 1
        except BaseException as wrong:
            if isinstance(wrong, KeyboardInterrupt):
                raise
            problem = traceback.format_exc()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        took = time.perf_counter() - started
        slowest = max(slowest, took)
        if not problem and took > TOO_LONG:  # in foreign code no alarm goes off
            problem = f"took {took:.1f} s\n"
        if problem:
            bad += 1
            print(f"input {number}: {problem}{text!r}\n", flush=True)
    print(
        f"{arguments.language}: {arguments.inputs} inputs: {dict(ends)}, {bad} bad, "
        f"slowest {slowest:.1f} s"
    )
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
