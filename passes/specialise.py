"""specialise: Program -> Circuit.  Runs the classical part; what is left is a straight line.

    %q1, %m = "qw.measure_z"(%q0)           0  measure_z 0
    "qw.cond_br"(%m)[^bb1, ^bb2]       =>   1  h 1 if 2
    ^bb1: %q2 = "qw.h"(%q1) ...             2  measure_z 3       in every run again
    ^bb2: ...

Whatever does not depend on measurement results is computed here.  What does becomes bits of the
circuit, xor and and of outcomes; where a branch depends on them both ways are taken, each with a
predicate that its rows depend on.  Ways that meet are one again, with values that differ as
functions of the bits that parted them, so that what follows an `if` is not predicated.

Loops are unrolled.  A loop that may go on for ever, because only a measurement ends it, is refused,
or left after `max_iterations` with a result `unfinished: FILE:LINE` that is 1 in the runs that
would have gone on.  A result `fail: TEXT` is 1 in the runs that are errors of the program; what
other results are there means nothing.  A result that a run does not record is 0.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Block, Op, Program, Value
from qwasmc.passes.cells import Cells
from qwasmc.passes.executor import Ended, Executor
from qwasmc.passes.flow import Loop, Plan
from qwasmc.passes.loops import LoopRun, State, makes_progress
from qwasmc.passes.predicates import Predicate
from qwasmc.passes.symbolic import Refusal

MAX_OPERATIONS = 10_000_000
"""Operations that are run besides one run of each."""

MAX_CALLS = 1000
"""Calls within calls."""

MAX_DEPENDENT = 4096
"""Iterations of a loop in each of which measurement results decided whether there is another."""


def specialise(
    program: Program, max_iterations: int | None = None, max_operations: int = MAX_OPERATIONS
) -> Circuit:
    """The straight-line circuit of a program's `main`.

    Loops whose end depends on measurement results are refused, or left after `max_iterations`.
    """
    cut: set[Block] = set()
    while True:
        run = _Run(program, max_iterations, max_operations, cut)
        run.run()
        if not run.again:
            return run.executor.out.freeze()


@dataclass(slots=True)
class _Call:
    """Where a function returns to."""

    frame: _Frame
    place: int
    index: int
    local: dict[Value, Any]
    shared: Cells


@dataclass(slots=True)
class _Frame:
    """A function being run."""

    plan: Plan
    call: _Call | None
    depth: int
    at: int = -1
    places: list[int] = field(default_factory=list)
    """Where something waits, in order."""
    waiting: dict[int, list[tuple[Predicate, State]]] = field(default_factory=dict)
    loops: dict[Loop, LoopRun] = field(default_factory=dict)

    def put(self, place: int, predicate: Predicate, state: State) -> None:
        """Runs arrive at a block."""
        if place not in self.waiting:
            self.waiting[place] = []
            insort(self.places, place)
        self.waiting[place].append((predicate, state))

    def next(self) -> tuple[int, bool]:
        """The block to run next, and whether a loop goes round to get there.

        All blocks of a loop come before its next iteration, and that before what follows it.
        """
        loop = self.plan.loops[self.at] if 0 <= self.at < self.plan.exit else None
        while loop is not None:
            ahead = bisect_right(self.places, self.at)
            if ahead < len(self.places) and self.places[ahead] < loop.end:
                return self.places.pop(ahead), False
            behind = bisect_left(self.places, loop.head)
            if behind < ahead:
                return self.places.pop(behind), True
            loop = loop.parent
        return self.places.pop(0), False


class _Run:
    """The program, run once in all ways at a time."""

    def __init__(
        self,
        program: Program,
        max_iterations: int | None,
        max_operations: int,
        cut: set[Block],
    ) -> None:
        self.program = program
        self.functions = {function.name: function for function in program.functions}
        self.max_iterations = max_iterations
        self.cut = cut
        """Heads of loops that are left after so many iterations; more may be found."""
        self.again = False
        """Whether one was found too late."""
        self.executor = Executor(program.locations)
        self.decisions = self.executor.decisions
        self.plans: dict[str, Plan] = {}
        self.ended: list[tuple[Predicate, Cells]] = []
        self.unfinished: list[tuple[str, int, int]] = []
        """Name, bit and location of the results about loops."""
        self.operations = max_operations
        """Operations that may still be run."""
        self.frame: _Frame | None = None

    def run(self) -> None:
        """The whole program."""
        try:
            self.frame = _Frame(self.plan("main"), None, 0)
            self.frame.put(0, self.decisions.all, State([], Cells(), Cells()))
            while self.frame is not None:
                self.step(self.frame)
        except Refusal as refusal:
            raise self.executor.limit(refusal) from refusal
        memory = Cells()
        if self.ended:
            _, memory = self.decisions.merge(self.ended, self.merge_memory)
        self.executor.finish(memory, self.unfinished)

    def plan(self, name: str) -> Plan:
        """What is known about a function; its operations may be run once more for it."""
        if name not in self.plans:
            self.plans[name] = Plan(self.functions[name])
            self.operations += sum(len(block.ops) for block in self.plans[name].blocks)
        return self.plans[name]

    def step(self, frame: _Frame) -> None:
        """Run a block of the innermost function, or go back to its caller."""
        if not frame.places:
            self.frame = frame.call.frame if frame.call else None
            return
        place, again = frame.next()
        predicate, state = self.join(frame, place, frame.waiting.pop(place))
        if self.decisions.bit(predicate) == 0:
            return  # this cannot happen
        frame.at = place
        if place == frame.plan.exit:
            self.return_to(frame.call, predicate, state)
            return
        try:
            self.visit(frame, place, predicate, state, again)
        except Ended:
            return
        block = frame.plan.blocks[place]
        local = dict(zip(block.args, state.args, strict=True))
        for value, number in frame.plan.takes[place]:
            local[value] = state.shared.get(number)
        self.executor.enter(predicate, state.memory, local)
        self.operations -= len(block.ops)
        if self.operations < 0:
            raise Refusal(
                "the program runs too many operations",
                "this was still running",
                "raise the limit, or look for a loop without an end",
                block.ops[-1].loc,
            )
        self.go_on(frame, place, 0, state.shared)

    def go_on(self, frame: _Frame, place: int, index: int, shared: Cells) -> None:
        """Run a block from an operation up to the next call or to its end."""
        executor, block = self.executor, frame.plan.blocks[place]
        calls = frame.plan.calls[place]
        following = bisect_left(calls, index)
        end = calls[following] if following < len(calls) else len(block.ops) - 1
        try:
            executor.run(block.ops, index, end)
            op = block.ops[end]
            executor.loc = executor.bits.loc = op.loc
            if op.name == "call":
                self.call(frame, place, end, shared)
            else:
                self.leave(frame, place, op, shared)
        except Ended:
            self.decisions.give_up(executor.predicate)

    # -- calls

    def call(self, frame: _Frame, place: int, index: int, shared: Cells) -> None:
        """Run a function; its caller waits."""
        executor = self.executor
        op = frame.plan.blocks[place].ops[index]
        if frame.depth == MAX_CALLS:
            raise Refusal(
                f"calls are nested more than {MAX_CALLS} deep",
                help="" if executor.guard == 1 else "whether to call depends on results here",
            )
        args = [executor.local[value] for value in op.operands]
        caller = _Call(frame, place, index, executor.local, shared)
        plan = self.plan(str((op.attrs or {})["callee"]))
        self.frame = _Frame(plan, caller, frame.depth + 1)
        self.frame.put(0, executor.predicate, State(args, executor.memory, Cells()))

    def return_to(self, call: _Call | None, predicate: Predicate, state: State) -> None:
        """Go on after a call; the program ends where `main` does."""
        if call is None:
            self.ended.append((predicate, state.memory))
            self.decisions.end(predicate)
            return
        op = call.frame.plan.blocks[call.place].ops[call.index]
        self.executor.enter(predicate, state.memory, call.local)
        call.local.update(zip(op.results, state.args, strict=True))
        self.frame = call.frame
        self.go_on(call.frame, call.place, call.index + 1, call.shared)

    # -- ends of blocks

    def leave(self, frame: _Frame, place: int, op: Op, shared: Cells) -> None:
        """The last operation of a block."""
        executor = self.executor
        local = executor.local
        for value, number in frame.plan.gives[place]:
            shared.set(number, local[value])
        if op.name == "cond_br":
            self.branch(frame, place, op, shared)
        elif op.name == "br":
            self.go(frame, op, 0, executor.predicate, shared)
        elif op.name == "return":
            args = [local[value] for value in op.operands]
            state = State(args, executor.memory, shared)
            frame.put(frame.plan.exit, executor.predicate, state)
        elif op.name == "halt":
            self.end(op, executor.predicate)
        else:
            executor.do_fail(op)

    def go(self, frame: _Frame, op: Op, which: int, predicate: Predicate, shared: Cells) -> None:
        """Arrive at a target of the last operation of a block."""
        target = op.targets[which]
        args = [self.executor.local[value] for value in target.args]
        state = State(args, self.executor.memory, shared)
        frame.put(frame.plan.place[target.block], predicate, state)

    def branch(self, frame: _Frame, place: int, op: Op, shared: Cells) -> None:
        """Go one way or both."""
        executor = self.executor
        bit = executor.read(op.operands[0])
        ones, zeros = self.decisions.split(executor.predicate, bit)
        if ones is None or zeros is None:
            self.go(frame, op, 1 if ones is None else 0, executor.predicate, shared)
            return
        forced = self.forced_exit(frame, place, op, bit)
        if forced is not None:
            self.go(frame, op, forced, executor.predicate, shared)
            return
        before = executor.memory
        for which, predicate in enumerate((ones, zeros)):
            target = op.targets[which].block
            executor.memory = before.copy()
            if frame.plan.ends_at_once[frame.plan.place[target]]:
                self.end(target.ops[-1], predicate)
            else:
                self.go(frame, op, which, predicate, shared.copy())

    def end(self, op: Op, predicate: Predicate) -> None:
        """Runs of the program end."""
        if op.name == "fail":
            self.executor.failed(self.decisions.bit(predicate), str((op.attrs or {})["text"]))
            self.decisions.give_up(predicate)
        else:
            self.ended.append((predicate, self.executor.memory))
            self.decisions.end(predicate)

    # -- loops

    def visit(
        self, frame: _Frame, place: int, predicate: Predicate, state: State, again: bool
    ) -> None:
        """Runs arrive at a block, which may be the head of a loop, for the first time or again."""
        loop = frame.plan.loops[place]
        if loop is None or loop.head != place:
            return
        types = [value.type for value in frame.plan.blocks[place].args]
        if not again:
            frame.loops[loop] = LoopRun(predicate, state.copy())
            return
        run = frame.loops[loop]
        run.visits += 1
        if set(predicate.nodes) != set(run.predicate.nodes):
            run.dependent += 1
            shared = [value.type for value in frame.plan.shared]
            moves = makes_progress(self.executor.symbols, types, shared, run.state, state)
            if run.dependent > MAX_DEPENDENT or not moves:
                self.endless(frame, loop, run, predicate)
        run.predicate, run.state = predicate, state.copy()

    def endless(self, frame: _Frame, loop: Loop, run: LoopRun, predicate: Predicate) -> None:
        """A loop at its head of which only measurement results say when it ends."""
        head = frame.plan.blocks[loop.head]
        op = run.exit or head.ops[-1]
        if self.max_iterations is None:
            raise Refusal(
                "the number of iterations depends on measurement results",
                "this may go on for ever",
                "--max-iterations N unrolls it N times",
                op.loc,
            )
        if head not in self.cut:
            self.cut.add(head)
            self.again |= run.visits > self.max_iterations + (not run.ends_late)
        elif run.visits > self.max_iterations + 1:  # on a way that passes no exit
            self.report(run, op, self.decisions.bit(predicate))
            self.decisions.give_up(predicate)
            raise Ended

    def forced_exit(self, frame: _Frame, place: int, op: Op, bit: int) -> int | None:
        """Which way a branch on a result goes, whatever the result is, to leave a loop at last."""
        plan = frame.plan
        to = [plan.place[target.block] for target in op.targets]
        loop = plan.loops[place]
        while loop is not None:
            inside = [plan.inside(loop, at) for at in to]
            if inside[0] != inside[1]:
                stay = inside.index(True)
                run = frame.loops[loop]
                run.exit = op
                run.ends_late = plan.returns_at_once(loop, to[stay])
                if plan.blocks[loop.head] in self.cut and self.is_over(run):
                    goes_on = self.executor.bits.conj(self.executor.guard, bit ^ stay)
                    self.report(run, op, goes_on)
                    return 1 - stay
            loop = loop.parent
        return None

    def is_over(self, run: LoopRun) -> bool:
        """Whether a loop that is to be left has had its iterations, at its latest exit."""
        assert self.max_iterations is not None
        return run.visits > self.max_iterations - run.ends_late

    def report(self, run: LoopRun, op: Op, bit: int) -> None:
        """The result that says in which runs a loop is not finished."""
        if run.report < 0:
            run.report = len(self.unfinished)
            place = self.program.locations.place(op.loc)
            where = "unknown" if place is None else f"{place.file}:{place.line}"
            self.unfinished.append((f"unfinished: {where}", 0, op.loc))
        name, before, loc = self.unfinished[run.report]
        self.unfinished[run.report] = name, self.executor.bits.either(before, bit), loc

    # -- joins

    def join(
        self, frame: _Frame, place: int, arrivals: Sequence[tuple[Predicate, State]]
    ) -> tuple[Predicate, State]:
        """Everything that has arrived at a block, as one."""
        plan = frame.plan
        if place == plan.exit:
            types = list(plan.function.results)
        else:
            types = [value.type for value in plan.blocks[place].args]
        phi = self.executor.symbols.phi

        def combine(bit: int, x: State, y: State) -> State:
            arguments = zip(types, x.args, y.args, strict=True)
            args = [phi(type, bit, a, b) for type, a, b in arguments]
            memory = self.merge_memory(bit, x.memory, y.memory)
            shared = x.shared.merged(
                y.shared, lambda number, a, b: phi(plan.shared[number].type, bit, a, b)
            )
            return State(args, memory, shared)

        return self.decisions.merge(arrivals, combine)

    def merge_memory(self, bit: int, x: Cells, y: Cells) -> Cells:
        """What x holds where a bit is 1, else what y holds."""
        return x.merged(y, lambda number, a, b: self.executor.merge(number, bit, a, b))
