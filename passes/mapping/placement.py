"""Places patches on sites of a chip: those that meet often close together, by annealing.

    weights (0, 1, 9), (1, 2, 1)   =>   0 and 1 on neighbouring sites, 2 somewhere near

What is made small is the sum of weight x Manhattan distance over pairs of patches, plus that of
port weight x distance to the nearest port.  A move takes a patch to a site near one it meets, or
anywhere; a patch that is there goes to the site that was left.  A move costs as many steps as the
two patches have partners, whatever the size of the chip.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qwasmc.kernel import kernel
from qwasmc.passes.draw import draw

Array = NDArray[Any]

FREE = -1
COOLING = 1e-2
"""The last temperature, in units of the first."""
QUENCH = 0.1
"""The share of moves at the end that are taken only where nothing gets worse."""
REACH = 2.0
"""How far from its partner a patch is put at most, in mean distances between sites."""
FAR = 4
"""One move in so many goes anywhere."""
SAMPLES = 200
"""Moves whose mean change is the first temperature."""
WHOLE = 1 << 30
"""Draws that stand for the numbers from 0 to 1."""
MAX_AREA = 100_000_000
"""Tiles of the rectangle around the sites, at most."""


def place(
    n_patches: int,
    weights: Array,
    sites: Array,
    port_weights: Array,
    ports: Array,
    seed: int = 1,
    iterations: int | None = None,
) -> Array:
    """The site (n,) of each patch, all different; never worse than patch i on site i.

    `weights` (m, 3) has rows (patch, patch, weight), `sites` (s, 2) and `ports` (k, 2) are tiles
    x, y, `port_weights` (n,) has the pull of the nearest port on each patch; all are integers, and
    weights are not negative.  By default there are 5000 moves for each patch, 10 million at most.
    Raises ValueError if there are too few sites, if they are not all different, or if they are
    spread over more than `MAX_AREA` tiles.
    """
    if n_patches > len(sites):
        raise ValueError(f"{n_patches} patches do not fit on {len(sites)} sites")
    site = np.arange(n_patches, dtype=np.int64)
    if n_patches == 0:
        return site
    start, partner, weight = neighbours(n_patches, np.asarray(weights, np.int64).reshape(-1, 3))
    tiles = np.asarray(sites, np.int64)
    tiles = tiles - tiles.min(axis=0)
    port_cost = np.zeros(len(sites), np.int64)
    if len(ports):
        nearest(np.asarray(sites, np.int64), np.asarray(ports, np.int64), port_cost)
    pull = np.asarray(port_weights, np.int64)
    moves = min(5000 * n_patches, 10_000_000) if iterations is None else iterations
    random = np.array([2 * seed + 1], np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    best = site.copy()
    table = site_table(tiles)
    anneal(start, partner, weight, tiles, pull, port_cost, table, site, best, random, moves)
    return best


def neighbours(n_patches: int, weights: Array) -> tuple[Array, Array, Array]:
    """Who meets whom: patch i meets partner[start[i]:start[i + 1]], with these weights."""
    one, other, weight = weights[weights[:, 0] != weights[:, 1]].T
    source = np.concatenate([one, other])
    order = np.argsort(source, kind="stable")
    start = np.zeros(n_patches + 1, np.int64)
    start[1:] = np.cumsum(np.bincount(source, minlength=n_patches))
    return start, np.concatenate([other, one])[order], np.concatenate([weight, weight])[order]


def site_table(tiles: Array) -> Array:
    """The number of the site on each tile of the rectangle, or `FREE`."""
    width, height = (tiles.max(axis=0) + 1).tolist()
    if width * height > MAX_AREA:
        raise ValueError(f"the sites are spread over {width} x {height} tiles")
    table = np.full((width, height), FREE, np.int64)
    table[tiles[:, 0], tiles[:, 1]] = np.arange(len(tiles))
    if np.count_nonzero(table != FREE) != len(tiles):
        raise ValueError("two sites are on the same tile")
    return table


@kernel
def nearest(tiles: Array, ports: Array, out: Array) -> None:
    """The distance from each tile to the nearest port."""
    for i in range(len(tiles)):
        best = np.int64(1) << 40
        for j in range(len(ports)):
            away = abs(tiles[i, 0] - ports[j, 0]) + abs(tiles[i, 1] - ports[j, 1])
            best = min(best, away)
        out[i] = best


@kernel
def change(
    start: Array,
    partner: Array,
    weight: Array,
    tiles: Array,
    pull: Array,
    port_cost: Array,
    site: Array,
    p: int,
    to: int,
    besides: int,
) -> int:
    """What it costs to take p to a site, but for its distance to the patch `besides`."""
    x, y = tiles[site[p], 0], tiles[site[p], 1]
    new_x, new_y = tiles[to, 0], tiles[to, 1]
    found: int = pull[p] * (port_cost[to] - port_cost[site[p]])
    for k in range(start[p], start[p + 1]):
        if partner[k] != besides:
            at = site[partner[k]]
            old = abs(x - tiles[at, 0]) + abs(y - tiles[at, 1])
            found += weight[k] * (abs(new_x - tiles[at, 0]) + abs(new_y - tiles[at, 1]) - old)
    return found


@kernel
def propose(
    start: Array,
    partner: Array,
    tiles: Array,
    table: Array,
    site: Array,
    reach: int,
    random: Array,
    p: int,
) -> int:
    """A site for patch p, or `FREE`: mostly one near a patch that it meets."""
    degree = start[p + 1] - start[p]
    if degree == 0 or draw(random, FAR) == 0:
        return draw(random, len(tiles))
    at = site[partner[start[p] + draw(random, degree)]]
    x = tiles[at, 0] + draw(random, 2 * reach + 1) - reach
    y = tiles[at, 1] + draw(random, 2 * reach + 1) - reach
    if x < 0 or y < 0 or x >= table.shape[0] or y >= table.shape[1]:
        return FREE
    found: int = table[x, y]
    return found


@kernel
def anneal(
    start: Array,
    partner: Array,
    weight: Array,
    tiles: Array,
    pull: Array,
    port_cost: Array,
    table: Array,
    site: Array,
    best: Array,
    random: Array,
    moves: int,
) -> None:
    """So many moves from `site`; `best` becomes the best placement seen."""
    n = len(site)
    now = least = 0  # costs, but for that of the first placement
    tenant = np.full(len(tiles), FREE, np.int64)
    for p in range(n):
        tenant[site[p]] = p
    reach = max(1, int(REACH * np.sqrt(table.size / len(tiles))))
    first, sampled, temperature = 0.0, 0, 0.0
    factor = COOLING ** (1.0 / max(1.0, moves * (1 - QUENCH)))
    quench = int(moves * (1 - QUENCH))
    for move in range(-SAMPLES, moves):
        if move == 0:
            temperature = first / max(1, sampled)
        elif move == quench:
            temperature = 0.0
        temperature *= factor
        p = draw(random, n)
        to = propose(start, partner, tiles, table, site, reach, random, p)
        if to == FREE or to == site[p]:
            continue
        away, other = site[p], tenant[to]
        cost = change(start, partner, weight, tiles, pull, port_cost, site, p, to, other)
        if other != FREE:
            cost += change(start, partner, weight, tiles, pull, port_cost, site, other, away, p)
        if move < 0:
            first += abs(cost)
            sampled += 1
        elif cost <= 0 or (
            temperature > 0 and draw(random, WHOLE) < WHOLE * np.exp(-cost / temperature)
        ):
            site[p], tenant[to] = to, p
            tenant[away] = other
            if other != FREE:
                site[other] = away
            now += cost
            if now < least:
                least = now
                best[:] = site
