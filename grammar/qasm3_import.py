"""OpenQASM 3 by way of Qiskit's importer, with the positions of statements.

    qubit[2] q;
    bit c;
    h q;                       two instructions, at this line
    c = measure q[0];
    if (c) { x q[1]; }         one instruction, at this line; in its block one, at its place

The importer walks a syntax tree and appends to a circuit.  Here every statement notes how many
instructions it has appended, so that each instruction has the position of its statement.  What
would take the importer too long is refused before it starts.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

import openqasm3
from openqasm3 import ast
from qiskit.circuit import Bit, QuantumCircuit, Register
from qiskit.exceptions import QiskitError
from qiskit.qasm2 import LEGACY_CUSTOM_INSTRUCTIONS
from qiskit_qasm3_import import ConversionError
from qiskit_qasm3_import.converter import ConvertVisitor
from qiskit_qasm3_import.state import State

from qwasmc.diagnostics import CompileError, Diagnostic, Kind
from qwasmc.grammar.from_qiskit import MAX_BITS, MAX_INDEX
from qwasmc.grammar.qasm_text import Text
from qwasmc.grammar.qiskit_listing import Origin, Where

MAX_CALLS = 1_000_000
"""Operations, and calls of gates with those in their definitions: the importer copies them."""

MAX_LENGTH = 1 << 24
"""Characters of a program: the parser takes half a minute for a million."""

MAX_POWER = 10
"""Qubits of a gate that is raised to a power, which takes a matrix."""

CARELESS = (QiskitError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What the importer raises for programs that it does not check: `rx(1/0) q[7];`."""

_POSITION = re.compile(r"L?(\d+)[,:]C?(\d+): (.*)", re.DOTALL)
_PHYSICAL = re.compile(r"\$(\d{7,})")


class OutsideSubset(CompileError):
    """The program is in OpenQASM 3, but Qiskit's importer cannot read it."""


def import_qasm3(text: Text) -> tuple[QuantumCircuit, Origin]:
    """Qiskit's circuit of a text, and where its instructions came from."""
    if found := _PHYSICAL.search(text.text):
        raise text.error("this number is too large", *found.span(1), Kind.LIMIT)
    if len(text.text) > MAX_LENGTH:
        message = f"limit passed: a program in OpenQASM 3 may have {MAX_LENGTH:,} characters"
        raise text.error(message, 0, 1, Kind.LIMIT)
    text.check(0, text.text)
    importer = _Importer(text)
    try:
        tree = _parsed(text)
        _check_calls(text, tree)
        return importer.run(tree)
    except RecursionError:
        message = "limit passed: the program is nested too deep"
        raise CompileError(Diagnostic(message, kind=Kind.LIMIT)) from None


# -- syntax


def _parsed(text: Text) -> ast.Program:
    try:
        # ANTLR prints what it raises.
        with contextlib.redirect_stderr(io.StringIO()):
            return openqasm3.parse(text.text)
    except openqasm3.parser.QASM3ParsingError as wrong:
        if found := _POSITION.fullmatch(str(wrong)):
            raise text.error_at(found[3], int(found[1]), int(found[2])) from None
        token = _offending(wrong)
        if token is None:
            raise CompileError(Diagnostic("this is not OpenQASM 3")) from None
        shown = "end of file" if token.type < 0 else f"'{token.text[:64]}'"
        raise text.error_at(f"unexpected {shown}", token.line, token.column) from None
    except CARELESS:  # for one, a text without a statement has no last token
        message = "the parser of OpenQASM 3 finds no program here"
        raise text.error(message, 0, len(text.text)) from None


def _offending(wrong: BaseException) -> Any:
    """The token at which ANTLR gave up."""
    cause = wrong.__cause__
    while cause is not None:
        for error in (cause, *cause.args):
            token = getattr(error, "offendingToken", None)
            if token is not None:
                return token
        cause = cause.__cause__
    return None


# -- limits


