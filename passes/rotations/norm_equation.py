"""The integers Z[w] and Z[sqrt 2], and the equation |y|^2 = xi between them.

w = exp(i pi / 4).  An element a + b w + c w^2 + d w^3 of Z[w] is a tuple (a, b, c, d), called an
`Omega`; an element a + b sqrt 2 of Z[sqrt 2] is a tuple (a, b), called a `Root`.  Both rings have a
second embedding into the numbers, by sqrt 2 -> -sqrt 2 (w -> -w): `star`.

The equation is solved prime by prime (Ross and Selinger, arXiv:1403.2975, appendix C): a prime of
Z[sqrt 2] over p is an |eta|^2, up to a unit, unless p = 7 modulo 8.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count

Omega = tuple[int, int, int, int]
Root = tuple[int, int]

LAMBDA: Omega = (1, 1, 0, -1)
"""1 + sqrt 2, the fundamental unit of Z[sqrt 2]."""
LAMBDA_INVERSE: Omega = (-1, 1, 0, -1)

SMALL_PRIMES = tuple(p for p in range(3, 256) if all(p % d for d in range(2, p)))

WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
LARGEST = 318665857834031151167461
"""Below it Miller and Rabin's test with these witnesses is a proof (Sorenson and Webster,
arXiv:1509.00864).  Larger numbers do not come up and count as too hard to factor."""

STEPS = 1 << 16
"""Steps of Pollard's method after which a number counts as too hard: it has no factor much below
STEPS^2, and another candidate is tried."""

BATCH = 32
"""Steps between two divisors."""


# -- the rings


def plus(x: Omega, y: Omega) -> Omega:
    """The sum."""
    return x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]


def minus(x: Omega, y: Omega) -> Omega:
    """The difference."""
    return x[0] - y[0], x[1] - y[1], x[2] - y[2], x[3] - y[3]


def times(x: Omega, y: Omega) -> Omega:
    """The product."""
    a, b, c, d = x
    e, f, g, h = y
    return (
        a * e - b * h - c * g - d * f,
        a * f + b * e - c * h - d * g,
        a * g + b * f + c * e - d * h,
        a * h + b * g + c * f + d * e,
    )


def turned(x: Omega, eighths: int) -> Omega:
    """Times w to some power."""
    for _ in range(eighths % 8):
        x = (-x[3], x[0], x[1], x[2])
    return x


def conjugate(x: Omega) -> Omega:
    """The complex conjugate."""
    return x[0], -x[3], -x[2], -x[1]


def norm(x: Omega) -> Root:
    """|x|^2."""
    a, b, c, d = x
    return a * a + b * b + c * c + d * d, a * b + b * c + c * d - a * d


def lifted(x: Root) -> Omega:
    """An element of Z[sqrt 2] as one of Z[w]."""
    return x[0], x[1], 0, -x[1]


def root_times(x: Root, y: Root) -> Root:
    """The product."""
    return x[0] * y[0] + 2 * x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def root_norm(x: Root) -> int:
    """x times x star, an integer."""
    return x[0] * x[0] - 2 * x[1] * x[1]


def root_quotient(x: Root, y: Root) -> Root | None:
    """x / y, if y divides x."""
    size = root_norm(y)
    a, b = root_times(x, (y[0], -y[1]))
    return None if a % size or b % size else (a // size, b // size)


def root_value(x: Root) -> float:
    """x as a number, without cancellation."""
    if x[0] * x[1] >= 0:
        return x[0] + x[1] * math.sqrt(2)
    return root_norm(x) / (x[0] - x[1] * math.sqrt(2))


def divisor(x: Omega, y: Omega) -> Omega:
    """The greatest common divisor, by Euclid."""
    while any(y):
        a, b = norm(y)
        size = a * a - 2 * b * b
        inverse = times(conjugate(y), lifted((a, -b)))
        p, q, r, s = (round_div(part, size) for part in times(x, inverse))
        x, y = y, minus(x, times((p, q, r, s), y))
    return x


def round_div(x: int, y: int) -> int:
    """x / y to the nearest integer, for positive y."""
    return (2 * x + y) // (2 * y)


# -- factoring


def is_prime(n: int) -> bool:
    """Whether n is prime, for odd n above the largest small prime and below LARGEST."""
    twos = (n - 1 & 1 - n).bit_length() - 1
    for witness in WITNESSES:
        power = pow(witness, n - 1 >> twos, n)
        if power in (1, n - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % n
            if power == n - 1:
                break
        else:
            return False
    return True


def a_factor(n: int) -> int | None:
    """A proper factor of a composite odd number, by Pollard's method; None if it is too hard."""
    root = math.isqrt(n)
    if root * root == n:
        return root
    for constant in (1, 3, 5, 7):  # now and then all factors come at once
        found = _cycle(n, constant)
        if found != n:
            return found
    return None


