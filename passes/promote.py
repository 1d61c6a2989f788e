"""promote: Program -> Program.  Makes SSA values of the memory that variables live in.

    ^bb0:                                          ^bb0:
      "qw.store_i64"(%0, %r0)                        "qw.br"(%0)[^bb1]
      "qw.br"()[^bb1]
    ^bb1:                                          ^bb1(%i : i64):
      %i = "qw.load_i64"(%r0)                =>
      %j = "qw.addi"(%i, %1)                         %j = "qw.addi"(%i, %1)
      "qw.store_i64"(%j, %r0)
      "qw.cond_br"(%more)[^bb1, ^bb2]                "qw.cond_br"(%more, %j)[^bb1, ^bb2]

A cell of memory is promoted where nothing but loads and stores of one type in one function can get
at it, and where each load surely comes after a store: what reads before it writes is left to fail.
Such a cell is either at a constant address of a space of variables, where nothing has a computed
address, or allocated, and its address only used to load and store.

Block arguments that nothing uses, or that are the same value whichever way a block is reached, go
as well.  A function of one block without such cells stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

from qwasmc.ir.program import Block, Function, Op, Program, Target, Value
from qwasmc.ops import Type
from qwasmc.passes.arguments import renamed, simplify
from qwasmc.passes.dominance import frontiers, immediate_dominators

SPACES = frozenset({"register", "clbit", "var", "result"})
"""Spaces whose constant addresses name variables; fresh addresses are others."""

LOADS = {"load_i1": Type.I1, "load_i64": Type.I64, "load_f64": Type.F64}
STORES = {"store_i1": Type.I1, "store_i64": Type.I64, "store_f64": Type.F64}

FRONTIER = 256
"""Nodes of a frontier, on average, above which a function keeps its memory.

Only hundreds of loops around each other get there.
"""

Cell = tuple[str, int] | Value
"""A space and a constant address, or the address that an `allocate` makes."""


def promote(program: Program) -> Program:
    """The program with variables as SSA values instead of memory."""
    if not any(_concerns(function) for function in program.functions):
        return program
    called = {function.name: _callees(function) for function in program.functions}
    running = _reached(called, "main")
    accesses = {f.name: _accesses(f) for f in program.functions if f.name in running}
    private = _private(accesses, _repeating(called))
    functions = [
        _promoted(function, accesses[function.name], private[function.name])
        if function.name in running and _concerns(function)
        else function
        for function in program.functions
    ]
    return replace(program, functions=functions)


def _concerns(function: Function) -> bool:
    """Whether there may be anything to do."""
    if len(function.blocks) > 1:
        return True
    return any(
        op.spec.name in LOADS or op.spec.name in STORES
        for block in function.blocks
        for op in block.ops
    )


# -- which functions get at which cells ------------------------------------------------------------


@dataclass(slots=True)
class _Accesses:
    """Where a function gets at memory.

    `cells` are those at known addresses, by the op that gets at them (`allocate` ends what a cell
    held); `types` what they hold; `computed` the spaces in which any address may be meant.
    """

    cells: dict[Op, Cell] = field(default_factory=dict)
    types: dict[Cell, set[Type]] = field(default_factory=dict)
    computed: set[str] = field(default_factory=set)


def _callees(function: Function) -> list[str]:
    return [
        str((op.attrs or {})["callee"])
        for block in function.blocks
        for op in block.ops
        if op.spec.name == "call"
    ]


def _reached(called: Mapping[str, Sequence[str]], start: str) -> set[str]:
    """The functions that one may call, directly or not, and itself."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += called.get(name, ())
    return found


def _repeating(called: Mapping[str, Sequence[str]]) -> set[str]:
    """The functions that may run again before they have returned, or lie between such."""
    calling: dict[str, list[str]] = {name: [] for name in called}
    for name, callees in called.items():
        for callee in callees:
            calling.setdefault(callee, []).append(name)
    return _in_circles(called) & _in_circles(calling)


def _in_circles(edges: Mapping[str, Sequence[str]]) -> set[str]:
    """The nodes that are left when those without edges to them go, again and again."""
    incoming = dict.fromkeys(edges, 0)
    for targets in edges.values():
        for target in targets:
            incoming[target] = incoming.get(target, 0) + 1
    free = [name for name, count in incoming.items() if not count]
    left = set(incoming) - set(free)
    while free:
        for target in edges.get(free.pop(), ()):
            incoming[target] -= 1
            if not incoming[target]:
                free.append(target)
                left.remove(target)
    return left


