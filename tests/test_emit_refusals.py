"""What nested statements and Qiskit's circuits cannot say is refused, with a reason and a place."""

from __future__ import annotations

import pytest
from emitted import coin, main

from qwasmc.backends.qasm3 import write
from qwasmc.backends.qiskit_logical import to_qiskit
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.program import Program
from qwasmc.verify import verify


def refused(*builders: FunctionBuilder) -> CompileError:
    program = Program([builder.function for builder in builders])
    verify(program)
    with pytest.raises(CompileError) as found:
        to_qiskit(program)
    assert found.value.exit_code == Kind.LIMIT
    return found.value


def test_computed_qubits_are_refused():
    build = main()
    build.gate("x", [build.op("extui", [coin(build)])])
    build.ret()
    assert "number of a qubit is computed" in str(refused(build))


def test_recursion_is_refused():
    build, other = main(), FunctionBuilder("f")
    build.call("f", [])
    build.ret()
    other.call("f", [])
    other.ret()
    assert "'f' calls itself" in str(refused(build, other))


def test_a_loop_with_two_entries_is_refused():
    build = main()
    one, two = build.new_block(), build.new_block()
    build.cond_br(coin(build), one, two)
    build.enter(one)
    build.gate("x", [0])
    build.br(two)
    build.enter(two)
    end = build.new_block()
    build.cond_br(coin(build), one, end)
    build.enter(end)
    build.ret()
    assert "into the middle of a loop" in str(refused(build))


def test_results_that_some_runs_do_not_record_are_refused():
    build = main()
    bit = coin(build)
    then, end = build.new_block(), build.new_block()
    build.cond_br(bit, then, end)
    build.enter(then)
    build.do("result", [bit], {"name": "r"})
    build.br(end)
    build.enter(end)
    build.ret()
    assert "'r' is not recorded exactly once in every run" in str(refused(build))


def test_runs_that_fail_are_refused():
    build = main()
    then, end = build.new_block(), build.new_block()
    build.cond_br(coin(build), then, end)
    build.enter(then)
    build.fail("no")
    build.enter(end)
    build.ret()
    assert "a run that fails" in str(refused(build))


@pytest.mark.parametrize(
    ("name", "message"),
    [("divsi", "nothing for 'divsi'"), ("shli", "nothing for 'shli'")],
)
def test_arithmetic_that_qiskit_has_not_is_refused(name: str, message: str):
    build = main()
    number = build.op("extui", [coin(build)])
    build.do("result_i64", [build.op(name, [number, number])], {"name": "r"})
    build.ret()
    assert message in str(refused(build))


def test_floating_point_results_are_refused():
    build = main()
    build.do("result_f64", [build.op("uitofp", [build.op("extui", [coin(build)])])], {"name": "r"})
    build.ret()
    assert "'r' is a floating-point number" in str(refused(build))
    builder = CircuitBuilder()
    builder.add("result_float", [builder.add("const", attr=0)] * 64, attr="r")
    with pytest.raises(CompileError, match="floating-point") as found:
        to_qiskit(builder.freeze())
    assert found.value.exit_code == Kind.LIMIT


def test_angles_that_depend_on_results_are_refused():
    build = main()
    build.gate("rx", [0], angle=build.op("uitofp", [build.op("extui", [coin(build)])]))
    build.ret()
    assert "angle depends on results" in str(refused(build))


def test_refusals_have_a_place():
    build = main()
    program = Program([build.function])
    file = program.locations.add_file("p.ll", "call r")
    bit = coin(build)
    build.loc = program.locations.add(file, 1, 1, 5)
    build.gate("x", [build.op("extui", [bit])])
    build.ret()
    with pytest.raises(CompileError) as found:
        to_qiskit(program)
    assert found.value.exit_code == Kind.LIMIT
    assert str(found.value.diagnostics[0].place) == "p.ll:1:1"


def test_deep_nesting_is_refused():
    build = main()
    ends = []
    for _ in range(150):
        inner, end = build.new_block(), build.new_block()
        build.cond_br(coin(build), inner, end)
        ends.append(end)
        build.enter(inner)
    for end in reversed(ends):
        build.gate("x", [0])
        build.br(end)
        build.enter(end)
    build.ret()
    assert "inside each other" in str(refused(build))


def test_entangled_jumps_are_refused_in_time():
    """A ladder in which both sides of each branch lead to both of the next one."""
    build = main()
    sides = [build.new_block(), build.new_block()]
    build.cond_br(coin(build), *sides)
    for _ in range(60):
        following = [build.new_block(), build.new_block()]
        for side in sides:
            build.enter(side)
            build.cond_br(coin(build), *following)
        sides = following
    for side in sides:
        build.enter(side)
        build.ret()
    assert "limit passed" in str(refused(build))


def test_what_openqasm_has_not_is_refused():
    """It has any angle and division, but shifts by known numbers only, and no recursion."""
    build = main()
    number = build.op("extui", [coin(build)])
    build.gate("rx", [0], angle=build.op("uitofp", [number]))
    build.do("result_i64", [build.op("divsi", [number, number])], {"name": "r"})
    build.ret()
    text = write(Program([build.function]))
    assert "rx(float[64](uint[64](int[64](m[0])))) q;" in text
    assert "r = int[64](m[0]) / int[64](m[0]);" in text
    build = main()
    number = build.op("extui", [coin(build)])
    build.do("result_i64", [build.op("shli", [number, number])], {"name": "r"})
    build.ret()
    with pytest.raises(CompileError, match="nothing for 'shli'"):
        write(Program([build.function]))
