"""`qwasmc cut` and `qwasmc knit`."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any, cast

import click

from qwasmc import driver, reading, running
from qwasmc.artifact import version
from qwasmc.commands.common import (
    Number,
    input_argument,
    iterations_option,
    make_options,
    output_option,
    pretty_json,
    reading_options,
    seed_option,
    watching,
)
from qwasmc.commands.compile import check_not_input
from qwasmc.diagnostics import Kind, error
from qwasmc.options import Options, Watch
from qwasmc.output import Outputs
from qwasmc.pipeline import UNCOMPUTE, load

if TYPE_CHECKING:
    from qwasmc.backends.cutting.plan import Plan
    from qwasmc.ir.circuit import Circuit
    from qwasmc.reading import IR

DECLARED = re.compile(r"CIRCUIT_CUT [^,]*, ([1-9][0-9]*|0x[0-9a-f]*[1-9a-f][0-9a-f]*), [^,]*")
"""The pragma of a program that says how many qubits a piece may have."""


def _samples(_: click.Context, __: click.Parameter, text: str) -> float:
    """A number of samples, or infinitely many."""
    try:
        samples = float(text) if text == "inf" else int(text)
    except ValueError:
        samples = 0
    if samples < 1:
        raise click.BadParameter(f"'{text}' is neither a positive number nor inf")
    return samples


@click.command()
@input_argument
@output_option
@click.option(
    "--max-qubits",
    "width",
    type=click.IntRange(min=1),
    metavar="N",
    help="Most qubits of a piece; by default what CIRCUIT_CUT in the program says.",
)
@click.option(
    "--observables",
    metavar="ZZ,XI,...",
    callback=lambda _, __, text: None if text is None else text.split(","),
    help="Pauli products, with a letter for each qubit of the program; by default its results, and "
    "their parity.",
)
@click.option(
    "--samples",
    default="inf",
    metavar="N|inf",
    callback=_samples,
    help="Terms that are drawn at random; inf takes all.",
)
@click.option(
    "--precision",
    type=Number(1e-9, 1),
    default=0.01,
    metavar="E",
    help="The standard error that a bound on shots is stated for.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, metavar="N", help="Other choices."
)
@iterations_option
@reading_options
def cut(
    path: str,
    output: str,
    width: int | None,
    observables: list[str] | None,
    samples: float,
    precision: float,
    seed: int,
    **given: Any,
) -> None:
    """Cut a program into pieces of few qubits, and write the circuits to run as JSON.

    \b
    Example:
      qwasmc cut examples/cut.qwasm --max-qubits 3 -o experiments.json
      qwasmc knit experiments.json --simulate 10000
    """
    check_not_input(path, [output])
    with Outputs() as outputs, watching() as watch:
        source = reading.read_source(path)
        circuit, declared = circuit_of(source, make_options(**given), watch)
        if width is None and declared is None:
            raise error(
                "how many qubits may a piece have?",
                kind=Kind.USAGE,
                help="say --max-qubits N, or CIRCUIT_CUT 0, N, 0 in the program",
            )
        with watch.timed("cut"):
            run = load("qwasmc.backends.cutting.cut:cut")
            plan = run(circuit, width or declared, observables, samples, precision, seed)
        watch.note(_summary(plan))
        plan = {"version": version(), "input": path, **plan}
        outputs.open(output).write(pretty_json(plan))


def circuit_of(
    source: reading.Source, options: Options, watch: Watch
) -> tuple[Circuit, int | None]:
    """The program as a circuit of its own gates, and how many qubits it says a piece may have."""
    ir = reading.read(source, options, watch)
    declared = _declared(ir)
    for row in running.choose_passes(reading.kind_of(ir), "circuit", options):
        if row.takes == "program" or row is UNCOMPUTE:
            ir = running.run_pass(ir, row, options, watch)
    return cast("Circuit", ir), declared


def _declared(ir: IR) -> int | None:
    """The least number of qubits in the program's pragmas, if there is one."""
    blocks = [block for function in getattr(ir, "functions", ()) for block in function.blocks]
    texts = [op.attrs["text"] for block in blocks for op in block.ops if op.name == "pragma"]
    found = [DECLARED.fullmatch(text) for text in texts]
    return min((int(match[1], 0) for match in found if match), default=None)


def _summary(plan: Plan) -> str:
    """What was cut, and what it costs."""
    kinds = [each["kind"] for each in plan["cuts"]]
    widest = max(piece["qubits"] for piece in plan["pieces"])
    parts = [
        f"{_plural(kinds.count('gate'), 'gate')} and {_plural(kinds.count('wire'), 'wire')} cut",
        f"{_plural(len(plan['pieces']), 'piece')} of at most {_plural(widest, 'qubit')}",
        _plural(sum(len(piece["experiments"]) for piece in plan["pieces"]), "experiment"),
        _plural(len(plan["terms"]), "term"),
    ]
    least = "" if plan["minimum"] else ", which a search of bounded length did not prove least"
    precision, shots = plan["shots"]["error"], plan["shots"]["shots"]
    return (
        f"{', '.join(parts)}; the sampling overhead is {plan['overhead']:.12g}{least}: "
        f"a standard error of {precision:g} takes at most {shots:.12g} runs of the whole"
    )


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@click.command()
@click.argument("plan_path", metavar="EXPERIMENTS", type=click.Path())
@click.argument("results_path", metavar="[RESULTS]", type=click.Path(), required=False)
@click.option(
    "--simulate",
    "shots",
    type=click.IntRange(min=1),
    metavar="SHOTS",
    help="Run each experiment so often here, in place of RESULTS.",
)
@seed_option
def knit(plan_path: str, results_path: str | None, shots: int | None, seed: int) -> None:
    """Put the results of a cut program together; print its observables with standard errors.

    RESULTS is a JSON object: by the name of each experiment what `qwasmc simulate` prints for it.

    \b
    Example:
      qwasmc knit experiments.json results.json
    """
    if (results_path is None) == (shots is None):
        raise click.UsageError("give either RESULTS or --simulate SHOTS")
    read_plan, read_json = (
        load(f"qwasmc.backends.cutting.plan:{name}") for name in ("read_plan", "read_json")
    )
    outcomes, run = (load(f"qwasmc.backends.cutting.knit:{name}") for name in ("outcomes", "knit"))
    plan: Plan = read_plan(reading.read_source(plan_path).data, plan_path)
    if results_path is None:
        with watching() as watch:
            counts = _simulated(plan, watch, cast("int", shots), seed)
    else:
        counts = read_json(reading.read_source(results_path).data, results_path)
        if not isinstance(counts, dict):
            raise error(f"'{results_path}' has no object with the counts of each experiment")
    found = run(plan, {name: outcomes(each, name) for name, each in counts.items()})
    click.echo(json.dumps({"overhead": plan["overhead"], "observables": found}, indent=2))


def _simulated(plan: Plan, watch: Watch, shots: int, seed: int) -> dict[str, Any]:
    """The counts of all experiments, by name."""
    rng = random.Random(seed)
    options = Options(language="qasm3")
    found: dict[str, Any] = {}
    for piece in plan["pieces"]:
        for each in piece["experiments"]:
            source = reading.Source(f"experiment {each['name']}", each["qasm"].encode())
            own = rng.getrandbits(62)
            found[each["name"]] = driver.simulate(source, options, watch, shots, own)
    return found
