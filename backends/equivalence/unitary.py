"""Compares small circuits by their matrices, outcome by outcome, and larger ones by samples.

For given outcomes of the program, a circuit is a sum over the outcomes of ancillas, and over what
is thrown away, of K_i rho K_i^+.  All K_i of both circuits are computed, as columns for all basis
states.  Where the first circuit has one K, the other's have to be c_i K with sum |c_i|^2 = 1.
Otherwise both sums are compared as vectors, by the products of all K_i with each other.

For more wires, a random state runs through both with the same random outcomes: that proves
nothing, but disproves.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.equivalence.check import Check
from qwasmc.backends.equivalence.events import Event, Poly, Trace, Undecided

NAME, SAMPLES = "matrices", "random states"

MAX_OPEN = 10
"""Most wires whose matrix is computed."""

MAX_CLOSE = 8
"""Most wires whose matrix is compared in operator norm."""

MAX_SAMPLED = 16
"""Most wires that are alive at once in a random state."""

MAX_WORK = 500_000_000
"""Most amplitudes that are changed, over all events and branches."""

SMALL = 1e-9
"""Farthest that equal matrices may be from each other, relative to their norm."""

MIXED = 1e-6
"""The same where the first circuit mixes several matrices."""

IMPOSSIBLE = 1e-12
"""Weight of branches that do not occur."""

RUNS = 4

Tensor = NDArray[np.complex128]
Outcomes = dict[int, int]
Choice = Callable[[int, list[float]], list[int]]
"""From an outcome and the weights of 0 and 1, the values to follow."""


class _State(NamedTuple):
    """A branch: an axis of length 2 for each live wire, then the columns."""

    tensor: Tensor
    axes: tuple[int, ...]
    """Wires, in the order of their axes."""
    outcomes: Outcomes


def compare_matrices(before: Trace, after: Trace, error: float) -> Check:
    """Whether the circuits are equal for all inputs, or at most `error` apart if that is not 0."""
    wires = len(before.open)
    limit = MAX_CLOSE if error else MAX_OPEN
    if wires > limit:
        return Check(NAME, "not decided", f"there are {wires} wires, the limit is {limit}")
    start = np.eye(2**wires, dtype=np.complex128).reshape((2,) * wires + (-1,))
    try:
        theirs = _by_outcome(before, start)
        ours = _by_outcome(after, start)
    except Undecided as why:
        return Check(NAME, "not decided", str(why))
    return _close(theirs, ours, error) if error else _equal(theirs, ours)


def _equal(theirs: dict[str, list[Tensor]], ours: dict[str, list[Tensor]]) -> Check:
    for outcome in sorted(theirs.keys() | ours.keys()):
        when = f" for outcomes {outcome}" if outcome.strip() else ""
        one, other = theirs.get(outcome, []), ours.get(outcome, [])
        if not one or not other:
            return Check(NAME, "failed", f"only one of the circuits has outcomes {outcome}")
        if len(one) == 1:
            distance, limit = _from_multiples(one[0], other), SMALL
        else:
            distance, limit = _from_mixture(one, other), MIXED
        if distance > limit:
            detail = f"the matrices differ by {distance:.2g}{when}{_witness(one, other)}"
            return Check(NAME, "failed", detail)
    return Check(NAME, "proved", f"the matrices are equal for all {len(theirs)} outcomes")


def _close(theirs: dict[str, list[Tensor]], ours: dict[str, list[Tensor]], error: float) -> Check:
    """The norm of the difference of both isometries, which record outcomes and all ancillas."""
    if theirs.keys() != ours.keys() or any(len(found) != 1 for found in theirs.values()):
        return Check(NAME, "not decided", "the circuits do not have the same outcomes")
    blocks = []
    for outcome, (one,) in sorted(theirs.items()):
        factors = [np.vdot(one, other) for other in ours[outcome]]
        norm = math.sqrt(sum(abs(factor) ** 2 for factor in factors)) or 1.0
        blocks += [k - f / norm * one for f, k in zip(factors, ours[outcome], strict=True)]
    distance = float(np.linalg.norm(np.concatenate(blocks), 2))
    detail = f"{distance:.3g} of {error:.3g} allowed, in operator norm"
    if distance <= error + SMALL:
        return Check(NAME, "proved", detail)
    # Another phase may be better than that of the trace, but by no more than a factor of 3.
    exact = len(blocks) == 1 and distance > 3 * error + SMALL
    return Check(NAME, "failed" if exact else "not decided", detail)


def _from_multiples(one: Tensor, others: list[Tensor]) -> float:
    """How far matrices are from multiples of a first one that weigh as much as it does."""
    whole = float(np.vdot(one, one).real)
    factors = [complex(np.vdot(one, other)) / whole for other in others]
    weight = sum(abs(factor) ** 2 for factor in factors)
    far = sum(
        np.linalg.norm(k - f * one) ** 2 / whole for f, k in zip(factors, others, strict=True)
    )
    return max(math.sqrt(far), abs(weight - 1))


def _from_mixture(one: list[Tensor], other: list[Tensor]) -> float:
    """The distance of two sums of K_i (x) conj(K_i), relative to the first one."""
    a, b = (np.array([k.ravel() for k in some]) for some in (one, other))
    same, cross, ours = (
        float((np.abs(p.conj() @ q.T) ** 2).sum()) for p, q in ((a, a), (a, b), (b, b))
    )
    return math.sqrt(max(0.0, same + ours - 2 * cross) / same)


def _witness(one: list[Tensor], other: list[Tensor]) -> str:
    """An input for which two single matrices give different states, if a basis state does."""
    if len(one) > 1 or len(other) > 1:
        return ""
    overlap = np.abs((one[0].conj() * other[0]).sum(axis=0))
    gap = np.maximum(*((np.abs(k[0]) ** 2).sum(axis=0) for k in (one, other))) - overlap
    column = int(gap.argmax())
    wires = gap.size.bit_length() - 1
    if gap[column] < MIXED:
        return ", in the phases between basis states"
    return f", for example for the input |{column:0{wires}b}>" if wires else ""


def _by_outcome(trace: Trace, start: Tensor) -> dict[str, list[Tensor]]:
    """The matrices of a circuit, by the program's outcomes and the results."""

    def both(outcome: int, weights: list[float]) -> list[int]:
        return [bit for bit in (0, 1) if weights[bit] > IMPOSSIBLE]

    found: dict[str, list[Tensor]] = {}
    for state in _branches(trace, start, both):
        found.setdefault(_label(trace, state.outcomes), []).append(_matrix(trace, state))
    return found


