"""Rules are used only as approved: nothing else gets through, and every decision is recorded."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from approvals import (
    ADA,
    EVE,
    approve,
    compact,
    decision,
    found,
    lines,
    make_history,
    public,
    refused,
    restored,
    rule_file,
    sha256,
    shadow_report,
    version,
)
from ed25519 import holds

from qwasmc.approval import decisions, files, rule_store
from qwasmc.approval.approved import find_sets
from qwasmc.approval.shadow import read_report
from qwasmc.approval.trust import read_trust
from qwasmc.diagnostics import CompileError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return restored(tmp_path)


@pytest.mark.parametrize(
    ("store", "trust"), [("store\0", "trust"), ("store", "\0"), ("trust", "x")]
)
def test_odd_names_of_stores_are_errors(store: str, trust: str, folder: Path):
    with pytest.raises(CompileError):
        find_sets(["demo"], str(folder / store), str(folder / trust))


# -- the life of a set


def test_a_name_is_the_version_in_force(folder: Path):
    assert found(folder, "demo", "other") == [version(folder, "one"), version(folder, "three")]


def test_a_file_is_used_if_its_bytes_are_approved(folder: Path):
    one, two = str(folder / "one.rules"), str(folder / "two.rules")
    assert found(folder, one) == [version(folder, "one")]
    assert "it is wrong" in str(refused(folder, two))
    Path(one).write_bytes(Path(one).read_bytes() + b"# more\n")
    assert "not approved" in str(refused(folder, one))


def test_what_is_revoked_can_be_approved_again(folder: Path):
    decisions.revoke(decision(folder), "demo")
    assert "revoked" in str(refused(folder))
    with pytest.raises(CompileError, match="revoked"):
        decisions.rollback(decision(folder), "demo", version(folder, "two"))
    approve(folder, "two")
    assert found(folder) == [version(folder, "two")]
    assert found(folder, str(folder / "two.rules")) == [version(folder, "two")]


def test_superseded_versions_stay_approved(folder: Path):
    approve(folder, "two")
    assert found(folder, str(folder / "one.rules")) == [version(folder, "one")]
    decisions.revoke(decision(folder), "demo", version(folder, "one")[:10])
    refused(folder, str(folder / "one.rules"))
    assert found(folder) == [version(folder, "two")]


def test_the_ledger_is_what_its_description_says(folder: Path):
    """Hashes and signatures are computed again by other code, as docs/rewriting.md has them."""
    previous = "0" * 64
    for number, line in enumerate(lines(folder), 1):
        entry = json.loads(line)
        assert (entry["n"], entry["previous"], compact(entry)) == (number, previous, line)
        signature = bytes.fromhex(entry.pop("signature"))
        assert holds(bytes.fromhex(entry["key"]), compact(entry), signature)
        assert not holds(bytes.fromhex(entry["key"]), compact(entry) + b" ", signature)
        previous = sha256(line)
    assert f"head 5 {previous}\n" in (folder / "trust").read_text()
    assert [json.loads(line)["action"] for line in lines(folder)] == [
        *("approve", "approve", "revoke", "rollback", "approve")
    ]


def test_equal_decisions_make_equal_stores(folder: Path, tmp_path: Path):
    again = tmp_path / "again"
    again.mkdir()
    make_history(again)
    assert lines(again) == lines(folder)
    assert (again / "trust").read_bytes() == (folder / "trust").read_bytes()


# -- what the trust file is for


def test_entries_of_others_need_no_new_pin(folder: Path):
    pinned = (folder / "trust").read_bytes()
    approve(folder, "two")
    (folder / "trust").write_bytes(pinned)
    assert found(folder) == [version(folder, "two")]
    # As docs/rewriting.md says: what comes after the pin may be taken away again.
    (folder / "store/ledger.jsonl").write_bytes(b"".join(x + b"\n" for x in lines(folder)[:5]))
    assert found(folder) == [version(folder, "one")]
    decisions.update_trust(str(folder / "store"), str(folder / "trust"), [])


def test_keys_are_trusted_and_retired(folder: Path):
    store, trust = str(folder / "store"), str(folder / "trust")
    with pytest.raises(CompileError, match="does not trust the key"):
        approve(folder, "two", key=EVE)
    decisions.update_trust(store, trust, [(public(EVE), "Eve")], [public(ADA)])
    assert found(folder) == [version(folder, "one")]
    with pytest.raises(CompileError, match="does not trust the key"):
        approve(folder, "two")
    approve(folder, "two", key=EVE)
    assert found(folder) == [version(folder, "two")]
    assert read_trust(trust).head.n == 6


def test_trust_is_not_updated_to_a_ledger_that_lost_entries(folder: Path):
    (folder / "store/ledger.jsonl").write_bytes(b"".join(x + b"\n" for x in lines(folder)[:4]))
    with pytest.raises(CompileError, match="cut off"):
        decisions.update_trust(str(folder / "store"), str(folder / "trust"), [])


def test_sets_that_come_with_the_compiler_can_be_revoked(folder: Path, monkeypatch):
    monkeypatch.setattr(rule_store, "PACKAGE", folder)
    own = folder / "own"
    own.mkdir()
    decisions.revoke(decision(own, key=EVE), "demo")
    assert "a test" in str(refused(own))
    assert "a test" in str(refused(own, str(folder / "one.rules")))
    decisions.revoke(decision(own, key=EVE), "other", version(folder, "three"))
    refused(own, str(folder / "three.rules"))


def test_a_set_of_ones_own_comes_before_the_one_of_its_name(folder: Path, monkeypatch):
    own = folder / "own"
    own.mkdir()
    rules = rule_file(own / "two.rules", "demo", ["x a; x a => nothing"])
    shadow_report(own / "two.json", "demo", rules)
    approve(own, "two")
    monkeypatch.setattr(rule_store, "PACKAGE", folder)
    assert found(own, "demo", "other") == [version(own, "two"), version(folder, "three")]
    decisions.revoke(decision(own), "demo")
    refused(own)


# -- writing


def test_decisions_at_the_same_time_do_not_fork_the_chain(folder: Path):
    threads = [threading.Thread(target=approve, args=(folder, "two")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found(folder) == [version(folder, "two")]
    assert len(lines(folder)) == 9


def test_a_lock_that_stays_is_an_error(folder: Path, monkeypatch):
    (folder / "store/lock").touch()
    monkeypatch.setattr(files, "MAX_WAIT", 0.0)
    with pytest.raises(CompileError, match="another process"):
        approve(folder, "two")


@pytest.mark.parametrize("writes", range(3))
def test_a_decision_that_is_killed_leaves_a_good_store(writes: int, folder: Path, monkeypatch):
    done = []

    def write(path: Path, data: bytes) -> None:
        if len(done) == writes:
            raise KeyboardInterrupt
        done.append(path)
        files.write_file(path, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(rule_store, "write_file", write)
        patch.setattr("qwasmc.approval.trust.write_file", write)
        approve(folder, "two")
    assert found(folder) == [version(folder, "one" if writes < 2 else "two")]
    approve(folder, "three")
    found(folder)


@pytest.mark.parametrize("name", ["ledger.jsonl", "sets"])
def test_nothing_is_written_through_a_link(name: str, folder: Path):
    (folder / "store" / name).rename(folder / "elsewhere")
    (folder / "store" / name).symlink_to(folder / "elsewhere")
    with pytest.raises(CompileError, match="link"):
        approve(folder, "two")


# -- reports and words


@pytest.mark.parametrize(
    "change",
    [
        {"set": "other"},
        {"rules": "0" * 64},
        {"objective": "t"},
        {"gains": 2},
        {"totals": {}},
        {"programs": []},
        {"programs": [], "totals": {"before": {}, "after": {}}, "gains": 0},
        {"programs": [{"name": "a"}]},
        {"programs": 5},
        {"format": "qwasmc shadow 2"},
        {"more": 1},
    ],
)
def test_a_report_about_something_else_is_refused(change: dict[str, object], folder: Path):
    shadow_report(folder / "two.json", "demo", folder / "two.rules", change=change)
    with pytest.raises(CompileError):
        approve(folder, "two")


@pytest.mark.parametrize("more", [{"x" * 70_000: 1}, {"depth": 10**1000}, {"depth": -1}])
def test_a_report_cannot_make_an_entry_that_is_not_read_again(more: dict[str, int], folder: Path):
    costs = {"t": 3, "two-qubit": 5, "volume": 20, "depth": 10, **more}
    program = {"name": "a", "sha256": "0" * 64, "before": costs, "after": costs}
    totals = {"before": costs, "after": costs}
    change = {"programs": [program], "totals": totals, "gains": 0}
    shadow_report(folder / "two.json", "demo", folder / "two.rules", change=change)
    with pytest.raises(CompileError, match="is no shadow report"):
        approve(folder, "two")
    assert len(lines(folder)) == 5


def test_a_ledger_that_is_full_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = (folder / "store/ledger.jsonl").read_bytes()
    monkeypatch.setattr(rule_store, "MAX_BYTES", len(before) + 10)
    with pytest.raises(CompileError, match="has no room for this entry"):
        approve(folder, "two")
    assert (folder / "store/ledger.jsonl").read_bytes() == before
    assert found(folder)


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"format": NaN}', "\ud800"])
def test_what_is_no_report_is_refused(text: str, folder: Path):
    (folder / "two.json").write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(CompileError):
        approve(folder, "two")


def test_losses_are_approved_knowingly_only(folder: Path):
    report = shadow_report(folder / "two.json", "demo", folder / "two.rules", after=6)
    assert (read_report(str(report)).gains, read_report(str(report)).losses) == (0, 1)
    with pytest.raises(CompileError, match="1 of 2 programs got worse"):
        approve(folder, "two")
    decisions.approve(decision(folder), str(folder / "two.rules"), str(report), True)
    assert json.loads(lines(folder)[-1])["shadow"]["losses"] == 1


@pytest.mark.parametrize("words", [{"who": ""}, {"why": "a\nb"}, {"why": " "}, {"when": "now"}])
def test_words_fit_on_a_line(words: dict[str, str], folder: Path):
    with pytest.raises(CompileError):
        approve(folder, "two", **words)
    assert len(lines(folder)) == 5
