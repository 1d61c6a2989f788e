"""What a person decides about rules: approvals, revocations, rollbacks and trust.

Each is one more entry of the ledger, made while no other process can write to the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qwasmc.approval.approved import in_force, proved, read_file
from qwasmc.approval.files import locked, sha256
from qwasmc.approval.ledger import MAX_WHY, Entry, is_text, is_time
from qwasmc.approval.rule_store import (
    LEDGER,
    RuleStore,
    checked_store,
    open_store,
    package_store,
    trust_path,
)
from qwasmc.approval.shadow import Report, read_report
from qwasmc.approval.signing import PUBLIC_KEY, public_key, sign
from qwasmc.approval.trust import MAX_NAME, Key, Trust, read_trust
from qwasmc.diagnostics import Kind, error
from qwasmc.rules.rule import RuleSet


class Decision(NamedTuple):
    """Who decides, when (UTC) and why, with a private key, about the store in a folder.

    `trust` is the trust file, by default the user's own.
    """

    store: str
    trust: str | None
    key: Ed25519PrivateKey
    who: str
    when: str
    why: str


def approve(decision: Decision, file: str, shadow: str, despite_losses: bool = False) -> Entry:
    """Approve a file of rules whose proofs hold, after a look at a shadow report about it.

    In a store without entries and without a trust file this makes both, and trusts the key.
    """
    rules = proved(read_file(file), file)
    report = read_report(shadow)
    _check_report(report, rules, shadow, despite_losses)
    with locked(Path(decision.store)):
        store = _opened(decision)
        return _append(store, decision, "approve", rules.name, rules.text, report.summary)


def _check_report(report: Report, rules: RuleSet, file: str, despite_losses: bool) -> None:
    """Raise a CompileError unless a report is about these rules, and shows no losses."""
    if (report.set, report.rules, report.objective) != (rules.name, rules.sha256, rules.cost):
        raise error(
            f"the shadow report '{file}' is not about these rules",
            help=f"`qwasmc rules shadow {rules.file} PROGRAM...` makes one",
        )
    if not report.programs:
        raise error(f"the shadow report '{file}' is about no programs")
    if report.losses and not despite_losses:
        raise error(
            f"{report.losses} of {len(report.programs)} programs got worse with these rules",
            help="--despite-losses approves them all the same, which the ledger shows",
        )


def revoke(decision: Decision, name: str, version: str = "") -> Entry:
    """Revoke a version of a set, given by the first digits of its hash; else the one in force.

    Sets that come with the compiler can be revoked, too.
    """
    with locked(Path(decision.store)):
        store = _opened(decision)
        stores = [store, package_store()]
        found = _version(name, version, stores) if version else in_force(name, stores)[1]
        return _append(store, decision, "revoke", name, found)


def rollback(decision: Decision, name: str, version: str) -> Entry:
    """Put an earlier version of a set in force, given by the first digits of its hash."""
    with locked(Path(decision.store)):
        store = _opened(decision)
        return _append(store, decision, "rollback", name, _version(name, version, [store]))


def _version(name: str, digits: str, stores: Sequence[RuleStore]) -> str:
    """The only version of a set whose hash begins with these digits."""
    approved = [entry for store in stores for entry in store.ledger.approved.values()]
    versions = {entry.sha256: None for entry in approved if entry.set == name}
    found = [version for version in versions if digits and version.startswith(digits)]
    if len(found) != 1:
        raise error(
            f"{len(found)} approved versions of the rules '{name}' begin with '{digits}', not one",
            kind=Kind.USAGE,
            help="`qwasmc rules list` shows them",
        )
    return found[0]


def update_trust(
    folder: str, file: str | None, add: Sequence[tuple[str, str]], retire: Sequence[str] = ()
) -> Trust:
    """Trust more keys (public key, owner), retire some, and pin the ledger as it stands now."""
    file = trust_path(Path(folder), file)
    trust = read_trust(file) or Trust(file, {})
    for public, owner in add:
        if not PUBLIC_KEY.fullmatch(public) or not is_text(owner, MAX_NAME):
            raise error(f"'{public}' is no public key of 64 digits", kind=Kind.USAGE)
        trust = trust.with_key(public, Key(owner))
    if not trust.keys:
        raise error("there is no key to trust yet", kind=Kind.USAGE, help="--key PUBLIC NAME")
    head = checked_store(Path(folder), trust).ledger.head
    trust = trust.with_head(head)
    for public in retire:
        if public not in trust.keys:
            raise error(f"the key '{public}' is not trusted", kind=Kind.USAGE)
        trust = trust.with_key(public, Key(trust.keys[public].owner, head.n))
    trust.write()
    return trust


def _opened(decision: Decision) -> RuleStore:
    """The store to write to; in a new one, the key that signs its first entry is trusted."""
    _check_words(decision)
    folder, public = Path(decision.store), public_key(decision.key)
    file = trust_path(folder, decision.trust)
    trust = read_trust(file)
    if trust is None and not (folder / LEDGER).exists():
        trust = Trust(file, {public: Key(decision.who)})
    store = open_store(folder, file) if trust is None else checked_store(folder, trust)
    if public not in store.trust.keys or store.trust.keys[public].last is not None:
        raise error(
            f"'{file}' does not trust the key {public}",
            kind=Kind.USAGE,
            help=f"`qwasmc rules trust --key {public} NAME` adds it",
        )
    return store


def _append(
    store: RuleStore,
    decision: Decision,
    action: str,
    name: str,
    about: bytes | str,
    shadow: dict[str, Any] | None = None,
) -> Entry:
    """Sign an entry about a file, or about a version of one, and write it."""
    entry = Entry(
        n=store.ledger.head.n + 1,
        previous=store.ledger.head.hash,
        action=action,
        set=name,
        sha256=about if isinstance(about, str) else sha256(about),
        who=decision.who,
        when=decision.when,
        why=decision.why,
        shadow=shadow,
        key=public_key(decision.key),
    )
    entry = replace(entry, signature=sign(decision.key, entry.signed))
    if objection := store.ledger.objection(entry):
        raise error(f"this is not possible: {objection}", kind=Kind.USAGE)
    store.append(entry, b"" if isinstance(about, str) else about)
    return entry


def _check_words(decision: Decision) -> None:
    for name, text, most in (("who", decision.who, MAX_NAME), ("why", decision.why, MAX_WHY)):
        if not is_text(text, most):
            raise error(f"--{name} needs one line of at most {most} characters", kind=Kind.USAGE)
    if not is_time(decision.when):
        raise error("--when needs a moment such as 2026-11-21T12:00:00Z", kind=Kind.USAGE)
