"""`qwasmc check`."""

from __future__ import annotations

from typing import Any

import click

from qwasmc import reading
from qwasmc.commands.common import input_argument, make_options, reading_options, watching


@click.command()
@input_argument
@reading_options
def check(path: str, **given: Any) -> None:
    """Parse, expand and type-check a program.

    \b
    Example:
      qwasmc check examples/bell.qwasm
    """
    with watching() as watch:
        reading.verify_ir(reading.read(reading.read_source(path), make_options(**given), watch))