def _cycle(n: int, constant: int) -> int | None:
    """The factor of n modulo which the sequence of x -> x^2 + constant is first seen to repeat."""
    slow = fast = 2
    for _ in range(STEPS // BATCH):
        start = slow, fast
        product = 1
        for _ in range(BATCH):
            slow = (slow * slow + constant) % n
            fast = (fast * fast + constant) % n
            fast = (fast * fast + constant) % n
            product = product * (slow - fast) % n
        if math.gcd(product, n) == 1:
            continue
        slow, fast = start
        found = 1
        while found == 1:
            slow = (slow * slow + constant) % n
            fast = (fast * fast + constant) % n
            fast = (fast * fast + constant) % n
            found = math.gcd(slow - fast, n)
        return found
    return None


def primes(n: int) -> Iterator[tuple[int, int]]:
    """The odd primes in n > 0 with their powers; (0, 1) at the end if a part is too hard."""
    n >>= (n & -n).bit_length() - 1
    for p in SMALL_PRIMES:
        power = 0
        while n % p == 0:
            n //= p
            power += 1
        if power:
            yield p, power
    if n >= LARGEST:
        yield 0, 1
        return
    counts: dict[int, int] = {}
    parts = [n] if n > 1 else []
    while parts:
        part = parts.pop()
        if is_prime(part):
            counts[part] = counts.get(part, 0) + 1
        elif found := a_factor(part):
            parts += [found, part // found]
        else:
            yield 0, 1
            return
    yield from sorted(counts.items())


# -- the equation


def solve(xi: Root) -> Omega | None:
    """A y in Z[w] with |y|^2 = xi; None where there is none, or xi is too hard to factor."""
    size = root_norm(xi)
    if size < 0 or xi[0] < 0:
        return None
    if xi == (0, 0):
        return 0, 0, 0, 0
    odd = size >> (size & -size).bit_length() - 1
    if odd % 8 == 7:  # primes other than 7 modulo 8 contribute 1 modulo 8
        return None
    y: Omega = (1, 0, 0, 0)
    rest = xi
    while rest[0] % 2 == 0:  # by sqrt 2, which is |1 + w|^2 up to a unit
        rest = rest[1], rest[0] // 2
        y = times(y, (1, 1, 0, 0))
    for p, power in primes(size):
        if p == 0 or (p % 8 == 7 and power % 2):
            return None
        for prime, eta in _over(p):
            times_found = 0
            while (quotient := root_quotient(rest, prime)) is not None:
                rest = quotient
                times_found += 1
            if eta is None and times_found % 2:
                return None
            for _ in range(times_found if eta else times_found // 2):
                y = times(y, eta or lifted(prime))
    return _with_unit(y, xi)


def _over(p: int) -> list[tuple[Root, Omega | None]]:
    """The primes of Z[sqrt 2] over an odd prime p; with each an eta of which it is |eta|^2."""
    whole: Omega = (p, 0, 0, 0)
    if p % 8 == 7:
        root = pow(2, p + 1 >> 2, p)
        prime = _real(divisor(whole, (root, -1, 0, 1)))
        return [(prime, None), ((prime[0], -prime[1]), None)]
    if p % 8 == 3:  # root^2 = -2, and w + w^3 is the square root of -2
        return [((p, 0), divisor(whole, (pow(-2, p + 1 >> 2, p), 1, 0, 1)))]
    if p % 8 == 5:  # 2 is not a square, so that root^2 = -1
        return [((p, 0), divisor(whole, (pow(2, p - 1 >> 2, p), 0, 1, 0)))]
    no_square = next(g for g in count(3) if pow(g, p - 1 >> 1, p) == p - 1)
    eighth = pow(no_square, p - 1 >> 3, p)
    first = divisor(whole, (eighth, -1, 0, 0))
    second = first[0], -first[1], first[2], -first[3]
    return [(norm(first), first), (norm(second), second)]


def _real(x: Omega) -> Root:
    """A divisor of Z[w] that is real up to a unit, as an element of Z[sqrt 2]."""
    for eighths in range(8):
        a, b, c, d = turned(x, eighths)
        if c == 0 and b == -d:
            return a, b
    raise AssertionError


def _with_unit(y: Omega, xi: Root) -> Omega:
    """y times the power of 1 + sqrt 2 that makes |y|^2 = xi; both differ by a square of one."""
    a, b = norm(y)
    unit = root_times(xi, (a, -b))[1]
    while unit:
        y = times(y, LAMBDA if unit > 0 else LAMBDA_INVERSE)
        a, b = norm(y)
        unit = root_times(xi, (a, -b))[1]
    return y
