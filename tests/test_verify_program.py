"""The verifier accepts programs that are well-formed and says what is not, and where."""

from __future__ import annotations

import math
import random
import time

import pytest
from function_strategies import dominators, flowing_programs, reachable
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import programs
from test_verify import problems

from qwasmc.diagnostics import CompileError, Locations
from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import BY_NAME, Type
from qwasmc.text import parse_ir
from qwasmc.verify import verify
from qwasmc.verify.dominance import Dominance, immediate_dominators
from qwasmc.verify.problems import MAX_PROBLEMS


@given(st.one_of(programs(), flowing_programs()))
def test_programs_pass(program: Program):
    verify(program)


def main_of(*ops: Op, locations: Locations | None = None) -> Program:
    block = Block(ops=[*ops, Op(BY_NAME["return"], (), (), None, None, -1)])
    return Program([Function("main", [block])], locations or Locations())


def op(name: str, operands=(), results=(), attrs=None, cond=None) -> Op:
    return Op(BY_NAME[name], tuple(operands), tuple(results), attrs, cond, -1)


Q, R, S = (Value(Type.QUBIT, name) for name in "qrs")
B, C = (Value(Type.I1, name) for name in "bc")
I, J = (Value(Type.I64, name) for name in "ij")  # noqa: E741
F, G = (Value(Type.F64, name) for name in "fg")
ALLOC = op("alloc", [], [Q], {"name": "q"})
INT = op("const_i64", [], [I], {"int": 0})
REAL = op("const_f64", [], [F], {"real": math.nan})
CONST = op("const", [], [B], {"value": 0})

