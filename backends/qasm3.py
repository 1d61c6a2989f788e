"""Programs as text in OpenQASM 3.

    OPENQASM 3.0;
    include "stdgates.inc";
    qubit a;
    qubit b;
    bit m;
    m = measure a;
    if (m) {
      x b;
    }

Qiskit's importer reads what has no variables but bits that are measured, and conditions that are
conjunctions of bits.  In other programs results are declared as `output`; QDK reads both.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from qwasmc.backends.qasm3_expressions import Expressions
from qwasmc.backends.structured.listing import listing
from qwasmc.backends.structured.names import Group, Names
from qwasmc.backends.structured.tree import (
    Apply,
    Assign,
    Barrier,
    Constant,
    Expression,
    For,
    Gate,
    If,
    Listing,
    Measure,
    Read,
    Reset,
    Statement,
    Variable,
    While,
    expressions,
    reads,
    variables,
    walk,
    write_counts,
    written,
)
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ops import Type

HEADER = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'

GATES = """
U CX phase cphase id u1 u2 u3 p x y z h s sdg t tdg sx sxdg rx ry rz cx cy cz cp crx cry crz ch
swap ccx ccz cswap cu rxx ryy rzz gphase
"""
"""Names of gates that readers define."""

KEYWORDS = """
OPENQASM include defcalgrammar def cal defcal gate extern box let break continue if else end
return for while in switch case default pragma input output const readonly mutable qreg qubit creg
bool bit int uint float angle complex array void duration stretch inv pow ctrl negctrl dim
durationof delay reset measure barrier true false im pi tau euler arccos arcsin arctan ceiling cos
exp floor log mod popcount real rotl rotr sin sizeof sqrt tan nop
"""
"""Words of the language, and what it defines."""

RESERVED = frozenset((GATES + KEYWORDS).split()) | {"Std"}
"""Words that cannot be names; `Std` is QDK's."""

SPELLED = {"sxdg": "inv @ sx", "ccz": "ctrl @ cz"}
"""Gates that the standard library does not have."""

TYPES = {Type.I1: "bool", Type.I64: "int[64]", Type.F64: "float[64]"}
ZEROS = {Type.I1: "false", Type.I64: "0", Type.F64: "0.0"}


def write(ir: Program | Circuit) -> str:
    """The text of a program, with its control flow.

    Raises CompileError (exit code 3) for what statements cannot say.
    """
    return "".join(_Writer(listing(ir)).lines())


def spelled(name: str) -> str:
    """An identifier for a name that a program has."""
    name = re.sub(r"\W", "_", name, flags=re.ASCII)
    if name in RESERVED or not re.match("[A-Za-z_]", name):
        return f"_{name}"
    return name