def _label(trace: Trace, outcomes: Outcomes) -> str:
    """The program's outcomes and results; those of resets are not looked at."""
    measured = "".join(str(outcomes.get(2 * k, 0)) for k in range(trace.measured))
    results = "".join(str(_value(bit, outcomes)) for _, bit in trace.results)
    return f"{measured} {results}"


def _matrix(trace: Trace, state: _State) -> Tensor:
    """The amplitudes of the program's wires in order, for each column."""
    order = [state.axes.index(wire) for _, wire in trace.open]
    moved = np.moveaxis(state.tensor, order, range(len(order)))
    return moved.reshape(2 ** len(order), -1)


def compare_samples(before: Trace, after: Trace) -> Check:
    """Look for a random input and random outcomes that tell the circuits apart."""
    if before.extra or before.resets or any(e.kind == "discard" for e in before.events):
        return Check(SAMPLES, "not decided", "the program throws qubits away or resets them")
    wires = len(before.open)
    if wires > MAX_SAMPLED:
        detail = f"there are {wires} wires, the limit is {MAX_SAMPLED}"
        return Check(SAMPLES, "not decided", detail)
    rng = np.random.default_rng(1)
    try:
        for _ in range(RUNS):
            if _differ(before, after, rng):
                return Check(SAMPLES, "failed", "a random state tells the circuits apart")
    except Undecided as why:
        return Check(SAMPLES, "not decided", str(why))
    return Check(SAMPLES, "not decided", f"{RUNS} random states do not tell the circuits apart")


