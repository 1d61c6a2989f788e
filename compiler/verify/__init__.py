"""Is this IR well-formed?  `verify` raises a CompileError that lists what is wrong with it.

There is a file for each representation; programs also need `operation.py` and `dominance.py`,
surgery `join.py`.  What an operation or a row may hold is read from the op table and the row table.
"""

from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import Surgery
from qwasmc.verify.circuit import verify_circuit
from qwasmc.verify.problems import Problems
from qwasmc.verify.program import verify_program
from qwasmc.verify.surgery import verify_surgery


def verify(ir: Program | Circuit | Surgery) -> None:
    """Raise a CompileError that lists the problems of a representation, if it has any."""
    problems = Problems(ir.locations)
    if isinstance(ir, Program):
        verify_program(ir, problems)
    elif isinstance(ir, Circuit):
        verify_circuit(ir, problems)
    else:
        verify_surgery(ir, problems)
    if problems.found:
        raise CompileError(problems.found)