class _Writer:
    """Writes one program.

    A variable of one bit is a `bit` where it is measured once and for all, and else a `bool`: QDK
    makes QIR of no other programs.  Qiskit's importer knows bits only, so what it can read has
    nothing else.
    """

    def __init__(self, program: Listing) -> None:
        self.program = program
        self.names = Names(spelled)
        self.variables: dict[Variable, str] = {}
        self.qubits = [""] * len(program.qubits)
        simple = _is_simple(program.body)
        self.output = "" if simple else "output "
        self.used = variables(program.body)
        measured = {s.into for s in walk(program.body) if isinstance(s, Measure)}
        self.bits = measured if simple else _measured_once(program.body)
        if simple:
            self.bits.update(v for result in program.results for v in result.variables)
        self.expressions = Expressions(self.variables, self.bits, program.locations)

    def lines(self) -> Iterator[str]:
        """The text, line by line."""
        results = list(self.results())
        yield HEADER
        yield from self.declare_qubits()
        yield from results
        yield from self.declare_others()
        yield from self.initialise()
        yield from self.block(self.program.body, "")

    # -- declarations

    def results(self) -> Iterator[str]:
        bits = [result for result in self.program.results if result.kind == "bit"]
        for group in self.names.groups([result.name for result in bits], "result"):
            members = [bits[at].variables[0] for at in group.members]
            yield from self.declared(group, members)
        for result in self.program.results:
            if result.kind == "int":
                name = self.names.name(result.name or "result")
                if [variable.type for variable in result.variables] == [Type.I64]:
                    self.variables[result.variables[0]] = name
                    yield f"{self.output}int[64] {name};\n"
                else:
                    group = Group(name, tuple(range(len(result.variables))), alone=False)
                    yield from self.declared(group, result.variables)

    def declared(self, group: Group, members: Sequence[Variable]) -> Iterator[str]:
        """The declaration of bits of results, which get their names."""
        if not group.alone and self.bits.issuperset(members):
            for at, variable in enumerate(members):
                self.variables[variable] = f"{group.name}[{at}]"
            yield f"{self.output}bit[{len(members)}] {group.name};\n"
            return
        for at, variable in enumerate(members):
            name = group.name if group.alone else self.names.name(f"{group.name}_{at}")
            self.variables[variable] = name
            yield f"{self.output}{'bit' if variable in self.bits else 'bool'} {name};\n"

    def declare_qubits(self) -> Iterator[str]:
        for group in self.names.groups(self.program.qubits, "q"):
            if group.alone:
                self.qubits[group.members[0]] = group.name
                yield f"qubit {group.name};\n"
            else:
                for at, qubit in enumerate(group.members):
                    self.qubits[qubit] = f"{group.name}[{at}]"
                yield f"qubit[{len(group.members)}] {group.name};\n"

    def declare_others(self) -> Iterator[str]:
        """Variables that are no results: bits that are measured are in one register."""
        found = [variable for variable in self.used if variable not in self.variables]
        bits = [variable for variable in found if variable in self.bits]
        if bits:
            name = self.names.name("m")
            self.variables.update((variable, f"{name}[{at}]") for at, variable in enumerate(bits))
            yield f"bit[{len(bits)}] {name};\n"
        counters = [s.variable for s in walk(self.program.body) if isinstance(s, For)]
        for variable in counters:
            self.variables[variable] = self.names.name(variable.name or "i")
        for variable in found:
            if variable not in self.variables:
                name = self.variables[variable] = self.names.name(variable.name or "value")
                yield f"{TYPES[variable.type]} {name} = {ZEROS[variable.type]};\n"

    def initialise(self) -> Iterator[str]:
        """Assign 0 to outputs that may be used before they are written: a declaration cannot."""
        if self.output:
            first = _written_first(self.program.body)
            outputs = (variable for result in self.program.results for variable in result.variables)
            for variable in outputs:
                if variable not in first:
                    yield f"{self.variables[variable]} = {ZEROS[variable.type]};\n"

    # -- statements

    def block(self, body: Sequence[Statement], indent: str) -> Iterator[str]:
        for statement in body:
            yield from self.statement(statement, indent)

    def statement(self, statement: Statement, indent: str) -> Iterator[str]:
        match statement:
            case Gate():
                yield from (f"{indent}{self.gate(gate)};\n" for gate in _parts(statement))
            case Measure():
                into, qubit = self.variables[statement.into], self.qubits[statement.qubit]
                yield f"{indent}{into} = measure {qubit};\n"
            case Reset():
                yield f"{indent}reset {self.qubits[statement.qubit]};\n"
            case Barrier():
                yield f"{indent}barrier {', '.join(self.qubits[at] for at in statement.qubits)};\n"
            case Assign():
                name, value = self.variables[statement.variable], statement.value
                yield f"{indent}{name} = {self.expressions.text(value)};\n"
            case If():
                yield from self.branch(statement, indent)
            case For():
                name, spelled = self.variables[statement.variable], _range(statement.indices)
                yield f"{indent}for int[64] {name} in {spelled} {{\n"
                yield from self.block(statement.body, indent + "  ")
                yield f"{indent}}}\n"
            case While():
                yield f"{indent}while ({self.expressions.text(statement.condition)}) {{\n"
                yield from self.block(statement.body, indent + "  ")
                yield f"{indent}}}\n"

    def gate(self, gate: Gate) -> str:
        name = SPELLED.get(gate.name, gate.name)
        if gate.angle is not None:
            name += f"({self.expressions.text(gate.angle)})"
        return f"{name} {', '.join(self.qubits[at] for at in gate.qubits)}"

    def branch(self, statement: If, indent: str) -> Iterator[str]:
        """An `if`; a conjunction is one inside of another, which every reader knows."""
        factors = [statement.condition]
        if not statement.otherwise:
            factors = _factors(statement.condition)
        for depth, factor in enumerate(factors):
            yield f"{indent}{'  ' * depth}if ({self.expressions.text(factor)}) {{\n"
        inner = indent + "  " * len(factors)
        yield from self.block(statement.then, inner)
        if statement.otherwise:
            yield f"{indent}}} else {{\n"
            yield from self.block(statement.otherwise, inner)
        for depth in reversed(range(len(factors))):
            yield f"{indent}{'  ' * depth}}}\n"