WRONG_PROGRAMS = [
    ([op("h", [Q], [R])], "'h': qubit %q is not defined here"),
    ([ALLOC, op("h", [Q], [R]), op("h", [Q], [S])], "'h': qubit %q was already used"),
    ([ALLOC, op("cx", [Q, Q], [R, S])], "'cx': qubit %q was already used"),
    ([ALLOC, op("h", [Q], [Q])], "qubit %q is defined twice"),
    ([ALLOC, op("cx", [Q], [R])], "'cx': takes (!qw.qubit, !qw.qubit), not (!qw.qubit)"),
    ([ALLOC, op("h", [Q])], "'h': makes (!qw.qubit), not ()"),
    ([CONST, op("h", [B], [R])], "'h': takes (!qw.qubit), not (i1)"),
    ([op("xor", [C], [B])], "'xor': value %c is not defined here"),
    ([ALLOC, op("rz", [Q], [R])], "'rz': needs the attribute 'angle'"),
    ([ALLOC, op("rz", [Q], [R], {"angle": math.nan})], "'rz': the angle nan is not"),
    ([ALLOC, op("rz", [Q], [R], {"angle": "pi"})], "'rz': the angle 'pi' is not"),
    ([ALLOC, op("h", [Q], [R], {"angle": 1.0})], "'h': has no attribute 'angle'"),
    ([op("alloc", [], [Q], {"name": 1})], "'alloc': 'name' must be text"),
    ([op("const", [], [B], {"value": 2})], "'const': value = 2 is out of range"),
    ([op("syndrome", [], [], {"rounds": -1})], "'syndrome': rounds = -1 is out of range"),
    ([ALLOC, op("ppm", [Q], [R, B], {"paulis": "XZ"})], "'ppm': 2 Pauli letters for 1 qubits"),
    ([ALLOC, op("ppm", [Q], [R, B], {"paulis": "I"})], "'ppm': 'I' is not a product of X"),
    ([op("ppm", [], [B], {"paulis": ""})], "'ppm': '' is not a product of X"),
    ([ALLOC, op("x", [Q], [R], cond=B)], "'x': value %b is not defined here"),
    ([ALLOC, op("x", [Q], [R], cond=Q)], "'x': a condition is an i1, not !qw.qubit"),
    ([CONST, op("alloc", [], [Q], {"name": ""}, B)], "'alloc': cannot depend on a bit"),
    ([CONST, ALLOC, op("free", [Q], cond=B)], "'free': cannot depend on a bit"),
    ([CONST, op("xor", [], [C], None, B)], "'xor': cannot depend on a bit"),
    ([op("return")], "'return': is not the last operation of its block"),
    ([op("halt")], "'halt': is not the last operation of its block"),
    ([op("addi", [I, I], [J])], "'addi': value %i is not defined here"),
    ([INT, op("addi", [I], [J])], "'addi': takes (i64, i64), not (i64)"),
    ([INT, op("addi", [I, I], [F])], "'addi': makes (i64), not (f64)"),
    ([INT, ALLOC, op("insert", [I, Q])], "'insert': takes (!qw.qubit, i64), not (i64, !qw.qubit)"),
    ([INT, ALLOC, op("rz", [Q, I], [R])], "'rz': takes (!qw.qubit), not (!qw.qubit, i64)"),
    ([REAL, ALLOC, op("rz", [Q, F], [R], {"angle": 1.0})], "'rz': takes (!qw.qubit), not"),
    ([REAL, ALLOC, op("h", [Q, F], [R])], "'h': takes (!qw.qubit), not (!qw.qubit, f64)"),
    ([REAL, ALLOC, op("ppr", [Q, F], [R], {"paulis": "XX"})], "'ppr': 2 Pauli letters for 1 qub"),
    ([REAL, ALLOC, op("ppr", [Q, F], [R])], "'ppr': needs the attribute 'paulis'"),
    ([ALLOC, op("ppr", [Q], [R], {"paulis": "X"})], "'ppr': needs the attribute 'angle'"),
    ([ALLOC, op("rz", [Q], [R], {"angle": 10**999})], "'rz': the angle 1000"),
    ([op("const_i64", [], [I], {"int": 2**63})], "int = 9223372036854775808 is out of range"),
    ([op("const_i64", [], [I], {"int": -(2**63) - 1})], "int = -9223372036854775809 is out of"),
    ([op("const_i64", [], [I], {"int": 1.0})], "'const_i64': 'int' must be an integer"),
    ([op("const_f64", [], [F], {"real": 1})], "'const_f64': 'real' must be a floating-point"),
    ([op("const_f64", [], [F], {"real": "1"})], "'const_f64': 'real' must be a floating-point"),
    (
        [op("syndrome", [], [], {"rounds": 2**31})],
        "'syndrome': rounds = 2147483648 is out of range",
    ),
    ([INT, op("extsi", [I], [J], {"bits": 0})], "'extsi': bits = 0 is out of range"),
    ([INT, op("extsi", [I], [J], {"bits": 65})], "'extsi': bits = 65 is out of range"),
    ([INT, op("cmpi", [I, I], [B], {"predicate": "lt"})], "'cmpi': there is no predicate 'lt'"),
    ([REAL, op("cmpf", [F, F], [B], {"predicate": "eq"})], "'cmpf': there is no predicate 'eq'"),
    ([REAL, op("mathf", [F], [G], {"function": "gamma"})], "'mathf': there is no function 'gam"),
    ([REAL, op("mathf", [F], [G], {"function": 1})], "'mathf': 'function' must be text"),
    ([CONST, op("result_float", [B] * 63, [], {"name": ""})], "'result_float': takes 64 bits"),
    ([CONST, op("result_int", [B] * 65, [], {"name": ""})], "'result_int': takes 1 to 64 bits"),
    ([op("call", [], [], {"callee": "g"})], "'call': there is no function named 'g'"),
    ([op("call", [], [])], "'call': needs the attribute 'callee'"),
    ([op("call", [], [I], {"callee": "main"})], "'call': 'main' returns (), not (i64)"),
    ([INT, op("call", [I], [], {"callee": "main"})], "'call': 'main' takes (), not (i64)"),
]


@pytest.mark.parametrize(("ops", "message"), WRONG_PROGRAMS)
def test_wrong_programs(ops: list[Op], message: str):
    assert message in "\n".join(problems(main_of(*ops)))


def test_qubits_may_live_on_only_at_the_end_of_main():
    program = main_of(ALLOC)
    verify(program)
    program.functions.append(Function("f", program.main.blocks))
    assert problems(program) == ["qubit %q is still live at the end of 'f'"]


