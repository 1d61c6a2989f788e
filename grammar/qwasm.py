"""Reader of QWASM, the assembly language of quantum programs: text -> Program.

    .caps CAP_ALLOC
    ALLOC_LQ n=2 -> a, b         %a = "qw.alloc"() {name = "a"} : () -> !qw.qubit
    APPLY_H a                    %a1 = "qw.h"(%a) : (!qw.qubit) -> !qw.qubit
    MEASURE_Z a -> m             %a2, %m = "qw.measure_z"(%a1) : (!qw.qubit) -> (!qw.qubit, i1)
    APPLY_X b if m==1            "qw.x" on %b, predicated on %m

source.py cuts files into lines, syntax.py reads a line, evaluator.py computes expressions,
expand.py runs directives, macros and loops, instructions.py gives instructions their meaning.  A
program that is more than a straight line is read again by survey.py, and then built by flow.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from qwasmc.diagnostics import CompileError, Diagnostic, Locations, did_you_mean
from qwasmc.grammar.collector import collector_paused
from qwasmc.grammar.evaluator import Context, Limits, LineError, Value
from qwasmc.grammar.expand import Expander
from qwasmc.grammar.flow import FlowBuilder, NeedsFlow, StraightBuilder
from qwasmc.grammar.instructions import Builder, Mnemonic
from qwasmc.grammar.mnemonics import MNEMONICS
from qwasmc.grammar.source import Sources
from qwasmc.grammar.survey import Survey
from qwasmc.grammar.syntax import parse_substitution
from qwasmc.ir.program import Block, Program

__all__ = ["Limits", "build", "read"]

AnyBuilder = TypeVar("AnyBuilder", bound=Builder)


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
    with suppress(NeedsFlow):
        return build(text, name, StraightBuilder, params, include_dirs, limits)[0]
    kind = partial(FlowBuilder, survey=_survey(text, name, params, include_dirs, limits))
    return build(text, name, kind, params, include_dirs, limits)[0]


def _survey(
    text: str | bytes,
    name: str,
    params: Mapping[str, Value] | None,
    include_dirs: Sequence[Path],
    limits: Limits | None,
) -> Survey:
    """What the program names; of a wrong program, as much as can be read."""
    found: list[Survey] = []

    def kind(block: Block, context: Context, rows: Mapping[str, Mnemonic]) -> Survey:
        found.append(Survey(block, context, rows))
        return found[0]

    try:
        build(text, name, kind, params, include_dirs, limits)
    except CompileError:
        found[0].spoil(None)
    return found[0]


def build(
    text: str | bytes,
    name: str,
    kind: Callable[[Block, Context, Mapping[str, Mnemonic]], AnyBuilder],
    params: Mapping[str, Value] | None = None,
    include_dirs: Sequence[Path] = (),
    limits: Limits | None = None,
) -> tuple[Program, AnyBuilder]:
    """The program that a text spells, and the builder of some kind that built it."""
    given = dict(params or {})
    limits = limits or Limits()
    context = Context(limits, parameters={key: _literal(value) for key, value in given.items()})
    block = Block()
    locations = Locations()
    directory = Path(name).parent
    sources = Sources(locations, limits, [directory, *include_dirs])
    builder = kind(block, context, MNEMONICS)
    expander = Expander(context, sources, builder, given)
    with collector_paused():
        expander.run(sources.load(text, name, directory))
    errors = expander.errors or builder.finish(locations)
    if errors:
        raise CompileError(errors[: limits.errors])
    program = Program(
        builder.functions(),
        locations,
        warnings=[
            *expander.warnings,
            *builder.warnings(locations),
            *_unused(given, context.used, expander.declared),
        ],
    )
    return program, builder


def _literal(value: Value) -> Value:
    """A parameter given as text, as the number or list it spells, if it does."""
    if not isinstance(value, str):
        return value
    try:
        node, _ = parse_substitution(value, Limits())
        return node.evaluate(Context())
    except LineError:
        return value


def _unused(given: Mapping[str, Value], used: set[str], declared: set[str]) -> Iterable[Diagnostic]:
    """A warning for each parameter that the program does not look at."""
    for name in given:
        if name not in used:
            yield Diagnostic(
                f"the program has no parameter '{name}'",
                help=did_you_mean(name, declared),
                severity="warning",
            )
