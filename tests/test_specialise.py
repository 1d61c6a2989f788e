"""specialise: what a circuit does in every run is what the program does."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from shots import ProgramRun, Shot, Tape, circuit_shot
from structured import structured

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Locations
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Block, Function, Program, Value
from qwasmc.ops import OPS, Type
from qwasmc.passes.specialise import specialise
from qwasmc.text import print_ir
from qwasmc.verify import verify

MAX_RUNS = 64
"""Runs of a program that are compared, at most."""


def spelled(value: Any) -> Any:
    """A value such that equal ones are the same: nan is nan, and -0.0 is not 0.0."""
    return struct.pack("<d", value) if isinstance(value, float) else value


def outcomes(program: Program) -> list[tuple[tuple[int, ...], Shot]]:
    """Runs of a program by their outcomes: all of them, or the first few."""
    found = []
    waiting: list[tuple[int, ...]] = [()]
    while waiting and len(found) < MAX_RUNS:
        taken = waiting.pop(0)
        tape = Tape(taken)
        shot = ProgramRun(program, tape).run()
        waiting += [
            (*taken, *[0] * (at - len(taken)), 1) for at in range(len(taken), min(tape.read, 40))
        ]
        found.append((taken, shot))
    return found


def assert_same_runs(program: Program, circuit: Circuit) -> None:
    """For all outcomes, the circuit does what the program does, and knows whether it fails."""
    for taken, expected in outcomes(program):
        found = circuit_shot(circuit, Tape(taken))
        failed = [name for name, bit in found.results.items() if name.startswith("fail: ") and bit]
        assert expected.end != "no fuel"
        if expected.end not in ("return", "halt"):
            assert failed, (taken, expected.end)
            if expected.end.startswith("fail: "):
                assert expected.end in failed
            assert found.acts[: len(expected.acts)] == expected.acts
            continue
        assert not failed, (taken, failed)
        assert repr(found.acts) == repr(expected.acts), taken
        recorded = {
            name: spelled(value)
            for name, value in found.results.items()
            if not name.startswith("fail: ")
        }
        for name, value in expected.results.items():
            assert recorded.pop(name) == spelled(value), (taken, name)
        assert all(value in (0, spelled(0.0)) for value in recorded.values()), taken


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(structured())
def test_random_programs(program):
    verify(program)
    note(print_ir(program))
    try:
        circuit = specialise(program)
    except CompileError as refused:
        if refused.exit_code == Kind.PROGRAM:  # then every run is an error
            assert all(shot.end not in ("return", "halt") for _, shot in outcomes(program))
        return
    note(print_ir(circuit))
    verify(circuit)
    assert_same_runs(program, circuit)


# -- small programs


class Main(FunctionBuilder):
    """Writes `main`; each operation has a line of its own."""

    def __init__(self, qubits: int = 1) -> None:
        self.locations = Locations()
        self.file = self.locations.add_file("a.qasm", "\n" * 10_000)
        self.line = 0
        super().__init__("main")
        for slot in range(qubits):
            self.alloc(slot, f"q{slot}")

    def _append(self, *args: Any, **kwargs: Any) -> tuple[Value, ...]:
        self.line += 1
        self.loc = self.locations.add(self.file, self.line, 1, 2)
        return super()._append(*args, **kwargs)

    def coin(self, slot: int = 0) -> Value:
        return self.measure("measure_x", [slot])

    def blocks(self, count: int) -> list[Block]:
        return [self.new_block() for _ in range(count)]

    def if_(self, bit: Value, then: Callable[[], Any], otherwise: Callable[[], Any] = int) -> None:
        one, zero, join = self.blocks(3)
        self.cond_br(bit, one, zero)
        for block, body in ((one, then), (zero, otherwise)):
            self.enter(block)
            body()
            if not self.ended:
                self.br(join)
        self.enter(join)

    def for_(self, count: int, body: Callable[[Value], Any]) -> None:
        """A loop over range(count); a body that returns a bit leaves it where that is 1."""
        head, inside, after = self.new_block((Type.I64,)), *self.blocks(2)
        self.br(head, [self.i64(0)])
        self.enter(head)
        again = self.op("cmpi", [head.args[0], self.i64(count)], {"predicate": "slt"})
        self.cond_br(again, inside, after)
        self.enter(inside)
        stop = body(head.args[0])
        if isinstance(stop, Value):
            (rest,) = self.blocks(1)
            self.cond_br(stop, after, rest)
            self.enter(rest)
        self.br(head, [self.op("addi", [head.args[0], self.i64(1)])])
        self.enter(after)

    def program(self, *functions: Function) -> Program:
        if not self.ended:
            self.ret()
        found = Program([self.function, *functions], self.locations)
        verify(found)
        return found

    def circuit(self, *functions: Function, **options: int) -> Circuit:
        """The circuit, which does what the program does in all runs it finishes."""
        program = self.program(*functions)
        found = specialise(program, **options)
        verify(found)
        if "max_iterations" not in options:
            assert_same_runs(program, found)
        return found


def rows(circuit: Circuit) -> list[str]:
    """Each row as text: name, operands, attribute, condition."""
    found = []
    for row, code in enumerate(circuit.op.tolist()):
        spec, cond = OPS[code], int(circuit.cond[row])
        attr = [str(circuit.attribute(row))] if spec.attr and spec.name != "alloc" else []
        guard = ["if", str(cond)] if cond >= 0 else []
        found.append(" ".join([spec.name, *map(str, circuit.values(row)), *attr, *guard]))
    return found


def results(circuit: Circuit) -> list[str]:
    return [row.split(maxsplit=2)[2] for row in rows(circuit) if row.startswith("result")]


def predicated(circuit: Circuit) -> list[str]:
    return [OPS[circuit.op[row]].name for row in range(len(circuit)) if circuit.cond[row] >= 0]


def refusal(program: Program, **options: int) -> Diagnostic:
    with pytest.raises(CompileError) as caught:
        specialise(program, **options)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic


def line_of(program: Program, name: str, text: str = "") -> int:
    """The line of the last operation with a name."""
    ops = [op for function in program.functions for block in function.blocks for op in block.ops]
    return program.locations.line[[op for op in ops if op.name == name][-1].loc]


def test_what_follows_an_if_is_not_predicated():
    main = Main(2)
    main.if_(main.coin(), lambda: main.gate("h", [1]), lambda: main.gate("s", [1]))
    main.gate("t", [1])
    assert rows(main.circuit()) == [
        "alloc", "alloc", "measure_x 0", "h 1 if 3", "const 1", "xor 3 5", "s 4 if 6", "t 7",
    ]  # fmt: skip


def test_a_branch_that_copies_its_bit_is_that_bit():
    """if m: r = 1 else: r = 0, in a register, and as an integer in an argument."""
    main = Main()
    m = main.coin()
    join = main.new_block((Type.I64,))
    one, zero = main.blocks(2)
    main.cond_br(m, one, zero)
    for block, value in ((one, 1), (zero, 0)):
        main.enter(block)
        main.do("store_i1", [main.i1(value), main.i64(0)], {"space": "register"})
        main.br(join, [main.i64(4 * value)])
    main.enter(join)
    bit = main.op("load_i1", [main.i64(0)], {"space": "register"})
    main.do("result", [bit], {"name": "r"})
    main.do("result_i64", [join.args[0]], {"name": "n"})
    assert rows(main.circuit()) == [
        "alloc", "measure_x 0", "result 2 r", "const 0", "result_int 3 3 2 3 n",
    ]  # fmt: skip


def test_a_measurement_in_one_branch_needs_no_conjunction_afterwards():
    main = Main()
    space = {"space": "register"}
    m = main.coin()
    main.do("store_i1", [main.i1(0), main.i64(0)], space)
    main.if_(m, lambda: main.do("store_i1", [main.coin(), main.i64(0)], space))
    main.do("result", [main.op("load_i1", [main.i64(0)], space)], {"name": "r"})
    circuit = main.circuit()
    assert rows(circuit)[-2:] == ["measure_x 1 if 2", "result 4 r"]


def test_a_chain_of_cases_ends_where_it_began():
    main = Main(2)
    bits = [main.op("extui", [main.coin()]) for _ in range(2)]
    number = main.op("addi", [bits[0], main.op("shli", [bits[1], main.i64(1)])])
    (join,) = main.blocks(1)
    for case, gate in enumerate("xyzh"):
        block, following = main.blocks(2)
        test = main.op("cmpi", [number, main.i64(case)], {"predicate": "eq"})
        main.cond_br(test, block, following)
        main.enter(block)
        main.gate(gate, [1])
        main.br(join)
        main.enter(following)
    main.fail("there is no other case")
    main.enter(join)
    main.gate("s", [1])
    circuit = main.circuit()
    assert predicated(circuit) == ["x", "y", "z", "h"]
    assert not results(circuit)


def test_nested_loops_are_unrolled():
    main = Main(3)
    main.for_(3, lambda i: main.for_(2, lambda j: main.gate("h", [main.op("addi", [i, j])][:1])))
    diagnostic = refusal(main.program())
    assert diagnostic.message.startswith("there is no qubit 3 here")
    main = Main(3)
    main.for_(3, lambda i: main.for_(2, lambda j: main.gate("cx", [i, _next(main, i)])))
    circuit = main.circuit()
    assert [row.split()[0] for row in rows(circuit)] == ["alloc"] * 3 + ["cx"] * 6
    assert not predicated(circuit)


def _next(main: Main, i: Value) -> Value:
    return main.op("remui", [main.op("addi", [i, main.i64(1)]), main.i64(3)])


def test_a_loop_left_early():
    """What comes later in the loop depends on all coins before; what follows it on none."""
    main = Main(2)

    def body(i: Value) -> Value:
        main.do("store_i64", [i, main.i64(0)], {"space": "var"})
        main.gate("h", [1])
        return main.coin()

    main.for_(3, body)
    main.gate("s", [1])
    main.do("result_i64", [main.op("load_i64", [main.i64(0)], {"space": "var"})], {"name": "i"})
    circuit = main.circuit()
    assert predicated(circuit) == ["h", "measure_x", "h", "measure_x"]


def test_runs_that_end_do_nothing_more():
    main = Main(2)
    main.do("result", [main.i1(1)], {"name": "before"})
    main.if_(main.coin(), main.halt)
    main.gate("h", [1])
    main.do("result", [main.i1(1)], {"name": "after"})
    circuit = main.circuit()
    assert predicated(circuit) == ["h"]
    assert results(circuit) == ["before", "after"]


def test_runs_that_fail_do_anything_and_are_known():
    main = Main(2)
    main.if_(main.coin(), lambda: main.fail("heads"))
    main.gate("h", [1])
    circuit = main.circuit()
    assert rows(circuit)[-2:] == ["h 1", "result 3 fail: heads"]
    main = Main()
    main.if_(main.i1(1), lambda: main.fail("always"))
    program = main.program()
    diagnostic = refusal(program)
    assert (diagnostic.message, diagnostic.kind) == ("always", Kind.PROGRAM)
    assert diagnostic.place.line == line_of(program, "fail")


def test_recorded_in_either_branch():
    main = Main()
    m = main.coin()
    main.if_(
        m,
        lambda: main.do("result", [main.coin()], {"name": "a"}),
        lambda: main.do("result", [main.i1(1)], {"name": "a"}),
    )
    main.if_(m, lambda: main.do("result_f64", [main.f64(0.5)], {"name": "b"}))
    main.do("result", [m], {"name": "a"})
    assert sorted(name.split()[-1] for name in results(main.circuit())) == ["a", "a.2", "b"]


def test_names_of_results_differ():
    main = Main()
    for name in ("a", "a.2", "a", "a"):
        main.do("result", [main.i1(1)], {"name": name})
    assert results(specialise(main.program())) == ["a", "a.2", "a.3", "a.4"]


def test_a_qubit_that_depends_on_a_result():
    main = Main(3)
    number = main.op("extui", [main.coin()])
    main.gate("cx", [number, 2])
    bit = main.measure("measure_z", [number])
    main.do("result", [bit], {"name": "m"})
    circuit = main.circuit()
    assert predicated(circuit) == ["cx", "cx", "measure_z", "measure_z"]


def test_qubits_change_places_in_one_branch():
    main = Main(2)
    m = main.coin()

    def exchange() -> None:
        one, two = (main._append("extract", [main.i64(slot)])[0] for slot in (0, 1))
        main._append("insert", [one, main.i64(1)])
        main._append("insert", [two, main.i64(0)])

    main.if_(m, exchange)
    main.gate("h", [0])
    main.if_(m, exchange)
    main.gate("t", [0])
    circuit = main.circuit()
    assert predicated(circuit) == ["h", "h"]


def test_an_angle_that_depends_on_results():
    main = Main()
    angle = main.f64(0.0)
    for part in (0.5, 0.25):
        step = main.op("select_f64", [main.coin(), main.f64(part), main.f64(0.0)])
        angle = main.op("addf", [angle, step])
    main.gate("rz", [0], angle=angle)
    circuit = main.circuit()
    assert sorted(circuit.angle[circuit.angle != 0].tolist()) == [0.25, 0.5, 0.75]
    assert predicated(circuit) == ["rz"] * 4


def test_freed_in_both_branches():
    main = Main(2)
    main.if_(main.coin(), lambda: (main.gate("h", [1]), main.free(1)), lambda: main.free(1))
    assert rows(main.circuit())[-1] == "free 4"


def test_a_qubit_of_one_branch_lives_as_long_as_the_branch():
    main = Main()

    def body() -> None:
        slot = main.op("slot")
        main.alloc(slot, "ancilla")
        main.gate("h", [slot])
        main.free(slot)

    main.if_(main.coin(), body)
    assert [row.split()[0] for row in rows(main.circuit())] == [
        "alloc", "measure_x", "alloc", "h", "free",
    ]  # fmt: skip
    main = Main(2)
    main.if_(main.coin(), lambda: main.free(1))
    assert "free" not in " ".join(rows(main.circuit()))


def test_a_slot_that_is_full_in_some_runs():
    main = Main(2)
    m = main.coin()
    main.if_(m, lambda: main.free(1))
    main.if_(m, lambda: main.alloc(1, "again"))
    main.gate("h", [1])
    assert not results(main.circuit())
    main = Main(2)
    main.if_(main.coin(), lambda: main.free(1))
    main.gate("h", [1])
    assert results(main.circuit())[0].startswith("fail: there is no qubit 1 here")


def test_division_by_zero_in_some_runs():
    main = Main()
    number = main.op("extui", [main.coin()])
    main.do("result_i64", [main.op("divsi", [main.i64(7), number])], {"name": "n"})
    assert results(main.circuit())[-1] == "fail: division by zero"


# -- loops whose end depends on results


def repeat(main: Main, *, test_first: bool) -> None:
    """Toss a coin until it shows 1, each time followed by a gate; as `while` or `do ... while`."""
    head, body, after = main.blocks(3)
    if test_first:
        main.br(head)
        main.enter(head)
        main.cond_br(main.coin(), after, body)
        main.enter(body)
        main.gate("h", [1])
        main.br(head)
    else:
        main.br(head)
        main.enter(head)
        main.gate("h", [1])
        main.cond_br(main.coin(), after, body)
        main.enter(body)
        main.br(head)
    main.enter(after)
    main.gate("s", [1])


@pytest.mark.parametrize("test_first", [True, False])
def test_repeat_until_success_is_refused(test_first):
    main = Main(2)
    repeat(main, test_first=test_first)
    program = main.program()
    diagnostic = refusal(program)
    assert diagnostic.message == "the number of iterations depends on measurement results"
    assert diagnostic.kind == Kind.LIMIT
    assert diagnostic.place.line == line_of(program, "cond_br")
    assert "--max-iterations" in diagnostic.help


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("test_first", [True, False])
def test_repeat_until_success_so_many_times(test_first, count):
    main = Main(2)
    repeat(main, test_first=test_first)
    program = main.program()
    circuit = specialise(program, max_iterations=count)
    verify(circuit)
    assert sum(row.startswith("h ") for row in rows(circuit)) == count
    label = f"unfinished: a.qasm:{line_of(program, 'cond_br')}"
    for tosses in range(count + 2):
        taken = (0,) * tosses + (1,)
        found = circuit_shot(circuit, Tape(taken))
        finished = tosses <= count if test_first else tosses < count
        assert found.results == {label: 0 if finished else 1}
        if finished:
            assert found.acts == ProgramRun(program, Tape(taken)).run().acts


def test_each_entry_of_a_loop_has_its_own_report():
    main = Main(2)
    main.for_(2, lambda i: repeat(main, test_first=True))
    circuit = specialise(main.program(), max_iterations=2)
    (first, second) = results(circuit)
    assert first.split(maxsplit=1)[0] == "unfinished:"
    assert second == f"{first}.2"


@pytest.mark.slow
def test_a_loop_that_only_counts_is_left_as_well():
    """It gets further each time, so that it is unrolled far before it is seen to be endless."""
    main = Main(2)
    head, body, after = main.new_block((Type.I64,)), *main.blocks(2)
    main.br(head, [main.i64(0)])
    main.enter(head)
    main.cond_br(main.coin(), after, body)
    main.enter(body)
    main.br(head, [main.op("addi", [head.args[0], main.i64(1)])])
    main.enter(after)
    main.do("result_i64", [head.args[0]], {"name": "n"})
    program = main.program()
    assert refusal(program).kind == Kind.LIMIT
    circuit = specialise(program, max_iterations=3)
    assert sum(row.startswith("measure_x") for row in rows(circuit)) == 3
    for tosses in range(5):
        found = circuit_shot(circuit, Tape((0,) * tosses + (1,))).results
        assert list(found.values()) == [min(tosses, 2), int(tosses > 2)]


def test_a_loop_that_ends_by_itself_is_not_cut():
    main = Main(2)

    def body(i: Value) -> Value:
        main.gate("h", [1])
        return main.coin()

    main.for_(7, body)
    circuit = main.circuit()
    assert sum(row.startswith("h ") for row in rows(circuit)) == 7
    cut = specialise(main.program(), max_iterations=2)
    assert rows(cut) == rows(circuit)


def test_a_way_round_without_an_exit_is_given_up():
    main = Main()
    head, again, test, after = main.blocks(4)
    main.br(head)
    main.enter(head)
    main.cond_br(main.coin(), again, test)
    main.enter(again)
    main.br(head)
    main.enter(test)
    main.cond_br(main.coin(), after, again)
    main.enter(after)
    circuit = specialise(main.program(), max_iterations=2)
    found = circuit_shot(circuit, Tape((1,) * 40)).results
    assert list(found.values()) == [1]
    assert list(circuit_shot(circuit, Tape((1, 0, 1))).results.values()) == [0]


def test_a_number_that_gets_shorter_ends_its_loop():
    """while x: x >>= 1, for an x of three coins."""
    main = Main()
    number = main.i64(0)
    for _ in range(3):
        doubled = main.op("shli", [number, main.i64(1)])
        number = main.op("addi", [doubled, main.op("extui", [main.coin()])])
    head, body, after = main.new_block((Type.I64,)), *main.blocks(2)
    main.br(head, [number])
    main.enter(head)
    test = main.op("cmpi", [head.args[0], main.i64(0)], {"predicate": "ne"})
    main.cond_br(test, body, after)
    main.enter(body)
    main.gate("h", [0])
    main.br(head, [main.op("shrui", [head.args[0], main.i64(1)])])
    main.enter(after)
    assert predicated(main.circuit()) == ["h"] * 3


# -- calls


def countdown(*, tossed: bool) -> Function:
    """f(n): a gate, then f(n - 1) unless n is 0, or unless a coin says so."""
    build = FunctionBuilder("f", (Type.I64,), (Type.I64,))
    (n,) = build.block.args
    build.gate("h", [0])
    bit = (
        build.measure("measure_x", [0])
        if tossed
        else build.op("cmpi", [n, build.i64(0)], {"predicate": "eq"})
    )
    done, more = build.new_block(), build.new_block()
    build.cond_br(bit, done, more)
    build.enter(done)
    build.ret([n])
    build.enter(more)
    (found,) = build.call("f", [build.op("subi", [n, build.i64(1)])], (Type.I64,))
    build.ret([build.op("addi", [found, n])])
    return build.function


def test_recursion():
    main = Main()
    (found,) = main.call("f", [main.i64(10)], (Type.I64,))
    main.do("result_i64", [found], {"name": "n"})
    circuit = main.circuit(countdown(tossed=False))
    assert sum(row.startswith("h ") for row in rows(circuit)) == 11
    assert not predicated(circuit)


def test_endless_recursion_is_refused():
    for function in (countdown(tossed=True), countdown(tossed=False)):
        main = Main()
        main.call("f", [main.i64(-1)], (Type.I64,))
        diagnostic = refusal(main.program(function))
        assert diagnostic.message == "calls are nested more than 1000 deep"
        assert diagnostic.kind == Kind.LIMIT


def test_a_call_from_two_branches():
    main = Main()
    m = main.coin()
    found = main.op("select_i64", [m, main.i64(1), main.i64(2)])
    main.if_(m, lambda: main.call("f", [main.i64(1)], (Type.I64,)))
    (found,) = main.call("f", [found], (Type.I64,))
    main.do("result_i64", [found], {"name": "n"})
    main.circuit(countdown(tossed=False))


# -- limits


def test_an_endless_loop_is_refused():
    main = Main()
    (head,) = main.blocks(1)
    main.br(head)
    main.enter(head)
    main.gate("h", [0])
    main.br(head)
    program = main.program()
    diagnostic = refusal(program, max_operations=1000)
    assert diagnostic.message == "the program runs too many operations"
    assert (diagnostic.kind, diagnostic.place.line) == (Kind.LIMIT, line_of(program, "br"))


def test_a_long_straight_line_is_not_too_long():
    main = Main()
    for _ in range(100):
        main.gate("h", [0])
    assert len(specialise(main.program(), max_operations=0)) == 101


def test_too_many_alternatives_are_refused():
    main = Main()
    total = main.f64(0.0)
    for power in range(7):
        step = main.op("select_f64", [main.coin(), main.f64(2.0**power), main.f64(0.0)])
        total = main.op("addf", [total, step])
    main.gate("rz", [0], angle=total)
    diagnostic = refusal(main.program())
    assert (diagnostic.message, diagnostic.kind) == (
        "more than 64 values are possible here", Kind.LIMIT,
    )  # fmt: skip
    assert diagnostic.place is not None


def test_a_segment_is_undone_in_the_runs_that_compute_it():
    main = Main(2)
    m = main.coin()
    main.if_(m, lambda: main.do("rev_begin", attrs={"name": "a"}))
    main.do("uncompute", attrs={"name": "a"})
    message = "segment 'a' is not undone in just the runs that compute it"
    assert refusal(main.program()).message == message


def coins(count: int, ending: str) -> Program:
    """A coin after the other, which ends the program, an `if`, or the loop around it."""
    main = Main(2)

    def body(i: Value) -> Value | None:
        m = main.coin()
        if ending == "halt":
            main.if_(m, lambda: main.if_(main.coin(), main.halt))
        elif ending == "fail":
            main.if_(m, lambda: main.fail("heads"))
        elif ending == "if":
            main.if_(m, lambda: main.gate("x", [1]))
        main.gate("h", [1])
        return m if ending == "break" else None

    main.for_(count, body)
    main.gate("s", [1])
    return main.program()


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["halt", "fail", "if", "break"])
def test_rows_and_time_grow_with_the_number_of_decisions(ending):
    specialise(coins(10, ending))
    start = time.process_time()
    lengths = [len(specialise(coins(count, ending))) for count in (500, 1000, 2000)]
    assert time.process_time() - start < 20
    assert lengths[2] - lengths[1] == 2 * (lengths[1] - lengths[0])
