"""What need not be computed again: whole compilations, and passes that take long.

A whole compilation is found by the program's bytes, the options and the versions of everything;
behind that key lies which other files it read or looked for, and behind the state of these its
outputs.  A pass is found by what it gets: representation, positions, options.  So a compilation
that was killed goes on after the last pass that took long.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, TypeVar, cast

from qwasmc.columns import fingerprint, from_bytes, positions, to_bytes
from qwasmc.diagnostics import Diagnostic, Kind, Locations, Place
from qwasmc.options import Options, Watch
from qwasmc.pipeline import Pass
from qwasmc.reading import Source
from qwasmc.rules.rule import RuleSet
from qwasmc.store import Store
from qwasmc.versions import versions

if TYPE_CHECKING:
    from qwasmc.reading import IR

MIN_SECONDS = 1.0
"""What a pass must take for its result to be kept."""

BLOCK = 1 << 20

T = TypeVar("T")


def digest(value: object) -> str:
    """SHA-256 of a value in the one way that JSON has to write it."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: object) -> Any:
    """A value as JSON gives it back."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: object) -> object:
    """What JSON can hold instead of a value that it cannot."""
    if isinstance(value, RuleSet):
        return {"name": value.name, "sha256": value.sha256}
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


@dataclass(slots=True)
class Made:
    """What a compilation made besides its files.

    `files` are those that it read besides the program, with their SHA-256, and `absent` those that
    it did not find.  `facts` are for the manifest.
    """

    files: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)
    remarks: list[Diagnostic] = field(default_factory=list)
    verification: list[dict[str, str]] = field(default_factory=list)
    facts: dict[str, Any] | None = None


class Cache:
    """Compilations and passes, in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._positions: tuple[Locations | None, str] = (None, "")

    # -- whole compilations

    def find(
        self, source: Source, options: Options, wanted: Mapping[str, TextIO], facts: bool
    ) -> Made | None:
        """What the same compilation made before, with its outputs written to the `wanted` files.

        None if there was none, or one that lacks an output or, where they are needed, `facts`.
        """
        first = _first_key(source, options)
        index = self._parsed(first, lambda file: [str(path) for path in json.load(file)])
        if index is None:
            return None
        key = digest([first, [(path, file_state(path)) for path in index]])
        found = self._parsed(digest([key, "made"]), _made)
        if found is None or (facts and found.facts is None):
            return None
        parts: dict[str, BinaryIO] = {}
        try:
            for name in wanted:
                part = self.store.read(digest([key, name]))
                if part is None:
                    return None
                parts[name] = part
            for name, file in wanted.items():
                shutil.copyfileobj(parts[name], file.buffer)
        finally:
            for part in parts.values():
                part.close()
        return found

    def keep(
        self, source: Source, options: Options, written: Mapping[str, TextIO], made: Made
    ) -> None:
        """Remember a compilation and what it has written."""
        first = _first_key(source, options)
        states = {**made.files, **dict.fromkeys(made.absent, "")}
        key = digest([first, list(states.items())])
        for name, file in written.items():
            file.flush()
            file.buffer.seek(0)
            self.store.write(digest([key, name]), iter(partial(file.buffer.read, BLOCK), b""))
        self.store.write(digest([key, "made"]), [json.dumps(asdict(made)).encode()])
        self.store.write(first, [json.dumps(list(states)).encode()])
        self.store.make_room()

    def _parsed(self, key: str, parse: Callable[[BinaryIO], T]) -> T | None:
        """What an entry holds; None if there is none, or one whose hash alone is right."""
        file = self.store.read(key)
        if file is None:
            return None
        with file:
            try:
                return parse(file)
            except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
                self.store.refuse(key)
                return None

    # -- passes

    def around(
        self,
        row: Pass,
        arguments: Mapping[str, Any],
        ir: IR,
        watch: Watch,
        run: Callable[[Watch], IR],
    ) -> IR:
        """What a pass makes, from the store if it is there."""
        if row.gives == "program":  # has no columns
            return run(watch)
        key = digest([versions(), row.name, arguments, fingerprint(ir), self._where(ir.locations)])
        found = self._result(key, ir, watch)
        if found is not None:
            return found
        remarks: list[Diagnostic] = []
        start = time.perf_counter()
        result = run(replace(watch, warn=remarks.append))
        if time.perf_counter() - start >= MIN_SECONDS and result.locations is ir.locations:
            head = {"same": result is ir, "remarks": [asdict(remark) for remark in remarks]}
            body = () if result is ir else to_bytes(cast("Any", result))
            self.store.write(key, chain([json.dumps(head).encode() + b"\n"], body))
            self.store.make_room()
        for remark in remarks:
            watch.warn(remark)
        return result

    def _result(self, key: str, ir: IR, watch: Watch) -> IR | None:
        def parse(file: BinaryIO) -> tuple[IR, list[Diagnostic]]:
            head = json.loads(file.readline())
            remarks = [_diagnostic(each) for each in head["remarks"]]
            return ir if head["same"] else from_bytes(file.read(), ir.locations), remarks

        found = self._parsed(key, parse)
        if found is None:
            return None
        for remark in found[1]:
            watch.warn(remark)
        return found[0]

    def _where(self, locations: Locations) -> str:
        """The digest of source positions; those of one program are the same all the way."""
        if self._positions[0] is not locations:
            self._positions = locations, positions(locations)
        return self._positions[1]


def _first_key(source: Source, options: Options) -> str:
    content = hashlib.sha256(source.data).hexdigest()
    return digest([versions(), source.name, content, shallow(options)])


def shallow(options: Options) -> dict[str, Any]:
    """The options by name."""
    return {each.name: getattr(options, each.name) for each in fields(options)}


def file_state(path: str) -> str:
    """SHA-256 of a file; nothing if there is none."""
    try:
        if not Path(path).is_file():
            return ""
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def _made(file: BinaryIO) -> Made:
    """What `asdict` made of it, back again."""
    found = Made(**json.load(file))
    found.remarks = [_diagnostic(cast("Any", each)) for each in found.remarks]
    return found


def _diagnostic(found: Mapping[str, Any]) -> Diagnostic:
    """A diagnostic from what `asdict` made of it."""
    place = None if found["place"] is None else Place(**found["place"])
    chain = tuple((what, Place(**where)) for what, where in found["chain"])
    kind, notes = Kind(found["kind"]), tuple(found["notes"])
    return Diagnostic(**{**found, "place": place, "chain": chain, "kind": kind, "notes": notes})
