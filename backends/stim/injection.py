"""Hook injection: a magic state from one ancilla's phase gate in the middle of a first round.

The ancilla of a Z plaquette that has touched two sites carries their Z parity, so a phase gate on
it turns the patch about that product.  Here the two sites are the eastern ones of the top row, both
in |+>, and the rest of the row is in |0>, so the product is the patch's logical Z: the hook error
that every schedule avoids, put to use (Gidney, arXiv:2302.12292).  No data qubit is ever rotated,
so faults there show up: under uniform noise p, those that no detector sees add up to 8 p / 15, of
which 5 are the phase gate's own.

    . . . + +    Sites in |+>, and in |0> (.), at d = 5.  The eastern two columns fix X; every row
    . . . + +    from the third on has one more |+>, so that away from the corner it takes ever
    . . + + +    longer chains of errors in either state to go unnoticed, and it is enough to
    . + + + +    discard states for what is seen near the corner (`watched_stabilizers`).
    + + + + +

The plaquette takes its sites in slots 1, 2, 4, 5 and its phase gate in 3.  East of it no X
plaquette may touch its sites before that; the Z plaquettes on its antidiagonal have horizontal
hooks in this round (`schedule.FIVE`), so that no site is touched twice in a slot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qwasmc.backends.stim.code import Ints, patch_code
from qwasmc.backends.stim.schedule import FIVE
from qwasmc.ir.surgery import Letter

Bools = NDArray[np.bool_]

PHASE_SLOT = 3
"""The slot of the phase gate."""

DEPTH = 5
"""Slots of the first round."""

WATCHED_ROUNDS = 2
WATCHED_SIZE = 3
"""A state is discarded if a detector of the north-eastern block of plaquettes that is this wide and
high, not counting the rim, fires in its first rounds.

At d = 7 and 1e-3 this keeps 80% with error rate 1.1e-3; size 2 keeps 89% with 3.0e-3, size 4 70%
with 0.9e-3, and three rounds 71% with 0.9e-3 (3e5 shots each).
"""

_HOOK = (1, 2, 4, 5)


def plus_sites(distance: int) -> Bools:
    """(d^2,) which sites of `patch_code` start in |+>, the others in |0>."""
    x, y = patch_code(distance).sites.T
    plus: Bools = x >= distance - 2 - np.maximum(y - 1, 0)
    return plus


def hook_stabilizer(distance: int) -> int:
    """The stabilizer whose ancilla gets the phase gate: top row, easternmost Z plaquette."""
    face = (distance - 2, 0)
    return int(np.flatnonzero((patch_code(distance).faces[:, 0] == face).all(axis=1))[0])


def known_stabilizers(distance: int) -> Bools:
    """(d^2 - 1,) which of `patch_code`'s stabilizers the first state fixes at +1."""
    code = patch_code(distance)
    start = np.where(plus_sites(distance), int(Letter.X), int(Letter.Z))
    members, letters = code.members[:, 0], code.letters[:, 0]
    known: Bools = ((start[members] == letters) | (letters == 0)).all(axis=1)
    return known


def x_sign(distance: int) -> Ints:
    """The stabilizers between the known logical X, on the eastern columns, and the left column.

    The logical Z that turns is the top row itself.
    """
    code = patch_code(distance)
    west = code.faces[:, 0, 0] < distance - 2
    signs: Ints = np.flatnonzero(west & (code.letters[:, 0].max(axis=1) == Letter.X))
    return signs


def watched_stabilizers(distance: int) -> Bools:
    """(d^2 - 1,) whose detectors are watched."""
    x, y = patch_code(distance).faces[:, 0].T
    watched: Bools = (x >= distance - 1 - WATCHED_SIZE) & (y < WATCHED_SIZE)
    return watched


def slots(distance: int) -> Ints:
    """(d^2 - 1, 4) slots of the first round, 0 where a stabilizer has no site."""
    code = patch_code(distance)
    faces, letters = code.faces[:, 0], code.letters[:, 0]
    hook = hook_stabilizer(distance)
    level = (letters.max(axis=1) == Letter.X) | (faces.sum(axis=1) == faces[hook].sum())
    table: Ints = np.where(level[:, None], FIVE["H"], FIVE["V"])
    table[hook] = _HOOK
    table[letters == 0] = 0
    return table
