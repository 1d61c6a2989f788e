"""Memory to SSA values: before and after, and the same runs for any program."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import cycle
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interpreter import Run

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Block, Function, Program, Value
from qwasmc.ops import Type
from qwasmc.passes.dominance import frontiers, immediate_dominators
from qwasmc.passes.promote import promote
from qwasmc.text import print_ir
from qwasmc.verify import verify

# -- any program -----------------------------------------------------------------------------------

COMMON = ("constant", "sum", "store", "store", "load", "load", "result", "measure", "compare")
RARE = ("allocate", "call", "computed", "confuse", "escape", "store bit", "load bit")
ENDS = ("br", "br", "cond_br", "cond_br", "cond_br", "return", "halt", "fail")


@dataclass
class Writer:
    """Writes a function of drawn operations; values of the first block may be used anywhere."""

    draw: st.DrawFn
    build: FunctionBuilder
    kinds: list[str]
    callees: list[str]
    numbers: list[Value] = field(default_factory=list)
    bits: list[Value] = field(default_factory=list)
    pointers: list[Value] = field(default_factory=list)

    def number(self) -> Value:
        return self.draw(st.sampled_from(self.numbers)) if self.numbers else self.build.i64(1)

    def bit(self) -> Value:
        if not self.bits or self.draw(st.booleans()):
            self.bits.append(self.build.measure("measure_z", [0]))
        return self.draw(st.sampled_from(self.bits[-2:]))

    def cell(self) -> tuple[Value, str]:
        """An address and its space."""
        if self.pointers and self.draw(st.booleans()):
            return self.draw(st.sampled_from(self.pointers)), "memory"
        return self.build.i64(self.draw(st.integers(0, 1))), "register"

    def operation(self, kind: str) -> None:
        build = self.build
        if kind == "constant":
            self.numbers.append(build.i64(self.draw(st.integers(-2, 5))))
        elif kind == "sum":
            self.numbers.append(build.op("addi", [self.number(), self.number()]))
        elif kind == "compare":
            operands = [self.number(), self.number()]
            self.bits.append(build.op("cmpi", operands, {"predicate": "slt"}))
        elif kind == "result":
            build.do("result_i64", [self.number()], {"name": "n"})
        elif kind == "measure":
            self.bits.append(build.measure("measure_z", [0]))
        elif kind == "call" and self.callees:
            build.call(self.draw(st.sampled_from(self.callees)), [])
        else:
            self.access(kind)

    def access(self, kind: str) -> None:
        build = self.build
        if kind in ("store", "load"):
            address, space = self.cell()
            self.move(kind, address, space)
        elif kind == "computed":
            address = build.op("andi", [self.number(), build.i64(1)])
            self.move(self.draw(st.sampled_from(["load", "store"])), address, "register")
        elif kind == "confuse":
            build.do("store_i1", [self.bit(), build.i64(0)], {"space": "register"})
        elif kind == "store bit":
            build.do("store_i1", [self.bit(), build.i64(0)], {"space": "clbit"})
        elif kind == "load bit":
            self.bits.append(build.op("load_i1", [build.i64(0)], {"space": "clbit"}))
        elif kind == "allocate":
            self.pointers.append(build.op("allocate", [build.i64(1)], {"space": "memory"}))
            if self.draw(st.booleans()):
                self.move("store", self.pointers[-1], "memory")
        elif kind == "escape" and self.pointers:
            value = self.draw(st.sampled_from(self.pointers))
            build.do("store_i64", [value, build.i64(99)], {"space": "memory"})
            self.pointers.append(build.op("load_i64", [build.i64(99)], {"space": "memory"}))

    def move(self, kind: str, address: Value, space: str) -> None:
        if kind == "store":
            self.build.do("store_i64", [self.number(), address], {"space": space})
        else:
            self.numbers.append(self.build.op("load_i64", [address], {"space": space}))

    def block(self, later: list[Block]) -> None:
        for kind in self.draw(st.lists(st.sampled_from(self.kinds), max_size=8)):
            self.operation(kind)
        end = self.draw(st.sampled_from(ENDS if later else ENDS[-3:]))
        targets = [self.draw(st.sampled_from(later)) for _ in range(2)] if later else []
        args = [[self.number() for _ in target.args] for target in targets]
        if end == "br":
            self.build.br(targets[0], args[0])
        elif end == "cond_br":
            self.build.cond_br(self.bit(), *targets, *args)
        elif end == "halt":
            self.build.halt()
        elif end == "fail":
            self.build.fail("here")
        else:
            self.build.ret()


@st.composite
def functions(draw: st.DrawFn, name: str, rare: list[str], callees: list[str]) -> Function:
    build = FunctionBuilder(name)
    count = draw(st.integers(0, 6))
    blocks = [build.new_block([Type.I64] * draw(st.integers(0, 2))) for _ in range(count)]
    writer = Writer(draw, build, [*COMMON, *rare, *rare], callees)
    if name == "main":
        build.alloc(0)
        build.do("store_i1", [build.i1(0), build.i64(0)], {"space": "clbit"})
        for address in draw(st.sampled_from([[0, 1], [0, 1], [0], []])):
            build.do("store_i64", [build.i64(5), build.i64(address)], {"space": "register"})
    writer.block(blocks)
    common = writer.numbers, writer.bits, writer.pointers
    for index, block in enumerate(blocks):
        build.enter(block)
        writer.numbers, writer.bits, writer.pointers = (list(values) for values in common)
        writer.numbers += block.args
        writer.block(blocks if draw(st.booleans()) else blocks[index + 1 :])
    return build.function


@st.composite
def programs(draw: st.DrawFn) -> Program:
    rare = sorted(draw(st.sets(st.sampled_from(RARE), max_size=3)))
    main = draw(functions("main", rare, draw(st.sampled_from([["f"], ["f", "g"], ["g", "main"]]))))
    if "call" not in rare:
        return Program([main])
    f = draw(functions("f", rare, draw(st.sampled_from([[], ["g"], ["f"], ["main"]]))))
    return Program([main, f, draw(functions("g", rare, draw(st.sampled_from([[], ["f"]]))))])


def run(program: Program, outcomes: int) -> tuple[str, list[object]]:
    bits = cycle([outcomes >> i & 1 for i in range(16)])
    whole = Run(program, bits, fuel=60)
    why = whole.main()
    return why, whole.seen


@settings(max_examples=150, deadline=None)
@given(programs(), st.lists(st.integers(0, 2**16 - 1), min_size=4, max_size=4))
def test_promotion_keeps_every_run(program, tosses):
    before = print_ir(program)
    verify(program)
    promoted = promote(program)
    verify(promoted)
    assert print_ir(program) == before, "the pass changed its input"
    for outcomes in tosses:
        assert run(promoted, outcomes) == run(program, outcomes)


# -- before and after ------------------------------------------------------------------------------


def store(build: FunctionBuilder, value: Value, address: int, space: str = "register") -> None:
    build.do("store_i64", [value, build.i64(address)], {"space": space})


def load(build: FunctionBuilder, address: int, space: str = "register") -> Value:
    return build.op("load_i64", [build.i64(address)], {"space": space})


def result(build: FunctionBuilder, value: Value) -> None:
    build.do("result_i64", [value], {"name": "i"})
    build.ret()


def coin(build: FunctionBuilder) -> Value:
    build.alloc(0)
    return build.measure("measure_x", [0])


def text_of(program: Program) -> str:
    """The functions of a program without locations, types and names of rows' dialect."""
    text = re.sub(r" : .*", "", print_ir(program).replace(": i64", ""))
    kept = text.replace('"qw.', "").replace('"(', "(").splitlines()[2:-2]
    return "\n".join(line.strip() for line in kept if "^bb0" not in line)


