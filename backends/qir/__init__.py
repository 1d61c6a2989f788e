"""QIR, as LLVM assembly or bitcode, in the Base Profile or the Adaptive Profile.

    h a; measure a -> m        call void @__quantum__qis__h__body(ptr null)
    result m "m"               call void @__quantum__qis__mz__body(ptr null, ptr null)
                               call void @__quantum__rt__result_record_output(ptr null, ptr @1)

`circuit` writes straight lines, `program` what has blocks, loops and functions.
"""

from __future__ import annotations

from llvmlite import binding  # type: ignore[import-untyped]

from qwasmc.backends.qir.circuit import write_circuit
from qwasmc.backends.qir.program import straight, write_program
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program


def write(ir: Program | Circuit) -> str:
    """A closed circuit or program as QIR 2.0, in LLVM assembly.

    It is in the Base Profile if nothing depends on a measurement and no qubit is used after one,
    else in the Adaptive Profile, with flags for what it needs.  Results are recorded as one tuple,
    each with its name as its label.  Raises `CompileError` for what QIR cannot say.
    """
    if isinstance(ir, Circuit):
        return write_circuit(ir)
    circuit = straight(ir)
    return write_program(ir) if circuit is None else write_circuit(circuit)


def write_bitcode(ir: Program | Circuit) -> bytes:
    """The same as LLVM bitcode."""
    module = binding.parse_assembly(write(ir), context=binding.create_context())
    found: bytes = module.as_bitcode()
    return found