def _differ(before: Trace, after: Trace, rng: np.random.Generator) -> bool:
    """Whether one random state, with random outcomes, ends differently."""
    wires = len(before.open)
    start = rng.normal(size=2**wires) + 1j * rng.normal(size=2**wires)
    start = (start / np.linalg.norm(start)).reshape((2,) * wires + (1,))

    def any_of(outcome: int, weights: list[float]) -> list[int]:
        return [int(rng.random() * sum(weights) >= weights[0])]

    (theirs,) = _branches(before, start, any_of)

    def same(outcome: int, weights: list[float]) -> list[int]:
        return [theirs.outcomes[outcome]] if outcome >= 0 else any_of(outcome, weights)

    (ours,) = _branches(after, start, same)
    one, other = _matrix(before, theirs), _matrix(after, ours)
    sizes = [float(np.linalg.norm(k)) for k in (one, other)]
    certain = not after.extra and all(event.kind != "discard" for event in after.events)
    if certain and abs(sizes[0] - sizes[1]) > MIXED * sizes[0]:
        return True
    if sizes[1] < MIXED:
        return False  # ancillas' outcomes that exclude the program's
    phase = cmath.phase(np.vdot(one, other))
    far = np.linalg.norm(other / sizes[1] - cmath.exp(1j * phase) * one / sizes[0])
    return bool(far > MIXED) or _label(before, theirs.outcomes) != _label(after, ours.outcomes)


# -- simulation ------------------------------------------------------------------------------------


def _branches(trace: Trace, start: Tensor, choose: Choice) -> Iterator[_State]:
    """The states at the end, for the outcomes that `choose` follows."""
    todo = [(0, _State(start, tuple(wire for _, wire in trace.open), {}))]
    work = 0
    while todo:
        at, state = todo.pop()
        state = _State(state.tensor.copy(), state.axes, dict(state.outcomes))
        while at < len(trace.events):
            event = trace.events[at]
            at += 1
            state = _with_axes(state, event.wires)
            work += state.tensor.size
            if work > MAX_WORK or state.tensor.size > 1 << 24:
                raise Undecided("the matrices of all branches are too large")
            if event.kind in ("measure", "discard"):
                if not _value(event.cond, state.outcomes):
                    state.outcomes[event.outcome] = 0
                    continue
                todo += [(at, next_) for next_ in reversed(_looked(state, event, choose))]
                break
            _apply(state, event)
        else:
            yield state


def _with_axes(state: _State, wires: tuple[int, ...]) -> _State:
    """The state with axes for these wires, in |0> if they are new."""
    for wire in wires:
        if wire not in state.axes:
            tensor = np.stack([state.tensor, np.zeros_like(state.tensor)])
            state = _State(tensor, (wire, *state.axes), state.outcomes)
    return state


def _at(state: _State, bits: dict[int, int]) -> tuple[slice | int, ...]:
    """The index of the part of a tensor where some wires have these values."""
    index: list[slice | int] = [slice(None)] * state.tensor.ndim
    for wire, bit in bits.items():
        index[state.axes.index(wire)] = bit
    return tuple(index)


def _value(poly: Poly, outcomes: Outcomes) -> int:
    """A polynomial of outcomes."""
    return sum(all(outcomes[v] for v in monomial) for monomial in poly) % 2


def _apply(state: _State, event: Event) -> None:
    """A gate, in place."""
    if not _value(event.cond, state.outcomes):
        return
    tensor = state.tensor
    if event.kind in ("phase", "turn"):
        angle = event.angle or event.eighths * math.pi / 4
        tensor[_at(state, dict.fromkeys(event.wires, 1))] *= cmath.exp(1j * angle)
        return
    *controls, target = event.wires
    low, high = (_at(state, {**dict.fromkeys(controls, 1), target: bit}) for bit in (0, 1))
    a, b = tensor[low].copy(), tensor[high].copy()
    if event.kind == "h":
        tensor[low], tensor[high] = (a + b) * math.sqrt(0.5), (a - b) * math.sqrt(0.5)
    else:
        tensor[low], tensor[high] = b, a


def _looked(state: _State, event: Event, choose: Choice) -> list[_State]:
    """The branches of a measurement, or of throwing a wire away."""
    (wire,) = event.wires
    parts = [state.tensor[_at(state, {wire: bit})] for bit in (0, 1)]
    weights = [float(np.vdot(part, part).real) for part in parts]
    found = []
    discard = event.kind == "discard"
    for bit in choose(-1 if discard else event.outcome, weights):
        if discard:
            axes = tuple(axis for axis in state.axes if axis != wire)
            found.append(_State(parts[bit], axes, dict(state.outcomes)))
        else:
            tensor = state.tensor.copy()
            tensor[_at(state, {wire: 1 - bit})] = 0
            outcomes = state.outcomes | {event.outcome: bit}
            found.append(_State(tensor, state.axes, outcomes))
    return found
