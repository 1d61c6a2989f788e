"""Classical operations of a program as instructions of LLVM.

%k = addi %n, %one        %v1 = add i64 %a0, 1
%b = trunci %k            %v2 = and i64 %v1, 1; %v3 = icmp ne i64 %v2, 0
%x = mathf sqrt %two      (run here: QIR has no such instruction)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qwasmc.backends.qir.cells import SPACE, Cells
from qwasmc.backends.qir.dependence import Dependence
from qwasmc.backends.qir.flow import Flow
from qwasmc.backends.qir.module import FALSE, TRUE, Body, Module, double, pointer
from qwasmc.backends.qir.survey import constants, refused
from qwasmc.backends.structured.constants import scalar
from qwasmc.diagnostics import CompileError
from qwasmc.ir.program import Op, Program, Value
from qwasmc.ops import Type
from qwasmc.scalars import WORD, Scalar

TYPES = {Type.I1: "i1", Type.I64: "i64", Type.F64: "double"}

BINARY = {
    **{f"{name}i": f"{name} i64" for name in ("add", "sub", "mul", "and", "or", "xor")},
    **{"divsi": "sdiv i64", "divui": "udiv i64", "remsi": "srem i64", "remui": "urem i64"},
    **{f"{name}f": f"f{name} double" for name in ("add", "sub", "mul", "div")},
}
"""Operations that are one instruction of two operands."""

SHIFTS = {"shli": "shl", "shrsi": "ashr", "shrui": "lshr"}

NO_MEMORY = "QIR has no memory besides results"


@dataclass(slots=True)
class Shared:
    """What the functions of a program have in common."""

    program: Program
    module: Module
    flows: Mapping[str, Flow]
    names: Mapping[str, str]
    """What functions are called in LLVM assembly."""
    parameters: Mapping[str, set[int]]
    """By function, the places of its parameters that are numbers of qubits."""
    dependence: Dependence
    cells: Cells
    qubits: int
    """The first number of a qubit that is free."""
    results: int
    """The first number of a result that is free."""


class Classical:
    """Values of one function, and how operations make them."""

    def __init__(self, shared: Shared, name: str) -> None:
        self.shared, self.module = shared, shared.module
        self.flow = shared.flows[name]
        self.function = self.flow.function
        self.is_main = name == "main"
        self.body = Body("entry")
        self.here = 0
        """The number of the block being written."""
        self.names: dict[Value, str] = {}
        """Classical values as operands."""
        self.constants = constants(self.flow)
        """Integers that are known, which may be numbers of qubits."""
        self.numbers: dict[Value, float] = {}
        """Other numbers that are known."""

    def refusal(self, message: str, op: Op) -> CompileError:
        """What cannot be written."""
        return refused(self.shared.program, message, op)

    def uses(self, type: Type) -> None:
        """Note that the program computes with values of a type."""
        self.module.integers |= type is Type.I64
        self.module.floats |= type is Type.F64

    def operand(self, value: Value, op: Op) -> str:
        """A classical value as an operand of an instruction."""
        if value not in self.names:
            raise self.refusal("QIR does not compute with a number that a qubit has", op)
        return self.names[value]

    def operands(self, values: Sequence[Value], op: Op) -> list[str]:
        """Classical values as operands."""
        return [self.operand(value, op) for value in values]

    def define(self, op: Op, code: str) -> None:
        """Append the instruction that makes the value of an operation."""
        (result,) = op.results
        self.uses(result.type)
        self.names[result] = self.body.value(code)

    def _const(self, op: Op) -> None:
        self.names[op.results[0]] = TRUE if (op.attrs or {})["value"] else FALSE

    def _const_i64(self, op: Op) -> None:
        self.names[op.results[0]] = str((op.attrs or {})["int"])

    def _const_f64(self, op: Op) -> None:
        value = float((op.attrs or {})["real"])
        self.numbers[op.results[0]] = value
        self.names[op.results[0]] = double(value)

    def _xor(self, op: Op) -> None:
        bits = self.operands(op.operands, op)
        self.names[op.results[0]] = self.body.combined(op.name, bits)

    _and = _xor

    def shift(self, op: Op) -> None:
        """Shifts by 64 or more mean nothing in LLVM."""
        value, by = self.operands(op.operands, op)
        code = f"{SHIFTS[op.name]} i64 {value}, "
        if 0 <= self.constants.get(op.operands[1], -1) < WORD:
            self.define(op, code + by)
            return
        self.uses(Type.I64)
        fits = self.body.value(f"icmp ult i64 {by}, {WORD}")
        if op.name == "shrsi":
            within = self.body.value(f"select i1 {fits}, i64 {by}, i64 {WORD - 1}")
            self.define(op, code + within)
        else:
            shifted = self.body.value(code + by)
            self.define(op, f"select i1 {fits}, i64 {shifted}, i64 0")

    _shli = _shrsi = _shrui = shift

    def _extsi(self, op: Op) -> None:
        (value,) = self.operands(op.operands, op)
        by = WORD - int((op.attrs or {})["bits"])
        self.uses(Type.I64)
        shifted = self.body.value(f"shl i64 {value}, {by}")
        self.define(op, f"ashr i64 {shifted}, {by}")

    def _extui(self, op: Op) -> None:
        self.define(op, f"zext i1 {self.operand(op.operands[0], op)} to i64")

    def _trunci(self, op: Op) -> None:
        """QIR's trunc may not change the number."""
        self.uses(Type.I64)
        lowest = self.body.value(f"and i64 {self.operand(op.operands[0], op)}, 1")
        self.define(op, f"icmp ne i64 {lowest}, 0")

    def compare(self, op: Op) -> None:
        """A comparison; predicates are called what LLVM calls them."""
        a, b = self.operands(op.operands, op)
        type = op.operands[0].type
        self.uses(type)
        code = "icmp" if type is Type.I64 else "fcmp"
        self.define(op, f"{code} {(op.attrs or {})['predicate']} {TYPES[type]} {a}, {b}")

    _cmpi = _cmpf = compare

    def select(self, op: Op) -> None:
        """One of two values."""
        bit, a, b = self.operands(op.operands, op)
        type = TYPES[op.results[0].type]
        self.define(op, f"select i1 {bit}, {type} {a}, {type} {b}")

    _select_i1 = _select_i64 = _select_f64 = select

    def known(self, op: Op) -> None:
        """An operation that QIR does not have: it is run here, if its operands are known."""
        operands: list[Scalar] = [
            known[value]
            for value in op.operands
            for known in (self.constants, self.numbers)
            if value in known
        ]
        found = scalar(op, operands) if len(operands) == len(op.operands) else None
        if found is None:
            raise self.refusal(f"'{op.name}': QIR has no such operation on numbers", op)
        (result,) = op.results
        if result.type is Type.I64:
            self.constants[result] = int(found)
            self.names[result] = str(int(found))
        else:
            self.numbers[result] = float(found)
            self.names[result] = double(float(found))

    _remf = _powf = _mathf = _sitofp = _uitofp = _fptosi = _fptoui = known

    def memory(self, op: Op) -> None:
        """Memory, of which QIR has none."""
        raise self.refusal(f"'{op.name}': {NO_MEMORY}", op)

    _allocate = _load_i64 = _load_f64 = _store_i64 = _store_f64 = memory

    def _load_i1(self, op: Op) -> None:
        number = self.shared.cells.loaded.get(op)
        if number is None:
            raise self.refusal(f"'{op.name}': {NO_MEMORY}", op)
        self.define(op, self.module.runtime("read_result", pointer(number)))

    def _store_i1(self, op: Op) -> None:
        if (op.attrs or {})["space"] != SPACE:
            raise self.refusal(f"'{op.name}': {NO_MEMORY}", op)