def looping() -> Program:
    """i = 0; do i = i + 1 until i == 3; the result is i."""
    build = FunctionBuilder("main")
    body, end = build.new_block(), build.new_block()
    store(build, build.i64(0), 4)
    build.br(body)
    build.enter(body)
    store(build, build.op("addi", [load(build, 4), build.i64(1)]), 4)
    build.cond_br(build.op("cmpi", [load(build, 4), build.i64(3)], {"predicate": "eq"}), end, body)
    build.enter(end)
    result(build, load(build, 4))
    return Program([build.function])


def test_a_loop():
    assert text_of(promote(looping())) == dedent(
        """\
        %0 = const_i64() {int = 0}
        br(%0)[^bb1]
        ^bb1(%1):
        %2 = const_i64() {int = 1}
        %3 = addi(%1, %2)
        %4 = const_i64() {int = 3}
        %5 = cmpi(%3, %4) {predicate = "eq"}
        cond_br(%5, %3)[^bb2, ^bb1] {operandSegmentSizes = array<i32: 1, 0, 1>}
        ^bb2:
        result_i64(%3) {name = "i"}
        return()"""
    )


def branching(left: int, right: int, *, early: bool = True, late: bool = True) -> Program:
    """Registers `left` and `right` are written on two ways that meet, where register 0 is read."""
    build = FunctionBuilder("main")
    then, otherwise, end = (build.new_block() for _ in range(3))
    if early:
        store(build, build.i64(10), 0)
    build.cond_br(coin(build), then, otherwise)
    for block, number, address in ((then, 11, left), (otherwise, 12, right)):
        build.enter(block)
        store(build, build.i64(number), address)
        build.br(end)
    build.enter(end)
    result(build, load(build, 0) if late else build.i64(0))
    return Program([build.function])