def test_the_parts_of_a_program():
    end = op("return")
    assert problems(Program()) == ["there is no function named 'main'"]
    assert problems(Program([Function("main")])) == ["function 'main' has no blocks"]
    assert problems(Program([Function("main", [Block()])])) == [
        "a block of function 'main' does not end in a return or a branch"
    ]
    taking = Function("main", [Block([Value(Type.I1)], [end])])
    assert problems(Program([taking])) == ["function 'main' has parameters, but nothing calls it"]
    one = Function("main", [Block(ops=[end])])
    assert problems(Program([one, one])) == ["there are 2 functions named 'main'"]


def test_a_problem_stands_at_its_source_position():
    locations = Locations()
    file = locations.add_file("a.qwasm", "h q0")
    program = main_of(op("h", [Q], [R]), locations=locations)
    program.main.blocks[0].ops[0].loc = locations.add(file, 1, 1, 5)
    with pytest.raises(CompileError) as caught:
        verify(program)
    assert str(caught.value.diagnostics[0].place) == "a.qwasm:1:1"


def test_at_most_so_many_problems_are_listed():
    assert len(problems(main_of(*[op("h", [Q], [R])] * 99))) == MAX_PROBLEMS


# -- several blocks ----------------------------------------------------------------------------


def flowing(*blocks: str) -> Program:
    """A function `f` of %c: i1 and %n: i64 that returns an i64; its blocks are ^0, ^1, ..."""
    first, *rest = blocks
    labelled = [f"(%c: i1, %n: i64): {first}", *rest]
    body = "\n".join(f"^{number}{block}" for number, block in enumerate(labelled))
    program = parse_ir(
        f"""
        "builtin.module"() ({{
          "qw.func"() ({{ "qw.return"() : () -> () }}) {{sym_name = "main"}} : () -> ()
          "qw.func"() ({{ {body}
          }}) {{sym_name = "f", function_type = (i1, i64) -> i64}} : () -> ()
        }}) {{qw.level = "program"}} : () -> ()"""
    )
    assert isinstance(program, Program)
    return program


def br(to: int, values: str = "", types: str = "") -> str:
    return f'"qw.br"({values})[^{to}] : ({types}) -> ()'


def cond_br(first: int, second: int, *, qubits: tuple[int, int] = (0, 0)) -> str:
    """A branch on %c that hands %q to either target so often."""
    values = ", ".join(["%c", *["%q"] * sum(qubits)])
    types = ", ".join(["i1", *["!qw.qubit"] * sum(qubits)])
    sizes = f"{{operandSegmentSizes = array<i32: 1, {qubits[0]}, {qubits[1]}>}}"
    return f'"qw.cond_br"({values})[^{first}, ^{second}] {sizes} : ({types}) -> ()'


RETURN = '"qw.return"(%n) : (i64) -> ()'
HALT = '"qw.halt"() : () -> ()'
NEW = '%q = "qw.alloc"() {name = ""} : () -> !qw.qubit\n'
FREE = '"qw.free"(%q) : (!qw.qubit) -> ()\n'
X = '%x = "qw.slot"() : () -> i64\n'
RETURN_X = '"qw.return"(%x) : (i64) -> ()'
CALL = '%r = "qw.call"({}) {{callee = "f"}} : ({}) -> {}\n'

RIGHT_FLOWS = [
    [RETURN],
    [br(1), ":" + RETURN],
    [cond_br(1, 2), ":" + RETURN, ":" + br(1)],
    [cond_br(1, 1), ":" + br(1)],
    [cond_br(1, 2), ":" + br(2), ":" + br(1)],
    [X + cond_br(1, 2), ":" + RETURN_X, ":" + RETURN_X],
    [br(2), ":" + RETURN_X, ":" + X + br(1)],  # the definition stands after the use
    [RETURN, ":" + RETURN_X, ":" + X + RETURN],  # neither block is reached
    [X + br(2), ":" + br(2), ":" + RETURN_X],  # ways from what is not reached do not count
    [RETURN, ":" + NEW + FREE + RETURN],
    [NEW + cond_br(1, 2, qubits=(1, 1)), "(%r: !qw.qubit):" + HALT, "(%s: !qw.qubit):" + HALT],
    [NEW + HALT],
    [NEW + '"qw.fail"() {text = "no"} : () -> ()'],
    [CALL.format("%c, %n", "i1, i64", "i64") + RETURN],
]


