"""The command line.

Only click and the light parts of qwasmc are imported here, so that help appears at once.
"""

from __future__ import annotations

import errno
import os
import shlex
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from qwasmc import __version__
from qwasmc.commands.check import check
from qwasmc.commands.compile import compile_command
from qwasmc.commands.completion import COMPLETE, completion
from qwasmc.commands.console import STYLES, Console
from qwasmc.commands.cut import cut, knit
from qwasmc.commands.draw import draw
from qwasmc.commands.estimate import estimate
from qwasmc.commands.learn import learn
from qwasmc.commands.opt import opt
from qwasmc.commands.rules import rules
from qwasmc.commands.sample import decoders, sample
from qwasmc.commands.simulate import simulate
from qwasmc.commands.stats import stats
from qwasmc.commands.tables import formats, ops, passes
from qwasmc.commands.targets import targets
from qwasmc.commands.verify_manifest import verify_manifest
from qwasmc.commands.view import view
from qwasmc.diagnostics import CompileError, Diagnostic, Kind
from qwasmc.response import expand

MAX_ATTACHED = 1 << 20
"""How much of each input goes into a bug report, in bytes."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Refusals of a disk, which may come at any write."""

COMMANDS = (
    compile_command,
    check,
    opt,
    stats,
    simulate,
    sample,
    estimate,
    view,
    draw,
    cut,
    knit,
    learn,
    rules,
    verify_manifest,
    targets,
    formats,
    passes,
    ops,
    decoders,
    completion,
)

CONTEXT = {
    "help_option_names": ["-h", "--help"],
    "max_content_width": 100,
    "show_default": True,
}


@click.group(context_settings=CONTEXT)
@click.version_option(__version__, prog_name="qwasmc")
@click.option(
    "--cmake-dir",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, asked: tell_cmake_dir(context) if asked else None,
    help="Print the folder of qwasmc.cmake and exit.",
)
@click.option(
    "--diagnostics",
    type=click.Choice(STYLES),
    default=STYLES[0],
    help="What standard error gets: text, a JSON object on each line, or a SARIF log.",
)
@click.pass_obj
def cli(console: Console, diagnostics: str) -> None:
    """From quantum programs to checked, noisy, decodable surface-code circuits.

    \b
    Example:
      qwasmc compile bell.qwasm -d 3 --noise uniform:0.001 --verify -o bell.stim
      qwasmc sample bell.stim --shots 100000

    An argument @FILE stands for the arguments in FILE.
    """
    console.style = diagnostics


def tell_cmake_dir(context: click.Context) -> NoReturn:
    """Print where the CMake module lies, in CMake's own form, and leave."""
    click.echo((Path(__file__).parent / "cmake").as_posix())
    context.exit()


for command in COMMANDS:
    cli.add_command(command)


# -- errors ----------------------------------------------------------------------------------------


def main() -> None:
    """Run the command line and exit with its code."""
    if COMPLETE in os.environ:  # a shell asks
        sys.exit(shell_complete(cli, {}, "qwasmc", COMPLETE, os.environ[COMPLETE]))
    open_streams()
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # it came while another end was being handled
        code = 128 + signal.SIGINT
    try:
        sys.stdout.flush()
    except OSError:  # it has been said; Python would try once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def open_streams() -> None:
    """Where a standard stream is closed, put one that refuses; what standard error gets is lost."""
    for name, flags, mode in (
        ("stdin", os.O_WRONLY, "r"),
        ("stdout", os.O_RDONLY, "w"),
        ("stderr", os.O_WRONLY, "w"),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode, encoding="utf-8"))


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    console = Console()
    code = _run(arguments, console)
    console.finish(code)
    return code


def _run(arguments: Sequence[str], console: Console) -> int:
    words = list(arguments)
    console.style = style_of(words)
    try:
        words = expand(arguments)
        console.style = style_of(words)
        # Not cli.main, which has its own idea of exit codes.
        with cli.make_context("qwasmc", list(words), obj=console) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as wrong:
        if console.style == "text":
            wrong.show()
        else:
            console.show(Diagnostic(wrong.format_message(), kind=Kind.USAGE))
        return int(Kind.USAGE)
    except CompileError as wrong:
        for diagnostic in wrong.diagnostics:
            console.show(diagnostic)
        return wrong.exit_code
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except SystemExit as terminated:
        return int(str(terminated.code))
    except MemoryError:
        console.show(Diagnostic("out of memory", kind=Kind.LIMIT))
        return int(Kind.LIMIT)
    except Exception as bug:
        if isinstance(bug, OSError) and bug.errno in NO_ROOM:
            console.show(Diagnostic(f"cannot write: {bug.strerror}", kind=Kind.USAGE))
            return int(Kind.USAGE)
        console.show(bug_diagnostic(bug, words))
        return int(Kind.BUG)
    return 0


def style_of(words: Sequence[str]) -> str:
    """What --diagnostics asks for: also errors in the arguments are shown so."""
    for word, following in zip(words, [*words[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        style = value if equals else following
        if name == "--diagnostics" and style in STYLES:
            return style
    return STYLES[0]


def _terminate(signum: int, _: object) -> NoReturn:
    """End by way of every `finally`, so that hidden files go."""
    sys.exit(128 + signum)


def bug_diagnostic(bug: Exception, arguments: Sequence[str]) -> Diagnostic:
    """What to say about a bug; writes a file with everything needed to reproduce it, if it can."""
    help = "no output was written; please report this"
    with suppress(OSError):
        handle, path = tempfile.mkstemp(prefix="qwasmc-bug-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(_reproduction(bug, arguments))
        help += f" with {path}"
    return Diagnostic(f"bug in qwasmc: {type(bug).__name__}: {bug}", help=help, kind=Kind.BUG)


def _reproduction(bug: Exception, arguments: Sequence[str]) -> Iterator[str]:
    """The versions, the arguments, the traceback, and the files that the arguments name."""
    yield f"qwasmc {__version__}, Python {sys.version.split()[0]} on {sys.platform}\n"
    yield f"qwasmc {shlex.join(arguments)}\n\n{''.join(traceback.format_exception(bug))}"
    for name in arguments:
        with suppress(OSError, ValueError):  # ValueError: not a path
            if Path(name).is_file():  # a pipe or a device might never end
                with open(name, "rb") as file:
                    text = file.read(MAX_ATTACHED).decode(errors="backslashreplace")
                yield f"\n==== {name}\n{text}"