@pytest.mark.parametrize(
    ("program", "args"),
    [
        (branching(0, 0), 1),
        (branching(0, 1), 1),
        (branching(1, 1), 0),
        (branching(0, 0, early=False), 1),
        (branching(0, 0, late=False), 0),
    ],
)
def test_ways_that_meet(program, args):
    promoted = promote(program)
    assert "space" not in print_ir(promoted)
    assert [len(block.args) for block in promoted.main.blocks] == [0, 0, 0, args]
    constants = [op for block in promoted.main.blocks for op in block.ops if op.name == "const_i64"]
    used = {value for block in promoted.main.blocks for op in block.ops for value in op.operands}
    passed = {v for block in promoted.main.blocks for t in block.ops[-1].targets for v in t.args}
    assert all(op.results[0] in used | passed for op in constants)


def test_joins_meet_again():
    """r = 0; if a: (if b: r = 1); the result is r."""
    build = FunctionBuilder("main")
    outer, inner, close, end = (build.new_block() for _ in range(4))
    store(build, build.i64(0), 0)
    build.cond_br(coin(build), outer, end)
    build.enter(outer)
    build.cond_br(build.measure("measure_x", [0]), inner, close)
    build.enter(inner)
    store(build, build.i64(1), 0)
    for after in (close, end):
        build.br(after)
        build.enter(after)
    result(build, load(build, 0))
    promoted = promote(Program([build.function]))
    assert [len(block.args) for block in promoted.main.blocks] == [0, 0, 0, 1, 1]
    assert [run(promoted, tosses)[1][-1][1] for tosses in range(4)] == [0, 0, 0, 1]


def test_one_block():
    build = FunctionBuilder("main")
    store(build, build.i64(3), 0)
    store(build, load(build, 0), 1)
    pointer = build.op("allocate", [build.i64(1)], {"space": "memory"})
    build.do("store_i64", [load(build, 1), pointer], {"space": "memory"})
    result(build, build.op("load_i64", [pointer], {"space": "memory"}))
    assert text_of(promote(Program([build.function]))) == dedent(
        """\
        %0 = const_i64() {int = 3}
        result_i64(%0) {name = "i"}
        return()"""
    )


def test_blocks_that_nothing_leads_to_go():
    build = FunctionBuilder("main")
    end, lost = build.new_block(), build.new_block()
    store(build, build.i64(0), 0)
    build.br(end)
    build.enter(end)
    result(build, load(build, 0))
    build.enter(lost)
    store(build, build.i64(1), 0)
    build.br(end)
    promoted = promote(Program([build.function]))
    assert len(promoted.main.blocks) == 2
    assert "space" not in print_ir(promoted)


