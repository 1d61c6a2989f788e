"""Plans of pebble games are legal, within their room, and of the least T where that is known."""

from __future__ import annotations

import random
from functools import cache
from math import comb, inf

import pytest
from hypothesis import given, settings
from pebble_oracle import (
    carries,
    chain,
    games,
    least_room,
    most_room,
    optimum,
    random_dag,
    random_products,
    random_tree,
    referee,
    with_relations,
)

from qwasmc.passes.pebbling import bennett, checkpoints, plans
from qwasmc.passes.pebbling.chains import NEVER, Chain
from qwasmc.passes.pebbling.game import Act, Game, Impossible, Move, Node, Step, replay
from qwasmc.passes.pebbling.improve import improve
from qwasmc.passes.pebbling.order import once
from qwasmc.passes.pebbling.parts import parts
from qwasmc.passes.pebbling.plans import fewest, play
from qwasmc.passes.pebbling.weave import weave


def checked(game: Game, room: int | None = None) -> int:
    """T of the plan for a game, which the referee has seen."""
    plan = play(game, room)
    assert referee(game, plan.steps) == (plan.cost, plan.room)
    assert room is None or plan.room <= room
    return plan.cost


def compare(game: Game) -> None:
    """In every room: the optimum, or that there is none and how much room it takes."""
    least = least_room(game)
    if least is None:
        for room in (None, 2):
            with pytest.raises(Impossible) as caught:
                play(game, room)
            assert caught.value.fewest is None
            assert_cycle(game, caught.value.cycle)
        return
    assert fewest(game) == least
    for room in range(most_room(game) + 1):
        if room >= least:
            assert checked(game, room) == optimum(game, room)
        else:
            with pytest.raises(Impossible) as caught:
                play(game, room)
            assert (caught.value.fewest, caught.value.cycle) == (least, ())


def assert_cycle(game: Game, cycle: tuple[Step, ...]) -> None:
    """Each step must come before the next."""
    assert cycle
    for (move, index), (later, other) in zip(cycle, cycle[1:] + cycle[:1], strict=True):
        if move == later == Move.ACT:
            assert index in game.acts[other].after
        elif later == Move.ACT:
            node = game.nodes[index]
            needs = game.acts[other].needs
            assert index in needs if move == Move.COMPUTE else other in node.spoilt_by
        elif move == Move.ACT:
            needs, made = game.acts[index].needs, game.nodes[other].made_by
            assert other in needs if later == Move.UNDO else index in made
        elif move == later == Move.COMPUTE:
            assert index in game.nodes[other].inputs
        elif move == later == Move.UNDO:
            assert other in game.nodes[index].inputs
        else:
            assert (move, later, index) == (Move.COMPUTE, Move.UNDO, other)


@settings(max_examples=80, derandomize=True, database=None, deadline=None)
@given(games())
def test_small_games_get_the_optimum(game):
    compare(game)


@pytest.mark.slow
@settings(max_examples=1500, derandomize=True, database=None, deadline=None)
@given(games(nodes=6))
def test_more_small_games_get_the_optimum(game):
    compare(game)


@pytest.mark.parametrize("ghosts", [True, False])
@pytest.mark.parametrize("extra", [0, 1])
def test_chains_get_the_optimum(ghosts, extra):
    for n in range(1, 6 + (extra == 0)):
        compare(chain(n, ghosts, extra))
    compare(carries(5, ghosts))


@pytest.mark.parametrize("ghosts", [True, False])
@pytest.mark.parametrize("kind", ["chain", "tree", "dag"])
def test_plans_of_larger_games(kind, ghosts):
    """On small games: legal, never better than the optimum, near it, and on chains it."""
    rng = random.Random(kind)
    total, best = 0, 0
    for _ in range(6):
        game = random_dag(rng, 6, ghosts) if kind == "dag" else random_tree(rng, 6, ghosts, kind)
        player = plans._Player(game)
        for room in range(1, player.most):
            least = optimum(game, room)
            costs = []
            for steps in player.plans(room):
                cost, taken = referee(game, steps)
                better, still = referee(game, improve(game, steps, room))
                assert least is not None
                assert least <= better <= cost
                assert max(taken, still) <= room
                costs.append(better)
            if kind == "chain":
                assert min(costs, default=None) == least
            if costs:
                total, best = total + min(costs), best + least
    assert 0 < total <= 1.1 * best


