"""Shadow mode over a corpus: what a set of rules would do to programs, before anybody lets it.

Every program is compiled without rules, then rewritten with the set; the result is compared, in
costs and in meaning, and thrown away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from qwasmc.approval.shadow import Program, Report
from qwasmc.diagnostics import CompileError, Diagnostic
from qwasmc.driver import compile_source
from qwasmc.options import Options, Watch
from qwasmc.pipeline import REWRITE, load
from qwasmc.reading import Source
from qwasmc.running import InternalError, run_pass

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.rules.rule import RuleSet


def shadow(programs: Iterable[Source], rules: RuleSet, options: Options, watch: Watch) -> Report:
    """What a set does to programs that are compiled with `options`.

    A program that does not compile is left out, with a warning.  Raises `InternalError` for one
    that the set changes in meaning.
    """
    options = replace(options, emit="circuit", objective=rules.cost, shadow=False, rule_sets=())
    found = []
    for source in programs:
        try:
            plain = cast("Circuit", compile_source(source, options, watch).ir)
        except CompileError as refused:
            reason = refused.diagnostics[0].message
            watch.warn(Diagnostic(f"'{source.name}' is left out: {reason}", severity="warning"))
            continue
        found.append(_compared(source, plain, rules, options, watch))
    return Report(rules.name, rules.sha256, rules.cost, found)


def _compared(
    source: Source, plain: Circuit, rules: RuleSet, options: Options, watch: Watch
) -> Program:
    """The costs of a compiled program without and with a set."""
    options = replace(options, rule_sets=(rules,), feed_forward=True)
    rewritten = cast("Circuit", run_pass(plain, REWRITE, options, watch))
    check = load("qwasmc.backends.equivalence:compare")(plain, rewritten)
    if check.result == "failed":
        raise InternalError(f"the rules change what '{source.name}' does: {check.detail}")
    counts = load("qwasmc.cost:counts")
    name = hashlib.sha256(source.data).hexdigest()
    return Program(source.name, name, counts(plain), counts(rewritten))