@pytest.mark.parametrize("blocks", RIGHT_FLOWS)
def test_right_flows(blocks: list[str]):
    assert problems(flowing(*blocks)) == []


WRONG_FLOWS = [
    ([RETURN_X, ":" + X + RETURN], "'return': value %x is not defined here"),
    ([cond_br(1, 2), ":" + X + br(2), ":" + RETURN_X], "'return': value %x is not defined on ev"),
    ([cond_br(1, 2), ":" + RETURN_X, ":" + X + RETURN], "'return': value %x is not defined"),
    ([br(1), ":" + RETURN_X, ":" + X + br(1)], "'return': value %x is not defined here"),
    ([RETURN_X + X + RETURN], "'return': value %x is not defined here"),
    ([NEW + br(1), ":" + FREE + RETURN], "'free': qubit %q is of another block"),
    ([NEW + br(1), ":" + RETURN], "'br': qubit %q is not handed on"),
    ([NEW + RETURN], "qubit %q is still live at the end of 'f'"),
    ([RETURN, ":" + NEW + RETURN], "qubit %q is still live at the end of 'f'"),
    ([RETURN, ":" + NEW + FREE + FREE + RETURN], "'free': qubit %q was already used"),
    (
        [NEW + cond_br(1, 2, qubits=(1, 0)), "(%r: !qw.qubit):" + HALT, ":" + RETURN],
        "'cond_br': qubit %q is not handed on",
    ),
    (
        [NEW + FREE + cond_br(1, 2, qubits=(1, 0)), "(%r: !qw.qubit):" + HALT, ":" + RETURN],
        "'cond_br': qubit %q was already used",
    ),
    (
        [
            NEW + br(1, "%q, %q", "!qw.qubit, !qw.qubit"),
            "(%r: !qw.qubit, %s: !qw.qubit):" + HALT,
        ],
        "'br': qubit %q was already used",
    ),
    ([br(1), "(%a: i1):" + RETURN], "'br': block 1 takes (i1), not ()"),
    ([br(1, "%n", "i64"), "(%a: i1):" + RETURN], "'br': block 1 takes (i1), not (i64)"),
    ([br(0, "%c, %n", "i1, i64")], "'br': leads to the first block of its function"),
    (['"qw.return"(%c) : (i1) -> ()'], "'return': 'f' returns (i64), not (i1)"),
    (['"qw.return"() : () -> ()'], "'return': 'f' returns (i64), not ()"),
    ([CALL.format("%n, %c", "i64, i1", "i64") + RETURN], "'call': 'f' takes (i1, i64), not (i64,"),
    ([CALL.format("%c, %n", "i1, i64", "i1") + RETURN], "'call': 'f' returns (i64), not (i1)"),
    ([br(1), ":" + X], "a block of function 'f' does not end in a return or a branch"),
    ([br(1), ":" + RETURN + RETURN], "'return': is not the last operation of its block"),
]


@pytest.mark.parametrize(("blocks", "message"), WRONG_FLOWS)
def test_wrong_flows(blocks: list[str], message: str):
    assert message in "\n".join(problems(flowing(*blocks)))


def test_what_text_cannot_say():
    program = flowing(br(1), ":" + br(2), ":" + X + RETURN)
    blocks = program.functions[1].blocks
    blocks[1].ops.insert(0, blocks[2].ops[0])
    assert problems(program) == ["value %x is defined twice"]
    del blocks[1].ops[0]
    del blocks[2]
    assert problems(program) == ["'br': leads to a block of another function"]
    blocks[1].ops[-1].targets = ()
    assert problems(program) == ["'br': leads to 1 blocks, not 0"]


