"""`qwasmc rules`, and the keys that it makes."""

from __future__ import annotations

import json
import os
import signal
import stat
from pathlib import Path
from types import SimpleNamespace

import click
import pytest
from approvals import ADA, EVE, approve, lines, public, restored, sha256, version
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from ed25519 import holds

from qwasmc import cli
from qwasmc.approval import signing
from qwasmc.diagnostics import CompileError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return restored(tmp_path)


@pytest.fixture
def command(folder: Path, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("QWASMC_RULE_STORE", "store")
    monkeypatch.setenv("QWASMC_TRUST", "trust")

    def run(*words: str) -> tuple[int, str]:
        code = cli.run(["rules", *words])
        shown = capsys.readouterr()
        return code, shown.out if code == 0 and shown.out else shown.err

    return run


def test_a_new_store_from_the_command_line(command, folder: Path, monkeypatch):
    monkeypatch.setenv("QWASMC_RULE_STORE", "new/store")
    monkeypatch.setenv("QWASMC_TRUST", "new/trust")
    code, key = command("key", "ada.pem")
    assert code == 0
    assert stat.S_IMODE(os.stat("ada.pem").st_mode) == 0o600
    sign = ["--key", "ada.pem", "--who", "Ada", "--why", "a test"]
    assert command("approve", "one.rules", "--shadow", "one.json", *sign)[0] == 0
    assert f"key {key.strip()} Ada\n" in Path("new/trust").read_text()
    assert command("approve", "two.rules", "--shadow", "two.json", *sign)[0] == 0
    assert command("rollback", "demo", "--to", version(folder, "one"), *sign)[0] == 0
    assert command("revoke", "demo", *sign)[0] == 0
    code, listed = command("list", "--json")
    states = [(row["version"], row["state"]) for row in json.loads(listed) if row["set"] == "demo"]
    assert states == [(version(folder, "one"), "revoked"), (version(folder, "two"), "approved")]
    assert command("show", "demo")[0] == 1
    (_, name), (_, by) = command("rollback", "demo", "--to", "x", *sign), command("verify", "no")
    assert "0 approved versions" in name
    assert "no approved rules" in by


def test_rules_are_shown_and_verified(command, folder: Path):
    assert command("show", "demo") == (0, (folder / "one.rules").read_text())
    assert command("show", "demo", "r1") == (0, "r1: cx a b; cx a b => nothing\n")
    assert command("show", "demo", "r9")[0] == 2
    assert "2 rules are proved" in command("verify", "demo")[1]
    facts = json.loads(command("verify", "two.rules", "--json")[1])
    assert (facts["state"], facts["rules"]) == ("revoked", 1)
    assert "this was right" in command("list")[1]
    Path("two.rules").write_text(Path("two.rules").read_text().replace("h a; h a", "h a; t a"))
    assert command("verify", "two.rules")[0] == 1
    Path("store/ledger.jsonl").write_text("")
    assert command("verify", "demo")[0] == command("list")[0] == 1


PROGRAM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
cx q[0], q[1];
cx q[0], q[1];
measure q -> c;
"""


@pytest.mark.slow
def test_the_way_from_a_proposal_to_a_compilation(command, folder: Path):
    Path("two.qasm").write_text(PROGRAM)
    shadow = ["shadow", "one.rules", "two.qasm", "-O", "0", "-o", "report.json"]
    assert "1 got better and 0 worse" in command(*shadow)[1]
    report = json.loads(Path("report.json").read_text())
    assert [report["totals"][when]["two-qubit"] for when in ("before", "after")] == [2, 0]
    assert command("key", "eve.pem")[0] == 0
    sign = ["--key", "eve.pem", "--who", "Eve", "--why", "none"]
    assert "does not trust" in command("approve", "one.rules", "--shadow", "report.json", *sign)[1]
    approve(folder, "one")
    build = ["compile", "two.qasm", "--rules", "demo", "--emit", "circuit", "-o"]
    assert cli.run([*build, "good.mlir"]) == 0
    ledger = Path("store/ledger.jsonl")
    ledger.write_text(ledger.read_text().replace("a test", "a jest"))
    assert cli.run([*build, "bad.mlir"]) == 1
    assert not Path("bad.mlir").exists()


@pytest.mark.parametrize("store", ["one.rules", "one.rules/store", "/proc/store", ""])
def test_folders_that_cannot_be_written(store: str, command):
    command("key", "ada.pem")
    sign = ["--key", "ada.pem", "--who", "Ada", "--why", "a test", "--trust", "new"]
    words = ["one.rules", "--shadow", "one.json", "--rule-store", store]
    assert command("approve", *words, *sign)[0] == 2


def test_trust_from_the_command_line(command):
    code, said = command("trust", "--key", public(EVE), "Eve", "--retire", public(ADA))
    assert code == 0
    assert f"2 keys, entry 5 {sha256(lines(Path())[-1])}" in said
    assert command("trust", "--key", "f00", "Eve")[0] == 2
    assert command("trust", "--retire", "f00")[0] == 2


def test_keys_have_passwords(command, monkeypatch):
    assert "needs a password" in command("key", "ada.pem", "--password")[1]
    monkeypatch.setenv("QWASMC_KEY_PASSWORD", "secret")
    assert command("key", "ada.pem", "--password")[0] == 0
    assert "ENCRYPTED" in Path("ada.pem").read_text()
    assert signing.load_key("ada.pem", lambda: "secret")
    with pytest.raises(CompileError, match="password"):
        signing.load_key("ada.pem", lambda: "wrong")
    assert "File exists" in command("key", "ada.pem")[1]


def test_a_password_is_asked_for_on_a_terminal(command, monkeypatch):
    asked = []

    def prompt(text: str, **_: object) -> str:
        asked.append(text)
        if len(asked) == 2:
            raise click.Abort
        return "secret"

    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(click, "prompt", prompt)
    assert command("key", "ada.pem", "--password")[0] == 0
    assert command("key", "eve.pem", "--password")[0] == 128 + signal.SIGINT
    assert asked == ["Password of ada.pem", "Password of eve.pem"]
    assert not Path("eve.pem").exists()


def test_keys_that_others_may_read_are_refused(tmp_path: Path):
    path = tmp_path / "ada.pem"
    signing.make_key(str(path))
    path.chmod(0o640)
    with pytest.raises(CompileError, match="open to others"):
        signing.load_key(str(path), str)


def test_other_keys_are_refused(tmp_path: Path):
    path = tmp_path / "ada.pem"
    other = rsa.generate_private_key(65537, 1024)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text in (pem, b"", b"\xff" * 20_000, b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"):
        path.write_bytes(text)
        path.chmod(0o600)
        with pytest.raises(CompileError):
            signing.load_key(str(path), lambda: "secret")


# -- signatures

VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
        "6bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
        "8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]
"""RFC 8032, section 7.1: private key, public key, message, signature."""


@pytest.mark.parametrize(("private", "verifier", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_standard(private, verifier, message, signature):
    key = signing.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(private))
    assert signing.public_key(key) == verifier
    assert signing.sign(key, bytes.fromhex(message)) == signature
    assert signing.is_signed(bytes.fromhex(message), signature, verifier)
    assert holds(bytes.fromhex(verifier), bytes.fromhex(message), bytes.fromhex(signature))
    assert holds(bytes.fromhex(verifier), bytes.fromhex(message), bytes.fromhex(signature))
