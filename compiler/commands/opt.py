"""`qwasmc opt`."""

from __future__ import annotations

from typing import Any

import click

from qwasmc import reading, running
from qwasmc.commands.common import input_argument, output_option, pass_options, watching
from qwasmc.options import Options
from qwasmc.output import Outputs
from qwasmc.pipeline import named


@click.command()
@input_argument
@output_option
@pass_options
def opt(path: str, output: str, passes: list[str] | None, **given: Any) -> None:
    """Run passes on IR text; without --passes, only verify it and print it back.

    \b
    Example:
      qwasmc compile examples/bell.qwasm --emit program | qwasmc opt - --passes specialise
    """
    options = Options(language="ir", **given)
    with Outputs() as outputs, watching() as watch:
        ir = reading.read(reading.read_source(path), options, watch)
        for row in named(passes or [], reading.kind_of(ir)):
            ir = running.run_pass(ir, row, options, watch)
        outputs.open(output).write(reading.print_ir(ir))
