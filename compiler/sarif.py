"""Diagnostics for programs: a JSON object each, or a log in SARIF 2.1.0.

SARIF is the OASIS standard "Static Analysis Results Interchange Format", version 2.1.0; sections
that are named here are its.  Columns count characters from 1, and the end is one past the last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from qwasmc import __version__
from qwasmc.diagnostics import Diagnostic, Kind, Place

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

RULES = {
    "program-error": "The program is wrong.",
    "usage-error": "The request is wrong: an option, or a file that cannot be read or written.",
    "limit": "The program is more than this compiler, a target or a limit allows.",
    "internal-error": "The compiler is wrong.",
    "warning": "The output is right, but may not be what is wanted.",
    "note": "What is to be known about an output that is right.",
}
"""What the rules are that a diagnostic can be about; these names stay."""

KINDS = {
    Kind.PROGRAM: "program-error",
    Kind.USAGE: "usage-error",
    Kind.LIMIT: "limit",
    Kind.BUG: "internal-error",
}

_SUGGESTION = re.compile(r"did you mean '([^']+)'\?")


def rule_of(diagnostic: Diagnostic) -> str:
    """The rule that a diagnostic is about."""
    return KINDS[diagnostic.kind] if diagnostic.severity == "error" else diagnostic.severity


def as_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as a JSON object; docs/builds.md describes its keys."""
    return {
        "severity": diagnostic.severity,
        "rule": rule_of(diagnostic),
        "message": diagnostic.message,
        "place": None if diagnostic.place is None else _place(diagnostic.place),
        "label": diagnostic.label,
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "chain": [{"what": what, **_place(place)} for what, place in diagnostic.chain],
    }


def _place(place: Place) -> dict[str, Any]:
    return {
        "file": place.file,
        "line": place.line,
        "column": place.column,
        "end_column": place.end,
    }


def log(diagnostics: Sequence[Diagnostic], exit_code: int) -> dict[str, Any]:
    """The diagnostics of one run as a log file (section 3.13)."""
    driver = {
        "name": "qwasmc",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in RULES.items()],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": exit_code == 0, "exitCode": exit_code}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic) for diagnostic in diagnostics],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    """A diagnostic as a result (section 3.27)."""
    lines = [diagnostic.message, diagnostic.label, *(f"note: {note}" for note in diagnostic.notes)]
    if diagnostic.help:
        lines.append(f"help: {diagnostic.help}")
    rule = rule_of(diagnostic)
    result: dict[str, Any] = {
        "ruleId": rule,
        "ruleIndex": list(RULES).index(rule),
        "level": diagnostic.severity,
        "message": {"text": "\n".join(line for line in lines if line)},
    }
    if diagnostic.place is not None:
        result["locations"] = [{"physicalLocation": _location(diagnostic.place)}]
        result["fixes"] = _fixes(diagnostic, diagnostic.place)
    result["relatedLocations"] = [
        {"physicalLocation": _location(place), "message": {"text": f"in {what}"}}
        for what, place in dict.fromkeys(diagnostic.chain)
    ]
    return {key: value for key, value in result.items() if value != []}


def _location(place: Place) -> dict[str, Any]:
    """A physical location (section 3.29)."""
    region = {**_region(place), "snippet": {"text": place.text[place.column - 1 : place.end - 1]}}
    return {"artifactLocation": {"uri": _uri(place.file)}, "region": region}


def _region(place: Place) -> dict[str, int]:
    end = max(place.end, place.column)
    return {"startLine": place.line, "startColumn": place.column, "endColumn": end}


def _uri(file: str) -> str:
    """A path as a URI (section 3.4.3): a relative one stays relative."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))


def _fixes(diagnostic: Diagnostic, place: Place) -> list[dict[str, Any]]:
    """The replacement that the help suggests for the very word at the place (section 3.55)."""
    suggested = _SUGGESTION.fullmatch(diagnostic.help)
    word = place.text[place.column - 1 : place.end - 1]
    if suggested is None or not word or f"'{word}'" not in diagnostic.message:
        return []
    replacement = {"deletedRegion": _region(place), "insertedContent": {"text": suggested[1]}}
    change = {
        "artifactLocation": {"uri": _uri(place.file)},
        "replacements": [replacement],
    }
    return [{"description": {"text": diagnostic.help}, "artifactChanges": [change]}]
