"""`qwasmc completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print a script that completes commands and options in a shell.

    \b
    Example:
      qwasmc completion bash > ~/.local/share/bash-completion/completions/qwasmc
    """
    found = get_completion_class(shell)
    assert found is not None
    command = click.get_current_context().find_root().command
    click.echo(found(command, {}, "qwasmc", COMPLETE).source())


COMPLETE = "_QWASMC_COMPLETE"
"""The variable by which the script asks for completions."""
