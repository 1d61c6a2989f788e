"""Manifests: how a compilation went, so that anybody can replay and compare it.

A manifest names the inputs, the options, the target and the versions, and has a hash of the printed
IR after each pass.  These form a chain: chain = H(chain before, pass, options, ir), which starts
with H(inputs, language, options, target, rules).  H is SHA-256 of JSON with sorted keys, without
spaces.
The hash of the manifest itself is that of its text without this hash.
There is nothing in it that differs from run to run.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import qwasmc.grammar
from qwasmc.cache import digest, file_state, plain, shallow
from qwasmc.columns import printed
from qwasmc.diagnostics import CompileError, Kind, error
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.languages import detect
from qwasmc.ops import OPS
from qwasmc.options import Options
from qwasmc.reading import Source
from qwasmc.versions import versions

if TYPE_CHECKING:
    from qwasmc.reading import IR

FORMAT = "qwasmc manifest 1"
MAX_BYTES = 1 << 26
"""Longest manifest that is read."""

SERVICES = {"pragma": "text", "require": "needs"}
"""Operations for run-time services, and their attributes."""

LIBRARY = Path(qwasmc.grammar.__path__[0])
LIBRARY_MARK = "<qwasmc>/"
"""What stands for the folder of the compiler's own files, wherever it is installed."""

SHAPE: dict[str, Any] = {
    "format": str,
    "directory": str,
    "input": str,
    "inputs": [{"name": str, "sha256": str}],
    "language": str,
    "arguments": [str],
    "options": dict,
    "target": {"name": str, "sha256": str},
    "rules": [{"name": str, "sha256": str}],
    "versions": dict,
    "services": [str],
    "steps": [{"pass": str, "options": dict, "ir": str, "chain": str}],
    "outputs": [{"kind": str, "name": str, "sha256": str}],
    "sha256": str,
}
"""The keys of a manifest, in order; docs/builds.md describes them."""

SIDE_OUTPUTS = ("report", "schedule")
"""Kinds of outputs besides "output", which comes first."""

HASHED = ("inputs", "language", "options", "target", "rules")
"""What the chain of hashes starts with."""

SAME = ("language", "options", "target", "rules", "inputs", "services")
"""What is compared before the steps."""


class Recorder:
    """Notes what every pass made; `passed` is for a watch."""

    def __init__(self, source: Source, options: Options) -> None:
        row = options.language or detect(source.name, source.data).name
        target = options.target
        name, text = (target, "") if isinstance(target, str) else (target.name, target.text)
        self.facts: dict[str, Any] = {
            "input": source.name,
            "inputs": [],
            "language": row,
            "options": _options(options),
            "target": {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest()},
            "rules": plain(list(options.rule_sets or ())),
            "services": [],
            "steps": [],
        }
        content = hashlib.sha256(source.data).hexdigest()
        self._files = {source.name: content, **target_file(options)}
        self._chain = ""

    def passed(self, name: str, options: Mapping[str, Any], ir: IR) -> None:
        """Note a step: reading the program, or a pass with its options."""
        if not self._chain:
            self._begin(ir)
        given, text = plain(options), printed(ir)
        self._chain = digest([self._chain, name, given, text])
        step = {"pass": name, "options": given, "ir": text, "chain": self._chain}
        self.facts["steps"].append(step)

    def _begin(self, ir: IR) -> None:
        files = {**self._files, **ir.locations.paths}
        self.facts["inputs"] = [
            {"name": _portable(path), "sha256": sha} for path, sha in files.items()
        ]
        self.facts["services"] = list(dict.fromkeys(_services(ir)))
        start = {key: self.facts[key] for key in HASHED}
        self._chain = digest(start)


def target_file(options: Options) -> dict[str, str]:
    """The file that describes the target, if one does, with its SHA-256."""
    file = "" if isinstance(options.target, str) else options.target.file
    return {file: file_state(file)} if file else {}


def _options(options: Options) -> dict[str, Any]:
    """The options that can make a difference, but for the target."""
    given = shallow(options)
    for name in ("target", "print_after", "verify_each", "rule_sets", "rule_store", "trust"):
        del given[name]
    found: dict[str, Any] = plain(given)
    return found


def _services(ir: IR) -> Iterator[str]:
    """What a program asks of run-time services, in its own words."""
    if isinstance(ir, Program):
        ops = (op for function in ir.functions for block in function.blocks for op in block.ops)
        yield from (
            str(op.attrs[SERVICES[op.name]]) for op in ops if op.attrs and op.name in SERVICES
        )
    elif isinstance(ir, Circuit):
        for row in range(len(ir)):
            if OPS[ir.op[row]].name in SERVICES:
                yield str(ir.attribute(row))


def _portable(path: str) -> str:
    """A path with the compiler's own folder left open."""
    if Path(path).is_relative_to(LIBRARY):
        return LIBRARY_MARK + Path(path).relative_to(LIBRARY).as_posix()
    return path


def _here(name: str) -> Path:
    """Where `_portable` found a file."""
    inside = name.removeprefix(LIBRARY_MARK)
    return Path(name) if inside == name else LIBRARY / inside


# -- files


def stream_hash(file: BinaryIO) -> str:
    """SHA-256 of what is left of a stream."""
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def report_hash(text: bytes) -> str:
    """SHA-256 of a report without its times."""
    report = json.loads(text)
    report.pop("timings_s", None)
    return digest(report)


