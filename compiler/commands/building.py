"""One compilation of the command line: from the cache if it is there, with its manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from qwasmc import driver
from qwasmc.approval.rule_store import LEDGER, PACKAGE, trust_path
from qwasmc.cache import Cache, Made, file_state
from qwasmc.commands.common import pretty_json
from qwasmc.diagnostics import Diagnostic
from qwasmc.fitting import pinned
from qwasmc.manifest import Recorder, compose, report_hash, stream_hash, target_file
from qwasmc.options import Options, Watch
from qwasmc.reading import Source

if TYPE_CHECKING:
    from qwasmc.reading import IR


def build(
    source: Source,
    options: Options,
    watch: Watch,
    wanted: Mapping[str, TextIO],
    cache: Cache | None,
    recorded: bool,
) -> Made:
    """Compile a source into the `wanted` files, "output" and "report" or "schedule".

    If it is `recorded`, the result has the facts for a manifest.
    """
    options = pinned(options)
    if cache is None or options.print_after:  # a cached compilation has nothing to print
        return _compile(source, options, watch, wanted, recorded)
    found = cache.find(source, options, wanted, recorded)
    if found is not None:
        for remark in found.remarks:
            watch.warn(remark)
        return found
    made = _compile(source, options, replace(watch, around=cache.around), wanted, recorded)
    cache.keep(source, options, wanted, made)
    return made


def _compile(
    source: Source,
    options: Options,
    watch: Watch,
    wanted: Mapping[str, TextIO],
    recorded: bool,
) -> Made:
    made = Made({**target_file(options), **rule_files(options)})
    recorder = Recorder(source, options)
    program = (source.name, hashlib.sha256(source.data).hexdigest())

    def warn(diagnostic: Diagnostic) -> None:
        made.remarks.append(diagnostic)
        watch.warn(diagnostic)

    def passed(name: str, given: Mapping[str, Any], ir: IR) -> None:
        if name == "read":
            made.files |= dict(item for item in ir.locations.paths.items() if item != program)
            made.absent += ir.locations.absent
        if recorded:
            recorder.passed(name, given, ir)

    artifact = driver.compile_source(source, options, replace(watch, warn=warn, passed=passed))
    artifact.write(wanted["output"])
    for name in ("report", "schedule"):
        if name in wanted:
            wanted[name].write(pretty_json(getattr(artifact, name)))
    made.verification = artifact.verification
    made.facts = recorder.facts if recorded else None
    return made


def rule_files(options: Options) -> dict[str, str]:
    """The files with sets of rules, and the ledger and the trust file on which approvals rest.

    Those that come with the compiler are part of its version.
    """
    files = [each.file for each in options.rule_sets or () if each.file]
    if files and options.rule_store:
        store = Path(options.rule_store)
        files += [str(store / LEDGER), trust_path(store, options.trust)]
    return {file: file_state(file) for file in files if not Path(file).is_relative_to(PACKAGE)}


def manifest_text(
    path: str,
    made: Made,
    arguments: list[str],
    names: Mapping[str, str],
    files: Mapping[str, TextIO],
) -> str:
    """The text of a manifest at `path`, for outputs that are written but for their names."""
    outputs = []
    for kind, file in files.items():
        file.flush()
        file.buffer.seek(0)
        found = report_hash(file.buffer.read()) if kind == "report" else stream_hash(file.buffer)
        outputs.append({"kind": kind, "name": names[kind], "sha256": found})
    assert made.facts is not None
    return compose(path, made.facts, arguments, outputs)
