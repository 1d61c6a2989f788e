"""What a program as a whole says about its functions: which are run, and what is a qubit.

main: call flip(%c2)                        flip is run, after main in the order
flip(%i): %q = extract %i; ...              its parameter 0 numbers a qubit: `ptr %p0`
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from qwasmc.backends.qir.flow import Flow
from qwasmc.backends.refusals import refusal
from qwasmc.diagnostics import CompileError
from qwasmc.ir.program import Function, Op, Program, Value
from qwasmc.ops import Type

MAX_NUMBER = 1 << 20
"""Qubits that a program may name by number."""

HELP = "with -O1 or more, what does not depend on measurements is run by the compiler"

Constants = Mapping[Value, int]


def refused(program: Program, message: str, op: Op) -> CompileError:
    """What QIR cannot say, at an operation."""
    return refusal(program.locations, message, op.loc, HELP)


def callee(op: Op) -> str:
    """The name of the function that a call runs."""
    return str((op.attrs or {})["callee"])


def ops(flow: Flow) -> Iterator[Op]:
    """The operations that can be reached."""
    return (op for block in flow.blocks() for op in block.ops)


def reached(program: Program) -> dict[str, Flow]:
    """The functions that are run, each after those that call it; refuses recursion."""
    functions = {function.name: function for function in program.functions}
    flows: dict[str, Flow] = {}
    done: list[str] = []
    todo: list[tuple[str, Iterator[Op]]] = []

    def enter(name: str) -> None:
        flows[name] = Flow(functions[name])
        calls = {callee(op): op for op in ops(flows[name]) if op.name == "call"}
        todo.append((name, iter(calls.values())))

    enter("main")
    open_ = {"main"}
    while todo:
        name, calls = todo[-1]
        op = next(calls, None)
        if op is None:
            done.append(name)
            open_.remove(name)
            todo.pop()
        elif callee(op) in open_:
            raise refused(program, f"'{callee(op)}' calls itself, which QIR forbids", op)
        elif callee(op) not in flows:
            open_.add(callee(op))
            enter(callee(op))
    return {name: flows[name] for name in reversed(done)}


def constants(flow: Flow) -> dict[Value, int]:
    """The integers that a function has written down."""
    found: dict[Value, int] = {}
    for op in ops(flow):
        if op.name == "const_i64":
            found[op.results[0]] = int((op.attrs or {})["int"])
    return found


def qubit_parameters(flows: Mapping[str, Flow]) -> dict[str, set[int]]:
    """By function, the places of its parameters that are numbers of qubits."""
    found: dict[str, set[int]] = {}
    for name, flow in reversed(list(flows.items())):
        places = {value: at for at, value in enumerate(flow.function.blocks[0].args)}
        slots = {slot for op in ops(flow) for slot in slots_of(op, found)}
        found[name] = {places[slot] for slot in slots if slot in places}
    for name, flow in flows.items():
        arguments = flow.function.blocks[0].args
        qubits = {arguments[place] for place in found[name]}
        for op in ops(flow):
            if op.name == "call":  # what is a qubit here is one there, too, even if it is not used
                given = {place for place, value in enumerate(op.operands) if value in qubits}
                found[callee(op)] |= given
    return found


def slots_of(op: Op, parameters: Mapping[str, set[int]]) -> list[Value]:
    """The operands of an operation that are numbers of qubits."""
    if op.name == "extract":
        return [op.operands[0]]
    if op.name == "insert":
        return [op.operands[1]]
    if op.name == "call":
        return [op.operands[place] for place in sorted(parameters[callee(op)])]
    return []


def homes(function: Function) -> dict[Value, Value]:
    """By qubit value, the number of the slot that the qubit is put into at last, if it is."""
    found: dict[Value, Value] = {}
    for block in function.blocks:
        for op in reversed(block.ops):
            if op.name == "insert":
                found[op.operands[0]] = op.operands[1]
                continue
            qubits = [value for value in op.operands if value.type is Type.QUBIT]
            for before, after in zip(qubits, op.results, strict=False):
                if after in found:
                    found[before] = found[after]
    return found


def count_qubits(program: Program, flows: Mapping[str, Flow]) -> int:
    """One more than the greatest number that a qubit is known by."""
    parameters = qubit_parameters(flows)
    most = -1
    for flow in flows.values():
        known = constants(flow)
        for op in ops(flow):
            for slot in slots_of(op, parameters):
                number = known.get(slot, 0)
                if not 0 <= number < MAX_NUMBER:
                    message = f"the number of a qubit must be from 0 to {MAX_NUMBER - 1}"
                    raise refused(program, message, op)
                most = max(most, number) if slot in known else most
    return most + 1
