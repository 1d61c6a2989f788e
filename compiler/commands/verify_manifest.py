"""`qwasmc verify-manifest`."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any

import click

from qwasmc.commands.arguments import given_arguments
from qwasmc.commands.compile import compile_command
from qwasmc.commands.console import console
from qwasmc.diagnostics import CompileError, Diagnostic, error
from qwasmc.pipeline import load


@click.command("verify-manifest")
@click.argument("path", metavar="MANIFEST", type=click.Path())
def verify_manifest(path: str) -> None:
    """Replay the compilation that a manifest describes, and compare it step by step.

    Inputs and outputs are looked for where they were then, seen from the manifest.

    \b
    Example:
      qwasmc compile examples/bell.qwasm -o bell.stim --manifest bell.manifest.json
      qwasmc verify-manifest bell.manifest.json
    """
    manifest: dict[str, Any] = load("qwasmc.manifest:parse")(path)
    folder = Path(path).parent / manifest["directory"]
    if not folder.is_dir():
        raise error(f"there is no folder '{folder}', in which the manifest was made")
    with chdir(folder):
        load("qwasmc.manifest:check_inputs")(manifest)
        for other in load("qwasmc.manifest:other_versions")(manifest):
            console().show(Diagnostic(f"another version: {other}", severity="warning"))
        load("qwasmc.manifest:compare")(manifest, replayed(manifest))
        load("qwasmc.manifest:check_outputs")(manifest)
    steps, outputs = len(manifest["steps"]), len(manifest["outputs"])
    console().say(f"{path}: {steps} steps and {outputs} outputs are the same")


def replayed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest of the same compilation now."""
    arguments = manifest["arguments"]
    with tempfile.TemporaryDirectory(prefix="qwasmc-") as made:
        more = ["--manifest", f"{made}/manifest", "--cache-dir", ""]
        for item in manifest["outputs"]:
            kind = item["kind"]
            more += ["-o" if kind == "output" else f"--{kind}", f"{made}/{kind}"]
        try:
            with _context([*arguments, "--", manifest["input"]]) as context:
                if given_arguments(context, context.params["emit"] or "") != arguments:
                    raise error("the arguments in the manifest are not those of a compilation")
            with _context([*arguments, *more, "--", manifest["input"]]) as context:
                compile_command.invoke(context)
        except click.ClickException as wrong:
            raise error(f"the arguments in the manifest: {wrong.format_message()}") from wrong
        except CompileError as wrong:
            first = Diagnostic("the compilation does not succeed any more")
            raise CompileError([first, *wrong.diagnostics]) from wrong
        again: dict[str, Any] = load("qwasmc.manifest:parse")(f"{made}/manifest")
        return again


def _context(arguments: list[str]) -> click.Context:
    return compile_command.make_context("compile", arguments, parent=click.get_current_context())
