"""The command line.

Only click and the light parts of qwasmc are imported here, so that help appears at once.
"""

from __future__ import annotations

import os
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click

from qwasmc import __version__
from qwasmc.commands.check import check
from qwasmc.commands.common import show
from qwasmc.commands.compile import compile_command
from qwasmc.commands.opt import opt
from qwasmc.commands.sample import sample
from qwasmc.commands.simulate import simulate
from qwasmc.commands.stats import stats
from qwasmc.commands.tables import formats, ops, passes, targets
from qwasmc.diagnostics import CompileError, Diagnostic, Kind

EX_BUG = 70
"""Exit code of a bug in the compiler."""

MAX_ATTACHED = 1 << 20
"""How much of each input goes into a bug report, in bytes."""

COMMANDS = (compile_command, check, opt, stats, simulate, sample, targets, formats, passes, ops)

CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="qwasmc")
def cli() -> None:
    """From quantum programs to checked, noisy, decodable surface-code circuits.

    \b
    Example:
      qwasmc compile bell.qwasm -d 3 --noise uniform:0.001 --verify -o bell.stim
      qwasmc sample bell.stim --shots 100000
    """


for command in COMMANDS:
    cli.add_command(command)


# -- errors ----------------------------------------------------------------------------------------


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # it came while another end was being handled
        code = 128 + signal.SIGINT
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        # Not cli.main, which has its own idea of exit codes.
        with cli.make_context("qwasmc", list(arguments)) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        wrong.show()
        return int(Kind.USAGE)
    except CompileError as wrong:
        for diagnostic in wrong.diagnostics:
            show(diagnostic)
        return wrong.exit_code
    except BrokenPipeError:
        # Python flushes standard output once more at exit; let it go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except MemoryError:
        show(Diagnostic("out of memory", kind=Kind.LIMIT))
        return int(Kind.LIMIT)
    except Exception as bug:
        show(bug_diagnostic(bug, arguments))
        return EX_BUG
    return 0


def _terminate(signum: int, _: object) -> NoReturn:
    """End by way of every `finally`, so that hidden files go."""
    sys.exit(128 + signum)


def bug_diagnostic(bug: Exception, arguments: Sequence[str]) -> Diagnostic:
    """What to say about a bug; writes a file with everything needed to reproduce it."""
    handle, path = tempfile.mkstemp(prefix="qwasmc-bug-", suffix=".txt")
    with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"qwasmc {__version__}, Python {sys.version.split()[0]} on {sys.platform}\n")
        file.write(f"qwasmc {shlex.join(arguments)}\n\n{''.join(traceback.format_exception(bug))}")
        for name in arguments:
            with suppress(OSError):
                text = Path(name).read_bytes()[:MAX_ATTACHED].decode(errors="backslashreplace")
                file.write(f"\n==== {name}\n{text}")
    return Diagnostic(
        f"bug in qwasmc: {type(bug).__name__}: {bug}",
        help=f"no output was written; please report this with {path}",
    )