def definitions(function: Function) -> list[tuple[int, int, Value]]:
    """Values that are not qubits, with their block and the operation that makes them, or -1."""
    found: list[tuple[int, int, Value]] = []
    for number, block in enumerate(function.blocks):
        found += ((number, -1, value) for value in block.args)
        found += ((number, at, v) for at, op in enumerate(block.ops) for v in op.results)
    return [place for place in found if place[2].type is not Type.QUBIT]


@given(flowing_programs(), st.data())
def test_a_use_is_right_if_its_definition_dominates_it(program: Program, data: st.DataObject):
    """Some operand becomes another value of its type, from anywhere in the function."""
    function = data.draw(st.sampled_from(program.functions))
    uses = [
        (number, at, slot)
        for number, block in enumerate(function.blocks)
        for at, op in enumerate(block.ops)
        for slot, value in enumerate(op.operands)
        if value.type is not Type.QUBIT
    ]
    assume(uses)
    number, at, slot = data.draw(st.sampled_from(uses))
    op = function.blocks[number].ops[at]
    others = [place for place in definitions(function) if place[2].type is op.operands[slot].type]
    home, maker, value = data.draw(st.sampled_from(others))
    op.operands = (*op.operands[:slot], value, *op.operands[slot + 1 :])
    place = {block: n for n, block in enumerate(function.blocks)}
    successors = [[place[t.block] for t in b.ops[-1].targets] for b in function.blocks]
    if number not in reachable(successors):
        right = True
    elif home == number:
        right = maker < at
    else:
        right = home in dominators(successors)[number]
    assert (not problems(program)) == right


# -- dominance ---------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """Successors by block."""
    n = draw(st.integers(1, 9))
    return [draw(st.lists(st.integers(0, n - 1), max_size=3)) for _ in range(n)]


@given(graphs())
def test_dominance(successors: list[list[int]]):
    dominance = Dominance(successors)
    expected = dominators(successors)
    known = reachable(successors)
    assert set(dominance.order) == known
    for block in known:
        found = {other for other in known if dominance.dominates(other, block)}
        assert found == expected[block]


@pytest.mark.parametrize("seed", range(4))
def test_dominance_of_large_graphs(seed: int):
    random.seed(seed)
    n = 250
    successors = [random.choices(range(n), k=random.randrange(1, 4)) for _ in range(n)]
    expected = dominators(successors)
    for block, dominator in enumerate(immediate_dominators(successors)):
        others = expected[block] - {block}
        if dominator >= 0:  # the closest: all others dominate it
            assert others == expected[dominator]
        else:
            assert block == 0 or block not in reachable(successors)


N = 100_000
LONG_GRAPHS = {
    "chain": [[i + 1] for i in range(N)] + [[]],
    "chain with a common exit": [[i + 1, N] for i in range(N)] + [[]],
    "the same from the other end": [[N, i + 1] for i in range(N)] + [[]],
    "loop": [[i + 1] for i in range(N)] + [[1]],
    "loops in loops": [[i + 1, max(1, N - i)] for i in range(N)] + [[]],
    "ladder": [[min(i + 1, N), min(i + 2, N)] for i in range(N)] + [[]],
    "jumps back": [[i + 1, max(1, i - 1)] for i in range(N)] + [[]],
    "fan": [list(range(1, N + 1)), *[[i % N + 1] for i in range(1, N + 1)]],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LONG_GRAPHS)
def test_dominance_of_many_blocks_takes_no_time(name: str):
    begin = time.process_time()
    Dominance(LONG_GRAPHS[name])
    assert time.process_time() - begin < 10  # some 0.5 s; generous for a busy machine


@pytest.mark.slow
def test_many_blocks_are_checked_in_no_time():
    blocks = [Block() for _ in range(N)]
    (bit,) = blocks[0].append("const", attrs={"value": 0})
    for number, block in enumerate(blocks[:-1]):
        targets = (Target(blocks[number + 1]), Target(blocks[-1]))
        block.append("cond_br", [bit], targets=targets)
    blocks[-1].append("return")
    begin = time.process_time()
    verify(Program([Function("main", blocks)]))
    assert time.process_time() - begin < 20  # some 1 s
