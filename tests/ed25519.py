"""Ed25519 by the book (RFC 8032): an oracle for signatures."""

from __future__ import annotations

import hashlib

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def holds(verifier: bytes, message: bytes, signature: bytes) -> bool:
    """Whether 8 s B = 8 R + 8 k A (RFC 8032, section 5.1.7), by the book, in affine coordinates."""
    key, r, s = point(verifier), point(signature[:32]), int.from_bytes(signature[32:], "little")
    digest = hashlib.sha512(signature[:32] + verifier + message).digest()
    k = int.from_bytes(digest, "little") % L
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return s < L and times(8 * s, base) == times(8, plus(r, times(k, key)))


def point(data: bytes) -> tuple[int, int]:
    number = int.from_bytes(data, "little")
    y, sign = number % 2**255, number >> 255
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - square) % P == 0
    return (x if x % 2 == sign else P - x), y


def plus(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    (x1, y1), (x2, y2) = a, b
    cross = D * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + cross, -1, P)
    return x % P, (y1 * y2 + x1 * x2) * pow(1 - cross, -1, P) % P


def times(count: int, a: tuple[int, int]) -> tuple[int, int]:
    total = (0, 1)
    for bit in bin(count)[2:]:
        total = plus(total, total)
        if bit == "1":
            total = plus(total, a)
    return total