def _parts(gate: Gate) -> list[Gate]:
    """A gate as gates that do not depend on how readers reduce angles, which are modulo 2 pi.

    A `crz` by 2 pi is a Z of its control; nothing else with an angle is that far from the identity.
    """
    angle = gate.angle
    if gate.name != "crz" or angle is None:
        return [gate]
    if isinstance(angle, Constant) and 0 <= angle.value < math.tau:
        return [gate]
    control, target = gate.qubits
    turns = [
        Constant(angle.value * half, Type.F64)
        if isinstance(angle, Constant)
        else Apply("mulf", (angle, Constant(half, Type.F64)), Type.F64)
        for half in (0.5, -0.5)
    ]
    flip = Gate("cx", (control, target), None, gate.loc)
    first, second = (Gate("rz", (target,), turn, gate.loc) for turn in turns)
    return [first, flip, second, flip]


def _range(indices: range) -> str:
    """A range in the language, whose ends both belong to it."""
    if not indices:
        return f"[{indices.start}:{indices.start - 1}]"
    if indices.step == 1:
        return f"[{indices[0]}:{indices[-1]}]"
    return f"[{indices[0]}:{indices.step}:{indices[-1]}]"


def _measured_once(body: Sequence[Statement]) -> set[Variable]:
    """The variables that nothing writes but one measurement, which takes place in every run."""
    writes = write_counts(body)
    return {s.into for s in body if isinstance(s, Measure) and writes[s.into] == 1}


def _written_first(body: Sequence[Statement]) -> set[Variable]:
    """The variables that every run writes before it reads them."""
    found: set[Variable] = set()
    seen: set[Variable] = set()
    for statement in body:
        for expression in expressions(statement):
            seen.update(reads(expression))
        target = written(statement)
        if target is not None and target not in seen:
            found.add(target)
        seen.update(variables([statement]))
    return found


def _factors(condition: Expression) -> list[Expression]:
    """The bits that a condition is the conjunction of."""
    if not isinstance(condition, Apply) or condition.name != "and":
        return [condition]
    return [factor for operand in condition.operands for factor in _factors(operand)]


def _is_simple(body: Sequence[Statement]) -> bool:
    """Whether Qiskit's importer reads these statements."""
    for statement in walk(body):
        match statement:
            case Assign():
                return False
            case Gate() if statement.angle is not None and not _is_constant(statement.angle):
                return False
            case While() | If():
                split = isinstance(statement, If) and not statement.otherwise
                factors = _factors(statement.condition) if split else [statement.condition]
                if not all(_is_literal(factor) for factor in factors):
                    return False
    return True


def _is_constant(expression: Expression) -> bool:
    return not isinstance(expression, Apply | Read)


def _is_literal(condition: Expression) -> bool:
    """Whether a condition is a bit, or not a bit."""
    if isinstance(condition, Apply) and condition.name == "not":
        condition = condition.operands[0]
    return isinstance(condition, Read)
