"""Checks of this very compilation (`--verify`): its passes one by one, and its finished circuit.

The checkers are backends that share no code with what they check; docs/verification.md lists them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from qwasmc.artifact import Artifact, joined, noisy
from qwasmc.diagnostics import CompileError
from qwasmc.pipeline import BACK_HALF, OPEN_ENDS, SYNTHESISE, UNCOMPUTE, Pass, load
from qwasmc.running import InternalError, call, parse_noise

if TYPE_CHECKING:
    import stim

    from qwasmc.reading import IR

VERIFY_NOISE = "uniform:0.001"
"""The noise at which --verify samples and searches for logical errors; ports are quiet."""


def stop_if_failed(found: Sequence[Mapping[str, str]]) -> None:
    """Raise unless no check has found the output wrong."""
    failed = [f"{item['check']}: {item['detail']}" for item in found if item["result"] == "failed"]
    if failed:
        raise InternalError(f"the output is wrong: {'; '.join(failed)}")


CHECKED = ("circuit", "stim")
"""Formats that are what the checks read."""


def verify_format(name: str) -> list[dict[str, str]]:
    """What is left to say of a format that is written from what was checked."""
    if name in CHECKED:
        return []
    detail = (
        f"what is written as {name} is not read back: the checks are of what it is written from"
    )
    return [{"check": "format", "result": "skipped", "detail": detail}]


def verify_front(artifact: Artifact) -> list[dict[str, str]]:
    """What comparing circuits before and after each pass of the front half found."""
    compare = load("qwasmc.backends.equivalence:compare")
    check_synthesis = load("qwasmc.backends.equivalence.words:check_synthesis")
    found = []
    if artifact.trail.program is None:
        detail = "the program keeps its control flow and is not optimised"
        found.append({"check": "passes", "result": "skipped", "detail": detail})
    if artifact.trail.certificate is not None:
        detail = artifact.trail.certificate["summary"]
        found.append({"check": UNCOMPUTE.name, "result": "proved", "detail": detail})
    for row, before, after in artifact.trail.steps:
        if row is SYNTHESISE:
            check = check_synthesis(before, after, artifact.options.synthesis_error)
        else:
            check = compare(before, after)
        found.append({**check._asdict(), "check": row.name})
    return found


def verify_back(artifact: Artifact, rows: Sequence[Pass]) -> list[dict[str, str]]:
    """What the checks of the finished circuit found."""
    build = load("qwasmc.backends.stim.validate:Build")
    emit = load("qwasmc.backends.stim.emit:emit")
    program: IR = artifact.program
    closed = build(program, artifact.ir, artifact.emission)
    opened, unopened = closed, ""

    def lowered(ir: IR) -> IR:
        for row in rows:
            if row in BACK_HALF:
                ir = call(row, ir, artifact.options, artifact.watch)
        return ir

    if OPEN_ENDS not in rows:
        try:
            ends_open: IR = load(OPEN_ENDS.function)(program)
            ir = lowered(ends_open)
            opened = build(ends_open, ir, emit(ir, artifact.distance))
        except CompileError as refused:
            reason = refused.diagnostics[0].message
            unopened = f"the program cannot be compiled with open ends: {reason}"

    def probe(probed: IR, distance: int) -> stim.Circuit:
        ir = artifact.ir if probed is program else lowered(probed)
        return joined(noisy(emit(ir, distance), parse_noise(VERIFY_NOISE)))

    found: list[dict[str, str]] = load("qwasmc.backends.stim.validate:validate")(
        closed, opened, probe
    )
    for item in found:
        if unopened and item["check"] == "logical action":
            item.update(result="not decided", detail=unopened)
        if artifact.options.noisy_ports and item["check"] in ("distance", "suppression"):
            item["detail"] += "; with ports free of noise (the distance of a noisy port is 1)"
    return found
