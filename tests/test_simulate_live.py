"""Programs in execution: control flow that follows measurements, against exact distributions."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from chi_square import check
from live_programs import SHOTS, outcome, program, run, while_

from qwasmc.backends import live
from qwasmc.backends.aer import AerQubits
from qwasmc.backends.decode import is_clifford_program
from qwasmc.backends.live import merged, unique_names
from qwasmc.backends.machine import Label
from qwasmc.backends.simulate import simulate
from qwasmc.backends.stim.qubits import StimQubits
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ops import Type
from qwasmc.pipeline import load

# -- loops that end when a measurement says so


@pytest.mark.slow
@pytest.mark.parametrize(("angle", "engine"), [(math.pi / 2, StimQubits), (0.7, AerQubits)])
def test_repeat_until_success(angle: float, engine: Callable):
    """The number of tries is geometric."""
    build = FunctionBuilder("main")
    build.alloc(0)
    header, after = while_(build, [build.i64(0)])
    count = build.op("addi", [header.args[0], build.i64(1)])
    build.gate("reset", [0])
    build.gate("ry", [0], angle=angle)
    bit = build.measure("measure_z", [0])
    build.cond_br(bit, after, header, [count], [count])
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "tries"})
    build.ret()
    made = program(build)
    assert is_clifford_program(made) == (engine is StimQubits)
    counts = simulate(made, SHOTS, 3, load)
    p = math.sin(angle / 2) ** 2
    assert counts["results"] == [{"name": "tries", "kind": "int"}]
    check(counts["counts"], {str(n): p * (1 - p) ** (n - 1) for n in range(1, 400)})
    assert counts == live.run(made, engine(), SHOTS, 3)


def test_results_that_some_runs_do_not_record():
    """At most three tries, each recorded, and the sign of success at the end."""
    build = FunctionBuilder("main")
    build.alloc(0)
    header, after = while_(build, [build.i64(0)])
    again = build.new_block()
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    build.do("result", [bit], {"name": "try"})
    count = build.op("addi", [header.args[0], build.i64(1)])
    build.cond_br(bit, after, again, [count])
    build.enter(again)
    more = build.op("cmpi", [count, build.i64(3)], {"predicate": "slt"})
    build.gate("reset", [0])
    build.cond_br(more, header, after, [count], [count])
    build.enter(after)
    build.do("result", [build.i1(1)], {"name": "end"})
    build.ret()
    counts = run(build)
    assert counts["results"] == ["try", "try.2", "try.3", "end"]
    check(counts["counts"], {"1--1": 0.5, "01-1": 0.25, "0011": 0.125, "0001": 0.125})
    assert counts["ones"]["end"] == SHOTS
    assert counts["ones"]["try"] == counts["counts"]["1--1"]


def test_names_are_unique_and_in_order():
    a, b, x = (Label(name, "bit") for name in "abx")
    assert unique_names([a, b, a, a]) == (a, b, Label("a.2", "bit"), Label("a.3", "bit"))
    taken = Label("a.2", "bit")
    assert unique_names([a, a, taken]) == (a, taken, Label("a.2.2", "bit"))
    assert unique_names([taken, a, a]) == (taken, a, Label("a.3", "bit"))
    assert merged([(a, x), (a, b, x)]) == [a, b, x]
    assert merged([(a, x), (b, x)]) == merged([(b, x), (a, x)])
    assert merged([]) == []


# -- branches


@pytest.mark.parametrize("engine", [StimQubits, AerQubits])
def test_teleportation_by_branches(engine: Callable):
    """A state with <X> = 0 and <Z> = cos(angle) arrives, whatever is measured on the way."""
    angle = math.pi / 2 if engine is StimQubits else 1.1
    build = FunctionBuilder("main")
    for slot in range(3):
        build.alloc(slot)
    build.gate("rx", [0], angle=angle)
    build.gate("h", [1])
    build.gate("cx", [1, 2])
    build.gate("cx", [0, 1])
    build.gate("h", [0])
    for slot, fix in ((1, "x"), (0, "z")):
        bit = build.measure("measure_z", [slot])
        build.do("result", [bit], {"name": f"m{slot}"})
        flip, after = build.new_block(), build.new_block()
        build.cond_br(bit, flip, after)
        build.enter(flip)
        build.gate(fix, [2])
        build.br(after)
        build.enter(after)
    build.gate("rx", [2], angle=-angle)
    build.do("result", [build.measure("measure_z", [2])], {"name": "out"})
    build.ret()
    counts = live.run(program(build), engine(), SHOTS, 4)
    check(counts["counts"], {f"{a}{b}0": 0.25 for a in "01" for b in "01"})


def test_qubits_by_computed_numbers():
    """Flip qubits 0, 2, 4 in a loop; read them all in another function's loop."""
    main = FunctionBuilder("main")
    for slot in range(5):
        main.alloc(slot)
    header, after = while_(main, [main.i64(0)])
    (i,) = header.args
    main.gate("x", [i])
    i = main.op("addi", [i, main.i64(2)])
    main.cond_br(main.op("cmpi", [i, main.i64(5)], {"predicate": "slt"}), header, after, [i], [i])
    main.enter(after)
    (value,) = main.call("read", [main.i64(5)], [Type.I64])
    main.do("result_i64", [value], {"name": "value"})
    main.ret()
    read = FunctionBuilder("read", [Type.I64], [Type.I64])
    (size,) = read.function.blocks[0].args
    header, after = while_(read, [read.i64(0), read.i64(0)])
    i, total = header.args
    bit = read.op("extui", [read.measure("measure_z", [i])])
    total = read.op("ori", [total, read.op("shli", [bit, i])])
    i = read.op("addi", [i, read.i64(1)])
    read.cond_br(
        read.op("cmpi", [i, size], {"predicate": "ult"}), header, after, [i, total], [i, total]
    )
    read.enter(after)
    read.ret([after.args[1]])
    assert outcome(main, read) == str(0b10101)


