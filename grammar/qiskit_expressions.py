"""Classical expressions of Qiskit circuits, and the conditions of its older kind.

    expr.less(x, 5)       %x = "qw.load_i64"(%0) {space = "var"}; %b = "qw.cmpi"(%x, %5) ...
    (creg, 2)             %b = "qw.and"(%not_c0, %c1)

What is made of bits alone is computed bit by bit, so that registers may have any width.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from qwasmc.grammar.evaluator import LineError
from qwasmc.grammar.qiskit_cells import Cell, Cells, clbit_cell, type_of
from qwasmc.ir.program import Value
from qwasmc.ops import Type
from qwasmc.scalars import WORD, signed

Bits: TypeAlias = "Mapping[Clbit, int]"
"""The numbers of the clbits that a circuit sees."""

_OP = expr.Binary.Op

BITWISE = {_OP.BIT_AND: "andi", _OP.BIT_OR: "ori", _OP.BIT_XOR: "xori"}

LOGICAL = {
    **{_OP.LOGIC_AND: "and", _OP.BIT_AND: "and"},
    **{_OP.LOGIC_OR: "or", _OP.BIT_OR: "or"},
    _OP.BIT_XOR: "xor",
}

ARITHMETIC = {_OP.ADD: "add", _OP.SUB: "sub", _OP.MUL: "mul", _OP.DIV: "div"}

SHIFTS = {_OP.SHIFT_LEFT: "shli", _OP.SHIFT_RIGHT: "shrui"}

RELATIONS = {
    _OP.EQUAL: ("eq", "oeq"),
    _OP.NOT_EQUAL: ("ne", "une"),
    _OP.LESS: ("ult", "olt"),
    _OP.LESS_EQUAL: ("ule", "ole"),
    _OP.GREATER: ("ugt", "ogt"),
    _OP.GREATER_EQUAL: ("uge", "oge"),
}
"""By relation, the predicates of `cmpi` and `cmpf`."""


class Expressions:
    """Writes the operations that compute expressions.

    `bits` are the clbits in sight, `written` the numbers of those that are not always 0.
    """

    def __init__(self, cells: Cells, written: Collection[int]) -> None:
        self.cells = cells
        self.written = written
        self.build = cells.build
        self.bits: Bits = {}
        self._guard: Value | None = None
        """Where this is 0, the value that is being computed is not asked for."""

    # -- conditions

    def condition(self, condition: Any) -> Value:
        """Whether a condition holds: a clbit or register and its value, or an expression."""
        if isinstance(condition, expr.Expr):
            return self.bit(condition)
        target, value = condition
        return self.equals(self.register(target), int(value))

    def register(self, target: Clbit | ClassicalRegister) -> list[Value]:
        """The bits of a register or clbit."""
        clbits = [target] if isinstance(target, Clbit) else target
        return [self.clbit(clbit) for clbit in clbits]

    def clbit(self, clbit: Clbit) -> Value:
        """A clbit."""
        number = self.bits[clbit]
        return self.cells.read(clbit_cell(number)) if number in self.written else self.build.i1(0)

    def equals(self, bits: Sequence[Value], number: int) -> Value:
        """Whether bits, the least significant one first, spell a number."""
        if number < 0 or number >> len(bits):
            return self.build.i1(0)
        agree = [bit if number >> at & 1 else self.build.not_(bit) for at, bit in enumerate(bits)]
        return agree[0] if len(agree) == 1 else self.build.op("and", agree)

    def matcher(self, target: Any) -> Callable[[int], Value]:
        """Whether a clbit, a register or an expression is a number, for any number."""
        if isinstance(target, expr.Expr) and not _is_wide(target):
            value, width = self.integer(target), target.type.width
            return lambda number: (
                self._is(value, number) if number < 1 << width else self.build.i1(0)
            )
        bits = self._wide(target) if isinstance(target, expr.Expr) else self.register(target)
        return lambda number: self.equals(bits, number)

    def as_variable(self, var: expr.Var, value: Value) -> tuple[Cell, Value]:
        """The cell of an integer variable, and the value that it has room for."""
        return self.cells.variable(var), self._masked(value, var.type.width)

    # -- expressions

    def value(self, node: expr.Expr) -> Value:
        """The value of an expression."""
        kind = type_of(node.type)
        return {Type.I1: self.bit, Type.I64: self.integer, Type.F64: self.number}[kind](node)

    def bit(self, node: expr.Expr) -> Value:
        """The value of a Boolean expression."""
        match node:
            case expr.Var():
                return self.clbit(node.var) if isinstance(node.var, Clbit) else self._variable(node)
            case expr.Value():
                return self.build.i1(int(node.value))
            case expr.Cast():
                return self._truth(node.operand)
            case expr.Unary():
                return self.build.not_(self._truth(node.operand))
            case expr.Index():
                return self._element(node)
            case expr.Binary() if node.op in RELATIONS:
                return self._relation(node)
            case expr.Binary():
                return self._logical(node)
        raise _unknown(node)

    def integer(self, node: expr.Expr) -> Value:
        """The value of an expression of unsigned integers."""
        type_of(node.type)
        match node:
            case expr.Var() if isinstance(node.var, ClassicalRegister):
                return self._packed(self.register(node.var))
            case expr.Var():
                return self._variable(node)
            case expr.Value():
                return self.build.i64(signed(node.value))
            case expr.Cast():
                return self._masked(self._as_integer(node.operand), node.type.width)
            case expr.Unary():
                ones = self.build.i64(signed((1 << node.type.width) - 1))
                return self.build.op("xori", [self.integer(node.operand), ones])
            case expr.Binary() if node.op in BITWISE:
                return self.build.op(BITWISE[node.op], self._both(node))
            case expr.Binary() if node.op in SHIFTS:
                shifted = self.build.op(SHIFTS[node.op], self._both(node))
                return self._masked(shifted, node.type.width)
            case expr.Binary():
                return self._masked(self._arithmetic(node), node.type.width)
        raise _unknown(node)

    def number(self, node: expr.Expr) -> Value:
        """The value of an expression of floating-point numbers."""
        match node:
            case expr.Var():
                return self._variable(node)
            case expr.Value():
                return self.build.f64(float(node.value))
            case expr.Cast():
                return self._as_number(node.operand)
            case expr.Unary():
                return self.build.op("mulf", [self.number(node.operand), self.build.f64(-1.0)])
            case expr.Binary() if type_of(node.left.type) is type_of(node.right.type):
                operands = [self.number(node.left), self.number(node.right)]
                return self.build.op(f"{ARITHMETIC[node.op]}f", operands)
        raise _unknown(node)

    # -- parts of expressions

    def _variable(self, node: expr.Var) -> Value:
        return self.cells.read(self.cells.variable(node))

    def _truth(self, node: expr.Expr) -> Value:
        """Whether a value is not 0."""
        if isinstance(node, expr.Var) and isinstance(node.var, ClassicalRegister):
            return self.build.not_(self.equals(self.register(node.var), 0))
        value = self.value(node)
        if value.type is Type.I1:
            return value
        if value.type is Type.I64:
            return self._compared("cmpi", "ne", [value, self.build.i64(0)])
        return self._compared("cmpf", "une", [value, self.build.f64(0.0)])

    def _as_integer(self, node: expr.Expr) -> Value:
        value = self.value(node)
        if value.type is Type.I64:
            return value
        return self.build.op("extui" if value.type is Type.I1 else "fptoui", [value])

    def _as_number(self, node: expr.Expr) -> Value:
        value = self.value(node)
        if value.type is Type.F64:
            return value
        if value.type is Type.I1:
            value = self.build.op("extui", [value])
        return self.build.op("uitofp", [value])

    def _both(self, node: expr.Binary) -> list[Value]:
        return [self.integer(node.left), self.integer(node.right)]

    def _masked(self, value: Value, width: int) -> Value:
        """The lowest bits of an integer."""
        if width >= WORD:
            return value
        return self.build.op("andi", [value, self.build.i64((1 << width) - 1)])

    def _packed(self, bits: Sequence[Value]) -> Value:
        """Bits, the least significant one first, as an integer."""
        total = self.build.i64(0)
        for at, bit in enumerate(bits):
            number = self.build.op("extui", [bit])
            if at:
                number = self.build.op("shli", [number, self.build.i64(at)])
            total = self.build.op("ori", [total, number]) if at else number
        return total

    def _arithmetic(self, node: expr.Binary) -> Value:
        if node.op is not _OP.DIV:
            return self.build.op(f"{ARITHMETIC[node.op]}i", self._both(node))
        left, right = self._both(node)
        for asked in (self._guard, self.cells.predicate):
            if asked is not None:  # what is not asked for may be divided by 0
                right = self.build.op("select_i64", [asked, right, self.build.i64(1)])
        return self.build.op("divui", [left, right])

    def _logical(self, node: expr.Binary) -> Value:
        name = LOGICAL[node.op]
        left = self._truth(node.left)
        if node.op is _OP.LOGIC_AND:
            right = self._guarded(left, node.right)
        elif node.op is _OP.LOGIC_OR:
            right = self._guarded(self.build.not_(left), node.right)
        else:
            right = self._truth(node.right)
        return self.build.or_(left, right) if name == "or" else self.build.op(name, [left, right])

    def _guarded(self, guard: Value, node: expr.Expr) -> Value:
        """A truth that only counts where the guard is 1."""
        outer = self._guard
        self._guard = guard if outer is None else self.build.op("and", [outer, guard])
        found = self._truth(node)
        self._guard = outer
        return found

    def _relation(self, node: expr.Binary) -> Value:
        of_integers, of_numbers = RELATIONS[node.op]
        if node.left.type.kind is types.Float:
            operands = [self.number(node.left), self.number(node.right)]
            return self._compared("cmpf", of_numbers, operands)
        if node.op in (_OP.EQUAL, _OP.NOT_EQUAL) and _is_wide(node.left) and _is_wide(node.right):
            same = self._agreement(self._wide(node.left), self._wide(node.right))
            return same if node.op is _OP.EQUAL else self.build.not_(same)
        return self._compared("cmpi", of_integers, self._both(node))

    def _compared(self, name: str, predicate: str, operands: Sequence[Value]) -> Value:
        return self.build.op(name, operands, {"predicate": predicate})

    def _agreement(self, left: Sequence[Value], right: Sequence[Value]) -> Value:
        """Whether bits agree."""
        return self.equals(
            [self.build.op("xor", pair) for pair in zip(left, right, strict=True)], 0
        )

    def _wide(self, node: expr.Expr) -> list[Value]:
        """The bits of an expression that is made of bits alone: there may be any number."""
        match node:
            case expr.Var() if isinstance(node.var, Clbit | ClassicalRegister):
                return self.register(node.var)
            case expr.Value() if node.type.kind is types.Uint:
                return [self.build.i1(node.value >> at & 1) for at in range(node.type.width)]
            case expr.Cast() if node.type.kind is types.Uint:
                width: int = node.type.width
                zeros = [self.build.i1(0)] * width
                return [*self._wide(node.operand), *zeros][:width]
            case expr.Unary() if node.op is expr.Unary.Op.BIT_NOT:
                return [self.build.not_(bit) for bit in self._wide(node.operand)]
            case expr.Binary() if node.op in BITWISE:
                pairs = zip(self._wide(node.left), self._wide(node.right), strict=True)
                return [self._bitwise(node.op, pair) for pair in pairs]
        return [self.bit(node)]

    def _bitwise(self, op: expr.Binary.Op, pair: tuple[Value, Value]) -> Value:
        name = LOGICAL[op]
        return self.build.or_(*pair) if name == "or" else self.build.op(name, pair)

    def _element(self, node: expr.Index) -> Value:
        """A bit of an integer; beyond its width they are 0."""
        if not _is_wide(node.target):
            shifted = self.build.op("shrui", [self.integer(node.target), self.integer(node.index)])
            return self.build.op("trunci", [shifted])
        bits = self._wide(node.target)
        if isinstance(node.index, expr.Value):
            at = node.index.value
            return bits[at] if at < len(bits) else self.build.i1(0)
        index = self.integer(node.index)
        chosen = [self.build.op("and", [self._is(index, at), bit]) for at, bit in enumerate(bits)]
        return self.build.op("xor", chosen)

    def _is(self, index: Value, number: int) -> Value:
        return self._compared("cmpi", "eq", [index, self.build.i64(signed(number))])

    # -- stores

    def store(self, target: expr.Expr, source: expr.Expr) -> None:
        """Put the value of an expression into what another one names."""
        match target:
            case expr.Var() if isinstance(target.var, Clbit):
                self._put(target.var, self.bit(source))
            case expr.Var() if isinstance(target.var, ClassicalRegister):
                values = self._wide(source) if _is_wide(source) else self._spread(source)
                for clbit, value in zip(target.var, values, strict=True):
                    self._put(clbit, value)
            case expr.Var():
                self.cells.write(self.cells.variable(target), self.value(source))
            case expr.Index():
                self._store_element(target, self.bit(source))
            case _:
                raise _unknown(target)

    def _spread(self, node: expr.Expr) -> list[Value]:
        """The bits of an integer."""
        value = self.integer(node)
        shifted = [
            self.build.op("shrui", [value, self.build.i64(at)]) for at in range(node.type.width)
        ]
        return [self.build.op("trunci", [bits]) for bits in shifted]

    def _put(self, clbit: Clbit, value: Value) -> None:
        self.cells.write(clbit_cell(self.bits[clbit]), value)

    def _store_element(self, target: expr.Index, value: Value) -> None:
        """Put a bit into an integer; beyond its width there is nothing to change."""
        variable, index = target.target, self.integer(target.index)
        if not isinstance(variable, expr.Var):
            raise _unknown(target)
        if isinstance(variable.var, ClassicalRegister):
            for at, clbit in enumerate(variable.var):
                chosen = [self._is(index, at), value, self.clbit(clbit)]
                self._put(clbit, self.build.op("select_i1", chosen))
            return
        one = self.build.op("shli", [self.build.i64(1), index])
        kept = self.build.op("xori", [one, self.build.i64(-1)])
        others = self.build.op("andi", [self._variable(variable), kept])
        moved = self.build.op("shli", [self.build.op("extui", [value]), index])
        changed = self.build.op("ori", [others, moved])
        cell = self.cells.variable(variable)
        self.cells.write(cell, self._masked(changed, variable.type.width))


def _is_wide(node: expr.Expr) -> bool:
    """Whether an expression is made of bits alone."""
    if node.type.kind is types.Bool:
        return True
    match node:
        case expr.Var():
            return isinstance(node.var, ClassicalRegister)
        case expr.Value():
            return node.type.kind is types.Uint
        case expr.Cast():
            return node.type.kind is types.Uint and _is_wide(node.operand)
        case expr.Unary():
            return node.op is expr.Unary.Op.BIT_NOT and _is_wide(node.operand)
        case expr.Binary():
            return node.op in BITWISE and _is_wide(node.left) and _is_wide(node.right)
    return False


def _unknown(node: expr.Expr) -> LineError:
    return LineError(f"the expression {str(node)[:120]} is not supported")
