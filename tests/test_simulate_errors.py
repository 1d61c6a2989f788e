"""Programs in execution that fail or need too much: what is said, and where."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from live_programs import refused

from qwasmc.backends import live
from qwasmc.backends.aer import AerQubits
from qwasmc.backends.simulate import simulate
from qwasmc.backends.stim.qubits import StimQubits
from qwasmc.diagnostics import CompileError, Kind, Locations
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Program
from qwasmc.pipeline import load


def located(build: FunctionBuilder, locations: Locations, text: str) -> None:
    """Give new ops the location of a line of its own."""
    file = locations.add_file("p.ll", text)
    build.loc = locations.add(file, 1, 1, len(text) + 1)


def failing(write: Callable[[FunctionBuilder], object]) -> CompileError:
    """The error of a program, which stands at its only line."""
    build = FunctionBuilder("main")
    locations = Locations()
    located(build, locations, "boom")
    write(build)
    if not build.ended:
        build.ret()
    with pytest.raises(CompileError) as found:
        simulate(Program([build.function], locations), 1, 0, load)
    assert str(found.value.diagnostics[0].place) == "p.ll:1:1"
    return found.value


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda b: b.fail("no luck"), "no luck"),
        (lambda b: b.gate("h", [3]), "there is no qubit 3 here"),
        (lambda b: b.op("load_i64", [b.i64(5)], {"space": "var"}), "cell 5 of var is read before"),
        (lambda b: b.op("divsi", [b.i64(5), b.i64(0)]), "division by zero"),
        (lambda b: b.op("fptosi", [b.f64(math.nan)]), "does not fit an integer"),
        (lambda b: b.op("allocate", [b.i64(-1)], {"space": "s"}), "-1 cells of memory"),
        (lambda b: b.do("uncompute", [], {"name": "s"}), "segments and control regions need"),
    ],
)
def test_errors_of_the_program_stand_where_they_happen(write: Callable, message: str):
    found = failing(write)
    assert message in str(found)
    assert found.exit_code == Kind.PROGRAM


def test_a_qubit_twice_in_a_gate():
    def write(build: FunctionBuilder) -> None:
        build.alloc(0)
        zero = build.op("addi", [build.i64(0), build.i64(0)])
        build.gate("cx", [zero, zero])

    assert "there is no qubit 0 here" in str(failing(write))


def test_a_full_slot():
    def write(build: FunctionBuilder) -> None:
        zero = build.op("addi", [build.i64(0), build.i64(0)])
        build.alloc(zero)
        build.alloc(zero)

    assert "there is a qubit 0 already" in str(failing(write))


def test_an_angle_that_is_no_number():
    def write(build: FunctionBuilder) -> None:
        build.alloc(0)
        build.gate("rz", [0], angle=build.op("divf", [build.f64(0.0), build.f64(0.0)]))

    assert "the angle nan is not a finite number" in str(failing(write))


def test_a_cell_of_another_type():
    def write(build: FunctionBuilder) -> None:
        build.do("store_f64", [build.f64(1.0), build.i64(0)], {"space": "s"})
        build.op("load_i64", [build.i64(0)], {"space": "s"})

    assert "cell 0 of s does not hold an integer" in str(failing(write))


def test_an_endless_loop_is_stopped_where_it_runs():
    build = FunctionBuilder("main")
    locations = Locations()
    located(build, locations, "before")
    loop = build.new_block()
    build.br(loop)
    build.enter(loop)
    located(build, locations, "while true")
    build.br(loop)
    with pytest.raises(CompileError, match="did not end within 1000 operations") as found:
        live.run(Program([build.function], locations), StimQubits(), 1, 0, max_steps=1000)
    assert found.value.exit_code == Kind.LIMIT
    place = found.value.diagnostics[0].place
    assert place is not None
    assert place.text == "while true"


@pytest.mark.slow
def test_endless_recursion():
    build = FunctionBuilder("main")
    build.call("main", [])
    build.ret()
    found = refused(build)
    assert "nested too deeply" in str(found)
    assert found.exit_code == Kind.LIMIT


@pytest.mark.parametrize("gate", ["h", "t"])
def test_endless_allocation(monkeypatch, gate: str):
    monkeypatch.setattr(AerQubits, "limit", 8)
    monkeypatch.setattr(StimQubits, "limit", 8)
    build = FunctionBuilder("main")
    loop = build.new_block()
    build.br(loop)
    build.enter(loop)
    slot = build.op("slot")
    build.alloc(slot)
    build.gate(gate, [slot])
    build.br(loop)
    found = refused(build)
    assert "more than 8 qubits at once" in str(found)
    assert found.exit_code == Kind.LIMIT
