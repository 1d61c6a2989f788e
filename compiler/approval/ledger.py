"""The ledger: who approved, revoked or rolled back which set of rules, when and why.

It is a text that only grows: one JSON object on a line, in the one way to write it that `canonical`
defines.  Every entry has the hash of the one before (SHA-256 of its line), and an Ed25519 signature
of all of itself but the signature.  So no entry can be changed, dropped, repeated, inserted or
moved without a trusted key, except for the last ones being dropped, which the trust file shows.

What is in force follows from the entries, in order:

    approve    the version (the bytes with this hash) is approved, and the set's version in force
    revoke     the version may not be used any more, until it is approved again
    rollback   a version that was approved earlier is the one in force again
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

from qwasmc.approval.files import sha256
from qwasmc.approval.signing import PUBLIC_KEY, SIGNATURE, is_signed
from qwasmc.approval.trust import MAX_NAME, NOTHING, Head, Trust
from qwasmc.diagnostics import CompileError, Diagnostic, Place
from qwasmc.rules.notation import DIGEST, NAME

MAX_BYTES = 1 << 24
"""Longest ledger."""

MAX_ENTRY = 1 << 16
"""Longest entry."""

MAX_WHY = 2000
"""Longest reason, in characters."""

ONE_STORE = "a trust file is about one store; for another one, name another with --trust"

ACTIONS = ("approve", "revoke", "rollback")

TIME = "%Y-%m-%dT%H:%M:%SZ"
"""How moments are written: UTC, in seconds."""

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the ledger; `n` counts from 1, and `previous` is the hash of the line before.

    `set` is the name of a set, `sha256` the hash of the file that the action is about, and `key`
    the public key that belongs to the `signature`.  `shadow` says what the rules did in shadow mode
    before they were approved (`qwasmc.approval.shadow.summary`); other actions have none.
    """

    n: int
    previous: str
    action: str
    set: str
    sha256: str
    who: str
    when: str
    why: str
    shadow: dict[str, Any] | None
    key: str
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """What the signature is about."""
        fields = asdict(self)
        del fields["signature"]
        return canonical(fields)

    @property
    def line(self) -> bytes:
        """The entry as it stands in the ledger, without the line break."""
        return canonical(asdict(self))

    @property
    def hash(self) -> str:
        """SHA-256 of the line."""
        return sha256(self.line)


FIELDS = frozenset(Entry.__dataclass_fields__)