def _check_calls(text: Text, tree: ast.Program) -> None:
    """Refuse calls that consist of too many others, and powers of large gates."""
    sizes: dict[str, int] = {}
    total = 0
    for node in _all(tree.statements):
        if isinstance(node, ast.QuantumGateDefinition):
            calls = [call for call in _all(node.body) if isinstance(call, ast.QuantumGate)]
            sizes[node.name.name] = 1 + sum(sizes.get(call.name.name, 1) for call in calls)
        elif isinstance(node, ast.QuantumGate):
            total += sizes.get(node.name.name, 1)
            if total > MAX_CALLS:
                message = f"limit passed: gates may consist of {MAX_CALLS:,} gates"
                raise text.error(message, *_span(text, node), Kind.LIMIT)
            if _is_power(node) and len(node.qubits) > MAX_POWER:
                message = f"limit passed: the power of a gate of more than {MAX_POWER} qubits"
                raise text.error(message, *_span(text, node), Kind.LIMIT)


def _all(statements: Sequence[ast.Statement | ast.Pragma]) -> Iterator[ast.QASMNode]:
    """Statements and, before each, those in its blocks."""
    for statement in statements:
        for block in _blocks(statement):
            yield from _all(block)
        if isinstance(statement, ast.QuantumGateDefinition):
            yield from _all(statement.body)
        yield statement


def _blocks(node: ast.QASMNode) -> list[Sequence[ast.Statement]]:
    """The blocks that become blocks of Qiskit's instruction."""
    match node:
        case ast.BranchingStatement():
            return [node.if_block, node.else_block] if node.else_block else [node.if_block]
        case ast.WhileLoop() | ast.ForInLoop():
            return [node.block]
        case ast.Box():
            return [node.body]
    return []


def _is_power(node: ast.QuantumGate) -> bool:
    return any(modifier.modifier is ast.GateModifierName.pow for modifier in node.modifiers)


def _span(text: Text, node: ast.QASMNode) -> tuple[int, int]:
    """The offsets of a node: the last token that ANTLR tells is a semicolon or a brace."""
    span = node.span
    assert span is not None
    end = text.offset(span.end_line, span.end_column) + 1
    return text.offset(span.start_line, span.start_column), end


# -- import


class _Recorded(QuantumCircuit):  # type: ignore[misc]
    """A circuit that counts what is appended to it, inside of blocks as well."""

    appended = 0

    def append(self, *args: Any, **kwargs: Any) -> Any:
        made = super().append(*args, **kwargs)
        self.appended += len(made)
        return made


