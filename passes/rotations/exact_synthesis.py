"""Words of H and T for unitary matrices over Z[w, 1 / sqrt 2].

The first column (z, y) / sqrt(2)^k of a matrix fixes it, up to a turn that comes before it in time.
H T^-j, for the right j, takes one factor sqrt 2 out of the denominator of |z|^2 (Kliuchnikov,
Maslov and Mosca, arXiv:1206.5236), until the column is a basis vector.  No word for this column,
with any turns before and after it, has fewer T.  Words are those of `synthesis`.
"""

from __future__ import annotations

from qwasmc.passes.rotations.norm_equation import Omega, minus, norm, plus, turned


def column(word: str) -> tuple[Omega, Omega, int]:
    """The first column (z, y) / sqrt(2)^exponent of a word's matrix."""
    z: Omega = (1, 0, 0, 0)
    y: Omega = (0, 0, 0, 0)
    for letter in word:
        if letter == "h":
            z, y = plus(z, y), minus(z, y)
        elif letter == "x":
            z, y = y, z
        else:
            y = turned(y, int(letter))
    return z, y, word.count("h")


def word_of(z: Omega, y: Omega, exponent: int) -> str:
    """A word that has the first column (z, w^j y) / sqrt(2)^exponent up to phase, for some j.

    It begins and ends with h or x, where it is not empty.
    """
    letters: list[str] = []
    depth = _depth(z, exponent)
    while depth:
        for j in range(4):
            before = _before_h(z, turned(y, -j), exponent)
            if _depth(before[0], before[2]) < depth:
                break
        else:
            raise ValueError("not the column of a unitary matrix")
        z, y, exponent = before
        depth = _depth(z, exponent)
        letters += [str(j), "h"] if j and letters else ["h"]
    if not any(z):
        letters.append("x")
    return "".join(reversed(letters))


def _before_h(z: Omega, y: Omega, exponent: int) -> tuple[Omega, Omega, int]:
    """The column that h makes this one, with the least exponent."""
    z, y = plus(z, y), minus(z, y)
    exponent += 1
    while exponent and all((x[0] - x[2]) % 2 == 0 and (x[1] - x[3]) % 2 == 0 for x in (z, y)):
        z, y = _over_root(z), _over_root(y)
        exponent -= 1
    return z, y, exponent


def _over_root(x: Omega) -> Omega:
    """x / sqrt 2, where sqrt 2 divides it."""
    a, b, c, d = x
    return (b - d) // 2, (a + c) // 2, (b + d) // 2, (c - a) // 2


def _depth(z: Omega, exponent: int) -> int:
    """The number of factors sqrt 2 in the denominator of |z|^2 / 2^exponent; 0 for 0."""
    a, b = norm(z)
    depth = 2 * exponent
    if not a:
        return 0
    while a % 2 == 0:
        a, b = b, a // 2
        depth -= 1
    return max(depth, 0)