# -- what stays in memory --------------------------------------------------------------------------


def reading(name: str, *, first: bool) -> Function:
    """Reads register 0 into a result, after it wrote it, or before."""
    build = FunctionBuilder(name)
    if first:
        store(build, build.i64(1), 0)
    build.do("result_i64", [load(build, 0)], {"name": name})
    build.ret()
    return build.function


def writing(*ops: str) -> Function:
    """A `main` that writes register 0, does these things, and reads it."""
    build = FunctionBuilder("main")
    store(build, build.i64(1), 0)
    for op in ops:
        if op == "compute":
            address = build.op("addi", [build.i64(0), build.i64(0)])
            build.do("store_i64", [build.i64(2), address], {"space": "register"})
        elif op == "confuse":
            build.do("store_i1", [build.i1(1), build.i64(0)], {"space": "register"})
        else:
            build.call(op, [])
    result(build, load(build, 0))
    return build.function


def kept(program: Program) -> bool:
    """Whether the pass left every access to memory, and the runs as they were."""
    promoted = promote(program)
    assert run(promoted, 0) == run(program, 0)
    return print_ir(promoted).count("space") == print_ir(program).count("space")


def test_what_else_gets_at_a_cell_keeps_it_in_memory():
    assert not kept(Program([writing()]))
    assert kept(Program([writing("f"), reading("f", first=False)]))
    assert kept(Program([writing("f"), reading("f", first=True)]))
    assert kept(Program([writing("compute")]))
    assert kept(Program([writing("confuse")]))
    far = FunctionBuilder("g")
    far.call("f", [])
    far.ret()
    assert kept(Program([writing("g"), far.function, reading("f", first=True)]))
    # Nothing calls this one.
    assert not kept(Program([writing(), reading("f", first=True)]))


def test_an_address_that_is_more_than_loaded_from_keeps_its_memory():
    build = FunctionBuilder("main")
    pointer = build.op("allocate", [build.i64(1)], {"space": "memory"})
    build.do("store_i64", [build.i64(1), pointer], {"space": "memory"})
    build.do("store_i64", [pointer, build.i64(0)], {"space": "memory"})
    other = build.op("load_i64", [build.i64(0)], {"space": "memory"})
    build.do("store_i64", [build.i64(2), other], {"space": "memory"})
    result(build, build.op("load_i64", [pointer], {"space": "memory"}))
    program = Program([build.function])
    assert kept(program)
    assert run(program, 0)[1][-1][1] == 2


def test_reading_before_writing_stays_an_error():
    assert kept(Program([reading("main", first=False)]))
    assert run(promote(Program([reading("main", first=False)])), 0)[0] == "unwritten"
    program = branching(0, 1, early=False)
    assert "load_i64" in print_ir(promote(program))
    assert {run(promote(program), toss)[0] for toss in (0, 1)} == {"unwritten", "return"}


def test_a_function_that_runs_again_before_it_returned_keeps_its_cells():
    """n = 5; f writes n, calls itself while n is odd and reads n: what the inner run left."""
    build = FunctionBuilder("f", [Type.I64])
    (argument,) = build.block.args
    again, end = build.new_block(), build.new_block()
    store(build, argument, 0)
    build.cond_br(build.op("trunci", [argument]), again, end)
    build.enter(again)
    build.call("f", [build.i64(8)])
    build.br(end)
    build.enter(end)
    build.do("result_i64", [load(build, 0)], {"name": "n"})
    build.ret()
    start = FunctionBuilder("main")
    start.call("f", [start.i64(5)])
    start.ret()
    program = Program([start.function, build.function])
    assert kept(program)
    assert [seen[1] for seen in run(program, 0)[1]] == [8, 8]


