"""Runs a program once through, each of its pieces as often as it does something new.

CALL adder      runs `adder`; the next call does what that did, if its premises hold
a long loop     its iterations become pieces, too; as many as the premises hold for at a time
IF r1: ...      where r1 was measured: both sides, of which the dearer one counts
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.ir.program import Block, Op, Program, Target, Value
from qwasmc.ops import Type
from qwasmc.passes.flow import Loop
from qwasmc.passes.folded.acceleration import jump
from qwasmc.passes.folded.branches import Endless, join, leaving
from qwasmc.passes.folded.operations import HANDLERS
from qwasmc.passes.folded.plans import FoldedPlan, small_functions
from qwasmc.passes.folded.record import Record
from qwasmc.passes.folded.regions import Regions
from qwasmc.passes.folded.scope import Failed, Halted, LoopRun, Scope
from qwasmc.passes.folded.site import Site
from qwasmc.passes.folded.summary import HALT, Memo, Summary
from qwasmc.passes.folded.values import UNKNOWN, raw
from qwasmc.passes.folded.world import NEXT_ADDRESS, NEXT_SLOT, World
from qwasmc.passes.symbolic import Refusal

MAX_STEPS = 10_000_000
"""Operations that are run at most."""

MAX_DEPTH = 100
"""Pieces within pieces."""

LOOP_STEPS = 500_000
"""Operations of a loop after which its iterations become pieces."""

LOOP_SIZE = 30_000
"""Gates after which they do, too."""

LONG = 100_000
"""Operations of a region that is long enough."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a way through a function is at its end: at a block, or outside of a loop."""

    place: int
    loop: Loop | None = None

    def reached(self, plan: FoldedPlan, place: int) -> bool:
        """Whether it is there."""
        if place in (self.place, plan.exit):
            return True
        return self.loop is not None and not plan.inside(self.loop, place)


Way: TypeAlias = tuple[int, list[Any]]
"""The block that comes next, and its arguments."""


def types_at(plan: FoldedPlan, place: int) -> list[Type]:
    """What a block gets, or the caller at the exit."""
    if place == HALT:
        return []
    if place == plan.exit:
        return list(plan.function.results)
    return [value.type for value in plan.blocks[place].args]


def going_on(piece: Summary, values: list[Any]) -> Way:
    """Where a piece leads with what it hands on."""
    if piece.place == HALT:
        raise Halted
    return piece.place, values


