"""`qwasmc targets`: the machines that circuits are made for."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import click

from qwasmc.commands.common import json_option, table
from qwasmc.target import OUTPUTS, RULES, TARGETS, Target, find_target

HEADERS = ("target", "distances", "p", "us/round", "qubits", "outputs", "what it is")
LAYOUT = "{:<17} {:>9} {:>8} {:>9} {:>9}  {}\n    {}"


@click.command()
@click.argument("name", metavar="[NAME|FILE]", required=False)
@json_option
def targets(name: str | None, as_json: bool) -> None:
    """The machines that circuits are made for; one of them as TOML, to be edited and read back.

    \b
    Example:
      qwasmc targets
      qwasmc targets superconducting > lab.toml
    """
    if name and as_json:
        click.echo(json.dumps(described(find_target(name)), indent=2))
    elif name:
        click.echo(find_target(name).text, nl=False)
    elif as_json:
        rules = [{"predicate": r.predicate, "target": r.target, "reason": r.reason} for r in RULES]
        found = {"targets": [described(target) for target in TARGETS], "auto": rules}
        click.echo(json.dumps(found, indent=2))
    else:
        table([listed(target) for target in TARGETS], HEADERS, LAYOUT, heading=True)
        click.echo("\nauto is the first of these that holds:")
        chosen = [(rule.predicate, rule.target, rule.reason) for rule in RULES]
        table(chosen, ("if", "target", "because"), "    {:<12} {:<16} {}")


def described(target: Target) -> dict[str, Any]:
    """A target as JSON-ready data; the keys are described in docs/json.md."""
    found = asdict(target)
    del found["text"], found["file"]
    if target.qubit is not None:
        found["qubit"] = {"instruction_set": target.instruction_set, **found["qubit"]}
    return {**found, "round_time": target.round_time, "error_rate": target.error_rate}


def listed(target: Target) -> tuple[str, ...]:
    """A row of the table of targets."""
    distances = f"{target.distances[0]}..{target.distances[-1]}"
    p = "" if target.error_rate is None else f"{target.error_rate:g}"
    time = "" if target.round_time is None else f"{target.round_time / 1e3:g}"
    qubits = "" if target.max_qubits is None else str(target.max_qubits)
    return target.name, distances, p, time, qubits, outputs(target), target.doc


def outputs(target: Target) -> str:
    """What may be written for a target, in short."""
    if not target.has_circuits:
        return "logical ones"
    return "all" if target.outputs == OUTPUTS else ", ".join(target.outputs)
