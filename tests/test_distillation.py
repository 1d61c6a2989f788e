"""15-to-1 in rows, with Clifford stand-ins and with true magic states, and factories."""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
import pytest
from two_readings import (
    ENDS,
    JOINTS,
    Fault,
    StandIn,
    TrueReading,
    effects,
    flags,
    in_time,
    logical_faults,
)

from qwasmc.backends.stim.emit import emit
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import parse_noise
from qwasmc.backends.stim.validate import (
    Build,
    check_action,
    check_determinism,
    check_distance,
)
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ir.surgery import (
    Edge,
    Join,
    Letter,
    Magic,
    Row,
    Side,
    Surgery,
    SurgeryBuilder,
    Term,
    Tile,
    encode_join,
)
from qwasmc.passes.scheduling import distillation, factories
from qwasmc.passes.scheduling.factories import Factory
from qwasmc.verify import verify

INPUTS = 15


@cache
def template() -> Surgery:
    return distillation.template()


def input_faults(surgery: Surgery) -> list[Fault]:
    """Z on each of the injected states."""
    rows = np.flatnonzero(surgery.kind == Row.INJECT).tolist()
    return [Fault(int(surgery.slab[row]), surgery.tile(row), "Z") for row in rows]


# -- with the stand-in -----------------------------------------------------------------------------


@cache
def input_effects() -> list[frozenset[str]]:
    return effects(template(), input_faults(template()))


def flipped(inputs: tuple[int, ...]) -> frozenset[str]:
    """What wrong inputs flip together."""
    total: frozenset[str] = frozenset()
    for number in inputs:
        total ^= input_effects()[number]
    return total


def test_rows_are_well_formed_and_stay_in_their_block() -> None:
    surgery = template()
    verify(surgery)
    used = [surgery.tile(row) for row, kind in in_time(surgery) if kind != Row.JOIN]
    for row in np.flatnonzero(surgery.kind == Row.JOIN).tolist():
        used += surgery.join(row).tiles()
    columns, lines = range(distillation.WIDTH), range(distillation.HEIGHT)
    assert set(used) == {(x, y) for x in columns for y in lines}


def test_stand_in_has_no_flags_and_the_right_output() -> None:
    assert len(input_faults(template())) == INPUTS
    assert not StandIn(template()).values(64).any()


def test_the_frame_is_not_constant() -> None:
    """Otherwise the test above would see nothing of corrections that are missing."""
    reading = StandIn(template())
    assert all(len(reading.parity[flag][0]) > 1 for flag in flags(template()))
    assert len(reading.y[0]) > 1


def test_undetected_faults_are_thirty_five_triples() -> None:
    for weight, expected in ((1, 0), (2, 0), (3, 35)):
        found = [flipped(inputs) for inputs in combinations(range(INPUTS), weight)]
        assert [effect for effect in found if effect <= {"L0"}] == [frozenset({"L0"})] * expected


# -- with true magic states ------------------------------------------------------------------------


def test_true_states_distil_to_t_plus() -> None:
    for seed in range(50):
        run = TrueReading(template(), seed)
        assert not any(run.flags)
        assert run.fidelity() == pytest.approx(1)


def test_both_readings_agree_on_wrong_inputs() -> None:
    rng = np.random.default_rng(3)
    for size in range(1, INPUTS + 1):
        for seed in range(4):
            agree(tuple(rng.permutation(INPUTS)[:size].tolist()), seed)


def test_leading_order_of_the_error_with_true_states() -> None:
    """p_out / 35 p^3 -> 1: of all 455 triples of wrong inputs, 35 pass, and those are wrong."""
    passed = [agree(inputs, seed) for seed, inputs in enumerate(combinations(range(INPUTS), 3))]
    assert (len(passed), sum(passed)) == (455, 35)


def agree(inputs: tuple[int, ...], seed: int) -> bool:
    """Compare the readings with these inputs wrong; whether no flag saw it."""
    faults = input_faults(template())
    run = TrueReading(template(), seed, [faults[number] for number in inputs])
    expected = flipped(inputs)
    assert run.flags == [int(f"D{number}" in expected) for number in range(len(run.flags))]
    if not any(run.flags):
        assert run.fidelity() == pytest.approx(0 if "L0" in expected else 1)
    return not any(run.flags)


@pytest.mark.slow
def test_only_the_output_and_flips_of_checks_are_exposed_to_single_faults() -> None:
    """All other logical faults raise a flag or do no harm, in both readings.

    That is what the bound of the block's topological error counts.
    """
    surgery, exposed = template(), 0
    faults = logical_faults(surgery)
    for fault, effect in zip(faults, effects(surgery, faults), strict=True):
        if isinstance(fault, Fault) and (
            fault.tile == distillation.OUTPUT
            or (fault.tile[1] == distillation.CHECK_ROW and fault.letter == "X")
        ):
            exposed += 1
            continue
        assert effect != {"L0"}
        for seed in range(2):
            run = TrueReading(surgery, seed, [fault])
            assert any(run.flags) or run.fidelity() == pytest.approx(1)
    assert exposed == distillation.EXPOSED


# -- emitted ---------------------------------------------------------------------------------------


def t_plus_and_no_flags() -> Circuit:
    """What the block promises, as a program."""
    out = CircuitBuilder()
    qubit = out.add("t", [out.add("h", [out.add("alloc", attr="")])])
    zero = out.add("const", attr=0)
    for number in range(4):
        out.add("result", [zero], attr=f"flag{number}")
    out.add("output", [qubit], attr="t")
    return out.freeze()