class Runner:
    """Runs a program and takes notes."""

    def __init__(self, program: Program, max_iterations: int | None, cut: frozenset[Block]) -> None:
        self.cut = cut
        """Heads of loops that are left after so many iterations."""
        self.locations = program.locations
        self.max_iterations = max_iterations
        self.world = World(Regions())
        self.plans = {function.name: FoldedPlan(function) for function in program.functions}
        self.small = small_functions(self.plans)
        self.memos: dict[str, Memo] = {name: Memo() for name in self.plans}
        self.long: dict[Loop, Memo] = {}
        """The iterations of loops that were long at least once."""
        self.torn = any(plan.torn for plan in self.plans.values())
        self.branched = False
        """Whether a measurement result decided what is done."""
        self.loc = -1

    def run(self) -> Summary:
        """What the program does."""
        record = Record(self.world, whole=self.torn)
        try:
            self.body(Scope(self.plans["main"], record, {}))
        except Halted:
            pass
        except Failed as failed:
            raise CompileError(self.locations.diagnostic(failed.message, failed.loc)) from failed
        except (Refusal, Endless) as stopped:
            if isinstance(stopped, Endless) and stopped.head and self.max_iterations is not None:
                raise
            refusal = stopped.refusal if isinstance(stopped, Endless) else stopped
            loc = self.loc if refusal.loc is None else refusal.loc
            found = self.locations.diagnostic(refusal.message, loc, refusal.label, refusal.help)
            raise CompileError(replace(found, kind=Kind.LIMIT)) from stopped
        return record.finish([], [], 0)[0]

    # -- ways through a function

    def body(self, scope: Scope) -> list[Any]:
        """Run a function; what it returns."""
        self.check_depth(scope)
        whole = scope.record.whole
        if scope.plan.whole and not whole:
            scope.record.close()
            scope.record.whole = True
        _, values = self.flow(scope, 0, None, Stop(scope.plan.exit))
        scope.record.whole = whole
        if scope.plan.whole:
            scope.record.close()
        return values

    def flow(
        self, scope: Scope, place: int, args: list[Any] | None, stop: Stop, before: int = -1
    ) -> Way:
        """Run blocks from one of them on; its arguments are None if they are known.

        `before` is the block in front of it, if this is not where a piece begins.
        """
        plan = scope.plan
        while True:
            loop = plan.loops[place]
            if loop is not None and loop.head == place:
                again = before >= 0 and plan.inside(loop, before)
                run = self.visit(scope, loop, before)
                steps, size = self.world.steps - run.start, scope.record.size - run.size
                if steps > LOOP_STEPS or size > LOOP_SIZE:
                    self.long.setdefault(loop, Memo())
                if again and loop in self.long and not run.forced and not scope.record.whole:
                    assert args is not None
                    before = place
                    place, args = self.iterate(scope, loop, run, args)
                    if stop.reached(plan, place):
                        return place, args
                    continue
            if args is not None:
                scope.local.update(zip(plan.blocks[place].args, args, strict=True))
            before = place
            place, args = self.block(scope, place)
            if stop.reached(plan, place):
                return place, args

    def visit(self, scope: Scope, loop: Loop, before: int) -> LoopRun:
        """The head of a loop is reached from a block, or where a piece begins."""
        run = scope.loops.get(loop)
        if run is None or (before >= 0 and not scope.plan.inside(loop, before)):
            run = scope.loops[loop] = LoopRun(self.world.steps, scope.record.size)
        elif before >= 0:
            run.visits += 1
        return run

    def block(self, scope: Scope, place: int) -> Way:
        """Run a block; where that leads."""
        ops = scope.plan.blocks[place].ops
        self.world.steps += len(ops)
        if self.world.steps > MAX_STEPS:
            raise Refusal(
                f"more than {MAX_STEPS} operations would have to be run",
                "this was still running",
                "what subroutines do should depend on few classical values, or loops are endless",
                ops[-1].loc,
            )
        for op in ops[:-1]:
            if op.spec.name == "call":
                self.call(scope, op)
            else:
                HANDLERS[op.spec.name](scope, op)
        op = ops[-1]
        self.loc = op.loc
        name = op.spec.name
        if name == "br":
            return self.arrive(scope, op.targets[0])
        if name == "cond_br":
            bit = scope.get(op.operands[0])
            if bit is UNKNOWN:
                return self.branch(scope, place, op)
            return self.arrive(scope, op.targets[0 if scope.record.premises.bit(bit) else 1])
        if name == "return":
            return scope.plan.exit, [scope.get(value) for value in op.operands]
        if name == "halt":
            raise Halted
        raise Failed(str((op.attrs or {})["text"]), op.loc)

    def arrive(self, scope: Scope, target: Target) -> Way:
        """What a target is reached with."""
        return scope.plan.place[target.block], [scope.get(value) for value in target.args]

    # -- pieces

    def call(self, scope: Scope, op: Op) -> None:
        """Run a function, or do what it did."""
        self.loc = op.loc
        name = str((op.attrs or {})["callee"])
        plan, record = self.plans[name], scope.record
        args = [scope.get(value) for value in op.operands]
        self.world.calls += 1
        if record.whole or (name in self.small and len(record.rows) < LONG):
            local = dict(zip(plan.blocks[0].args, args, strict=True))
            values = self.body(Scope(plan, record, local, depth=scope.depth + 1))
        else:
            values = self.called(scope, name, args)
        scope.local.update(zip(op.results, values, strict=True))

    def called(self, scope: Scope, name: str, args: list[Any]) -> list[Any]:
        """What a function returns that is a piece of its own."""
        plan = self.plans[name]
        scope.record.close()
        site = Site(scope.record, args.__getitem__)
        found = self.memos[name].find(site.now, self.world)
        if found is not None:
            values = site.replay(found)
        else:
            record = Record(self.world)
            local: dict[Value, Any] = {}
            for place, (value, arg) in enumerate(zip(plan.blocks[0].args, args, strict=True)):
                if value.type is Type.QUBIT:
                    record.borrowed[arg] = "argument", place
                    local[value] = arg
                else:
                    local[value] = record.enter(place, raw(arg), value.type)
            to, results, types = 0, [], plan.function.results
            try:
                results = self.body(Scope(plan, record, local, depth=scope.depth + 1))
            except Halted:
                to, types = HALT, ()
            found, changes = record.finish(results, types, to, call=True)
            values = site.take(record, found, changes, results, types)
            self.memos[name].add(found)
        return going_on(found, values)[1]

    def iterate(self, scope: Scope, loop: Loop, run: LoopRun, args: list[Any]) -> Way:
        """Run an iteration, or do what one did, as often as that is known to happen."""
        plan = scope.plan
        scope.record.close()
        head = plan.blocks[loop.head]
        scope.local.update(zip(head.args, args, strict=True))
        site, memo = Site(scope.record, scope.get), self.long[loop]
        found = memo.find(site.now, self.world)
        if found is not None:
            times = jump(site, found, head, scope.local) if found.place == loop.head else 1
            run.visits += times - 1
            return going_on(found, site.replay(found, times))
        record = Record(self.world)
        inner = Scope(plan, record, {}, scope, scope.depth + 1, {loop: run})
        self.check_depth(inner)
        try:
            place, results = self.flow(inner, loop.head, None, Stop(loop.head, loop))
        except Halted:
            place, results = HALT, []
        left = plan.leaving[loop] if place not in (loop.head, HALT) else []
        left = [value for value in left if value in inner.local]
        results = [*results, *(inner.local[value] for value in left)]
        types = [*types_at(plan, place), *(value.type for value in left)]
        record.reusable = record.reusable and not run.forced and not left
        found, changes = record.finish(results, types, place)
        values = site.take(record, found, changes, results, types)
        memo.add(found)
        count = len(values) - len(left)
        scope.local.update(zip(left, values[count:], strict=True))
        return going_on(found, values[:count])

    def check_depth(self, scope: Scope) -> None:
        """Refuse a piece that is nested too deep."""
        if scope.depth > MAX_DEPTH:
            raise Refusal(f"calls, loops and branches are nested more than {MAX_DEPTH} deep")

    # -- measurement results

    def branch(self, scope: Scope, place: int, op: Op) -> Way:
        """Go both ways, of which the dearer one counts, or stay in a loop until it is over."""
        self.branched = True
        loop, stay = leaving(scope.plan, place, op)
        if loop is not None and scope.plan.blocks[loop.head] in self.cut:
            return self.arrive(scope, op.targets[self.forced(scope, loop, stay, op)])
        if scope.depth >= MAX_DEPTH:
            raise Endless(scope.plan, loop, op)
        if scope.record.whole:
            raise Refusal(
                "a measurement result decides what is done in a reversible segment or control "
                "region, or beside one",
                help="put the segment, or what is decided, into a subroutine of its own",
                loc=op.loc,
            )
        scope.record.close()
        sides: list[Summary] = []
        failed: Failed | None = None
        for target in op.targets:
            mark = self.world.begin_trial()
            try:
                sides.append(self.side(scope, place, target))
            except Failed as problem:
                failed = problem
                scope.record.reusable = False  # what made it fail is not noted
            finally:
                self.world.take_back(mark)
        if not sides:
            assert failed is not None
            raise failed
        return join(scope, sides)

    def side(self, scope: Scope, place: int, target: Target) -> Summary:
        """One side of a branch, up to where both meet."""
        record = Record(self.world)
        inner = Scope(scope.plan, record, {}, scope, scope.depth + 1, dict(scope.loops))
        to, args = self.arrive(inner, target)
        stop = Stop(scope.plan.meeting[place])
        try:
            if not stop.reached(scope.plan, to):
                to, args = self.flow(inner, to, args, stop, place)
        except Halted:
            to, args = HALT, []
        return record.finish(args, types_at(scope.plan, to), to)[0]

    def forced(self, scope: Scope, loop: Loop, stay: int, op: Op) -> int:
        """Which way a branch goes to stay in a loop for so many iterations, and leave it then."""
        assert self.max_iterations is not None
        run, plan = scope.loops[loop], scope.plan
        if scope.outer is not None and scope.outer.loops.get(loop) is run:
            raise Refusal(
                "a measurement result may end a loop of very many iterations",
                help=f"the loop must be over after {LOOP_STEPS} operations",
                loc=op.loc,
            )
        run.forced = True
        scope.record.reusable = False
        late = plan.returns_at_once(loop, plan.place[op.targets[stay].block])
        if run.visits <= self.max_iterations - late:
            return stay
        self.forget(scope, loop, run)
        return 1 - stay

    def forget(self, scope: Scope, loop: Loop, run: LoopRun) -> None:
        """Nothing is known of what a loop has changed: it may have been left before."""
        record = scope.record
        for cell, step in record.written.items():
            if step >= run.start and cell not in (NEXT_SLOT, NEXT_ADDRESS):
                record.write(cell, UNKNOWN)
        for at in range(loop.head, loop.end):
            for value, _ in scope.plan.gives[at]:
                if value.type is not Type.QUBIT:
                    scope.local[value] = UNKNOWN