@pytest.mark.parametrize("ghosts", [True, False])
@pytest.mark.parametrize("make", [random_tree, random_dag, random_products])
def test_tables_keep_their_word(make, ghosts):
    """A plan on a line takes no more room and T than its table says, `improve` no more than it."""
    rng = random.Random(0)
    found = 0
    for _ in range(20):
        game = make(rng, 12, ghosts)
        player = plans._Player(game)
        walk = checkpoints.walk if ghosts else bennett.walk
        for room in range(player.most):
            if player.table.cost[room] == checkpoints.NEVER:
                continue
            steps = weave(game, walk(player.line, player.table.at, room))
            cost, taken = referee(game, steps)
            better, still = referee(game, improve(game, steps, room))
            assert max(taken, still) <= room
            assert better <= cost <= player.table.cost[room] // (1 if ghosts else 2)
            found += 1
    assert found > 30


def test_rooms_without_recomputing():
    """Products of two of three values, each with an act: the order of acts takes the least room."""
    rng = random.Random(1)
    better = 0
    for _ in range(40):
        inputs = [tuple(sorted(rng.sample(range(3), 2))) for _ in range(4)]
        nodes = [Node((), 4, 0)] * 3 + [Node(each, 4, 0) for each in inputs]
        acts = [Act((v,)) for v in rng.sample(range(3, 7), 4)]
        acts[-1] = Act(acts[-1].needs, (rng.randrange(3),))
        game = Game(tuple(nodes), tuple(acts), False)
        plan = play(game)
        needs = {v for act in acts for v in (act.needs[0], *nodes[act.needs[0]].inputs)}
        assert plan.cost == 4 * len(needs)
        free = Game(tuple(Node(each.inputs, 4, 4) for each in nodes), game.acts, False)
        assert optimum(free, plan.room) == 8 * len(needs)
        assert (optimum(free, plan.room - 1) or inf) > 8 * len(needs)
        better += plan.room < replay(game, once(game)).room
    assert better > 3


@pytest.mark.parametrize("ghosts", [True, False])
def test_rules(ghosts):
    """`replay` allows what the referee allows, and no other step."""
    rng = random.Random(3)
    faults = 0
    for _ in range(300):
        game = random_dag(rng, 5, ghosts)
        steps = list(once(game))
        kind = rng.randrange(3)
        at, other = rng.randrange(len(steps)), rng.randrange(len(steps))
        if kind == 0:
            del steps[at]
        elif kind == 1:
            steps[at], steps[other] = steps[other], steps[at]
        else:
            steps.insert(at, Step(Move(rng.randrange(4)), rng.randrange(5)))
        try:
            expected = referee(game, steps)
        except AssertionError:
            faults += 1
            with pytest.raises(ValueError, match=r"Step|not won"):
                replay(game, steps)
        else:
            assert replay(game, steps) == (tuple(steps), *expected)
    assert faults > 100


@cache
def behind(n: int, room: int, ghosts: bool) -> float:
    """Steps that repair n nodes of a chain, or without ghosts make only the n-th present."""
    if room < (0 if ghosts and n == 1 else 1):
        return inf
    if n == 1:
        return 0 if ghosts else 1
    return min(
        there(m, room, ghosts)
        + behind(n - m, room - 1, ghosts)
        + behind(m, room if ghosts else room - 1, ghosts)
        for m in range(1, n)
    )


def there(m: int, room: int, ghosts: bool) -> float:
    """Steps that make the m-th node present."""
    if ghosts:
        return m if room > 1 or m == 1 else inf
    return behind(m, room, ghosts)


@cache
def winning(n: int, room: int, ghosts: bool) -> float:
    """COMPUTEs of the game of a chain, and without ghosts UNDOs."""
    if n == 1 or room < 1:
        return (1 if ghosts else 2) if room > 0 else inf
    return min(
        there(m, room, ghosts) + winning(n - m, room - 1, ghosts) + behind(m, room, ghosts)
        for m in range(1, n)
    )


@pytest.mark.parametrize("ghosts", [True, False])
def test_longer_chains(ghosts):
    """No checkpoint is better than those that `chains` looks at."""
    for n in range(1, 36):
        for room in range(1, n + 1):
            moves = Chain(n, 0, ghosts, room).moves
            assert (inf if moves == NEVER else moves) == winning(n, room, ghosts)