@pytest.mark.slow
def test_the_emitted_block_does_what_it_should_at_full_distance() -> None:
    """Flows with the output open; determinism and distance with the output measured in Y."""
    build = Build(t_plus_and_no_flags(), template(), emit(template(), 3))
    assert check_action("logical action", build).result == "proved"
    out = SurgeryBuilder()
    made = distillation.produce(out, (0, 0), 0)
    end = {"slab": distillation.SLABS, "tile": distillation.OUTPUT}
    y = out.add(Row.MEASURE, **end, aux=Letter.Y)
    for bits in [*([flag] for flag in made.flags), [y, made.x, made.z]]:
        out.add(Row.OBSERVABLE, aux=out.name(str(bits)), operands=bits)
    noisy = apply_noise(emit(out.freeze(), 3).circuit, parse_noise("uniform:0.001"))
    assert check_determinism(noisy).result == "proved"
    assert check_distance(noisy, 3).result == "proved"


# -- factories -------------------------------------------------------------------------------------


def test_error_and_acceptance_are_exact() -> None:
    """All 2^15 sets of wrong inputs, against the formulas."""
    code = {"D0": 1, "D1": 2, "D2": 4, "D3": 8, "L0": 16}
    reached = np.zeros(1, dtype=np.int64)
    for effect in input_effects():
        reached = np.concatenate([reached, reached ^ sum(code[name] for name in effect)])
    weights = np.array([bin(faults).count("1") for faults in range(2**INPUTS)])
    for p_in in (1e-4, 1e-2, 0.3):
        chance = p_in**weights * (1 - p_in) ** (INPUTS - weights)
        accepted = chance[reached % 16 == 0].sum()
        error, acceptance = factories.distilled(p_in)
        assert acceptance == pytest.approx(accepted)
        assert error == pytest.approx(chance[reached == 16].sum() / accepted)
    assert factories.distilled(1e-6)[0] == pytest.approx(35e-18, rel=1e-3)


def run_factory(factory: Factory, joins: list[int], starts: list[int]) -> Surgery:
    """Productions at these starts, each consumed by a T gate with its join in the given slab."""
    out = SurgeryBuilder()
    data, corner = (factory.output[0], 0), (0, 1)
    m, h = ((factory.output[0], factory.output[1] + y) for y in (1, 2))
    out.add(Row.PREPARE, slab=starts[0], tile=data, aux=Letter.Z)
    for start, joined in zip(starts, joins, strict=True):
        if factory.rows is None:
            out.add(Row.INJECT, slab=start, tile=m, aux=Magic.T)
        else:
            distillation.produce(out, corner, start)
        a = join_z(out, joined, data, m)
        out.add(Row.PREPARE, slab=joined, tile=h, aux=Letter.Y)
        join_z(out, joined + 1, m, h)
        out.add(Row.MEASURE, slab=joined + 1, tile=m, aux=Letter.X)
        out.add(Row.ADAPT, slab=joined + 2, tile=h, operands=[a])
    return out.freeze()


def join_z(out: SurgeryBuilder, slab: int, north: Tile, south: Tile) -> int:
    terms = (Term(north, Letter.Z), Term(south, Letter.Z))
    join = Join(terms, (), (Edge(north, Side.S, False),))
    return out.add(Row.JOIN, slab=slab, operands=encode_join(join))


@pytest.mark.parametrize("name", ["port", "15-to-1"])
def test_productions_follow_each_other_as_closely_as_the_factory_says(name: str) -> None:
    factory = factories.FACTORIES[name](1e-3, 11)
    for wait in range(12):
        joins, starts = [], [0]
        for _ in range(3):
            joins.append(starts[-1] + factory.latency + wait)
            starts.append(factory.next_start(starts[-1], joins[-1]))
        joins.append(starts[-1] + factory.latency)
        verify(run_factory(factory, joins, starts))
        starts[-1] -= 1
        joins[-1] -= factory.rows is None  # it is the injection that comes too early
        with pytest.raises(CompileError):
            verify(run_factory(factory, joins, starts))


@pytest.mark.parametrize("name", ["port", "15-to-1"])
def test_the_period_is_that_of_states_consumed_at_once(name: str) -> None:
    factory = factories.FACTORIES[name](1e-3, 11)
    assert factory.next_start(0, factory.latency) == factory.period


def test_the_first_join_waits_for_the_last_bit() -> None:
    """No bit of the template is younger than the slab before its state is joined."""
    surgery = template()
    ends = [int(surgery.slab[row]) for row, kind in in_time(surgery) if kind in JOINTS + ENDS]
    assert max(ends) + 1 == factories.fifteen_to_one(1e-3, 11).latency


def test_published_figures() -> None:
    assert factories.cultivation(1e-3, 15, 5).period == 9  # 57067 / 463 = 123 rounds
    assert factories.cultivation(1e-3, 15, 3).period == 3
    assert factories.cultivation(6e-4, 15, 5).error == 2.1e-9  # rounded up to 1e-3
    with pytest.raises(ValueError, match="no published cultivation"):
        factories.cultivation(2e-3, 15, 5)


def test_large_distances_leave_the_error_of_the_inputs() -> None:
    errors = [factories.fifteen_to_one(1e-3, d).error for d in range(3, 43, 2)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.01
    assert errors[-1] == pytest.approx(35e-9, rel=0.02)
    acceptance = factories.fifteen_to_one(1e-3, 41).acceptance
    assert acceptance == pytest.approx(factories.distilled(1e-3)[1], rel=1e-9)
