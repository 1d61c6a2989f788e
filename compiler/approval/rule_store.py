"""Rule stores: a folder with a ledger and the files of rules that it is about.

    STORE/ledger.jsonl             the entries (`qwasmc.approval.ledger`)
    STORE/sets/SHA-256.rules       every file that was ever approved, by its hash

Nothing in a store is believed: the ledger is checked against a trust file that lies elsewhere, and
files of rules against the hashes in it.  So it may lie in a repository or on a shared disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import click

from qwasmc.approval.files import read_bounded, sha256, write_file
from qwasmc.approval.ledger import MAX_BYTES, MAX_ENTRY, Entry, Ledger, read_ledger
from qwasmc.approval.trust import Trust, read_trust
from qwasmc.diagnostics import Kind, error
from qwasmc.rules.notation import MAX_BYTES as MAX_RULES

LEDGER = "ledger.jsonl"
SETS = "sets"

PACKAGE = Path(__file__).parent
"""The folder of the store that comes with the compiler, and of its trust file."""

TRUST_HELP = "`qwasmc rules trust` makes a trust file, once you know whose keys to trust"


@dataclass(frozen=True, slots=True)
class RuleStore:
    """A store whose ledger has been checked."""

    folder: Path
    trust: Trust
    ledger: Ledger

    def read(self, version: str) -> bytes:
        """The file with a hash that the ledger approves; CompileError if it is not that."""
        path = self.path(version)
        data = read_bounded(path, MAX_RULES)
        if data is None or sha256(data) != version:
            what = "is missing" if data is None else "was changed: its hash is another"
            entry = self.ledger.approved[version]
            raise error(
                f"'{path}', which entry {entry.n} of the ledger approves, {what}",
                help="restore the rule store from where you keep copies",
            )
        return data

    def path(self, version: str) -> Path:
        """Where the file with a hash lies."""
        return self.folder / SETS / f"{version}.rules"

    def append(self, entry: Entry, rules: bytes = b"") -> None:
        """Write an entry, with the rules that it approves, and pin it in the trust file.

        A process that is killed on the way leaves a store that is still good: an entry comes
        after its rules, and the trust file, which a longer ledger satisfies, comes last.
        """
        ledger = self.folder / LEDGER
        path = self.path(entry.sha256)
        for place in (ledger, path.parent, path):
            if place.is_symlink():  # it could lead to any file that the user may write
                raise error(f"'{place}' is a link, which is not written to", kind=Kind.USAGE)
        text = b"".join(each.line + b"\n" for each in (*self.ledger.entries, entry))
        if len(entry.line) > MAX_ENTRY or len(text) > MAX_BYTES:  # nobody could read it again
            raise error(f"'{ledger}' has no room for this entry", kind=Kind.LIMIT)
        if rules:
            write_file(path, rules)
        self.ledger.add(entry)
        write_file(ledger, text)
        self.trust.with_head(self.ledger.head).write()


def open_store(folder: Path, trust_file: str | None = None) -> RuleStore:
    """The store in a folder, checked against a trust file, by default the user's own."""
    file = trust_path(folder, trust_file)
    trust = read_trust(file)
    if trust is None:
        raise error(f"there is no trust file '{file}'", kind=Kind.USAGE, help=TRUST_HELP)
    return checked_store(folder, trust)


def trust_path(folder: Path, file: str | None) -> str:
    """A trust file for a store, by default the one where the user's settings are kept."""
    file = file or str(Path(click.get_app_dir("qwasmc")) / "trust")
    if "\0" in f"{file}{folder}":
        raise error("no name of a file has a zero in it", kind=Kind.USAGE)
    if Path(os.path.realpath(file)).is_relative_to(os.path.realpath(folder)):
        raise error(
            f"the trust file '{file}' lies in the rule store that it is to judge",
            kind=Kind.USAGE,
            help="keep it where those who can write to the store cannot",
        )
    return file


def checked_store(folder: Path, trust: Trust) -> RuleStore:
    """The store in a folder; CompileError unless it is what the trust says."""
    file = folder / LEDGER
    data = read_bounded(file, MAX_BYTES)
    return RuleStore(folder, trust, read_ledger(data or b"", str(file), trust))


def package_store() -> RuleStore:
    """The store that comes with the compiler."""
    return open_store(PACKAGE / "store", str(PACKAGE / "trust"))
