"""Routes for tasks: their geometry is in `Work.out`, their tiles are taken on the board."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.scheduling.board import (
    ANYWHERE,
    BEFORE,
    CONTROL,
    COST,
    GOAL,
    HELPER,
    IN_Y,
    LENGTH,
    LOOP,
    LOOPS,
    MAGIC,
    NO_LIMIT,
    ONLY,
    PAIR,
    RECENT,
    ROUTE,
    SEARCHES,
    STAMP,
    STOCK,
    TREE,
    Board,
    Work,
    is_free,
)
from qwasmc.passes.scheduling.order import Y, Z
from qwasmc.passes.scheduling.paths import also_at, begin, estimate, search
from qwasmc.passes.scheduling.regions import (
    add_loop,
    add_path,
    has_room,
    loop_tile,
    mark_path,
    put,
    put_counts,
    put_region,
    put_term,
    start_region,
    take,
)

Ints = NDArray[Any]

ATTEMPTS = 4
"""Ways to begin a product that are tried in a slab."""


@kernel
def find(
    board: Board,
    work: Work,
    what: int,
    slab: int,
    detour: int,
    tile: int,
    letter: int,
    guide: int,
    wanted: int,
) -> int:
    """The end of the cheapest path from a patch, or -1; see `search`.

    `detour`: how much more it may cost than the estimate.
    """
    left = letter ^ 1 if what == CONTROL else letter  # a helper passes the other letter on
    bound = estimate(board, guide, wanted, tile, left)
    begin(work, 8 * tile + letter, bound)
    node: int = search(board, work, what, slab, guide, wanted, bound + detour)
    if what == CONTROL:
        return node
    return node if node >= 0 and mark_path(work, node) else -1


@kernel
def find_product(
    board: Board, work: Work, tiles: Ints, letters: Ints, slab: int, detour: int
) -> bool:
    """A joint measurement, grown from one of its patches to the nearest other one each time.

    On an empty chip any patch, and for Y any corner, is tried to begin with.
    """
    n, tried = len(tiles), 0
    for pure in (True, False):  # letters X and Z leave more freedom to what follows
        for begin_at in range(n):
            is_y = letters[begin_at] == Y
            if pure == is_y:
                continue
            for loop in range(4 if is_y else 1):
                if tried == ATTEMPTS and detour != NO_LIMIT:
                    return False
                tried += 1
                if grow(board, work, tiles, letters, begin_at, loop, slab, detour):
                    work.counts[LENGTH] = 0
                    put_counts(work, n)
                    for at in range(n):
                        put_term(board, work, tiles[at], letters[at])
                    put_region(board, work)
                    take(board, work, slab)
                    return True
                if n == 2 and pure:
                    break
    return False


@kernel
def grow(
    board: Board,
    work: Work,
    tiles: Ints,
    letters: Ints,
    begin_at: int,
    loop: int,
    slab: int,
    detour: int,
) -> bool:
    """Make the region of a product from this patch on, by this loop if its letter is Y."""
    start_region(work)
    what = PAIR if len(tiles) == 2 else TREE
    for at in range(len(tiles)):
        board.tile[tiles[at]].goal = IN_Y if letters[at] == Y else 1 + (letters[at] & 1)
        if letters[at] == Y:
            what = LOOPS
    tile, letter = tiles[begin_at], letters[begin_at]
    board.tile[tile].goal = 0
    missing, done = len(tiles) - 1, True
    if letter == Y:
        mark_path(work, 8 * tile)
        done = has_room(board, work, tile, loop, -1, slab)
        if done:
            add_loop(board, work, tile, loop)
    while missing and done:
        if work.counts[ROUTE]:
            node = find_branch(board, work, what, slab)
        elif what == PAIR:
            other = 1 - begin_at
            wanted = letters[other] & 1
            node = find(board, work, what, slab, detour, tile, letter & 1, tiles[other], wanted)
        else:
            node = find(board, work, what, slab, NO_LIMIT, tile, letter & 1, ANYWHERE, -1)
        done = node >= 0
        if done:
            add_path(board, work, node)
            patch = node >> 3
            if what == LOOPS and (node >> 1) & 3 != GOAL:
                patch -= loop_tile(board, 0, work.counts[LOOP] >> 2, work.counts[LOOP] & 3)
                add_loop(board, work, patch, work.counts[LOOP] >> 2)
            board.tile[patch].goal = 0
            missing -= 1
    for at in range(len(tiles)):
        board.tile[tiles[at]].goal = 0
    return done


@kernel
def find_branch(board: Board, work: Work, what: int, slab: int) -> int:
    """The end of the cheapest path from the region's route to a patch that is wanted, or -1."""
    begin(work, 8 * work.route[0, 0] + work.route[0, 1], 0)
    for at in range(work.counts[ROUTE]):
        node = 8 * work.route[at, 0] + work.route[at, 1]
        if at:
            also_at(work, node, 0)
        work.nodes[node ^ 1, STAMP] = work.counts[SEARCHES]  # so that paths keep off the region
        work.nodes[node ^ 1, COST] = 0
    node = search(board, work, what, slab, ANYWHERE, -1, NO_LIMIT)
    return node if node >= 0 and mark_path(work, node) else -1