def test_qubits_allocated_in_a_loop():
    """GHZ on fresh slots, kept in memory; all agree."""
    build = FunctionBuilder("main")
    size = 6
    base = build.op("allocate", [build.i64(size)], {"space": "array"})
    first = build.op("slot")
    build.alloc(first)
    build.gate("h", [first])
    build.do("store_i64", [first, base], {"space": "array"})
    header, after = while_(build, [build.i64(1)])
    (i,) = header.args
    fresh = build.op("slot")
    build.alloc(fresh)
    build.gate("cx", [first, fresh])
    build.do("store_i64", [fresh, build.op("addi", [base, i])], {"space": "array"})
    i = build.op("addi", [i, build.i64(1)])
    more = build.op("cmpi", [i, build.i64(size)], {"predicate": "slt"})
    build.cond_br(more, header, after, [i], [i])
    build.enter(after)
    for at in range(size):
        address = build.op("addi", [base, build.i64(at)])
        slot = build.op("load_i64", [address], {"space": "array"})
        build.do("result", [build.measure("measure_z", [slot])], {"name": f"m{at}"})
    build.ret()
    for engine in (StimQubits(), AerQubits()):
        counts = live.run(program(build), engine, 400, 2)
        check(counts["counts"], {"0" * size: 0.5, "1" * size: 0.5})


def test_more_qubits_in_turn_than_at_once():
    """Forty qubits, one after the other, each in |0> when it comes."""
    build = FunctionBuilder("main")
    header, after = while_(build, [build.i64(0), build.i64(0)])
    i, total = header.args
    build.alloc(0)
    total = build.op("addi", [total, build.op("extui", [build.measure("measure_z", [0])])])
    build.gate("t", [0])
    build.gate("x", [0])
    build.free(0)
    i = build.op("addi", [i, build.i64(1)])
    more = build.op("cmpi", [i, build.i64(40)], {"predicate": "slt"})
    build.cond_br(more, header, after, [i, total], [i, total])
    build.enter(after)
    build.do("result_i64", [after.args[1]], {"name": "ones"})
    build.ret()
    assert outcome(build) == "0"


# -- arithmetic, calls, memory


def test_values_of_blocks_are_exchanged_at_once():
    """Fibonacci: (a, b) becomes (b, a + b)."""
    build = FunctionBuilder("main")
    header, after = while_(build, [build.i64(n) for n in (0, 1, 90)])
    a, b, n = header.args
    following = [b, build.op("addi", [a, b]), build.op("subi", [n, build.i64(1)])]
    more = build.op("cmpi", [following[2], build.i64(0)], {"predicate": "ne"})
    build.cond_br(more, header, after, following, following)
    build.enter(after)
    build.do("result_i64", [after.args[0]], {"name": "fib"})
    build.ret()
    assert outcome(build) == "2880067194370816120"


def test_recursion_keeps_values_of_each_call():
    """fib(n) = fib(n - 1) + fib(n - 2), the slow way."""
    main = FunctionBuilder("main")
    main.do("result_i64", main.call("fib", [main.i64(15)], [Type.I64]), {"name": "fib"})
    main.ret()
    fib = FunctionBuilder("fib", [Type.I64], [Type.I64])
    (n,) = fib.function.blocks[0].args
    low, high = fib.new_block(), fib.new_block()
    fib.cond_br(fib.op("cmpi", [n, fib.i64(2)], {"predicate": "slt"}), low, high)
    fib.enter(low)
    fib.ret([n])
    fib.enter(high)
    (one,) = fib.call("fib", [fib.op("subi", [n, fib.i64(1)])], [Type.I64])
    (two,) = fib.call("fib", [fib.op("subi", [n, fib.i64(2)])], [Type.I64])
    fib.ret([fib.op("addi", [one, two])])
    assert outcome(main, fib) == "610"


