"""Programs and circuits as nested statements: calls in place, qubits known, no jumps.

  ^loop(%b: i1): cond_br %b, ^body, ^rest         while b {
  ^body: %q = extract %c0; %r = h %q         =>     h 0
         %s, %m = measure_z %r; ...                 measure 0 -> b
         br ^loop(%m)                             }

Outputs for languages that have `if` and `while`, but no jumps, write these.
"""

from __future__ import annotations

from qwasmc.backends.live import unique_names
from qwasmc.backends.machine import Label
from qwasmc.backends.refusals import refusal
from qwasmc.backends.structured.circuits import straight
from qwasmc.backends.structured.inline import inlined
from qwasmc.backends.structured.nodes import Nodes
from qwasmc.backends.structured.regions import nested
from qwasmc.backends.structured.tidy import tidy
from qwasmc.backends.structured.tree import Assign, Listing, Result, Statement, walk
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program


def listing(ir: Program | Circuit) -> Listing:
    """The statements of a program, with its results as variables.

    Raises CompileError (exit code 3) for what statements cannot say: recursion, qubits and
    addresses whose numbers are computed when it runs, loops that are entered in two places, runs
    that fail, results that only some runs record or that are floating-point numbers.
    """
    if isinstance(ir, Circuit):
        return straight(ir).listing
    graph = Nodes(inlined(ir), ir.locations)
    body = nested(graph.nodes, ir.locations)
    results = _recorded(graph, body, ir)
    found = Listing(graph.qubits.names, results, body, ir.locations)
    tidy(found)
    return found


def _recorded(graph: Nodes, body: list[Statement], program: Program) -> list[Result]:
    """The results, in the order in which every run records them."""
    always: dict[int, Result] = {}
    top = {id(statement) for statement in body}
    for statement in walk(body):
        if isinstance(statement, Assign) and statement.variable in graph.results:
            result = graph.results[statement.variable]
            if id(statement) not in top:
                message = f"the result '{result.name}' is not recorded exactly once in every run"
                raise refusal(program.locations, message, statement.loc)
            always[id(result)] = result
    found = list(always.values())
    names = unique_names([Label(result.name, result.kind) for result in found])
    for result, label in zip(found, names, strict=True):
        result.name = label.name
    return found
