"""Function -> graph of nodes with statements: no values, slots or arguments any more.

^bb1(%i: i64):                            node 1:
  %q = extract 0                            h 0
  %r = h %q                                 measure 0 -> m
  %s, %m = measure_z %r                     if m: i = i + 1, node 1
  insert %s, 0                              else: node 2
  %j = addi %i, 1
  cond_br %m, ^bb1(%j), ^bb2
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.constants import constants
from qwasmc.backends.structured.graph import Node, Way, components
from qwasmc.backends.structured.operations import add, operation
from qwasmc.backends.structured.slots import qubits
from qwasmc.backends.structured.tidy import renamed
from qwasmc.backends.structured.tree import (
    FALSE,
    TRUE,
    Assign,
    Constant,
    Expression,
    If,
    Read,
    Reset,
    Result,
    Statement,
    Variable,
    reads,
)
from qwasmc.backends.structured.values import Values, needed
from qwasmc.diagnostics import Locations
from qwasmc.ir.program import Block, Function, Op, Target
from qwasmc.ops import Type

Cell = tuple[str, int]
"""A space of memory and an address."""

SILENT = frozenset({"pragma", "syndrome", "require", "rev_begin", "rev_end", "return", "halt"})
"""Operations without a statement of their own."""

RESULTS = {"result": "bit", "result_i64": "int", "result_int": "int"}


class Nodes:
    """The graph of a function without calls; node 0 is where it begins.

    `results` are those that the program may record, by the variable that keeps them.
    Raises CompileError for what statements cannot say.
    """

    def __init__(self, function: Function, locations: Locations) -> None:
        self.locations = locations
        self.constants = constants(function)
        self.blocks = [block for block in function.blocks if block in self.constants.reached]
        self.number = {block: at for at, block in enumerate(self.blocks)}
        self.looping = self._looping()
        order = self._in_order()
        self.qubits = qubits(order, self.constants, self.looping, locations)
        loaded = {self.cell(op, 0) for op in self._all_ops() if op.name.startswith("load_")}
        stores = [op for op in self._all_ops() if op.name.startswith("store_")]
        self.idle = {op for op in stores if self.cell(op, 1) not in loaded}
        self.uses = needed(self.blocks, self.constants, self.idle)
        self.values = Values(self.constants, self.uses)
        self.ways = Counter(t.block for b in self.blocks for t in self.constants.targets(b.ops[-1]))
        """By block, how many ways lead to it."""
        self.memory: dict[Cell, Variable] = {}
        self.results: dict[Variable, Result] = {}
        self.nodes = [Node() for _ in self.blocks]
        for block in order:
            self._fill(self.nodes[self.number[block]], block)

    def _all_ops(self) -> Iterable[Op]:
        return (op for block in self.blocks for op in block.ops)

    def successors(self, at: int) -> list[int]:
        """The numbers of the blocks that a block may lead to."""
        targets = self.constants.targets(self.blocks[at].ops[-1])
        return [self.number[target.block] for target in targets]

    def _looping(self) -> set[Block]:
        """The blocks that may run more than once."""
        looping: set[Block] = set()
        for component in components(range(len(self.blocks)), self.successors):
            if len(component) > 1 or component[0] in self.successors(component[0]):
                looping.update(self.blocks[at] for at in component)
        return looping

    def _in_order(self) -> list[Block]:
        """The blocks so that values are defined before they are used: each after one before it."""
        found = {0: None}
        todo = [0]
        order: list[int] = []
        iterators = {0: iter(self.successors(0))}
        while todo:
            following = next((s for s in iterators[todo[-1]] if s not in found), -1)
            if following < 0:
                order.append(todo.pop())
            else:
                found[following] = None
                iterators[following] = iter(self.successors(following))
                todo.append(following)
        return [self.blocks[at] for at in reversed(order)]

    # -- operations

    def _fill(self, node: Node, block: Block) -> None:
        for op in block.ops[:-1]:
            self._step(node.body, op, block in self.looping)
        last = block.ops[-1]
        node.loc = last.loc
        if last.name == "fail":
            message = "a run that fails cannot be said here"
            raise refusal(self.locations, message, last.loc, "`--emit circuit` has a result for it")
        targets = self.constants.targets(last)
        node.ways = [Way(self.number[t.block], self._passed(t, last.loc)) for t in targets]
        if len(targets) == 2:
            node.condition = self.values[last.operands[0]]

    def _step(self, body: list[Statement], op: Op, again: bool) -> None:
        name = op.name
        if name in RESULTS:
            self._result(body, op)
        elif name in ("result_f64", "result_float"):
            message = f"the result '{(op.attrs or {})['name']}' is a floating-point number"
            help = "results of this output are bits and integers; `--emit circuit` has its bits"
            raise refusal(self.locations, message, op.loc, help)
        elif name in ("alloc", "input"):
            if op in self.qubits.renewed:
                body.append(Reset(self.qubits.number[op.results[0]], op.loc))
        elif name in SILENT or name in ("extract", "insert", "free", "output", "slot", "allocate"):
            return
        elif op.spec.is_marker:
            message = f"'{name}' has no meaning in a circuit of gates"
            raise refusal(self.locations, message, op.loc, "the pass 'uncompute' resolves it")
        elif op.spec.qubits:
            self._act(body, op, again)
        elif name.startswith("store_"):
            if op not in self.idle:
                variable = self._cell_variable(op, 1, op.operands[0].type)
                body.append(Assign(variable, self.values[op.operands[0]], op.loc))
        elif op.results[0] in self.uses:
            self._value(body, op)

    def _act(self, body: list[Statement], op: Op, again: bool) -> None:
        """An operation on qubits; if it runs again, its bit may not be 0 before."""
        attrs = op.attrs or {}
        angle: Expression | None = None
        if op.spec.angle:
            computed = [value for value in op.operands if value.type is Type.F64]
            angle = Constant(float(attrs.get("angle", 0.0)), Type.F64)
            if computed:
                angle = self.values[computed[0]]
        condition = self.values[op.cond] if op.cond is not None else None
        if condition == FALSE:
            if op.spec.makes_bit:
                self.values.set(op.results[-1], FALSE)
            return
        into = self.values.variable(op.results[-1]) if op.spec.makes_bit else None
        made = operation(
            op.spec,
            [self.qubits.number[value] for value in op.operands if value.type is Type.QUBIT],
            angle=angle,
            paulis=str(attrs.get("paulis", "")),
            into=into,
            loc=op.loc,
        )
        if condition == TRUE:
            condition = None
        if condition is not None and into is not None and again:
            body.append(Assign(into, FALSE, op.loc))
        add(body, condition, made)

    def _value(self, body: list[Statement], op: Op) -> None:
        """An operation on values that is needed."""
        result = op.results[0]
        if op.name.startswith("load_"):
            memory = self._cell_variable(op, 0, result.type)
            body.append(Assign(self.values.variable(result), Read(memory), op.loc))
        elif op.name.startswith("select_"):
            bit, one, other = [self.values[operand] for operand in op.operands]
            variable = self.values.variable(result)
            body.append(
                If(
                    bit,
                    [Assign(variable, one, op.loc)],
                    [Assign(variable, other, op.loc)],
                    op.loc,
                )
            )
        else:
            kept = self.values.define(op)
            if kept is not None:
                body.append(Assign(*kept, op.loc))

    def _result(self, body: list[Statement], op: Op) -> None:
        name, kind = str((op.attrs or {})["name"]), RESULTS[op.name]
        variables = [Variable(value.type, name) for value in op.operands]
        made = Result(name, kind, variables)
        self.results.update(dict.fromkeys(variables, made))
        for variable, value in zip(variables, op.operands, strict=True):
            body.append(Assign(variable, self.values[value], op.loc))

    # -- memory

    def cell(self, op: Op, at: int) -> Cell:
        """The cell that an operation loads or stores, by its operand `at`."""
        address = op.operands[at]
        if address not in self.constants.values:
            message = "an address in memory is computed when the program runs"
            raise refusal(self.locations, message, op.loc, "-O1 unrolls loops that can be")
        return str((op.attrs or {})["space"]), int(self.constants.values[address])

    def _cell_variable(self, op: Op, at: int, type: Type) -> Variable:
        cell = self.cell(op, at)
        space, _ = cell
        variable = self.memory.setdefault(cell, Variable(type, space))
        if variable.type is not type:
            message = f"a cell of {space} holds values of two types"
            raise refusal(self.locations, message, op.loc)
        return variable

    # -- arguments

    def _passed(self, target: Target, loc: int) -> list[Statement]:
        """Statements that put what is passed on into the arguments of a block."""
        copies: dict[Variable, Expression] = {}
        for argument, value in zip(target.block.args, target.args, strict=True):
            if argument not in self.uses or argument in self.constants.values:
                continue
            if self.ways[target.block] > 1 or not self.values.alias(argument, value):
                copies[self.values.variable(argument)] = self.values[value]
        return [Assign(variable, value, loc) for variable, value in in_order(copies)]


def in_order(copies: dict[Variable, Expression]) -> list[tuple[Variable, Expression]]:
    """Assignments that happen at once, as some that happen one after the other."""
    todo = {
        variable: value
        for variable, value in copies.items()
        if not (isinstance(value, Read) and value.variable is variable)
    }
    readers: dict[Variable, set[Variable]] = {variable: set() for variable in todo}
    for variable, value in todo.items():
        for read in reads(value):
            if read in readers and read is not variable:
                readers[read].add(variable)
    found: list[tuple[Variable, Expression]] = []
    ready = [variable for variable in todo if not readers[variable]]
    while todo:
        if not ready:  # a circle: keep what the first of them holds
            first = next(iter(todo))
            kept = Variable(first.type)
            found.append((kept, Read(first)))
            todo = {variable: renamed(value, {first: kept}) for variable, value in todo.items()}
            readers[first].clear()
            ready = [first]
        variable = ready.pop()
        value = todo.pop(variable)
        found.append((variable, value))
        for read in dict.fromkeys(reads(value)):
            if read in todo and variable in readers[read]:
                readers[read].discard(variable)
                if not readers[read]:
                    ready.append(read)
    return found
