"""Rules as tables of integers, for kernels: a tree of what to look at next, and what to put there.

A match starts from one step of a pattern, the *anchor*, and goes on along wires:

    cz a b; h a; cz a b        step 0  cz 0 1
                               step 1  the one before step 0 on its qubit 0: h 0
                               step 2  the one before step 1 on its qubit 0: cz 0 1, and
                                       it also comes right before step 0 on qubit 1

Steps, qubits and results are numbered in the order in which they are reached.  Patterns that begin
alike share this beginning: a *node* of the tree has *moves* to further rows, and a move an *edge*
for each operation that a pattern may have there.  A pattern of which there are several readings (a
product with equal letters may have its qubits in any order) is in the tree several times, each time
as a *variant*.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qwasmc.cost import IS_ROTATION, IS_T, TAKES_TIME
from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ops import CODE, OPS
from qwasmc.passes.rewriting.angles import Sum, solve
from qwasmc.passes.rewriting.patterns import (
    START,
    START_SWAPPED,
    Reached,
    by_letter,
    completed,
    links,
    n_readings,
    readings,
    walk,
    word,
)
from qwasmc.rules.rule import MAX_QUBITS, OPERATIONS, SYMMETRIC, Rule, Step, slow_clifford

Ints = NDArray[Any]

MAX_VARIANTS = 200
"""Most readings of a rule."""

MAX_SIZE = 1 << 22
"""Most steps of all sides of all variants."""

MAX_COUNT = 1000
"""Most times that the angle of a gate is added up, so that rounding errors stay small."""

CHAIN = MAX_QUBITS
"""The number of a qubit that all measurements and resets are on, besides: they keep their order."""

KIND = np.full(len(OPS), -1, dtype=np.int32)
"""By op code, the place in OPERATIONS."""
KIND[[CODE[name] for name in OPERATIONS]] = np.arange(len(OPERATIONS))

CHAINED = np.array([spec.name == "reset" or (spec.qubits != 0 and spec.makes_bit) for spec in OPS])
"""By op code, whether a row has a place in the order of measurements and resets."""

IS_SYMMETRIC = np.array([spec.name in SYMMETRIC for spec in OPS])

FIRST_MOVE, N_MOVES, FIRST_LEAF, N_LEAVES = range(4)
"""Columns of nodes."""

FROM, SLOT, WAY = range(3)
"""Columns of moves: the step that they start from, and which of its qubits they follow."""

SIBLING, NODE, ENTERED, COUNT, MADE, COND, WORD, N_QUBITS, N_BITS, SYMMETRY = range(10)
"""Columns of edges: the next one for the same operation, the node that it leads to, the slot that
is entered by, how many qubits the row has, the bits that it makes and depends on, its letters, and
how many qubits and bits are known before, and
whether its qubits may be exchanged."""

QUBIT, BEHIND, AHEAD = range(3)
"""What an edge says of a slot: its qubit, and the known steps right before and after on it, as 4 *
step + slot, or -1."""

RULE, PATTERN, REPLACEMENT, END, FIRST_CONDITION, END_CONDITION, QUBITS, BITS = range(8)
"""Columns of variants: where sides begin in `steps`, conditions in `sums`, and bits in `bits`."""

OP, N, Q, OUT, IF, ANGLE, LETTERS, STEM = 0, 1, 2, 7, 8, 9, 10, 11
"""Columns of steps: op code, number of qubits, these (five, with CHAIN), the bit made, the bit
depended on, a number in `sums`, letters as a word, and the step of the pattern that it is (in
patterns) or stems from (in replacements)."""

ROTATIONS, T, TWO, JOINT, GATES, ALLOCATED, CLIFFORD = range(7)
"""Columns of what a rule saves."""


class Tree(NamedTuple):
    """What to look at."""

    nodes: Ints
    moves: Ints
    edges: Ints
    slots: Ints
    """(edges, 4, 3): by edge and slot of its row, see QUBIT."""
    heads: Ints
    """(moves, operations): the first edge, or -1."""
    leaves: Ints
    """Variants that are complete, by node."""


class Sides(NamedTuple):
    """What is there, and what to put in its place."""

    variants: Ints
    steps: Ints
    bits: Ints
    """(bits, 2): a step of the pattern, and whether it depends on the bit (1) or makes it (0)."""
    sums: Ints
    """(sums, 3): where its terms begin and end, and eighth turns."""
    terms: Ints
    """(terms, 2): a step of the pattern, and how often its angle is added."""
    saved: Ints
    """(rules, 7): rotations, T gates, gates on two qubits, joint measurements, all of these and
    other gates, allocations, and Clifford gates on one qubit that take time on patches, which the
    replacement has less than the pattern."""


@dataclass(frozen=True, slots=True)
class Tables:
    """Compiled rules."""

    rules: tuple[Rule, ...]
    tree: Tree
    sides: Sides


def compile_rules(rules: Sequence[Rule]) -> Tables:
    """Tables of some rules; of those that match at a place, earlier ones come first.

    CompileError for a pattern that no walk along wires covers, angles that it does not determine,
    and too many readings or rules.
    """
    maker = _Maker()
    for number, rule in enumerate(rules):
        try:
            maker.add(number, rule)
        except _Unusable as why:
            raise _refused(rule, str(why)) from None
    return Tables(tuple(rules), maker.tree(), maker.sides(rules))


class _Unusable(Exception):
    """Why a rule cannot be compiled."""


def _refused(rule: Rule, why: str) -> CompileError:
    return error(f"rule '{rule.name}' cannot be applied: {why}", kind=Kind.LIMIT)


class _Maker:
    """Grows the tree and the tables of sides."""

    def __init__(self) -> None:
        self.moves: list[dict[tuple[int, int, int], dict[int, dict[tuple[Any, ...], int]]]] = [{}]
        """By node: by move: by operation: by the rest of an edge, the node that it leads to."""
        self.leaves: list[list[int]] = [[]]
        self.variants: list[list[int]] = []
        self.steps: list[list[int]] = []
        self.bits: list[list[int]] = []
        self.sums: list[list[int]] = []
        self.terms: list[list[int]] = []

    def add(self, number: int, rule: Rule) -> None:
        """Add all variants of a rule."""
        if not rule.pattern:
            raise _Unusable("its pattern is empty")
        if n_readings(rule.pattern) > MAX_VARIANTS:
            raise _Unusable(f"its products can be read in more than {MAX_VARIANTS} ways")
        if len(self.steps) > MAX_SIZE:
            raise _Unusable(f"the rules before it have {len(self.steps)} steps, which is too many")
        for pattern in readings(rule.pattern):
            for anchor in reversed(range(len(pattern))):
                reached = walk(pattern, anchor)
                if len(reached) == len(pattern):
                    break
            else:
                raise _Unusable("some of its operations have no qubit in common with the others")
            self._variant(number, rule, pattern, reached)

    def _variant(
        self, number: int, rule: Rule, pattern: Sequence[Step], order: Sequence[Reached]
    ) -> None:
        qubits: dict[str, int] = {}
        bits: dict[str, int] = {}
        sources: list[list[int]] = []
        joined = links(pattern)
        place = {reached.step: at for at, reached in enumerate(order)}
        node = 0
        for at, reached in enumerate(order):
            step = pattern[reached.step]
            known = len(qubits), len(bits)
            for name in step.qubits:
                qubits.setdefault(name, len(qubits))
            for name, depends in ((step.bit, 0), (step.cond, 1)):
                if name and name not in bits:
                    bits[name] = len(bits)
                    sources.append([at, depends])
            beside = [[qubits[name], -1, -1] for name in step.qubits]
            for link in joined:
                if link.after[0] == reached.step and place[link.before[0]] < at:
                    beside[link.after[1]][BEHIND] = 4 * place[link.before[0]] + link.before[1]
                if link.before[0] == reached.step and place[link.after[0]] < at:
                    beside[link.before[1]][AHEAD] = 4 * place[link.after[0]] + link.after[1]
            code = CODE[step.op]
            edge = (
                reached.slot,
                len(step.qubits),
                bits.get(step.bit, -1),
                bits.get(step.cond, -1),
                word(step.paulis),
                *known,
                int(IS_SYMMETRIC[code]),
                tuple(map(tuple, beside)),
            )
            node = self._edge(node, reached.move, int(KIND[code]), edge)
        self._sides(number, rule, pattern, place, qubits, bits)
        self.bits += sources
        self.leaves[node].append(len(self.variants) - 1)

    def _edge(self, node: int, move: tuple[int, int, int], kind: int, edge: tuple[Any, ...]) -> int:
        """The node that an edge leads to."""
        edges = self.moves[node].setdefault(move, {}).setdefault(kind, {})
        if edge not in edges:
            edges[edge] = len(self.moves)
            self.moves.append({})
            self.leaves.append([])
        return edges[edge]

    def _sides(
        self,
        number: int,
        rule: Rule,
        pattern: Sequence[Step],
        place: dict[int, int],
        qubits: dict[str, int],
        bits: dict[str, int],
    ) -> None:
        """Write down a variant, whose steps, qubits and bits have been numbered."""
        given = [(place[at], step.angle) for at, step in enumerate(pattern) if step.angle]
        solved = solve(given)
        if isinstance(solved, str):
            raise _Unusable(solved)
        replacement = tuple(map(by_letter, completed(rule)))
        first_step, first_sum = len(self.steps), len(self.sums)
        stems = {step.bit: place[at] for at, step in enumerate(pattern) if step.bit}
        stems |= {
            step.op + step.qubits[0]: place[at]
            for at, step in enumerate(pattern)
            if step.op in ("alloc", "free")
        }
        names = set(qubits) | set(bits)
        for step in replacement:
            if not {*step.qubits, *filter(None, (step.bit, step.cond))} <= names:
                raise _Unusable("its replacement has qubits or results that its pattern has not")
        if CHAINED[[CODE[step.op] for step in replacement]].any() and not any(
            CHAINED[CODE[step.op]] for step in pattern
        ):
            raise _Unusable("its replacement measures or resets, and its pattern does not")
        for sum_ in (*solved.conditions, *map(solved.value, rule.conditions)):
            if isinstance(sum_, str):
                raise _Unusable(sum_)
            self._sum(sum_)
        end_sum = len(self.sums)
        last = place[len(pattern) - 1]
        for at, step in enumerate(pattern):
            self._step(step, qubits, bits, -1, place[at])
        middle = len(self.steps)
        for step in replacement:
            angle = -1
            if step.angle:
                value = solved.value(step.angle)
                if isinstance(value, str):
                    raise _Unusable(value)
                angle = self._sum(value)
            stem = stems.get(step.bit or step.op + step.qubits[0], last)
            self._step(step, qubits, bits, angle, stem)
        self.variants.append(
            [
                *(number, first_step, middle, len(self.steps), first_sum, end_sum),
                *(len(qubits), len(self.bits)),
            ]
        )

    def _step(
        self, step: Step, qubits: dict[str, int], bits: dict[str, int], angle: int, stem: int
    ) -> None:
        on = [qubits[name] for name in step.qubits]
        on += [CHAIN] * bool(CHAINED[CODE[step.op]])
        on += [-1] * (MAX_QUBITS + 1 - len(on))
        made, cond = bits.get(step.bit, -1), bits.get(step.cond, -1)
        letters = word(step.paulis)
        self.steps.append([CODE[step.op], len(step.qubits), *on, made, cond, angle, letters, stem])

    def _sum(self, value: Sum) -> int:
        if any(abs(count) > MAX_COUNT for _, count in value.terms):
            raise _Unusable(f"one of its angles is added up more than {MAX_COUNT} times")
        self.sums.append([len(self.terms), len(self.terms) + len(value.terms), value.eighths])
        self.terms += [[step, count] for step, count in value.terms]
        return len(self.sums) - 1

    def tree(self) -> Tree:
        """The tree in columns."""
        nodes: list[Any] = []
        moves: list[Any] = []
        edges: list[Any] = []
        slots: list[Any] = []
        heads: list[Any] = []
        leaves: list[int] = []
        for by_move, complete in zip(self.moves, self.leaves, strict=True):
            both = [(move, kinds, False) for move, kinds in by_move.items()] + [
                ((0, 0, START_SWAPPED), kinds, True)
                for move, kinds in by_move.items()
                if move[2] == START
            ]
            nodes.append([len(moves), len(both), len(leaves), len(complete)])
            leaves += complete
            for move, kinds, swapped in both:
                moves.append(list(move))
                head = [-1] * len(OPERATIONS)
                for kind, by_edge in kinds.items():
                    for edge, node in by_edge.items():
                        *rest, beside = edge
                        if swapped and not rest[-1]:
                            continue
                        edges.append([head[kind], node, *rest])
                        head[kind] = len(edges) - 1
                        padding = ((-1, -1, -1),) * (MAX_QUBITS - len(beside))
                        slots.append([*beside, *padding])
                heads.append(head)
        return Tree(
            _table(nodes, 4),
            _table(moves, 3),
            _table(edges, 10),
            _table(slots, MAX_QUBITS, 3),
            _table(heads, len(OPERATIONS)),
            np.array(leaves, dtype=np.int32),
        )

    def sides(self, rules: Sequence[Rule]) -> Sides:
        """The sides in columns."""
        saved = [
            [a - b for a, b in zip(_counts(rule.pattern), _counts(completed(rule)), strict=True)]
            for rule in rules
        ]
        return Sides(
            _table(self.variants, 8),
            _table(self.steps, 12),
            _table(self.bits, 2),
            _table(self.sums, 3),
            _table(self.terms, 2),
            _table(saved, 7),
        )


def _table(rows: Iterable[Any], *shape: int) -> Ints:
    return np.array(list(rows), dtype=np.int32).reshape(-1, *shape)


def _counts(steps: Sequence[Step]) -> list[int]:
    """What steps cost: see `Sides.saved`."""
    codes = [CODE[step.op] for step in steps]
    return [
        sum(bool(IS_ROTATION[code]) for code in codes),
        sum(bool(IS_T[code]) for code in codes),
        sum(step.spec.is_gate and len(step.qubits) == 2 for step in steps),
        sum(step.op == "ppm" and len(step.qubits) > 1 for step in steps),
        sum(bool(TAKES_TIME[code]) for code in codes),
        sum(step.op == "alloc" for step in steps),
        sum(slow_clifford(step) for step in steps),
    ]
