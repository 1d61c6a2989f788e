"""Compilations with approved rules: what they use, what they say of it, and what stops them."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

import qwasmc
from qwasmc.approval.signing import make_key
from qwasmc.backends.proving import prove
from qwasmc.cli import run
from qwasmc.rules.notation import read_rule, write_rules
from qwasmc.rules.rule import RuleSet

RULES = {
    "merge": "s a; tdg a => t a",
    "early": "cx a b; t a => t a; cx a b",
    "late": "cx a b; measure_z a -> m => measure_z a -> m; x b if m",
}
PROGRAM = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[2];
h q[0]; h q[1];
cx q[0], q[1];
cx q[1], q[2];
measure q[0] -> c[0];
measure q[1] -> c[1];
"""
WHO = ["--who", "Ada Lovelace", "--when", "2026-11-21T12:00:00Z"]


def rule_file(*names: str, name: str = "lab") -> bytes:
    rules = tuple(read_rule(RULES[each], each) for each in names)
    proved = tuple(replace(rule, proof=prove(rule)) for rule in rules)
    return write_rules(RuleSet(name, "Rules of a laboratory.", "depth", "by hand", proved)).encode()


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program, a key, and a store in which the set `lab` is approved."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QWASMC_RULE_STORE", "store")
    monkeypatch.setenv("QWASMC_TRUST", str(tmp_path / "trust"))
    Path("program.qasm").write_text(PROGRAM)
    make_key("key.pem", "")
    approve("merge", "early", "late")
    return tmp_path


def approve(*names: str, name: str = "lab") -> None:
    Path(f"{name}.rules").write_bytes(rule_file(*names, name=name))
    assert run(["rules", "shadow", f"{name}.rules", "program.qasm", "-o", "shadow.json"]) == 0
    words = ["--shadow", "shadow.json", "--key", "key.pem", "--why", "tried", *WHO]
    assert run(["rules", "approve", f"{name}.rules", *words]) == 0


def compiled(*more: str) -> str:
    assert run(["compile", "program.qasm", "-o", "out.mlir", "--emit", "circuit", *more]) == 0
    return Path("out.mlir").read_text()


def test_no_rules_are_used_unless_they_are_named(lab: Path):
    plain = compiled()
    assert compiled("--rules", "lab", "--feed-forward") != plain
    assert compiled("--rules", "none") == plain


def test_no_rules_are_used_at_level_0_which_is_said(lab: Path, capsys):
    assert compiled("-O0", "--rules", "lab") == compiled("-O0")
    assert "-O0 does not use --rules" in capsys.readouterr().err


def test_rules_and_none_of_them_make_no_sense(lab: Path):
    words = ["compile", "program.qasm", "--emit", "circuit"]
    assert run([*words, "--rules", "lab", "--rules", "none"]) == 2


def test_a_target_names_the_rules(lab: Path):
    target = 'name = "lab"\ndoc = "Ours."\nrules = ["lab"]\n'
    Path("lab.toml").write_text(target)
    with_target = compiled("--target", "lab.toml", "--feed-forward")
    assert with_target == compiled("--rules", "lab", "--feed-forward")
    assert compiled("--target", "lab.toml", "--rules", "none") == compiled()


def test_corrections_are_made_where_they_are_cheap(lab: Path):
    """A joint measurement less on patches; no new dependence on results in other outputs."""
    assert compiled("--rules", "lab") == compiled()
    joins = []
    for more in ([], ["--rules", "lab"], ["--rules", "lab", "--no-feed-forward"]):
        words = ["-d", "3", "--verify", "--report", "report.json", *more]
        assert run(["compile", "program.qasm", "-o", "out.stim", *words]) == 0
        report = json.loads(Path("report.json").read_text())
        joins.append(report["joins"]["count"])
        assert {item["result"] for item in report["verification"]} <= {"proved", "skipped"}
    assert joins[1] < joins[0] == joins[2]


def test_shadow_mode_changes_nothing_and_says_what_it_would(lab: Path, capsys):
    plain = compiled()
    capsys.readouterr()
    Path("new.rules").write_bytes(rule_file("late", name="new"))  # approved by nobody
    assert compiled("--rules", "new.rules", "--shadow", "--feed-forward") == plain
    assert "in shadow, not used: t 0 -> 0, two-qubit 2 -> 0" in capsys.readouterr().err


def test_shadow_mode_needs_proofs(lab: Path):
    wrong = rule_file("merge").replace(b"tdg a => t a", b"t a => tdg a")
    Path("new.rules").write_bytes(wrong)
    words = ["compile", "program.qasm", "--emit", "circuit", "--rules", "new.rules", "--shadow"]
    assert run(words) != 0


@pytest.mark.parametrize("cached", [False, True])
def test_revoked_rules_stop_the_build(lab: Path, cached: bool, capsys):
    more = ["--rules", "lab", *(["--cache-dir", "cache"] if cached else [])]
    compiled(*more)
    assert run(["rules", "revoke", "lab", "--key", "key.pem", "--why", "slow", *WHO]) == 0
    before = Path("out.mlir").stat()
    words = ["compile", "program.qasm", "-o", "out.mlir", "--emit", "circuit", *more]
    assert run(words) != 0
    assert "revoked" in capsys.readouterr().err
    assert Path("out.mlir").stat() == before


def test_a_cached_compilation_knows_its_rules(lab: Path):
    cache = ["--cache-dir", "cache", "--feed-forward", "--rules", "lab"]
    first = compiled(*cache)
    approve("merge")
    assert compiled(*cache) != first


def test_changed_rules_stop_the_build(lab: Path):
    (stored,) = Path("store/sets").iterdir()
    stored.write_bytes(stored.read_bytes().replace(b"t a; cx a b\n", b"tdg a; cx a b\n"))
    assert run(["compile", "program.qasm", "--emit", "circuit", "--rules", "lab"]) != 0


def test_the_manifest_and_the_report_name_the_rules(lab: Path):
    compiled("--rules", "lab", "--manifest", "m.json", "--report", "report.json")
    named = [{"name": "lab", "sha256": RuleSet("", "", "", "", (), text=rule_file(*RULES)).sha256}]
    assert json.loads(Path("m.json").read_text())["rules"] == named
    assert json.loads(Path("report.json").read_text())["rules"] == named
    assert run(["verify-manifest", "m.json"]) == 0
    approve("merge")
    assert run(["verify-manifest", "m.json"]) != 0


def test_a_build_depends_on_the_rules_and_the_ledger(lab: Path):
    compiled("--rules", "lab", "-MD")
    rule = Path("out.d").read_text()
    assert str(Path("store") / "ledger.jsonl") in rule
    assert os.environ["QWASMC_TRUST"] in rule
    assert ".rules" in rule


def test_a_pass_list_with_rewrite_needs_rules(lab: Path):
    words = ["compile", "program.qasm", "--emit", "circuit", "--passes", "specialise,rewrite"]
    assert run(words) == 2
    assert run([*words, "--rules", "lab"]) == 0


def test_the_python_api_takes_rules(lab: Path):
    found = qwasmc.compile(
        Path("program.qasm"),
        emit="circuit",
        rules=["lab"],
        rule_store="store",
        trust=os.environ["QWASMC_TRUST"],
    )
    assert [each["name"] for each in found.report["rules"]] == ["lab"]