def test_memory_allocated_again_is_not_written():
    build = FunctionBuilder("main")
    again, end = build.new_block(), build.new_block()
    store(build, build.i64(0), 0)
    build.alloc(0)
    build.br(again)
    build.enter(again)
    pointer = build.op("allocate", [build.i64(1)], {"space": "memory"})
    write, read = build.new_block(), build.new_block()
    build.cond_br(build.measure("measure_z", [0]), write, read)
    build.enter(write)
    build.do("store_i64", [build.i64(7), pointer], {"space": "memory"})
    build.br(read)
    build.enter(read)
    value = build.op("load_i64", [pointer], {"space": "memory"})
    build.do("result_i64", [value], {"name": "v"})
    build.cond_br(build.measure("measure_z", [0]), end, again)
    build.enter(end)
    build.ret()
    program = Program([build.function])
    verify(program)
    for tosses in (0b0001, 0b1001, 0b0010, 0b1110):
        assert run(promote(program), tosses) == run(program, tosses)
    # Written once, allocated again, read: the second round has no value.
    assert run(promote(program), 0b0001)[0] == "unwritten"


# -- dominance -------------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """No node leads to the start."""
    size = draw(st.integers(1, 9))
    after = st.lists(st.integers(1, size - 1), max_size=2) if size > 1 else st.just([])
    return draw(st.lists(after, min_size=size, max_size=size))


def ways(graph: list[list[int]], without: int = -1) -> set[int]:
    """The nodes that can be reached from the start without going through one."""
    found: set[int] = set()
    waiting = [0]
    while waiting:
        node = waiting.pop()
        if node not in found and node != without:
            found.add(node)
            waiting += graph[node]
    return found


@settings(max_examples=500, deadline=None)
@given(graphs())
def test_dominance_is_what_its_definition_says(graph):
    reached = ways(graph)
    above = {n: {m for m in reached if m == n or n not in ways(graph, m)} for n in reached}
    found = immediate_dominators(graph)
    assert set(found) == reached
    for node, dominator in found.items():
        expected = above[node] - {node}
        assert (dominator < 0 and not expected) or above[dominator] == expected
    edges = frontiers(graph, found, 10**6)
    assert edges is not None
    for node in reached:
        expected = {
            after
            for before in reached
            for after in graph[before]
            if node in above[before] and (node == after or node not in above[after])
        }
        assert set(edges.get(node, [])) == expected
        assert len(edges.get(node, [])) == len(expected)


# -- speed -----------------------------------------------------------------------------------------


def test_a_straight_line_is_not_touched():
    build = FunctionBuilder("main")
    build.alloc(0)
    for _ in range(100_000):
        build.gate("h", [0])
    build.ret()
    program = Program([build.function])
    assert promote(program) is program


def ladder(rungs: int, registers: int) -> Program:
    """Each rung leaves for the end if its register is odd, else counts it up."""
    build = FunctionBuilder("main")
    end = build.new_block()
    for address in range(registers):
        store(build, build.i64(0), address)
    for rung in range(rungs):
        more = build.new_block()
        value = load(build, rung % registers)
        build.cond_br(build.op("trunci", [value]), end, more)
        build.enter(more)
        store(build, build.op("addi", [value, build.i64(1)]), rung % registers)
    build.br(end)
    build.enter(end)
    for address in range(registers):
        build.do("result_i64", [load(build, address)], {"name": f"r{address}"})
    build.ret()
    return Program([build.function])


def test_thousands_of_blocks_are_promoted():
    promoted = promote(ladder(8000, 8))
    assert "load_i64" not in {op.name for block in promoted.main.blocks for op in block.ops}


def test_loops_around_hundreds_of_loops_keep_their_memory():
    build = FunctionBuilder("main")
    heads = []
    store(build, build.i64(0), 0)
    bit = coin(build)
    for _ in range(1200):
        heads.append(build.new_block())
        build.br(heads[-1])
        build.enter(heads[-1])
    store(build, build.op("addi", [load(build, 0), build.i64(1)]), 0)
    for head in reversed(heads):
        more = build.new_block()
        build.cond_br(bit, head, more)
        build.enter(more)
    result(build, load(build, 0))
    program = Program([build.function])
    assert print_ir(promote(program)) == print_ir(program)
