"""A rule store with a history, for tests.

Lines of the ledger are written, hashed and signed here without the compiler's code for that.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qwasmc.approval import decisions
from qwasmc.approval.approved import find_sets
from qwasmc.backends.proving import prove
from qwasmc.diagnostics import CompileError
from qwasmc.rules.notation import read_rule, write_rules
from qwasmc.rules.rule import RuleSet

ADA, EVE = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))

RULES = {
    "one": ["h a; h a => nothing", "cx a b; cx a b => nothing"],
    "two": ["h a; h a => nothing"],
    "three": ["t a; t a => s a"],
}
"""Files of rules; the first two are versions of the set `demo`, the third is the set `other`."""

Tamper = Callable[[Path], object]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def rule_file(path: Path, name: str, texts: list[str]) -> Path:
    """A file of rules with proofs."""
    rules = [read_rule(text, f"r{n}") for n, text in enumerate(texts)]
    rules = [replace(rule, proof=prove(rule)) for rule in rules]
    path.write_text(write_rules(RuleSet(name, "A test.", "two-qubit", "by hand", tuple(rules))))
    return path


def shadow_report(
    path: Path, name: str, rules: Path, after: int = 4, change: dict[str, object] | None = None
) -> Path:
    """A report about two programs with five gates on two qubits each: one of them changes."""
    costs = {"t": 3, "two-qubit": 5, "volume": 20, "depth": 10}
    twice = {name: 2 * cost for name, cost in costs.items()}
    programs = [
        {"name": "a", "sha256": "0" * 64, "before": costs, "after": {**costs, "two-qubit": after}},
        {"name": "b", "sha256": "1" * 64, "before": costs, "after": costs},
    ]
    report = {
        "format": "qwasmc shadow 1",
        "set": name,
        "rules": sha256(rules.read_bytes()),
        "objective": "two-qubit",
        "programs": programs,
        "totals": {"before": twice, "after": {**twice, "two-qubit": 5 + after}},
        "gains": int(after < 5),
        "losses": int(after > 5),
        **(change or {}),
    }
    digest = sha256((json.dumps(report, indent=1) + "\n").encode())
    path.write_text(json.dumps({**report, "sha256": digest}, indent=1) + "\n")
    return path


def decision(folder: Path, key: Ed25519PrivateKey = ADA, **other: str) -> decisions.Decision:
    words = {"who": "Ada", "when": "2026-11-21T12:00:00Z", "why": "a test", **other}
    return decisions.Decision(str(folder / "store"), str(folder / "trust"), key, **words)


def make_history(folder: Path) -> None:
    """Two versions of `demo`, of which the second is revoked and the first in force again."""
    for name, texts in RULES.items():
        rules = rule_file(folder / f"{name}.rules", "other" if name == "three" else "demo", texts)
        shadow_report(folder / f"{name}.json", "other" if name == "three" else "demo", rules)
    for name in ("one", "two"):
        approve(folder, name)
    shutil.copytree(folder / "store", folder / "older")
    decisions.revoke(decision(folder, why="it is wrong"), "demo")
    version = sha256((folder / "one.rules").read_bytes())
    decisions.rollback(decision(folder, why="this was right"), "demo", version[:8])
    approve(folder, "three")


def approve(folder: Path, name: str, **other: str) -> None:
    report = str(folder / f"{name}.json")
    decisions.approve(decision(folder, **other), str(folder / f"{name}.rules"), report)


def found(folder: Path, *names: str) -> list[str]:
    """The hashes of the sets that a compilation gets."""
    sets = find_sets(names or ["demo"], str(folder / "store"), str(folder / "trust"))
    return [rules.sha256 for rules in sets]


def version(folder: Path, name: str) -> str:
    return sha256((folder / f"{name}.rules").read_bytes())


def refused(folder: Path, *names: str) -> CompileError:
    with pytest.raises(CompileError) as caught:
        found(folder, *names)
    return caught.value


@cache
def history() -> dict[str, bytes]:
    """The files of a store with a history, and those that it was made from."""
    with tempfile.TemporaryDirectory() as made:
        make_history(Path(made))
        paths = [path for path in sorted(Path(made).rglob("*")) if path.is_file()]
        return {str(path.relative_to(made)): path.read_bytes() for path in paths}


def restored(folder: Path) -> Path:
    """The folder, with these files in it."""
    for name, data in history().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


# -- the ledger as text


def lines(folder: Path) -> list[bytes]:
    return (folder / "store/ledger.jsonl").read_bytes().splitlines()


def write_lines(folder: Path, found: list[bytes]) -> None:
    (folder / "store/ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in found))


def compact(entry: object) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()


def signed(entry: dict[str, object], key: Ed25519PrivateKey) -> dict[str, object]:
    body = {name: value for name, value in entry.items() if name != "signature"}
    body["key"] = public(key)
    return {**body, "signature": key.sign(compact(body)).hex()}


def rechained(found: list[bytes], key: Ed25519PrivateKey | None = None) -> list[bytes]:
    """The entries with numbers and hashes that fit each other, perhaps signed again."""
    made: list[bytes] = []
    for number, line in enumerate(found, 1):
        entry = json.loads(line)
        entry |= {"n": number, "previous": sha256(made[-1]) if made else "0" * 64}
        made.append(compact(signed(entry, key) if key else entry))
    return made


def on_lines(change: Callable[[list[bytes]], list[bytes]]) -> Tamper:
    return lambda folder: write_lines(folder, change(lines(folder)))


def on_entry(at: int, change: Callable[[dict[str, object]], dict[str, object]]) -> Tamper:
    def tamper(folder: Path) -> None:
        found = lines(folder)
        found[at] = compact(change(json.loads(found[at])))
        write_lines(folder, found)

    return tamper
