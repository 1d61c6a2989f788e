"""Reader of QWASM, the assembly language of quantum programs: text -> Program.

    .caps CAP_ALLOC
    ALLOC_LQ n=2 -> a, b         %a = "qw.alloc"() {name = "a"} : () -> !qw.qubit
    APPLY_H a                    %a1 = "qw.h"(%a) : (!qw.qubit) -> !qw.qubit
    MEASURE_Z a -> m             %a2, %m = "qw.measure_z"(%a1) : (!qw.qubit) -> (!qw.qubit, i1)
    APPLY_X b if m==1            "qw.x" on %b, predicated on %m

source.py cuts files into lines, syntax.py reads a line, evaluator.py computes expressions,
expand.py runs directives, macros and loops, instructions.py gives instructions their meaning.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from qwasmc.diagnostics import CompileError, Diagnostic, Locations, did_you_mean
from qwasmc.grammar.evaluator import Context, Limits, LineError, Value
from qwasmc.grammar.expand import Expander
from qwasmc.grammar.instructions import Builder
from qwasmc.grammar.source import Sources
from qwasmc.grammar.syntax import parse_substitution
from qwasmc.ir.program import Block, Function, Program

__all__ = ["Limits", "read"]


def read(
    text: str | bytes,
    name: str,
    *,
    params: Mapping[str, Value] | None = None,
    include_dirs: Sequence[Path] = (),
    limits: Limits | None = None,
) -> Program:
    """The program that a text spells.

    `name` is the path of the text, for positions and to find included files.  `params` override
    the defaults of `.param`; a parameter given as a string is read as a number or a list where
    the default is one.  Raises CompileError with every error found.
    """
    given = dict(params or {})
    limits = limits or Limits()
    context = Context(limits, parameters={key: _literal(value) for key, value in given.items()})
    block = Block()
    locations = Locations()
    directory = Path(name).parent
    sources = Sources(locations, limits, [directory, *include_dirs])
    builder = Builder(block, context)
    expander = Expander(context, sources, builder, given)
    with _collector_paused():
        expander.run(sources.load(text, name, directory))
    errors = expander.errors or builder.finish(locations)
    if errors:
        raise CompileError(errors[: limits.errors])
    return Program(
        [Function("main", [block])],
        locations,
        files=sources.names,
        warnings=[
            *expander.warnings,
            *builder.warnings(locations),
            *_unused(given, context.used, expander.declared),
        ],
    )


def _literal(value: Value) -> Value:
    """A parameter given as text, as the number or list it spells, if it does."""
    if not isinstance(value, str):
        return value
    try:
        node, _ = parse_substitution(value, Limits())
        return node.evaluate(Context())
    except LineError:
        return value


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without the cyclic garbage collector.

    It would walk the growing program again and again for cycles that a program does not have,
    which takes as long as reading it.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _unused(given: Mapping[str, Value], used: set[str], declared: set[str]) -> Iterable[Diagnostic]:
    """A warning for each parameter that the program does not look at."""
    for name in given:
        if name not in used:
            yield Diagnostic(
                f"the program has no parameter '{name}'",
                help=did_you_mean(name, declared),
                severity="warning",
            )