@kernel
def find_control(
    board: Board, work: Work, one: int, first: int, two: int, second: int, slab: int, detour: int
) -> bool:
    """A join of a patch with a helper, and of this with another patch in the next slab.

    The helper is the tile at which the path turns: it is entered through one letter's side and
    left through the other's.
    """
    board.tile[two].goal = 1 + second
    node = find_turning(board, work, one, first, two, second, slab, detour)
    board.tile[two].goal = 0
    if node < 0:
        return False
    turn = helper_of(work, node)
    tile, letter = turn >> 3, turn & 1
    work.counts[LENGTH] = 0
    put_term(board, work, tile, 2 - letter)
    put(work, 0)
    start_region(work)
    add_path(board, work, turn)
    put_counts(work, 2)
    put_term(board, work, one, 2 - first)
    put_term(board, work, tile, 2 - letter)
    put_region(board, work)
    take(board, work, slab)
    work.out[3] = work.counts[LENGTH] - 4
    start_region(work)
    add_path(board, work, node)
    put_counts(work, 2)
    put_term(board, work, tile, 1 + letter)
    put_term(board, work, two, 2 - second)
    put_region(board, work)
    take(board, work, slab + 1)
    board.taken[slab & RECENT, tile] = slab
    board.taken[(slab + 1) & RECENT, tile] = slab + 1
    return True


@kernel
def helper_of(work: Work, node: int) -> int:
    """The node of the helper on the path to a node."""
    while (node >> 1) & 3 != HELPER:
        node = work.nodes[node, BEFORE] >> 3
    return node


@kernel
def find_turning(
    board: Board,
    work: Work,
    one: int,
    first: int,
    two: int,
    second: int,
    slab: int,
    detour: int,
) -> int:
    """The end of a path with a helper, or -1.

    Where two patches share their lane tile, the second join has to come back to it another way than
    the first one left it, past the helper.  The search compares paths by where they are and not by
    where their helpers are, so that it finds this way only if the helper's place is given: next to
    the shared tile, or after one more.
    """
    if not has_exit(board, one, first, slab) or not has_exit(board, two, second, slab + 1):
        return -1
    start_region(work)
    work.counts[ONLY] = -1
    node = find(board, work, CONTROL, slab, detour, one, first, two, second)
    if node >= 0 and is_sound(work, node):
        return node
    shared = shared_tile(board, one, first, two, second)
    if shared < 0:
        return -1
    for away in range(1, 3):
        for side in range(1 - first, 4, 2):
            work.counts[ONLY] = shared + away * board.step[side]
            node = find(board, work, CONTROL, slab, NO_LIMIT, one, first, two, second)
            if node >= 0 and is_sound(work, node):
                return node
    return -1


@kernel
def has_exit(board: Board, tile: int, letter: int, slab: int) -> bool:
    """Whether a route can leave a patch with this letter; if not, a search might go far."""
    one, other = tile + board.step[letter], tile + board.step[letter + 2]
    return is_free(board, one, slab) or is_free(board, other, slab)


@kernel
def is_sound(work: Work, node: int) -> bool:
    """Whether neither part of a path with a helper is twice on a tile."""
    return mark_path(work, node) and mark_path(work, helper_of(work, node))


@kernel
def shared_tile(board: Board, one: int, first: int, two: int, second: int) -> int:
    """The tile next to two patches, at sides that fit their letters, or -1."""
    for side in range(first, 4, 2):
        for other in range(second, 4, 2):
            tile: int = one + board.step[side]
            if tile == two + board.step[other]:
                return tile
    return -1


@kernel
def find_stock(board: Board, work: Work, tile: int, letter: int, slab: int) -> bool:
    """A join of a patch with the Z of a helper that was prepared in Y in the slab before."""
    start_region(work)
    node = find(board, work, STOCK, slab, NO_LIMIT, tile, letter, ANYWHERE, 0)
    if node < 0:
        return False
    add_path(board, work, node)
    helper = node >> 3
    work.counts[LENGTH] = 0
    put(work, board.tile[helper].x)
    put(work, board.tile[helper].y)
    put(work, Y)
    put_counts(work, 2)
    put_term(board, work, tile, 2 - letter)
    put_term(board, work, helper, Z)
    put_region(board, work)
    take(board, work, slab)
    board.taken[slab & RECENT, helper] = slab
    board.taken[(slab - 1) & RECENT, helper] = slab - 1
    return True


@kernel
def nearest_port(board: Board, tile: int, slab: int) -> int:
    """The tile of the nearest port that can deliver to a join of this slab; there is one."""
    best, least = -1, NO_LIMIT
    for port in range(len(board.ports)):
        at = board.ports[port].tile
        if board.ports[port].ready < slab:
            far = abs(board.tile[at].x - board.tile[tile].x) + abs(
                board.tile[at].y - board.tile[tile].y
            )
            if far < least:
                best, least = at, far
    return best


@kernel
def find_magic(board: Board, work: Work, tile: int, letter: int, slab: int, detour: int) -> bool:
    """A join of a patch with the Z of a magic state.

    The state appears as late as its port's next one is not delayed by it; a port is free again
    when the state was measured out, after the slab that follows the join.  The geometry has how
    many slabs before the join the state appears.
    """
    start_region(work)
    node = find(board, work, MAGIC, slab, detour, tile, letter, nearest_port(board, tile, slab), 0)
    if node < 0:
        return False
    add_path(board, work, node)
    port = board.tile[node >> 3].port
    appears = max(board.ports[port].ready, slab + 2 - board.ports[port].period)
    board.ports[port].ready = max(
        appears + board.ports[port].period, slab + 2 + board.ports[port].lead
    )
    work.counts[LENGTH] = 0
    put(work, port)
    put(work, slab - appears)
    put_counts(work, 2)
    put_term(board, work, tile, 2 - letter)
    put_term(board, work, node >> 3, Z)
    put_region(board, work)
    take(board, work, slab)
    return True
