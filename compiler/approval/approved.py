"""Finds the sets of rules that a compilation may use: approved, and not revoked.

Everything is checked on every use: each entry of the ledgers with its signature, the pinned heads,
the hashes of the files, and the proof of every rule.  So not even the holder of a trusted key can
bring in a rule that is wrong.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from qwasmc.approval.files import read_bounded, sha256
from qwasmc.approval.ledger import Entry
from qwasmc.approval.rule_store import RuleStore, open_store, package_store
from qwasmc.diagnostics import Kind, did_you_mean, error
from qwasmc.pipeline import load
from qwasmc.rules.notation import MAX_BYTES, read_rules
from qwasmc.rules.rule import RuleSet

SUFFIX = ".rules"


def find_sets(
    names: Sequence[str], store: str | None = None, trust: str | None = None
) -> list[RuleSet]:
    """The sets that are called `names`, in that order.

    A name is looked for in the rule store in the folder `store`, if there is one, then in the one
    that comes with the compiler, and stands for the version in force.  A path (with a `/`, or
    ending in `.rules`) is that of a file, which one of the stores must approve.  `trust` is the
    trust file of `store`, by default the user's own.
    CompileError for what is not approved or was revoked, and if a store was tampered with.
    """
    stores = open_stores(store, trust)
    return [_find(name, stores) for name in names]


def proved_sets(names: Sequence[str], store: str | None, trust: str | None) -> list[RuleSet]:
    """The same for shadow mode: files need not be approved, only proved."""
    return [
        proved(read_file(name), name) if is_path(name) else find_sets([name], store, trust)[0]
        for name in names
    ]


def open_stores(store: str | None, trust: str | None) -> list[RuleStore]:
    """The user's store, if there is one, and the one that comes with the compiler."""
    own = [open_store(Path(store), trust)] if store else []
    return [*own, package_store()]


def _find(name: str, stores: Sequence[RuleStore]) -> RuleSet:
    if is_path(name):
        return _approved_file(name, stores)
    store, version = in_force(name, stores)
    return proved(store.read(version), str(store.path(version)))


def is_path(name: str) -> bool:
    """Whether a name is that of a file."""
    return name.endswith(SUFFIX) or "/" in name or os.sep in name


def in_force(name: str, stores: Sequence[RuleStore]) -> tuple[RuleStore, str]:
    """The first store that knows a set, and the version in force; CompileError if none is."""
    for store in stores:
        if name in store.ledger.in_force:
            version = store.ledger.in_force[name]
            if not version:
                raise error(
                    f"no version of the rules '{name}' is in force: the last was revoked",
                    help="`qwasmc rules list` says by whom and why",
                )
            _refuse_revoked(name, version, stores)
            return store, version
    known = [each for store in stores for each in store.ledger.in_force]
    help = did_you_mean(name, known) or "`qwasmc rules list` shows those that are approved"
    raise error(f"there are no approved rules '{name}'", kind=Kind.USAGE, help=help)


def _approved_file(name: str, stores: Sequence[RuleStore]) -> RuleSet:
    data = read_file(name)
    version = sha256(data)
    _refuse_revoked(name, version, stores)
    if approval(version, stores) is None:
        raise error(
            f"the rules in '{name}' are not approved",
            help="`qwasmc rules approve` records that somebody answers for them; "
            f"their hash is {version}",
        )
    return proved(data, name)


@lru_cache(maxsize=32)
def proved(data: bytes, file: str) -> RuleSet:
    """The set in a file; CompileError unless all of its proofs hold.

    The same bytes are checked once in a process.
    """
    rules = read_rules(data, file)
    load("qwasmc.backends.proving:check_set")(rules)
    return rules


def read_file(name: str) -> bytes:
    """The bytes of a file of rules."""
    data = read_bounded(Path(name), MAX_BYTES)
    if data is None:
        raise error(f"there is no file '{name}'", kind=Kind.USAGE)
    return data


def approval(version: str, stores: Sequence[RuleStore]) -> Entry | None:
    """The entry that approves the file with a hash, if there is one."""
    found = (store.ledger.approved.get(version) for store in stores)
    return next((entry for entry in found if entry), None)


def revocation(version: str, stores: Sequence[RuleStore]) -> Entry | None:
    """The entry of any store that revokes the file with a hash, if there is one."""
    found = (store.ledger.revoked.get(version) for store in stores)
    return next((entry for entry in found if entry), None)


def _refuse_revoked(name: str, version: str, stores: Sequence[RuleStore]) -> None:
    """Raise a CompileError if any store revokes a version."""
    if entry := revocation(version, stores):
        raise error(
            f"the rules '{name}' were revoked on {entry.when} by {entry.who}: {entry.why}",
            help="use another version; `qwasmc rules list` shows them",
        )
