"""Memory that only holds outcomes of measurements: QIR's results, which all functions share.

%q1, %m = measure_z(%q)              call void @__quantum__qis__mz__body(ptr ..., ptr null)
store_i1(%m, %c0) {result}           (the measurement wrote it)
%b = load_i1(%c0) {result}           %v1 = call zeroext i1 @__quantum__rt__read_result(ptr null)
"""

from __future__ import annotations

from collections.abc import Mapping

from qwasmc.backends.qir.flow import Flow
from qwasmc.backends.qir.survey import constants, refused
from qwasmc.ir.program import Op, Program, Value

SPACE = "result"
"""Where the readers of QIR keep results."""


class Cells:
    """The results that cells of memory are; refuses what is stored otherwise."""

    def __init__(self, program: Program, flows: Mapping[str, Flow]) -> None:
        self.program = program
        self.number: dict[int, int] = {}
        """The number of the result for an address."""
        self.measured: dict[Value, int] = {}
        """By bit, the number of the result that it is measured into."""
        self.loaded: dict[Op, int] = {}
        """By operation that loads, the number of the result."""
        for name, flow in flows.items():
            address = constants(flow)
            for number in flow.order:
                first = name == "main" and number == 0
                self._block(flow.function.blocks[number].ops, address, first)

    def _block(self, ops: list[Op], address: Mapping[Value, int], first: bool) -> None:
        """Follow the outcomes of a block; `first` is the one that the program begins with."""
        fresh: list[Value] = []
        zeros: set[Value] = set()
        for op in ops:
            if op.spec.makes_bit and op.spec.qubits and op.cond is None:
                fresh.append(op.results[-1])
                first = False
            elif op.name == "const" and not (op.attrs or {})["value"]:
                zeros.add(op.results[0])
            elif op.name == "call":
                fresh.clear()
                first = False
            elif op.name == "load_i1" and self._is_ours(op):
                fresh.clear()
                self.loaded[op] = self._result(op, op.operands[0], address)
            elif op.name == "store_i1" and self._is_ours(op):
                bit = op.operands[0]
                result = self._result(op, op.operands[1], address)
                if bit in fresh:
                    del fresh[: fresh.index(bit) + 1]  # an outcome before it would come too late
                    self.measured[bit] = result
                elif not (first and bit in zeros):
                    message = "a result of QIR holds what was measured into it, nothing else"
                    raise refused(self.program, message, op)

    def _is_ours(self, op: Op) -> bool:
        return (op.attrs or {})["space"] == SPACE

    def _result(self, op: Op, value: Value, address: Mapping[Value, int]) -> int:
        if value not in address:
            raise refused(self.program, "QIR has no results with computed numbers", op)
        return self.number.setdefault(address[value], len(self.number))
