"""Reader of QIR, the LLVM form of quantum programs: text or bitcode -> Program or Circuit.

    call void @__quantum__qis__h__body(ptr null)              %a1 = "qw.h"(%a)
    call void @__quantum__qis__mz__body(ptr null, ptr null)   %a2, %m = "qw.measure_z"(%a1)
    call void @__quantum__rt__result_record_output(ptr null, ptr @0)    "qw.result"(%m) {name = "r"}

llvm.py reads the text, bitcode.py makes text of bitcode, qir_module.py finds what is run,
qir_functions.py knows the functions of QIR, qir_lower.py and qir_runtime.py write the Program.  A
program that is one straight line, as millions of gates are, becomes a Circuit at once: qir_flat.py.
"""

from __future__ import annotations

from qwasmc.diagnostics import CompileError, Diagnostic
from qwasmc.grammar import bitcode, llvm
from qwasmc.grammar import llvm_tree as tree
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.qir_flat import flat_circuit
from qwasmc.grammar.qir_layout import Unsupported
from qwasmc.grammar.qir_lower import FunctionLowering
from qwasmc.grammar.qir_module import Callees, Entry, survey
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program

MAX_ERRORS = 20
"""Functions of a module that are reported as wrong."""


def read(data: bytes, name: str, entry: str | None = None) -> Program | Circuit:
    """The program that the entry point of a module is; `name` is for positions.

    `entry` names the function that is run, if the module does not say.
    Raises CompileError with the functions and constructs that have no meaning here.
    """
    if bitcode.is_bitcode(data):
        data = bitcode.to_text(data, name)
    module = llvm.parse(data, name)
    with collector_paused():
        found = survey(module, entry)
        circuit = flat_circuit(module, found)
        return circuit if circuit is not None else _program(module, found)


def _program(module: tree.Module, entry: Entry) -> Program:
    callees = Callees(module, entry)
    program = Program(locations=module.locations)
    errors: list[Diagnostic] = []
    for name in callees.wanted:  # grows while functions are lowered
        lowering = FunctionLowering(module, entry, callees, module.functions[name])
        try:
            program.functions.append(lowering.run())
        except CompileError as wrong:
            errors += wrong.diagnostics
        if len(errors) >= MAX_ERRORS:
            break
    if errors:
        raise CompileError(errors)
    _initialise(module, entry, callees, program)
    return program


def _initialise(module: tree.Module, entry: Entry, callees: Callees, program: Program) -> None:
    """Let `main` begin with storing what the global variables hold at first."""
    lowering = FunctionLowering(module, entry, callees, entry.function)
    reads_bytes = any(
        instruction.opcode == "load" and instruction.type == tree.IntType(8)
        for name in callees.wanted
        for _, instruction in module.functions[name].instructions()
    )
    done: set[str] = set()
    try:
        while missing := [name for name in callees.variables if name not in done]:
            for name in missing:
                variable = module.variables.get(name)
                text = variable is not None and isinstance(variable.initializer, tree.Text)
                if variable is not None and (reads_bytes or not text):
                    lowering.initialise(variable, callees.variables[name])
            done.update(missing)
    except Unsupported as problem:
        raise lowering.error(f"{problem} is not supported") from None
    program.main.blocks[0].ops[:0] = lowering.build.block.ops