def canonical(value: object) -> bytes:
    """The one way to write a value in JSON: sorted keys, no spaces, ASCII."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


@dataclass(slots=True)
class Ledger:
    """Entries, and what follows from them.

    `approved` and `revoked` have the last entry that did so for each version, by its hash;
    `in_force` the version of each set, "" where there is none.
    """

    file: str
    entries: list[Entry] = field(default_factory=list)
    approved: dict[str, Entry] = field(default_factory=dict)
    revoked: dict[str, Entry] = field(default_factory=dict)
    in_force: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """The last entry."""
        return Head(len(self.entries), self.entries[-1].hash) if self.entries else NOTHING

    def objection(self, entry: Entry) -> str:
        """Why an action cannot follow the entries, or nothing."""
        before = self.approved.get(entry.sha256)
        if entry.action == "approve":
            same = before is None or before.set == entry.set
            return "" if same else "it approves a file under the name of another set"
        if entry.action == "rollback":
            if before is None or before.set != entry.set:
                return "it goes back to a version that was never approved"
            if entry.sha256 in self.revoked:
                return "it goes back to a version that is revoked"
        return ""

    def add(self, entry: Entry) -> None:
        """Append an entry to which there is no objection."""
        self.entries.append(entry)
        version = entry.sha256
        if entry.action == "revoke":
            self.revoked[version] = entry
            if self.in_force.get(entry.set) == version:
                self.in_force[entry.set] = ""
            return
        if entry.action == "approve":
            self.approved[version] = entry
            self.revoked.pop(version, None)
        self.in_force[entry.set] = version


# -- reading


def read_ledger(data: bytes, file: str, trust: Trust) -> Ledger:
    """The ledger in a text, checked from the first entry to the last.

    CompileError, with the line, for anything that is not as a holder of a trusted key wrote it, and
    where the entry that the trust file knows is not in it.
    """
    ledger = Ledger(file)
    lines = data.split(b"\n")
    if lines.pop():
        _refuse(ledger, "the last line does not end: the file is damaged")
    for line in lines:
        _add_checked(ledger, line, trust)
    if len(ledger.entries) < trust.head.n:
        _refuse(
            ledger,
            f"the ledger ends after {len(ledger.entries)} entries, but '{trust.file}' knows "
            f"{trust.head.n}: it was cut off, or is an older copy",
            note=ONE_STORE,
        )
    return ledger


def _add_checked(ledger: Ledger, line: bytes, trust: Trust) -> None:
    entry = _parsed(line)
    number, head = len(ledger.entries) + 1, ledger.head
    if entry is None:
        _refuse(ledger, f"line {number} is no entry: the file is damaged")
    if entry.n != number or entry.previous != head.hash:
        what = "entries were changed, dropped, repeated or moved"
        _refuse(ledger, f"entry {number} does not follow the one before: {what}", line)
    key = trust.keys.get(entry.key)
    if key is None:
        what = f"entry {number} is signed with the key {entry.key}, which is not trusted"
        _refuse(ledger, what, line, f"trusted keys are in '{trust.file}'")
    if key.last is not None and number > key.last:
        what = f"entry {number} is signed with the key of {key.owner}, which counts up to "
        _refuse(ledger, f"{what}entry {key.last} only", line)
    if not is_signed(entry.signed, entry.signature, entry.key):
        _refuse(ledger, f"the signature of entry {number} is not that of what it says", line)
    if objection := ledger.objection(entry):
        _refuse(ledger, f"entry {number} makes no sense: {objection}", line)
    if number == trust.head.n and entry.hash != trust.head.hash:
        what = f"entry {number} is not the one that '{trust.file}' knows"
        _refuse(ledger, f"{what}: this is another ledger, or an older copy", line, ONE_STORE)
    ledger.add(entry)


def _parsed(line: bytes) -> Entry | None:
    """The entry on a line; None unless the line is the one way to write it."""
    try:
        found = json.loads(line.decode("ascii")) if len(line) <= MAX_ENTRY else None
        if isinstance(found, dict) and found.keys() == FIELDS and canonical(found) == line:
            return Entry(**found) if _is_entry(found) else None
    except (ValueError, RecursionError):
        pass
    return None


def _is_entry(found: Mapping[str, Any]) -> bool:
    """Whether the fields of an entry are what they should be."""
    texts = all(isinstance(found[name], str) for name in FIELDS - {"n", "shadow"})
    return (
        texts
        and type(found["n"]) is int
        and found["action"] in ACTIONS
        and isinstance(found["shadow"], dict if found["action"] == "approve" else type(None))
        and bool(NAME.fullmatch(found["set"]))
        and all(DIGEST.fullmatch(found[name]) for name in ("previous", "sha256"))
        and bool(PUBLIC_KEY.fullmatch(found["key"]))
        and bool(SIGNATURE.fullmatch(found["signature"]))
        and is_text(found["who"], MAX_NAME)
        and is_text(found["why"], MAX_WHY)
        and is_time(found["when"])
    )


def is_text(text: str, most: int) -> bool:
    """Whether a text is short enough and can be shown on one line."""
    return 0 < len(text) <= most and text.isprintable() and not text.isspace()


def is_time(text: str) -> bool:
    """Whether a text is a moment."""
    try:
        return bool(_TIME.fullmatch(text)) and bool(datetime.strptime(text, TIME))
    except ValueError:
        return False


def now() -> str:
    """The moment at which this is called."""
    return datetime.now(UTC).strftime(TIME)


def _refuse(ledger: Ledger, message: str, line: bytes = b"", note: str = "") -> NoReturn:
    """Raise the error that something is wrong with the line behind the entries."""
    # What is no entry may be of any file that the ledger was replaced by: it is not shown.
    text = line.decode("ascii") if _parsed(line) else ""
    place = Place(ledger.file, len(ledger.entries) + 1, 1, 2, text)
    notes = ("no rules are used as long as the ledger cannot be trusted", note)
    help = "restore the rule store from where you keep copies, and find out who changed it"
    shown = tuple(each for each in notes if each)
    raise CompileError(Diagnostic(message, place, notes=shown, help=help))
