"""Words of Clifford and T gates for rotations about Z.

A *word* is a string, in order of time: `h`, `x`, or a digit k for k eighth turns, diag(1, w^k) with
w = exp(i pi/4).  "1h7" is T, then H, then T^-1.  Errors are distances in operator (spectral) norm
between unitaries up to global phase; they add up along a circuit.

The words are found by gridsynth (Ross and Selinger, arXiv:1403.2975) in rsgridsynth, which Qiskit
calls.  Its epsilon allows |tr(U^-1 Rz)| / 2 >= sqrt(1 - epsilon^2 / 4) (`EpsilonRegion` in its
gridsynth.rs), so epsilon bounds the diamond distance, and an error e is asked for as epsilon = 2 e.
Every word is measured here before it is used.
"""

from __future__ import annotations

import cmath
import math
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

EIGHTH = math.pi / 4
QUARTER = math.pi / 2

TOLERANCE = 1e-12
"""Angles so near to a multiple of an eighth turn, in radians, are taken for it, at no charge."""

FINEST = 1e-10
"""Least error of a rotation.  Finer words are found, as far as 1e-14, but their search gets near to
a limit inside rsgridsynth (50 ms to factor a number), at which a word would depend on the speed of
the machine."""

COARSEST = 1e-2
"""Largest error that is asked for: rsgridsynth's precision is too low for much larger ones."""

REQUESTS = (1.998, 1.0)
"""Epsilon over error, in the order tried.  The first leaves room for rounding; at errors above 1e-3
it is missed now and then, the second never."""

DIAGONAL = ((), ("t",), ("s",), ("z", "tdg"), ("z",), ("z", "t"), ("sdg",), ("tdg",))
"""The cheapest gates of each number of eighth turns."""

LETTERS = {"h": "h", "x": "x", "t": "1", "s": "2", "z": "4", "sdg": "6", "tdg": "7"}

PHASES = [cmath.exp(1j * EIGHTH * k) for k in range(8)]
ROOT_HALF = math.sqrt(0.5)

PROGRAM = Path(__file__).with_name("gridsynth.py")


def wrapped(angle: float) -> float:
    """An angle modulo a full turn, in [-pi, pi], right for angles of any size."""
    return angle if abs(angle) <= math.pi else math.atan2(math.sin(angle), math.cos(angle))


def eighths(angle: float) -> int | None:
    """The number of eighth turns, modulo 8, that an angle is, if it is one."""
    angle = wrapped(angle)
    turns = round(angle / EIGHTH)
    return turns % 8 if abs(angle - turns * EIGHTH) <= TOLERANCE else None


def folded(angle: float) -> tuple[int, float]:
    """An angle as eighth turns that need no T, and a rest between -pi/4 and pi/4."""
    angle = wrapped(angle)
    turns = round(angle / QUARTER)
    return 2 * turns % 8, angle - turns * QUARTER


def joined(letters: Iterable[str]) -> str:
    """A word of these letters, with neighbouring digits added up."""
    out: list[str] = []
    for letter in letters:
        if letter in "hx":
            out.append(letter)
            continue
        before = out.pop() if out and out[-1] not in "hx" else "0"
        total = (int(before) + int(letter)) % 8
        if total:
            out.append(str(total))
    return "".join(out)


def inverse(word: str) -> str:
    """The word that undoes a word."""
    return "".join(c if c in "hx" else str(8 - int(c)) for c in reversed(word))


def gates(word: str) -> list[str]:
    """The names of a word's gates, in order of time."""
    return [name for c in word for name in ([c] if c in "hx" else DIAGONAL[int(c)])]


def deviation(word: str, angle: float) -> float:
    """The distance of a word from exp(-i angle Z / 2)."""
    a, b, c, d = 1 + 0j, 0j, 0j, 1 + 0j
    for letter in word:
        if letter == "h":
            a, c = (a + c) * ROOT_HALF, (a - c) * ROOT_HALF
            b, d = (b + d) * ROOT_HALF, (b - d) * ROOT_HALF
        elif letter == "x":
            a, b, c, d = c, d, a, b
        else:
            phase = PHASES[int(letter)]
            c, d = phase * c, phase * d
    # Times the inverse rotation it is cos x + i sin x (n . sigma), up to phase.
    half = cmath.exp(0.5j * angle)
    a, d = a * half, d / half
    x = math.atan2(math.hypot(abs(b), abs(a - d) / 2), abs(a + d) / 2)
    return 2 * math.sin(x / 2)


class NoWord(Exception):
    """No word was found for a rotation."""

    def __init__(self, angle: float, why: str) -> None:
        super().__init__(why)
        self.angle = angle


def find_words(rests: Sequence[float], allowed: float) -> dict[float, str]:
    """A word for each of these angles between 0 and pi/4, at most `allowed` from its rotation."""
    allowed = min(allowed, COARSEST)
    words: dict[float, str] = {}
    missing = sorted(rests)
    for ratio in REQUESTS:
        for angle, word in _gridsynth(missing, ratio * allowed):
            if deviation(word, angle) <= allowed:
                words[angle] = word
        missing = [angle for angle in missing if angle not in words]
    if missing:
        raise NoWord(missing[0], "gridsynth's word is not as near as it should be")
    return words


def unfolded(angle: float, words: Mapping[float, str]) -> str:
    """The word of any angle, from the words of rests; that of minus the angle is its inverse."""
    turns, rest = folded(angle)
    word = words[abs(rest)]
    return joined(f"{word}{turns}" if rest > 0 else f"{turns}{inverse(word)}")


def _gridsynth(angles: Sequence[float], epsilon: float) -> Iterable[tuple[float, str]]:
    """The angles with their words, by gridsynth in a process of its own."""
    if not angles:
        return []
    lines = "".join(f"{angle!r} {epsilon!r}\n" for angle in angles)
    # -P, because Qiskit must not find the files beside the program.
    command = [sys.executable, "-P", str(PROGRAM)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    found = done.stdout.splitlines()
    if done.returncode:
        why = done.stderr.strip().rpartition("\n")[2]
        raise NoWord(angles[len(found)], f"gridsynth ended with code {done.returncode}: {why}")
    words = [joined(LETTERS[name] for name in line.split()) for line in found]
    return zip(angles, words, strict=True)