def _accesses(function: Function) -> _Accesses:
    ops = [op for block in function.blocks for op in block.ops]
    constants, allocated = _addresses(ops)
    escaped = _escaped(ops, allocated)
    found = _Accesses()
    for op in ops:
        name = op.spec.name
        type = LOADS.get(name) or STORES.get(name)
        if type is None:
            continue
        assert op.attrs is not None
        address, space = op.operands[-1], str(op.attrs["space"])
        if address in allocated and address not in escaped:
            cell: Cell = address
        elif address in constants and space in SPACES:
            cell = space, constants[address]
        else:
            found.computed.add(space)
            continue
        found.cells[op] = cell
        found.types.setdefault(cell, set()).add(type)
    for address, op in allocated.items():
        if address in found.types:
            found.cells[op] = address
    return found


def _addresses(ops: Iterable[Op]) -> tuple[dict[Value, int], dict[Value, Op]]:
    """The constant integers, and the addresses of memory of constant size."""
    constants: dict[Value, int] = {}
    sizes: dict[Op, Value] = {}
    for op in ops:
        if op.spec.name == "const_i64":
            assert op.attrs is not None
            constants[op.results[0]] = int(op.attrs["int"])
        elif op.spec.name == "allocate":
            sizes[op] = op.operands[0]
    allocated = {op.results[0]: op for op, size in sizes.items() if constants.get(size, 0) > 0}
    return constants, allocated


def _escaped(ops: Iterable[Op], allocated: Mapping[Value, Op]) -> set[Value]:
    """The allocated addresses with another use than to load and store in their space."""
    found: set[Value] = set()
    if not allocated:
        return found
    for op in ops:
        name = op.spec.name
        used = [value for value in op.operands if value in allocated]
        if used and (name in LOADS or name in STORES) and op.operands[-1] is used[-1]:
            space = (op.attrs or {})["space"]
            if (allocated[used[-1]].attrs or {})["space"] == space:
                used.pop()
        found.update(used)
        for target in op.targets:
            found.update(value for value in target.args if value in allocated)
    return found


def _private(accesses: Mapping[str, _Accesses], repeating: set[str]) -> dict[str, list[Cell]]:
    """By function, the cells of one type that nothing else gets at while it runs."""
    users: dict[Cell, int] = {}
    computed: set[str] = set()
    for found in accesses.values():
        computed |= found.computed
        for cell in found.types:
            users[cell] = users.get(cell, 0) + 1

    def is_private(name: str, cell: Cell) -> bool:
        if isinstance(cell, Value):
            return True
        return users[cell] == 1 and cell[0] not in computed and name not in repeating

    return {
        name: [c for c, types in found.types.items() if len(types) == 1 and is_private(name, c)]
        for name, found in accesses.items()
    }


# -- what a load finds -----------------------------------------------------------------------------


class _Join:
    """A cell at the start of a block, where ways with different stores meet."""

    __slots__ = ("unwritten", "value")

    def __init__(self, type: Type) -> None:
        self.value = Value(type)
        self.unwritten = False
        """Whether there is a way here without a store."""


_Found = Op | _Join | None
"""What a cell holds: what a store put there, what came in from other blocks, or nothing."""


def _promoted(function: Function, accesses: _Accesses, cells: Sequence[Cell]) -> Function:
    """The function without those of the cells that are written before they are read."""
    search = _Search(function, accesses, cells)
    if not search.run():
        return simplify(function)
    return simplify(Function(function.name, _rewritten(search), function.results))


