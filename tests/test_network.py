"""Regions taken apart into values and written in another order.

The oracle runs a region as it stands, on state vectors, and erases scratch by decree: where it is
undone, amplitudes of |x>|f(x)> go to |x>|0>.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from lowering import t_count
from trajectories import TOLERANCE, Run

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.wires import WireBuilder, to_circuit, to_wires
from qwasmc.ops import BY_NAME, CODE, OPS
from qwasmc.passes.lower_gates import lower_gates
from qwasmc.passes.pebbling.game import Game, Impossible, Move, Step, replay
from qwasmc.passes.pebbling.plans import fewest, play
from qwasmc.passes.reversible import network as reader
from qwasmc.passes.reversible import nodes
from qwasmc.passes.reversible.forms import Term, product, reduced
from qwasmc.passes.reversible.network import Refused, network
from qwasmc.passes.reversible.nodes import Network
from qwasmc.passes.reversible.region import Region
from qwasmc.passes.reversible.rewrite import rewrite
from qwasmc.verify import verify

ANGLE = 0.7
DATA, SCRATCH = "abcde", "stuv"


@dataclass
class Source:
    """A circuit with a region in it."""

    circuit: Circuit
    plain: Circuit
    """The same, but the segment has no phases that undoing it would undo."""
    scratch: int
    """Its first wires are scratch."""

    def network(self) -> Network:
        wired = to_wires(self.circuit)
        begin, end, undo = (
            int(np.flatnonzero(wired.op == CODE[name])[0])
            for name in ("rev_begin", "rev_end", "uncompute")
        )
        return network(wired, Region("s", begin, end, undo, tuple(range(self.scratch))))

    def rewritten(self, found: Network, steps: Sequence[Step], feed_forward: bool) -> Circuit:
        wired, region = found.wired, found.region
        builder = WireBuilder(wired)
        for row in range(self.scratch, region.begin):
            builder.copy(wired, row)
        rewrite(found, steps, builder, feed_forward)
        for row in range(region.undo + 1 + self.scratch, len(wired)):
            builder.copy(wired, row)
        after = to_circuit(builder.freeze())
        verify(after)
        return after


def source(data: list[str], scratch: list[str], text: str) -> Source:
    """A program from words such as "ccx a b s; if x r; mz a; end; z s".

    "if" is on the bit of the last "mz" or "mx", at first on a random one.  Each row has a place of
    its own.
    """
    words = [word.split() for word in text.split(";")]
    end = words.index(["end"])
    plain = [
        [{"y": "x", "cy": "cx"}.get(part, part) for part in word] if word[-1] in scratch else word
        for word in words[:end]
    ]
    circuits = (assemble(data, scratch, each) for each in (words, plain + words[end:]))
    return Source(*circuits, len(scratch))


def program(data: int, scratch: int, text: str) -> Source:
    """The same with data qubits a, b, c, ... and scratch qubits s, t, u, ..."""
    return source(list(DATA[:data]), list(SCRATCH[:scratch]), text)


def assemble(data: list[str], scratch: list[str], words: list[list[str]]) -> Circuit:
    builder = CircuitBuilder()
    file = builder.locations.add_file("a.qwasm", "")
    value: dict[str, int] = {}

    def add(name: str, *on: str, cond: int = -1, attr: int | str = 0) -> int:
        loc = builder.locations.add(file, len(builder.op) + 1, 1, 2)
        angle = ANGLE * BY_NAME[name].angle
        values = [value[each] for each in on]
        first = builder.add(name, values, cond=cond, angle=angle, attr=attr, loc=loc)
        for slot, each in enumerate(on):
            value[each] = first + slot
        return first + len(on)

    for name in scratch:
        value[name] = builder.add("alloc", attr="")
    for name in data:
        value[name] = builder.add("alloc", attr=name)
    value["coin"] = builder.add("alloc", attr="")
    add("h", "coin")
    bits = [add("measure_z", "coin")]
    add("rev_begin", *scratch, attr="s")
    for word in words:
        predicated = word[0] == "if"
        name, *on = word[predicated:]
        cond = bits[-1] if predicated else -1
        if name == "end":
            builder.add("rev_end", attr="s")
        elif name in ("mz", "mx"):
            bits.append(add(f"measure_{name[1]}", *on, cond=cond))
        else:
            add(name, *on, cond=cond)
    builder.add("uncompute", attr="s")
    for name in scratch:
        builder.add("free", [value[name]])
    builder.add("free", [value["coin"]])
    for at, bit in enumerate(bits):
        builder.add("result", [bit], attr=f"bit {at}")
    circuit = builder.freeze()
    verify(circuit)
    return circuit


class Play(Run):
    """A run in which outcomes are given by place, and scratch is erased by decree."""

    def __init__(
        self,
        circuit: Circuit,
        start: np.ndarray,
        outcomes: dict[int, int] | None,
        seed: int,
        n: int,
    ) -> None:
        self.outcomes = outcomes
        self.at: dict[int, int] = {}
        self.scratch = n
        super().__init__(circuit, start, None if outcomes is None else [], seed)

    def step(self, row: int) -> None:
        loc, name = int(self.circuit.loc[row]), OPS[self.circuit.op[row]].name
        if name == "uncompute":
            self.erase()
        if self.outcomes is not None and loc in self.outcomes:
            self.forced = [self.outcomes[loc]]
        before = len(self.taken)
        super().step(row)
        if len(self.taken) > before:
            self.at[loc] = self.taken[-1]

    def erase(self) -> None:
        wire = self.circuit.wires()
        for value, axis in self.axis.items():
            if wire[value] < self.scratch:
                ends = np.moveaxis(self.state, axis, 0)
                erased = np.stack([ends[0] + ends[1], np.zeros_like(ends[0])])
                self.state = np.moveaxis(erased, 0, axis)
        norm = float(np.linalg.norm(self.state))
        self.probability *= norm**2
        self.state = self.state / max(norm, TOLERANCE)


def assert_same(given: Source, after: Circuit, seed: int, runs: int = 2) -> None:
    named = sum(
        bool(given.circuit.attribute(row))
        for row, code in enumerate(given.circuit.op)
        if OPS[code].makes_qubit
    )
    for at in range(runs):
        rng = np.random.default_rng([seed, at])
        start = rng.normal(size=(2,) * named) + 1j * rng.normal(size=(2,) * named)
        start /= np.linalg.norm(start)
        one = Play(given.plain, start, None, int(rng.integers(2**32)), given.scratch)
        if one.probability < TOLERANCE:
            continue
        other = Play(after, start, one.at, int(rng.integers(2**32)), given.scratch)
        assert one.at == other.at
        assert one.results == other.results
        assert abs(one.probability - other.probability) < TOLERANCE
        assert abs(abs(np.vdot(one.state, other.state)) - 1) < TOLERANCE, "the states differ"


class Player:
    """Plays a game with detours, and never gets stuck if it can be won at all."""

    def __init__(self, game: Game, rng: np.random.Generator, detours: float) -> None:
        self.game, self.rng, self.detours = game, rng, detours
        self.steps: list[Step] = []
        self.present: set[int] = set()
        self.ghosts: set[int] = set()
        self.done: set[int] = set()
        nodes = game.nodes
        self.made = [set(node.made_by) for node in nodes]
        self.spoilt = [set(node.spoilt_by) for node in nodes]
        for at, node in enumerate(nodes):
            for each in node.inputs:
                self.made[at] |= self.made[each]
                self.spoilt[at] |= self.spoilt[each]

    def play(self) -> list[Step]:
        for act in self.order():
            self.wander()
            for node in reversed(range(len(self.game.nodes))):
                if act in self.spoilt[node]:
                    self.clear(node)
            for node in self.game.acts[act].needs:
                self.compute(node)
            self.steps.append(Step(Move.ACT, act))
            self.done.add(act)
        for node in reversed(range(len(self.game.nodes))):
            self.clear(node)
        return self.steps

    def order(self) -> list[int]:
        """A random order of the acts, by which nodes live where they can."""
        before = [set(act.after) for act in self.game.acts]
        for at, act in enumerate(self.game.acts):
            for node in act.needs:
                before[at] |= self.made[node]
                for other in self.spoilt[node]:
                    before[other].add(at)
        found: list[int] = []
        while len(found) < len(before):
            ready = [at for at in range(len(before)) if at not in found and before[at] <= {*found}]
            if not ready:
                raise Impossible(None)
            found.append(int(self.rng.choice(ready) if self.detours else ready[0]))
        return found

    def live(self, node: int) -> bool:
        return self.made[node] <= self.done and not self.spoilt[node] & self.done

    def wander(self) -> None:
        """Some moves that need not be."""
        while self.rng.random() < self.detours:
            node = int(self.rng.integers(len(self.game.nodes))) if self.game.nodes else -1
            if node < 0 or not self.live(node):
                continue
            if node not in self.present:
                self.compute(node)
            elif self.game.ghosts and self.rng.random() < 0.7:
                self.move(Move.GHOST, node)
            else:
                self.clear(node)

    def compute(self, node: int) -> None:
        if node not in self.present:
            for each in self.game.nodes[node].inputs:
                self.compute(each)
            self.move(Move.COMPUTE, node)

    def clear(self, node: int) -> None:
        """Leave neither a node nor a ghost."""
        if node in self.present or node in self.ghosts:
            for each in self.game.nodes[node].inputs:
                self.compute(each)
            self.move(Move.UNDO if node in self.present else Move.REPAIR, node)

    def move(self, move: Move, node: int) -> None:
        self.steps.append(Step(move, node))
        if move == Move.COMPUTE:
            self.present.add(node)
        else:
            self.present.discard(node)
            self.ghosts.discard(node)
        if move == Move.GHOST:
            self.ghosts.add(node)


def check(given: Source, seed: int, detours: float = 0.6, runs: int = 2) -> Network:
    found = given.network()
    for feed_forward in (False, True):
        game = found.game(feed_forward)
        steps = Player(game, np.random.default_rng(seed), detours).play()
        replay(game, steps)
        assert_same(given, given.rewritten(found, steps, feed_forward), seed, runs)
    return found


# By name: data qubits, scratch qubits, the program, nodes.
PROGRAMS = {
    "an AND": (3, 1, "ccx a b s; end; cx s c; t s", 1),
    "a copy": (2, 1, "cx a s; end; cx s b", 0),
    "a parity": (3, 1, "cx a s; cx b s; x s; end; t s; rz s; cx s c", 0),
    "a chain": (4, 2, "ccx a b s; ccx s c t; end; cx t d; cz s d", 2),
    "several products": (4, 1, "ccx a b s; ccx b c s; cx a s; x s; end; cx s d; t s", 1),
    "read in between": (3, 2, "ccx a b s; cx s t; ccx b c s; end; rz s; rz t", 2),
    "undone by hand": (3, 1, "ccx a b s; z s; ccx a b s; ccx b c s; end; cz s a", 2),
    "equal values": (3, 2, "ccx a b s; ccx b a t; end; cz s c; t t", 1),
    "a temporary qubit": (4, 1, "cx c a; ccx a b s; cx c a; end; cx s d", 1),
    "a temporary product": (4, 1, "ccx a b c; ccx c d s; ccx a b c; end; t s", 2),
    "factors that overlap": (3, 1, "cx a b; ccx a b s; cx a b; end; cx s c", 1),
    "an exchange": (3, 2, "ccx a b s; swap s t; ccx t c s; end; t s; z t", 2),
    "swapped with data": (3, 1, "ccx a b s; swap s c; swap s c; end; t s", 1),
    "Fredkin on scratch": (3, 2, "cx a s; cx b t; cswap c s t; end; t s; t t", 1),
    "Y": (3, 1, "y s; ccx a b s; cy c s; end; t s", 1),
    "predicated": (4, 1, "ccx a b s; if cx c s; if x s; end; t s; cx s d", 1),
    "a predicated product": (3, 1, "if ccx a b s; if ccx b c s; end; rz s", 1),
    "measured data": (3, 1, "ccx a b s; mz c; if cx a s; end; h c; mz c; if t s; if cx s c", 1),
    "sums": (4, 2, "ccx a b s; ccx s c t; end; cx s c; cx t d; cx a b", 2),
    "overwritten later": (3, 2, "ccx a b s; cx s t; end; cz t c; h a; cx s c", 1),
    "accumulated": (4, 1, "ccx a b s; end; ccx s a c; ccx s b c; cx s d; h c; cx s d; cx s c", 1),
    "versions": (3, 2, "cx a b; ccx a b s; cx s c; ccx c a t; end; t t; h c", 2),
    "a swap of data": (3, 1, "ccx a b s; end; swap a c; cx s a; t a; h a", 1),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str):
    data, scratch, text, nodes = PROGRAMS[name]
    given = program(data, scratch, text)
    for seed in range(4):
        found = check(given, seed, detours=0.6 * (seed > 0))
    assert len(found.used) == nodes


class Words:
    """Random programs."""

    FLIPS = ("x", "cx", "cx", "ccx", "ccx", "ccx")
    PHASES = ("z", "t", "s", "rz", "p", "cz", "cp", "crz", "ccz")
    OTHERS = ("h", "h", "rx", "ry", "mz", "mx", "reset", "swap", "cy", "barrier")

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.data = int(rng.integers(3, 6))
        self.scratch = int(rng.integers(1, 5))
        self.data_names = list(DATA[: self.data])
        self.scratch_names = list(SCRATCH[: self.scratch])
        self.names = self.data_names + self.scratch_names

    def some(self, names: list[str], count: int, but: str = "") -> list[str]:
        return [str(each) for each in self.rng.permutation([n for n in names if n != but])[:count]]

    def word(self, *parts: str) -> str:
        return " ".join(["if"] * (self.rng.random() < 0.15) + [*parts])

    def computes(self) -> list[str]:
        """A write to scratch, perhaps with data that are changed for a while."""
        rng = self.rng
        target = str(rng.choice(self.scratch_names))
        pick = rng.random()
        if pick < 0.1 and self.scratch > 1:
            return [" ".join(["swap", *self.some(self.scratch_names, 2)])]
        if pick < 0.15:
            return [self.word("cswap", *self.some(self.names, 2, target), target)]
        if pick < 0.2:
            return [self.word("cy", *self.some(self.names, 1, target), target)]
        if pick < 0.35:
            changed = str(rng.choice(self.data_names))
            name = str(rng.choice(self.FLIPS))
            count = BY_NAME[name].controls
            around = self.word(name, *self.some(self.names, count, changed), changed)
            return [around, *self.computes(), around]
        name = str(rng.choice(self.FLIPS))
        return [self.word(name, *self.some(self.names, BY_NAME[name].controls, target), target)]

    def acts(self) -> list[str]:
        rng = self.rng
        pick = rng.random()
        if pick < 0.4:
            name = str(rng.choice(self.PHASES))
            return [self.word(name, *self.some(self.names, BY_NAME[name].qubits))]
        if pick < 0.7:
            target = str(rng.choice(self.data_names))
            name = str(rng.choice(self.FLIPS))
            return [self.word(name, *self.some(self.names, BY_NAME[name].controls, target), target)]
        name = str(rng.choice(self.OTHERS))
        if name == "barrier":
            return [" ".join([name, *self.some(self.names, 2)])]
        count = 1 if name in ("mz", "mx") else BY_NAME[name].qubits
        return [self.word(name, *self.some(self.data_names, count))]

    def program(self) -> Source:
        rng = self.rng
        words: list[str] = []
        for _ in range(rng.integers(1, 7)):
            words += self.computes() if rng.random() < 0.8 else self.acts()
        words.append("end")
        for _ in range(rng.integers(1, 7)):
            words += self.acts() if rng.random() < 0.75 else self.computes()
        return program(self.data, self.scratch, ";".join(words))


def attempt(seed: int) -> str:
    """Whether a random program has a network that can be played, by chance and by `play`."""
    given = Words(np.random.default_rng(seed)).program()
    try:
        found = check(given, seed, runs=1)
    except (Refused, Impossible) as error:
        return type(error).__name__
    for feed_forward in (False, True):
        game = found.game(feed_forward)
        least = fewest(game)
        for room in (None, least, least + 1):
            steps = play(game, room).steps
            assert_same(given, given.rewritten(found, steps, feed_forward), seed, runs=1)
    return "done"


@pytest.mark.parametrize("first", range(0, 120, 20))
def test_random_programs(first: int):
    found = [attempt(seed) for seed in range(first, first + 20)]
    assert found.count("done") >= 8


@pytest.mark.parametrize("limit", [1, 2])
def test_small_limits(limit: int, monkeypatch: pytest.MonkeyPatch):
    for module, name in ((nodes, "CROWD"), (nodes, "REACH"), (reader, "CROWD"), (reader, "WIDE")):
        monkeypatch.setattr(module, name, limit)
    monkeypatch.setattr(reader, "MANY", limit)
    monkeypatch.setattr(reader, "WIDEST", limit + 1)
    found = [attempt(seed) for seed in range(100 * limit, 100 * limit + 60)]
    assert found.count("done") >= 30


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1000, 4000, 500))
def test_many_random_programs(first: int):
    found = [attempt(seed) for seed in range(first, first + 500)]
    assert found.count("done") >= 300


def adder(n: int) -> Source:
    """b += a, with a carry; the data qubits are a and then carry and b, high bits first."""
    words, sums = [], []
    for i in range(n):
        a, b, carry = f"a{i}", f"b{i}", f"c{i}"
        there = [f"cx {carry} {a}", f"cx {carry} {b}"]
        words += [*there, f"ccx {a} {b} c{i + 1}", *there[::-1], f"cx {carry} c{i + 1}"]
        sums += [f"cx {a} {b}", f"cx {carry} {b}"]
    high = range(n - 1, -1, -1)
    data = [*(f"a{i}" for i in high), "out", *(f"b{i}" for i in high)]
    text = ";".join([*words, "end", *sums, f"cx c{n} out"])
    return source(data, [f"c{i}" for i in range(n + 1)], text)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_an_adder_computes_each_carry_once(n: int):
    given = adder(n)
    found = given.network()
    game = found.game(True)
    assert [node.cost for node in game.nodes] == [4] * n
    assert len(game.acts) == 2 * n  # the first carry is 0
    assert not any(node.made_by or node.spoilt_by for node in game.nodes)
    for room in (None, fewest(game)):
        plan = play(game, room)
        after = given.rewritten(found, plan.steps, feed_forward=True)
        assert plan.cost == t_count(lower_gates(after, feed_forward=True))
        assert (plan.cost == 4 * n) or room is not None
        assert_adds(n, after)


def assert_adds(n: int, circuit: Circuit) -> None:
    """It takes |a, b> to |a, a + b> for all a and b at once."""
    start = np.random.default_rng(n).normal(size=(2**n, 2 ** (n + 1)))
    start[:, 2**n :] = 0  # the carry
    start /= np.linalg.norm(start)
    expected = np.array([np.roll(row, a) for a, row in enumerate(start)])
    state = Run(circuit, start.reshape((2,) * (2 * n + 1)), None, seed=n).state
    assert abs(abs(np.vdot(state, expected)) - 1) < TOLERANCE


def test_a_ghost_is_repaired_later():
    given = program(4, 2, "ccx a b s; x s; ccx s c t; end; cx t d")
    found = given.network()
    compute, ghost, act = (Step(move, at) for move, at in ((0, 0), (2, 0), (4, 0)))
    steps = [compute, Step(Move.COMPUTE, 1), ghost, act, Step(Move.GHOST, 1), compute, ghost]
    steps += [compute, Step(Move.REPAIR, 1), Step(Move.UNDO, 0)]
    replay(found.game(True), steps)
    after = given.rewritten(found, steps, feed_forward=True)
    assert (after.op == CODE["measure_x"]).sum() == 4
    assert (after.op == CODE["xor"]).sum() == 1
    assert_same(given, after, 1, runs=20)


def test_added_measurements_have_no_place():
    given = program(3, 1, "ccx a b s; ccx b c s; end; t s")
    found = given.network()
    after = given.rewritten(found, play(found.game(True)).steps, feed_forward=True)
    for row, code in enumerate(after.op.tolist()):
        if OPS[code].name in ("measure_x", "ccx", "cz", "cx"):
            assert (after.loc[row] < 0) == (OPS[code].name == "measure_x")


# By name: data qubits, scratch qubits, the program, what the refusal says.
REFUSED = {
    "a Hadamard": (2, 1, "h s; end; t s", "'h' on a scratch qubit"),
    "a measurement": (2, 1, "cx a s; end; mz s", "'measure_z' on a scratch qubit"),
    "a reset": (2, 1, "cx a s; reset s; end; t s", "'reset' on a scratch qubit"),
    "a lost value": (2, 1, "cx a s; end; cx s a", "a qubit is flipped by its own value"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str):
    data, scratch, text, message = REFUSED[name]
    with pytest.raises(Refused, match=message):
        program(data, scratch, text).network()


def test_acts_make_a_wide_parity():
    ladder = [f"cx d{i} d{i + 1}" for i in range(300)]
    text = ";".join([*ladder, "ccx d300 d299 s0", *ladder[::-1], "end", "t s0"])
    found = source([f"d{i}" for i in range(301)], ["s0"], text).network()
    assert len(found.deeds) == 601
    assert play(found.game(True)).cost == 4


def test_what_undoes_itself_has_no_order():
    given = program(3, 1, "ccx a b s; end; h a; mz a; if cx s c")
    with pytest.raises(Impossible) as raised:
        play(given.network().game(True))
    assert raised.value.fewest is None


def test_a_long_parity_is_several_nodes():
    bits = [f"d{i}" for i in range(600)]
    text = ";".join([*(f"cx {bit} s" for bit in bits), "end", "t s"])
    found = source(bits, ["s"], text).network()
    assert [len(found.nodes[atom].form) for atom in found.used] == [257, 257, 88]


@pytest.mark.parametrize("around", ["cx d e; cx a b; h d", "if x b; swap d e; ccx d e b", "x e"])
def test_data_that_come_back_take_no_act(around: str):
    """Neither does what happens to other data while they are away."""
    ladder = ["cx a b", "cx b c", "x c", "ccx a d c"]
    text = ";".join([*ladder, "ccx c e s", *ladder[::-1], around, "end", "t s", "x a"])
    found = check(program(5, 1, text), 1)
    assert len(found.deeds) == len(around.split(";")) + 2


@pytest.mark.parametrize("seed", range(10))
def test_data_that_come_back_by_another_way(seed: int):
    rng = np.random.default_rng(seed)
    moves = [" ".join(["cx", *rng.permutation(list("abc"))[:2]]) for _ in range(60)]
    check(program(3, 1, ";".join(["ccx a b s", "end", "t s", *moves])), seed, detours=0.1)


def test_a_quadratic_form_has_as_few_products_as_it_can():
    """Half the rank of its bilinear form, by counting the points where it is 1."""
    rng = np.random.default_rng(5)
    points = np.array(list(np.ndindex((2,) * 5)))
    for _ in range(300):
        forms = [frozenset(np.flatnonzero(rng.random(6) < 0.4) - 1) for _ in range(8)]
        terms = [
            each for pair in zip(forms, forms[4:], strict=False) if (each := product(-1, pair))
        ]
        terms = [term for term in terms if len(term.factors) == 2]
        linear, fewer = reduced(terms)
        before = sum((evaluate(term, points) for term in terms), np.zeros(len(points), dtype=int))
        after = sum((evaluate(term, points) for term in fewer), form_at(linear, points))
        assert ((before - after) % 2 == 0).all()
        if fewer:  # how often the signs (-1)^f cancel at best, over all parities, tells the rank
            parities = (-1) ** (points @ points.T)
            bias = np.abs(parities @ (-1) ** before).max()
            assert len(fewer) <= 5 - np.log2(bias)


def form_at(form: frozenset[int], points: np.ndarray) -> np.ndarray:
    """The values of a form of five atoms."""
    return sum((points[:, atom] if atom >= 0 else 1 for atom in form), np.zeros(len(points), int))


def evaluate(term: Term, points: np.ndarray) -> np.ndarray:
    """The values of a product."""
    return np.prod([form_at(factor, points) % 2 for factor in term.factors], axis=0)