class _Importer(ConvertVisitor):
    """Qiskit's importer; it notes where instructions come from."""

    def __init__(self, text: Text) -> None:
        super().__init__()
        self.text = text
        self.circuit = _Recorded()
        self.loc = -1
        """The position of the statement that is being read."""
        self.qubits: list[int] = []
        self.made: list[list[Where]] = []
        """By statement of the innermost block, what it has appended."""
        self.in_gate = False

    def run(self, tree: ast.Program) -> tuple[QuantumCircuit, Origin]:
        """The circuit of a program, and where its instructions came from."""
        state = State(self.text.text)
        state.circuit = self.circuit
        try:
            state = self.visit(tree, state)
        except ConversionError as wrong:
            raise self.outside(wrong.message) from None
        except CARELESS as wrong:
            raise self.outside(str(wrong).strip("'\"") or type(wrong).__name__) from None
        body = _fitting([where for made in self.made for where in made], self.circuit)
        return self.circuit, Origin(self.text.locations, body, self.qubits, _bit_names(state))

    def outside(self, message: str) -> OutsideSubset:
        """What the importer says, at the statement that it is about."""
        if found := _POSITION.fullmatch(message):
            message = found[3]
            start = self.text.offset(int(found[1]), int(found[2]))
            self.loc = self.text.position(start, start + 1)
        message = f"Qiskit's importer of OpenQASM 3 says: {message}"
        advice = "the extra 'qdk' reads more of OpenQASM 3: pip install 'qwasmc[qdk]'"
        return OutsideSubset(self.text.locations.diagnostic(message, self.loc, help=advice))

    def visit(self, node: ast.QASMNode, context: State | None = None) -> Any:
        """Read a node; note what a statement appends."""
        if self.in_gate or not isinstance(node, ast.Statement):
            return super().visit(node, context)
        self.loc = loc = self.text.position(*_span(self.text, node))
        outer, self.made = self.made, []
        before = self.circuit.appended
        self.in_gate = isinstance(node, ast.QuantumGateDefinition)
        found = super().visit(node, context)
        self.in_gate = False
        appended = self.circuit.appended - before
        outer.append(self.places(node, loc, appended))
        self.made = outer
        self.loc = loc
        self.qubits += [loc] * (self.circuit.num_qubits - len(self.qubits))
        self.check(node, appended)
        return found

    def places(self, node: ast.Statement, loc: int, appended: int) -> list[Where]:
        """The positions of what a statement has appended."""
        blocks = _blocks(node)
        if not blocks:
            return [loc] * appended
        made = iter(self.made)
        return [(loc, [list(chain(*islice(made, len(block)))) for block in blocks])]

    def check(self, node: ast.Statement, appended: int) -> None:
        """Refuse what is too large, and what does nothing because of an empty slice."""
        span = _span(self.text, node)
        if self.circuit.num_qubits > MAX_BITS or self.circuit.num_clbits > MAX_BITS:
            message = f"limit passed: a program may have {MAX_BITS:,} qubits and as many bits"
            raise self.text.error(message, *span, Kind.LIMIT)
        if self.circuit.appended > MAX_CALLS:
            message = f"limit passed: a program may have {MAX_CALLS:,} operations"
            raise self.text.error(message, *span, Kind.LIMIT)
        acting = ast.QuantumGate | ast.QuantumReset | ast.QuantumMeasurementStatement
        if isinstance(node, acting) and not appended and not self.in_gate:
            raise self.text.error("this acts on no qubits", *span)

    def visit_Include(self, node: ast.Include, context: State) -> State:
        """The gates of a standard include file."""
        if node.filename != "qelib1.inc":
            context = super().visit_Include(node, context)
            return context
        for gate in LEGACY_CUSTOM_INSTRUCTIONS:
            made = gate.constructor
            context = self._define_gate(
                gate.name, made, gate.num_params, gate.num_qubits, node, context
            )
        return context

    def visit_ForInLoop(self, node: ast.ForInLoop, context: State) -> State:
        """A loop, if its indices are of a size that Qiskit survives."""
        indices: Any = node.set_declaration
        found, _ = self._resolve_generic(indices, context, strict=True)
        parts = (found.start, found.stop, found.step) if isinstance(found, slice) else found
        if any(part is not None and abs(part) > MAX_INDEX for part in parts):
            span = _span(self.text, node.set_declaration)
            raise self.text.error("this number is too large", *span, Kind.LIMIT)
        context = super().visit_ForInLoop(node, context)
        return context

    def _apply_gate_modifier(self, modifier: Any, gate: Any, context: State) -> Any:
        """A gate with a modifier; controls stay one, so that what they control is known."""
        kind, names = modifier.modifier, ast.GateModifierName
        if kind not in (names.ctrl, names.negctrl):
            return super()._apply_gate_modifier(modifier, gate, context)
        count = 1
        if modifier.argument is not None:
            count = self._resolve_constant_int(modifier.argument, context)
        state = (1 << count) - 1 if kind is names.ctrl else 0
        return gate.control(count, ctrl_state=state, annotated=True)

    def _resolve_constant_int(self, node: ast.Expression, context: State) -> int:
        value: int = super()._resolve_constant_int(node, context)
        if value > MAX_BITS:
            raise self.text.error("this number is too large", *_span(self.text, node), Kind.LIMIT)
        return value


def _fitting(body: list[Where], circuit: QuantumCircuit) -> list[Where]:
    """The positions of a circuit's instructions; where they do not fit, that of what is around."""
    if len(body) != len(circuit.data):
        return [-1] * len(circuit.data)
    return [_fitting_one(where, inst) for where, inst in zip(body, circuit.data, strict=True)]


def _fitting_one(where: Where, inst: Any) -> Where:
    if isinstance(where, int) or not inst.is_control_flow():
        return where if isinstance(where, int) else where[0]
    loc, blocks = where
    bodies = inst.operation.blocks
    if [len(block) for block in blocks] != [len(body.data) for body in bodies]:
        return loc
    return loc, [_fitting(list(block), body) for block, body in zip(blocks, bodies, strict=True)]


def _bit_names(state: State) -> dict[Bit, str]:
    """The names of bits as the program spells them; of several, the one that came first."""
    names: dict[Bit, str] = {}
    symbols: Any = state.symbol_table
    for symbol in symbols.globals():
        if isinstance(symbol.data, Bit):
            names.setdefault(symbol.data, symbol.name)
        elif isinstance(symbol.data, Register):
            for at, bit in enumerate(symbol.data):
                names.setdefault(bit, f"{symbol.name}[{at}]")
    return names
