"""Programs written for a test, and their outcomes when they are run."""

from __future__ import annotations

import pytest

from qwasmc.backends.results import Counts
from qwasmc.backends.simulate import simulate
from qwasmc.diagnostics import CompileError
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Block, Program, Value
from qwasmc.pipeline import load
from qwasmc.verify import verify

SHOTS = 2000


def program(*builders: FunctionBuilder) -> Program:
    made = Program([builder.function for builder in builders])
    verify(made)
    return made


def run(*builders: FunctionBuilder, shots: int = SHOTS, seed: int = 1) -> Counts:
    return simulate(program(*builders), shots, seed, load)


def outcome(*builders: FunctionBuilder) -> str:
    """The only outcome of a program without randomness."""
    (found,) = run(*builders, shots=3)["counts"]
    return found


def refused(*builders: FunctionBuilder) -> CompileError:
    with pytest.raises(CompileError) as found:
        run(*builders, shots=1)
    return found.value


def while_(build: FunctionBuilder, start: list[Value]) -> tuple[Block, Block]:
    """A loop header that takes values, entered, and the block after the loop."""
    types = [value.type for value in start]
    header, after = build.new_block(types), build.new_block(types)
    build.br(header, start)
    build.enter(header)
    return header, after
