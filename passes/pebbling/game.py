"""Pebble games: values on ancillas that are computed, undone and computed again.

Each *node* is a value that takes an ancilla while it is *present*.  It is computed from other nodes
and from data; it is undone the same way, or erased by a measurement in X that leaves a *ghost*: a
phase (-1)^(m f), m the outcome and f the value, to be repaired while the inputs of f are there
(Gidney's spooky pebble game; Kornerup, Sadun, Soloveichik, Quantum 9, 1636 (2025)).  *Acts* use
nodes, each once.  In the end no node is present and no ghost is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple


class Move(IntEnum):
    """What a step does with its node or act."""

    COMPUTE = 0
    """Inputs present, node absent: then present.  Takes `cost` T gates."""
    UNDO = 1
    """Inputs and node present: then absent and its ghost, if any, repaired.  Takes `undo` T."""
    GHOST = 2
    """Node present: then absent, with a ghost.  Free."""
    REPAIR = 3
    """Inputs present, ghost left: then no ghost.  Takes `undo` T."""
    ACT = 4
    """Needs present."""


class Step(NamedTuple):
    """A move of a node, or of an act if it is ACT, by its index in the game."""

    move: Move
    index: int  # type: ignore[assignment]  # not the method of tuples


@dataclass(frozen=True, slots=True)
class Node:
    """A value on an ancilla."""

    inputs: tuple[int, ...]
    """Nodes it is computed from, all with lower indices."""
    cost: int
    """T gates to compute it once."""
    undo: int
    """T gates to undo it, or to repair its ghosts, with its inputs present."""
    extra: int = 0
    """Ancillas that only computing it takes, beside its own."""
    made_by: tuple[int, ...] = ()
    """Acts that write data it is computed from: it is not computed before them."""
    spoilt_by: tuple[int, ...] = ()
    """Acts that overwrite data it is computed from: nothing but GHOST after them."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done once with nodes."""

    needs: tuple[int, ...]
    """Nodes that must be present."""
    after: tuple[int, ...] = ()
    """Acts that must come before it."""


@dataclass(frozen=True, slots=True)
class Game:
    """Nodes in topological order and acts."""

    nodes: tuple[Node, ...]
    acts: tuple[Act, ...]
    ghosts: bool
    """Whether GHOST is allowed."""


class Plan(NamedTuple):
    """Steps that win a game."""

    steps: tuple[Step, ...]
    cost: int
    """T gates."""
    room: int
    """The most ancillas at once, with `extra`."""


class Impossible(Exception):
    """No plan.

    Attributes:
        fewest: the least room that works, None if no order works at all.
        cycle: steps each of which must come before the next, and the last before the first;
            empty if there is an order.  UNDO stands for the last UNDO or REPAIR.
    """

    def __init__(self, fewest: int | None, cycle: tuple[Step, ...] = ()) -> None:
        super().__init__(f"needs room {fewest}" if fewest is not None else f"a cycle: {cycle}")
        self.fewest = fewest
        self.cycle = cycle


def replay(game: Game, steps: Sequence[Step]) -> Plan:
    """Play steps by the rules; what they cost.

    Raises:
        ValueError: a step is against the rules, or the game is not won at the end.
    """
    board = _Board(game)
    for step in steps:
        fault = board.fault(step)
        if fault:
            raise ValueError(f"{step}: {fault}")
        board.do(step)
    if board.present or board.ghosts or len(board.done) < len(game.acts):
        raise ValueError(f"not won: {board.present}, {board.ghosts}, {len(board.done)} acts")
    return Plan(tuple(steps), board.cost, board.room)


class _Board:
    """What is present, haunted and done after some steps, and what they cost."""

    def __init__(self, game: Game) -> None:
        self.game = game
        self.present: set[int] = set()
        self.ghosts: set[int] = set()
        self.done: set[int] = set()
        self.cost = 0
        self.room = 0

    def fault(self, step: Step) -> str:
        """Why a step is not allowed now; empty if it is."""
        move, index = step
        if move == Move.ACT:
            act = self.game.acts[index]
            if index in self.done or not self.done.issuperset(act.after):
                return "done twice or before another act"
            return "" if self.present.issuperset(act.needs) else "a node it needs is absent"
        if (index in self.present) != (move in (Move.UNDO, Move.GHOST)) and move != Move.REPAIR:
            return "the node is present or absent"
        if move == Move.GHOST:
            return "" if self.game.ghosts else "no ghosts allowed"
        if move == Move.REPAIR and index not in self.ghosts:
            return "no ghost to repair"
        node = self.game.nodes[index]
        if not self.present.issuperset(node.inputs):
            return "an input is absent"
        if not self.done.issuperset(node.made_by) or not self.done.isdisjoint(node.spoilt_by):
            return "before an act that makes its data, or after one that spoils them"
        return ""

    def do(self, step: Step) -> None:
        """Change the board by a step that is allowed."""
        move, index = step
        if move == Move.ACT:
            self.done.add(index)
            return
        node = self.game.nodes[index]
        if move == Move.COMPUTE:
            self.present.add(index)
            self.cost += node.cost
            self.room = max(self.room, len(self.present) + node.extra)
        elif move == Move.GHOST:
            self.present.remove(index)
            self.ghosts.add(index)
        else:
            self.cost += node.undo
            self.ghosts.discard(index)
            if move == Move.UNDO:
                self.present.remove(index)
