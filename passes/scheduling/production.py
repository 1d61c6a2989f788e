"""What makes one magic state, in rows: an injection, or all of a distillation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qwasmc.ir.surgery import Magic, Row, Surgery, SurgeryBuilder
from qwasmc.passes.scheduling import distillation
from qwasmc.passes.scheduling.factories import Factory

Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Production:
    """The rows of one production; tiles count from the factory's, slabs from its own first one.

    The state is X^x Z^z T|+> and good if all flags are 0: rows of bits, x and z -1 for 0.
    """

    surgery: Surgery
    flags: list[int]
    x: int
    z: int
    appears: int
    """The slab after which the state can be joined."""

    @property
    def rows(self) -> list[tuple[int, int, list[int]]]:
        """Kind, aux and operands of each row."""
        made = self.surgery
        return [
            (kind, aux, made.operands(row))
            for row, (kind, aux) in enumerate(
                zip(made.kind.tolist(), made.aux.tolist(), strict=True)
            )
        ]

    def join(self, row: int, corners: Ints) -> Ints:
        """(m, k) a join row as `encode_join` gives it, for factories at these tiles, (m, 2)."""
        operands = np.array(self.surgery.operands(row), dtype=np.int32)
        terms, route, edges = operands[:3].tolist()
        begins = [3 + 3 * i for i in range(terms + route)]
        begins += [3 + 3 * (terms + route) + 4 * i for i in range(edges)]
        joins = np.repeat(operands[None, :], len(corners), axis=0)
        for axis in (0, 1):
            joins[:, np.array(begins) + axis] += corners[:, axis, None]
        return joins


def production(factory: Factory) -> Production:
    """What a factory does for one state."""
    out = SurgeryBuilder()
    if factory.rows is None:
        out.add(Row.INJECT, tile=factory.output, aux=Magic.T)
        return Production(out.freeze(), [], -1, -1, 0)
    made = distillation.produce(out, (0, 0), 0)
    return Production(out.freeze(), made.flags, made.x, made.z, factory.latency - 1)
