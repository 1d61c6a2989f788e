"""rewrite: Circuit -> Circuit.  Rules replace what matches them, where that gains something.

    cx a, b              cx a, c
    cx a, c      =>      t d            with the rule  cx a b; cx a c; cx a b => cx a c
    t d
    cx a, b

Rules are compiled to tables (`rewriting.tables`), which sweeps over the circuit match and apply
(`rewriting.sweep`), for each set in turn.  A set with a policy decides with it where; others apply
the first rule of theirs that lowers the cost.  The cost of the circuit never rises, nor does its
number of T gates; time and memory are linear.
"""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.diagnostics import Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.passes.rewriting.features import weights_of
from qwasmc.passes.rewriting.sweep import run
from qwasmc.passes.rewriting.tables import compile_rules
from qwasmc.rules.rule import RuleSet

SWEEPS = 8
"""Sweeps with a set that has no policy."""

MAX_SWEEPS = 64
"""Most sweeps that a policy may ask for."""


def rewrite(
    circuit: Circuit,
    rule_sets: Sequence[RuleSet],
    objective: str = "t",
    corrections: bool = True,
) -> Circuit:
    """The circuit after the sweeps of each set, or itself if they gain nothing.

    Without `corrections`, no rule is used that makes Paulis depend on results, or measures products
    of Paulis.  Whether rules are right is not looked at: only approved sets get here.  CompileError
    for rules that cannot be applied, and for policies with unknown features or too many sweeps.
    """
    for rules in rule_sets:
        policy = rules.policy
        weights = weights_of(policy.weights, rules.file) if policy else None
        sweeps = policy.sweeps if policy else SWEEPS
        if not 1 <= sweeps <= MAX_SWEEPS:
            message = f"the policy of '{rules.name}' asks for {sweeps} sweeps"
            raise error(message, kind=Kind.LIMIT, help=f"sweeps are 1 to {MAX_SWEEPS}")
        usable = [rule for rule in rules.rules if corrections or not rule.corrects]
        circuit = run(circuit, compile_rules(usable), weights, objective, sweeps)
    return circuit