class _Search:
    """Finds what each load of some cells finds there, in a walk from dominating blocks down."""

    def __init__(self, function: Function, accesses: _Accesses, cells: Sequence[Cell]) -> None:
        self.blocks = function.blocks
        self.cells = {cell: next(iter(accesses.types[cell])) for cell in cells}
        self.cell_of = {op: cell for op, cell in accesses.cells.items() if cell in self.cells}
        number = {block: index for index, block in enumerate(self.blocks)}
        self.after = [
            [number[target.block] for target in block.ops[-1].targets] for block in self.blocks
        ]
        self.dominators = immediate_dominators(self.after)
        self.joins: list[dict[Cell, _Join]] = [{} for _ in self.blocks]
        self.found: dict[Op, _Found] = {}
        """By load; those of dominating blocks come first."""
        self.passed: dict[int, list[list[_Found]]] = {}
        """By block, what it passes on to the joins of each of its targets."""

    def run(self) -> bool:
        """Find everything; False if the function is too tangled."""
        limit = FRONTIER * len(self.blocks)
        edges = frontiers(self.after, self.dominators, limit)
        if edges is None:
            return False
        self._place(edges)
        self._walk()
        self._spread()
        for op, found in self.found.items():
            if found is None or (isinstance(found, _Join) and found.unwritten):
                self.cells.pop(self.cell_of[op], None)
        return True

    def _place(self, edges: Mapping[int, Sequence[int]]) -> None:
        """Make the joins of cells: where stores meet, and so on where joins do."""
        written, exposed = self._uses()
        for cell, type in self.cells.items():
            waiting = list(written.get(cell, ())) if cell in exposed else []
            while waiting:
                for block in edges.get(waiting.pop(), ()):
                    if cell not in self.joins[block]:
                        self.joins[block][cell] = _Join(type)
                        waiting.append(block)

    def _uses(self) -> tuple[dict[Cell, dict[int, None]], set[Cell]]:
        """The blocks that write each cell, and the cells read in blocks that have not written."""
        written: dict[Cell, dict[int, None]] = {}
        exposed: set[Cell] = set()
        for number in self.dominators:
            for op in self.blocks[number].ops:
                cell = self.cell_of.get(op)
                if cell is None:
                    continue
                blocks = written.setdefault(cell, {})
                if op.spec.name not in LOADS:
                    blocks[number] = None
                elif number not in blocks:
                    exposed.add(cell)
        return written, exposed

    def _walk(self) -> None:
        below: dict[int, list[int]] = {}
        for block, dominator in self.dominators.items():
            below.setdefault(dominator, []).append(block)
        current: dict[Cell, _Found] = {}
        changed: list[tuple[Cell, _Found]] = []
        # A number enters a block; what follows it on the stack is to be undone after it.
        stack: list[tuple[int, int]] = [(0, 0)]
        while stack:
            number, undo = stack.pop()
            while len(changed) > undo:
                cell, before = changed.pop()
                current[cell] = before
            self._block(number, current, changed)
            stack += [(lower, len(changed)) for lower in below.get(number, ())]

    def _block(
        self, number: int, current: dict[Cell, _Found], changed: list[tuple[Cell, _Found]]
    ) -> None:
        """Go through a block; `changed` gets what cells held before."""
        cell: Cell | None
        for cell, join in self.joins[number].items():
            changed.append((cell, current.get(cell)))
            current[cell] = join
        for op in self.blocks[number].ops:
            cell = self.cell_of.get(op)
            if cell is None:
                continue
            if op.spec.name in LOADS:
                self.found[op] = current.get(cell)
            else:
                changed.append((cell, current.get(cell)))
                current[cell] = op if op.spec.name in STORES else None
        self.passed[number] = [
            [current.get(cell) for cell in self.joins[after]] for after in self.after[number]
        ]

    def _spread(self) -> None:
        """Mark the joins of cells that may not have been written."""
        leading: dict[_Join, list[_Join]] = {}
        waiting: list[_Join] = []
        for number, passed in self.passed.items():
            for after, values in zip(self.after[number], passed, strict=True):
                for join, found in zip(self.joins[after].values(), values, strict=True):
                    if found is None:
                        waiting.append(join)
                    elif isinstance(found, _Join):
                        leading.setdefault(found, []).append(join)
        while waiting:
            join = waiting.pop()
            if not join.unwritten:
                join.unwritten = True
                waiting += leading.get(join, ())


# -- the function without loads and stores ---------------------------------------------------------


def _rewritten(search: _Search) -> list[Block]:
    """The blocks that can be reached, with arguments for the joins of the cells that are left."""
    values: dict[Value, Value] = {}
    for op, found in search.found.items():
        if search.cell_of[op] in search.cells:
            values[op.results[0]] = _value(found, values)
    # Not for those of other cells, nor for those whose value nothing reads.
    kept = [
        [cell in search.cells and not join.unwritten for cell, join in joins.items()]
        for joins in search.joins
    ]
    new: dict[Block, Block] = {}
    for number in sorted(search.dominators):
        block = search.blocks[number]
        joins = compress(search.joins[number].values(), kept[number])
        new[block] = Block([*block.args, *(join.value for join in joins)])
    for number in sorted(search.dominators):
        block = search.blocks[number]
        *ops, last = block.ops
        for op in ops:
            if search.cell_of.get(op) not in search.cells:
                new[block].ops.append(renamed(op, values))
        targets = tuple(
            _target(new[target.block], target, compress(passed, kept[after]), values)
            for target, after, passed in zip(
                last.targets, search.after[number], search.passed[number], strict=True
            )
        )
        new[block].ops.append(renamed(last, values, targets))
    return list(new.values())


def _target(
    block: Block, target: Target, more: Iterable[_Found], values: Mapping[Value, Value]
) -> Target:
    """The target in the new function, which passes on what more cells hold."""
    args = [values.get(value, value) for value in target.args]
    return Target(block, (*args, *(_value(found, values) for found in more)))


def _value(found: _Found, values: Mapping[Value, Value]) -> Value:
    """What a cell holds, as a value of the new function."""
    assert found is not None
    value = found.operands[0] if isinstance(found, Op) else found.value
    return values.get(value, value)