def test_checkpoints_of_chains_are_binomial():
    """With s rooms, all of C(s + r, s) nodes or so cost r COMPUTEs each at most (revolve)."""
    for s in (3, 5, 8):
        for r in (2, 3):
            n = comb(s + r - 1, r)
            cost = checked(chain(n, ghosts=True), s + 1)
            assert cost <= 4 * r * n


@pytest.mark.parametrize(
    ("game", "room", "cost"),
    [
        (chain(198, True), 8, 2344),
        (carries(100), 7, 1036),
        (chain(198, False), 8, 9696),
        (carries(100, False), 7, 6592),
    ],
)
def test_sizes_of_the_literature(game, room, cost):
    """An AND of 200 qubits and an adder of 100 bits; these numbers may only fall."""
    assert checked(game, room) <= cost


@pytest.mark.slow
@pytest.mark.parametrize("ghosts", [True, False])
def test_long_chains(ghosts):
    checked(carries(400, ghosts), 16)


@pytest.mark.slow
@pytest.mark.parametrize("ghosts", [True, False])
def test_more_data_that_acts_make_and_spoil(ghosts):
    for seed in range(30):
        rng = random.Random(seed)
        game = random_dag(rng, 5, ghosts)
        compare(with_relations(rng, game, once(game)))


@pytest.mark.slow
@pytest.mark.parametrize("ghosts", [True, False])
@pytest.mark.parametrize("make", [random_tree, random_dag])
def test_hundreds_of_nodes(make, ghosts):
    game = make(random.Random(0), 200, ghosts)
    least = fewest(game)
    costs = [checked(game, room) for room in (least, 2 * least, 8 * least, 200)]
    assert costs == sorted(costs, reverse=True)


def test_without_room_each_node_is_computed_once():
    """Products of products with an act each: two ancillas, in linear time."""
    nodes: list[Node] = []
    acts = []
    for index in range(3000):
        v = len(nodes)
        nodes += [Node((), 4, 0), Node((v,), 4, 0)]
        acts.append(Act((v + 1,), (index - 1,) if index else ()))
    plan = play(Game(tuple(nodes), tuple(acts), True))
    assert (plan.cost, plan.room) == (4 * 6000, 2)


def test_parts_are_played_one_by_one():
    """A second adder on what the first one wrote: each has all of the room."""
    first = carries(20)
    n = len(first.nodes)
    again = tuple(
        Node(
            tuple(n + v for v in node.inputs),
            4,
            0,
            made_by=(v,),
            spoilt_by=tuple(n + 1 + act for act in node.spoilt_by),
        )
        for v, node in enumerate(first.nodes)
    )
    acts = tuple(Act(tuple(n + v for v in act.needs)) for act in first.acts)
    game = Game(first.nodes + again, first.acts + acts, True)
    assert [len(part.nodes) for part in parts(game) if part.nodes] == [n, n]
    assert checked(game, 5) == 2 * checked(first, 5)
    assert fewest(game) == 2


def test_a_value_that_an_act_spoils_while_it_needs_it():
    game = Game((Node((), 4, 0, spoilt_by=(0,)),), (Act((0,)),), True)
    with pytest.raises(Impossible) as caught:
        play(game)
    assert set(caught.value.cycle) == {Step(Move.UNDO, 0), Step(Move.ACT, 0)}


def test_nodes_for_nothing_are_not_computed():
    game = Game((Node((), 4, 0), Node((0,), 4, 0)), (Act((0,)),), True)
    assert checked(game) == 4
    assert checked(Game(game.nodes, (Act(()),), True), 0) == 0
    assert checked(Game((), (), False)) == 0


@pytest.mark.parametrize("ghosts", [True, False])
def test_data_that_acts_make_and_spoil(ghosts):
    """The optimum of small games, which come apart into parts; legal plans of larger ones."""
    for seed in range(6):
        rng = random.Random(seed)
        game = random_dag(rng, 3 + seed % 2, ghosts)
        compare(with_relations(rng, game, once(game)))
        game = random_dag(rng, 24, ghosts)
        game = with_relations(rng, game, once(game))
        least = fewest(game)
        assert checked(game, least) >= checked(game, least + 3) >= checked(game)