def compose(
    path: str, facts: Mapping[str, Any], arguments: Sequence[str], outputs: Sequence[dict[str, str]]
) -> str:
    """The text of a manifest that is to lie at `path`."""
    found = {
        **facts,
        "format": FORMAT,
        "directory": Path(os.path.relpath(".", os.path.realpath(Path(path).parent))).as_posix(),
        "arguments": list(arguments),
        "versions": versions(),
        "outputs": list(outputs),
    }
    ordered = {key: found[key] for key in SHAPE if key != "sha256"}
    return _text({**ordered, "sha256": _own_hash(ordered)})


def _own_hash(rest: Mapping[str, Any]) -> str:
    """SHA-256 of the text of a manifest without the hash."""
    return hashlib.sha256(_text(rest).encode()).hexdigest()


def _text(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1) + "\n"


def parse(path: str) -> dict[str, Any]:
    """A manifest; raises a CompileError if anything about it has been changed."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as refused:
        raise error(f"cannot read '{path}': {refused.strerror}", kind=Kind.USAGE) from refused
    if len(data) > MAX_BYTES:
        raise error(f"'{path}' is longer than {MAX_BYTES} bytes", kind=Kind.LIMIT)
    try:
        found = json.loads(data)
        if isinstance(found, dict) and _text(found).encode() == data and _fits(found, SHAPE):
            rest = {key: value for key, value in found.items() if key != "sha256"}
            kinds = [item["kind"] for item in found["outputs"]]
            known = kinds[:1] == ["output"] and set(kinds[1:]) <= set(SIDE_OUTPUTS)
            if known and found["sha256"] == _own_hash(rest) and found["format"] == FORMAT:
                return found
    except (ValueError, RecursionError):
        pass
    raise error(f"'{path}' is no manifest, or has been changed since it was written")


def _fits(value: object, shape: Any) -> bool:
    """Whether a value has the keys and the types of a shape."""
    if isinstance(shape, dict):
        return (
            isinstance(value, dict)
            and value.keys() == shape.keys()
            and all(_fits(value[key], inner) for key, inner in shape.items())
        )
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(item, shape[0]) for item in value)
    if shape is str:  # names of files, among others
        return isinstance(value, str) and b"\0" not in os.fsencode(value)
    return isinstance(value, shape)


# -- comparing


def check_inputs(manifest: Mapping[str, Any]) -> None:
    """Raise a CompileError unless the inputs, seen from the working directory, are the same."""
    if [item["name"] for item in manifest["inputs"][:1]] != [_portable(manifest["input"])]:
        raise error("the program in the manifest is not the first of its inputs")
    for item in manifest["inputs"]:
        _check_file("input", item["name"], item["sha256"], file_state(str(_here(item["name"]))))


def check_outputs(manifest: Mapping[str, Any]) -> None:
    """Raise a CompileError unless the outputs, seen from the working directory, are the same."""
    for item in manifest["outputs"]:
        kind, name = item["kind"], item["name"]
        if name == "-":
            continue
        found = file_state(name)
        if kind == "report" and found:
            found = _report_state(name)
        _check_file(kind, name, item["sha256"], found)


def _report_state(name: str) -> str:
    """The hash of a report without its times; nothing if it is none."""
    try:
        return report_hash(Path(name).read_bytes())
    except (OSError, ValueError, RecursionError, AttributeError):
        return ""


def _check_file(kind: str, name: str, then: str, now: str) -> None:
    if not now:
        raise error(f"cannot read the {kind} '{name}'")
    if now != then:
        raise error(f"the {kind} '{name}' has been changed")


def other_versions(manifest: Mapping[str, Any]) -> list[str]:
    """Versions that are not those of the manifest."""
    then, now = manifest["versions"], versions()
    names = sorted({*then, *now})
    return [
        f"{name} {now.get(name, 'is missing')}, was {then.get(name, 'missing')}"
        for name in names
        if then.get(name) != now.get(name)
    ]


def compare(manifest: Mapping[str, Any], replayed: Mapping[str, Any]) -> None:
    """Raise a CompileError that names the first difference, if there is one."""
    for key in SAME:
        if manifest[key] != replayed[key]:
            raise error(f"the compilation differs: {key}")
    pairs = zip_longest(manifest["steps"], replayed["steps"], fillvalue={"pass": "the end"})
    for number, (then, now) in enumerate(pairs):
        if then != now:
            raise _different_step(number, then, now)
    outputs = {item["kind"]: item["sha256"] for item in replayed["outputs"]}
    for item in manifest["outputs"]:
        if outputs.get(item["kind"]) != item["sha256"]:
            raise error(f"the compilation differs after all passes: {item['kind']}")


def _different_step(number: int, then: Mapping[str, Any], now: Mapping[str, Any]) -> CompileError:
    where = f"the compilation differs at step {number}"
    if then["pass"] != now["pass"]:
        return error(f"{where}: {now['pass']} instead of {then['pass']}")
    if then["options"] != now["options"]:
        return error(f"{where}, {then['pass']}: its options")
    help = ""
    if "time_budget" in then["options"]:
        help = "its search ends with the time budget: give it more (--time-budget)"
    return error(f"{where}, {then['pass']}: its IR", help=help)
