"""Circuit -> Program: the straight line as the only block of `main`."""

from __future__ import annotations

from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Attr, Block, Function, Program, Value
from qwasmc.ops import OPS


def unfreeze(circuit: Circuit) -> Program:
    """The program whose `main` is a circuit."""
    block = Block()
    values: list[Value] = []
    for row, code in enumerate(circuit.op.tolist()):
        spec = OPS[code]
        attrs: dict[str, Attr] = {"angle": float(circuit.angle[row])} if spec.angle else {}
        if spec.attr:
            attrs[spec.attr] = circuit.attribute(row)
        cond = int(circuit.cond[row])
        values += block.append(
            spec.name,
            [values[value] for value in circuit.values(row)],
            attrs=attrs or None,
            cond=values[cond] if cond >= 0 else None,
            loc=int(circuit.loc[row]),
        )
    block.append("return")
    return Program([Function("main", [block])], circuit.locations)
