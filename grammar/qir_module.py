"""What of a QIR module is run: the entry point, the functions it reaches, the numbers it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from qwasmc.diagnostics import CompileError, Kind, did_you_mean, error
from qwasmc.grammar import llvm_tree as llvm
from qwasmc.grammar.qir_functions import known_function, letters
from qwasmc.grammar.qir_layout import extent

MAX_NUMBER = 1 << 20
"""Qubits or results that a module may name by number."""

FIRST_ADDRESS = 4096
"""Of the global variables; the addresses of fresh memory begin far beyond."""

ALIGNMENT = 16


@dataclass(slots=True)
class Entry:
    """The entry point and the numbers of qubits and results that the program names."""

    function: llvm.Function
    qubits: set[int] = field(default_factory=set)
    results: set[int] = field(default_factory=set)


class Callees:
    """Names of functions, addresses of variables, and which of both are wanted."""

    def __init__(self, module: llvm.Module, entry: Entry) -> None:
        self.module = module
        self.names = {entry.function.name: "main"}
        self.wanted: list[str] = [entry.function.name]
        """Functions that are called, in the order they were found."""
        self.variables: dict[str, int] = {}
        """Addresses of the variables that are used."""
        self._next_address = FIRST_ADDRESS

    def name(self, function: str) -> str:
        """What a function is called in the program."""
        if function not in self.names:
            self.names[function] = "main.function" if function == "main" else function
            self.wanted.append(function)
        return self.names[function]

    def address(self, name: str) -> int:
        """The address of a global variable."""
        if name not in self.variables:
            variable = self.module.variables.get(name)
            size = 0 if variable is None else extent(self.module, variable.type)[0]
            self.variables[name] = self._next_address
            self._next_address += max(1, -(-size // ALIGNMENT)) * ALIGNMENT
        return self.variables[name]


def find_entry(module: llvm.Module, wanted: str | None) -> llvm.Function:
    """The function that is run: the one wanted, or marked, or the only one that could be meant."""
    defined = [f for f in module.functions.values() if not f.is_declaration]
    if wanted is not None:
        defined = [f for f in defined if f.name == wanted]
        if not defined:
            known = did_you_mean(wanted, module.functions)
            message = f"'{module.name}' defines no function '{wanted}'"
            raise error(message, kind=Kind.USAGE, help=known)
    marked = [f for f in defined if "entry_point" in f.attributes or "EntryPoint" in f.attributes]
    found = marked or [f for f in defined if f.name in ("main", wanted)]
    if not found:
        called = {name for f in defined for name in _callees(f)}
        found = [f for f in defined if f.name not in called and not f.parameters]
    if not found:
        raise error(
            f"'{module.name}' has no entry point",
            help='mark a function without parameters with the attribute "entry_point"',
        )
    if len(found) > 1:
        names = ", ".join(f"'@{function.name}'" for function in found[:8])
        message = f"'{module.name}' has several entry points: {names}"
        raise error(message, kind=Kind.USAGE, help="choose one with --entry")
    (function,) = found
    if function.parameters:
        loc = module.locate(function.line)
        message = f"the entry point '@{function.name}' has parameters, which nobody gives values"
        raise CompileError(module.locations.diagnostic(message, loc))
    return function


def _callees(function: llvm.Function) -> Iterator[str]:
    for _, instruction in function.instructions():
        if instruction.opcode in ("call", "invoke"):
            callee = instruction.operands[0]
            if isinstance(callee, llvm.Symbol):
                yield callee.name


def survey(module: llvm.Module, wanted: str | None = None) -> Entry:
    """The entry point, with the qubits and results that the functions it reaches name."""
    return _Survey(module, Entry(find_entry(module, wanted))).run()


class _Survey:
    """A walk over the functions that are reached, one spelling of an instruction at a time."""

    def __init__(self, module: llvm.Module, entry: Entry) -> None:
        self.module = module
        self.entry = entry
        self.computed = {"q": False, "r": False}
        """Whether a qubit or a result is used whose number is computed."""
        self.handed: set[int] = set()
        """Numbers that are made pointers and handed around, perhaps to become a qubit."""

    def run(self) -> Entry:
        """Visit everything."""
        entry, module = self.entry, self.module
        reached = {entry.function.name}
        pending = [entry.function]
        while pending:
            function = pending.pop()
            distinct = {id(i): i for block in function.blocks for i in block.instructions}
            for instruction in distinct.values():
                inner = self._visit(instruction)
                if inner is not None and inner.name not in reached:
                    reached.add(inner.name)
                    pending.append(inner)
        attributes = entry.function.attributes
        if self.computed["q"]:
            required = _required(module, attributes, "num_qubits")
            entry.qubits |= self.handed if required is None else set(range(required))
        if self.computed["r"]:
            entry.results |= set(range(_required(module, attributes, "num_results") or 0))
        return entry

    def _visit(self, instruction: llvm.Instruction) -> llvm.Function | None:
        """Look at an instruction; returns the function it calls, if the module defines it."""
        if instruction.opcode not in ("call", "invoke"):
            if instruction.opcode in ("store", "phi", "select", "ret", "insertvalue"):
                self._hand(instruction.operands)
            return None
        callee, *arguments = instruction.operands
        name = callee.name if isinstance(callee, llvm.Symbol) else ""
        inner = self.module.functions.get(name)
        if inner is not None and not inner.is_declaration:
            self._hand(arguments)
            return inner
        known = known_function(name, len(arguments))
        expected = letters(known, arguments) if known else ""
        for letter, argument in zip(expected, arguments, strict=False):
            if letter in "qr":
                self._use(letter, argument, instruction)
        return None

    def _use(self, letter: str, argument: llvm.Value, instruction: llvm.Instruction) -> None:
        number = static_number(argument)
        if number is None:
            self.computed[letter] = True
        elif not 0 <= number < MAX_NUMBER:
            what = "qubit" if letter == "q" else "result"
            message = f"the number of a {what} must be from 0 to {MAX_NUMBER - 1}"
            loc = self.module.locate(_line_of(self.module, instruction))
            raise CompileError(self.module.locations.diagnostic(message, loc))
        else:
            (self.entry.qubits if letter == "q" else self.entry.results).add(number)

    def _hand(self, operands: Iterable[llvm.Value]) -> None:
        for operand in operands:
            if isinstance(operand.type, llvm.PointerType):
                pointee = operand.type.pointee
                number = static_number(operand)
                may_be_qubit = pointee in (None, llvm.NamedType("Qubit"))
                if may_be_qubit and number is not None and 0 <= number < MAX_NUMBER:
                    self.handed.add(number)


def _line_of(module: llvm.Module, wanted: llvm.Instruction) -> int:
    """The line of the first instruction that is spelt like this one."""
    functions = module.functions.values()
    found = (line for f in functions for line, each in f.instructions() if each is wanted)
    return next(found)


def _required(module: llvm.Module, attributes: llvm.Attributes, name: str) -> int | None:
    """How many qubits or results an entry point says it needs."""
    for key in (f"required_{name}", f"num_required_{name.removeprefix('num_')}"):
        text = attributes.get(key, "")
        if text.isascii() and text.isdigit() and len(text) < 10:
            if int(text) > MAX_NUMBER:
                raise error(f"'{module.name}' requires {text} qubits or results", kind=Kind.LIMIT)
            return int(text)
    return None


def static_number(value: llvm.Value) -> int | None:
    """The number that a pointer is made of, if it is written as one."""
    while isinstance(value, llvm.Expression) and value.opcode in ("inttoptr", "bitcast"):
        value = value.operands[0]
    if isinstance(value, llvm.Int):
        return value.value
    return 0 if isinstance(value, llvm.Special) and value.word == "null" else None


def label_text(module: llvm.Module, label: llvm.Value | None) -> str:
    """The text that a pointer leads to, up to the first NUL, if it is written in the module."""
    while isinstance(label, llvm.Expression):
        label = label.operands[0]
    variable = module.variables.get(label.name) if isinstance(label, llvm.Symbol) else None
    text = variable.initializer if variable else None
    if not isinstance(text, llvm.Text):
        return ""
    return text.data.partition(b"\0")[0].decode("utf-8", "backslashreplace")