def test_a_random_walk():
    """The sum of four coins as an integer and its square root as a number."""
    build = FunctionBuilder("main")
    build.alloc(0)
    header, after = while_(build, [build.i64(0), build.i64(0)])
    i, total = header.args
    build.gate("reset", [0])
    build.gate("h", [0])
    coin = build.measure("measure_z", [0])
    step = build.op("select_i64", [coin, build.i64(1), build.i64(-1)])
    total = build.op("addi", [total, step])
    i = build.op("addi", [i, build.i64(1)])
    more = build.op("cmpi", [i, build.i64(4)], {"predicate": "slt"})
    build.cond_br(more, header, after, [i, total], [i, total])
    build.enter(after)
    number = build.op("sitofp", [after.args[1]])
    root = build.op("mathf", [build.op("mulf", [number, number])], {"function": "sqrt"})
    build.do("result_i64", [after.args[1]], {"name": "sum"})
    build.do("result_f64", [build.op("divf", [root, build.f64(4.0)])], {"name": "size"})
    build.ret()
    counts = run(build)
    assert [column["kind"] for column in counts["results"]] == ["int", "float"]
    exact = {4 - 2 * k: math.comb(4, k) / 16 for k in range(5)}
    check(counts["counts"], {f"{n} {abs(n) / 4}": p for n, p in exact.items()})


def test_a_measured_angle():
    """A rotation by an angle that another measurement decides: 0 or pi."""
    build = FunctionBuilder("main")
    build.alloc(0)
    build.alloc(1)
    build.gate("h", [0])
    bit = build.measure("measure_z", [0])
    angle = build.op("select_f64", [bit, build.f64(math.pi), build.f64(0.0)])
    build.gate("rx", [1], angle=angle)
    build.gate("ppr", [1], angle=angle, attrs={"paulis": "X"})
    build.gate("ppr", [0, 1], angle=angle, attrs={"paulis": "ZY"})
    build.do("result", [bit], {"name": "a"})
    build.do("result", [build.measure("measure_z", [1])], {"name": "b"})
    build.ret()
    assert not is_clifford_program(program(build))
    check(run(build)["counts"], {"00": 0.5, "11": 0.5})


def test_an_angle_that_is_a_constant_value_is_known():
    build = FunctionBuilder("main")
    build.alloc(0)
    build.gate("rx", [0], angle=build.f64(math.pi))
    build.do("result", [build.measure("measure_z", [0])], {"name": "a"})
    build.ret()
    assert is_clifford_program(program(build))
    assert outcome(build) == "1"


def test_gates_that_are_never_reached_do_not_count():
    build = FunctionBuilder("main")
    end, dead = build.new_block(), build.new_block()
    build.alloc(0)
    build.br(end)
    build.enter(end)
    build.ret()
    build.enter(dead)
    build.gate("t", [0])
    build.br(end)
    assert is_clifford_program(program(build))


def test_what_is_predicated_on_0_gives_0():
    build = FunctionBuilder("main")
    build.alloc(0)
    build.gate("x", [0])
    build.gate("x", [0], cond=build.i1(0))
    build.do("result", [build.measure("measure_z", [0], cond=build.i1(0))], {"name": "no"})
    build.do("result", [build.measure("measure_z", [0], cond=build.i1(1))], {"name": "yes"})
    build.gate("reset", [0], cond=build.i1(0))
    build.do("result", [build.measure("measure_z", [0])], {"name": "still"})
    build.ret()
    assert outcome(build) == "011"


def test_halt_ends_the_program_inside_a_call():
    main, inner = FunctionBuilder("main"), FunctionBuilder("inner")
    main.do("result", [main.i1(1)], {"name": "before"})
    main.call("inner", [])
    main.do("result", [main.i1(1)], {"name": "after"})
    main.ret()
    inner.halt()
    counts = run(main, inner, shots=4)
    assert counts["results"] == ["before"]
    assert counts["counts"] == {"1": 4}


def test_runs_start_afresh():
    """Memory, slots and qubits of one run are gone in the next."""
    build = FunctionBuilder("main")
    build.alloc(7)
    build.do("result", [build.measure("measure_z", [7])], {"name": "q"})
    build.gate("x", [7])
    address = build.op("allocate", [build.i64(1)], {"space": "s"})
    build.do("store_i64", [address, build.i64(0)], {"space": "s"})
    build.do("result_i64", [address], {"name": "address"})
    build.alloc(8)
    build.br(end := build.new_block())
    build.enter(end)
    build.ret()
    assert outcome(build) == "0 4294967296"
