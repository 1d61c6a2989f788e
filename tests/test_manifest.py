"""Manifests: equal from run to run, replayed, and told from any that was changed."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwasmc import cli, manifest
from qwasmc.pipeline import PASSES
from qwasmc.target import TARGETS

EXAMPLES = Path(__file__).parent.parent / "examples"
PROGRAMS = EXAMPLES / "build" / "programs"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with programs to work in."""
    shutil.copytree(PROGRAMS, tmp_path / "programs")
    monkeypatch.chdir(tmp_path / "programs")
    monkeypatch.delenv("QWASMC_CACHE_DIR", raising=False)
    return tmp_path / "programs"


def compiled(*arguments: str, path: str = "m.json") -> dict[str, Any]:
    """The manifest of a program with included files."""
    assert cli.run(["compile", "chain.qwasm", "-I", "lib", "--manifest", path, *arguments]) == 0
    return json.loads(Path(path).read_text())


def h(value: object) -> str:
    """The hash of the documentation."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# -- what it says ----------------------------------------------------------------------------------


def test_it_says_what_went_in_and_came_out(work: Path):
    found = compiled("-o", "c.stim", "--report", "r.json", "--param", "n=4", "-d", "5")
    assert [item["name"] for item in found["inputs"]] == [
        "chain.qwasm",
        "lib/entangle.qwasm",
        "lib/readout.qwasm",
    ]
    for item in (*found["inputs"], found["outputs"][0]):
        assert item["sha256"] == hashlib.sha256(Path(item["name"]).read_bytes()).hexdigest()
    assert found["language"] == "qwasm"
    assert found["arguments"][:2] == ["--emit", "stim"]
    assert found["options"]["distance"] == 5
    assert found["options"]["params"] == {"n": "4"}
    assert found["target"]["name"] == "grid"
    assert {"qwasmc", "python", "numpy", "stim"} <= set(found["versions"])
    assert [item["kind"] for item in found["outputs"]] == ["output", "report"]


def test_its_hashes_are_those_of_the_documentation(work: Path, capsys: pytest.CaptureFixture[str]):
    found = compiled("-o", "c.stim", "--print-after", "all")
    printed = capsys.readouterr().err.split("// after ")[1:]
    assert len(printed) == len(found["steps"]) - 1
    for step, text in zip(found["steps"][1:], printed, strict=True):
        name, _, ir = text.partition("\n")
        assert step["pass"] == name
        assert step["ir"] == hashlib.sha256(ir.encode()).hexdigest()
    chain = h({key: found[key] for key in ("inputs", "language", "options", "target", "rules")})
    for step in found["steps"]:
        chain = h([chain, step["pass"], step["options"], step["ir"]])
        assert step["chain"] == chain
    assert {step["pass"] for step in found["steps"]} <= {"read", *(row.name for row in PASSES)}
    own = found.pop("sha256")
    assert own == hashlib.sha256((json.dumps(found, indent=1) + "\n").encode()).hexdigest()


def test_it_has_what_the_program_asks_of_services(work: Path):
    request, note = "MAGIC_STATE_REQUEST 1, 90", 'ALLOC_LQ n=1, profile="logical:x(d=3)" -> q'
    program = f".caps CAP_ALLOC, CAP_MAGIC\n{note}\n{request}\nAPPLY_T q\n{request}\nAPPLY_T q\n"
    Path("chain.qwasm").write_text(program)
    assert compiled("-o", "c.mlir", "--emit", "circuit")["services"] == [note, request]
    assert cli.run(["compile", "c.mlir", "-o", "c.stim", "--manifest", "m.json"]) == 0
    assert json.loads(Path("m.json").read_text())["services"] == [request]


def test_the_printed_program_is_the_first_step(work: Path):
    found = compiled("--emit", "program", "-o", "p.mlir")
    assert found["steps"][0]["ir"] == hashlib.sha256(Path("p.mlir").read_bytes()).hexdigest()


def test_it_is_the_same_in_another_folder_and_with_a_cache(
    work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    compiled("-o", "c.stim", "--report", "r.json")
    first = Path("m.json").read_bytes()
    shutil.copytree(PROGRAMS, tmp_path / "deep" / "copy")
    monkeypatch.chdir(tmp_path / "deep" / "copy")
    for _ in range(2):
        compiled("-o", "c.stim", "--report", "r.json", "--cache-dir", "../cache")
        assert Path("m.json").read_bytes() == first


def test_bundled_files_are_named_without_their_place(work: Path):
    library = str(EXAMPLES / "library.qwasm")
    shutil.copy(library, ".")
    assert cli.run(["compile", "library.qwasm", "-o", "c.stim", "--manifest", "m.json"]) == 0
    names = [item["name"] for item in json.loads(Path("m.json").read_text())["inputs"]]
    assert names[0] == "library.qwasm"
    assert names[1].startswith("<qwasmc>/lib/")
    assert cli.run(["verify-manifest", "m.json"]) == 0


def test_the_description_of_the_target_is_an_input(work: Path, capsys: pytest.CaptureFixture[str]):
    description = TARGETS[1].text.replace(TARGETS[1].name, "mine")
    Path("mine.toml").write_text(description)
    found = compiled("--target", "mine.toml", "-o", "c.stim", "-MF", "c.d")
    expected = {"name": "mine.toml", "sha256": hashlib.sha256(description.encode()).hexdigest()}
    assert expected in found["inputs"]
    assert found["target"] == {"name": "mine", "sha256": expected["sha256"]}
    assert "mine.toml" in Path("c.d").read_text().split()
    assert verified(capsys)[0] == 0
    append("mine.toml")
    assert "the input 'mine.toml' has been changed" in verified(capsys)[1]


@pytest.mark.parametrize("arguments", [["-"], ["p.qwasm", "--emit", "qvm"]])
def test_what_cannot_be_replayed_has_none(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    Path("p.qwasm").write_text("h: APPLY_H q\n")
    assert cli.run(["compile", *arguments, "--manifest", "m.json"]) == 2
    assert "--manifest needs a compilation of a file" in capsys.readouterr().err


# -- replaying -------------------------------------------------------------------------------------


def verified(capsys: pytest.CaptureFixture[str], path: str = "m.json") -> tuple[int, str]:
    """The exit code of a replay, and what it said."""
    capsys.readouterr()
    code = cli.run(["verify-manifest", path])
    return code, capsys.readouterr().err


ALL_OPTIONS = [
    *("--param", "n=3", "--floor-plan", "bus", "--no-feed-forward", "--scratch", "auto"),
    *("--passes", "specialise,lower-gates,defer-paulis,lower-surgery"),
    *("--noise", "uniform:1e-3", "-O", "1", "--max-steps", "100000", "--open"),
]


@pytest.mark.parametrize("arguments", [[], ["--emit", "circuit"], ALL_OPTIONS], ids=str)
def test_a_replay_finds_the_same(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
):
    compiled("-o", "out", "--report", "r.json", *arguments)
    code, said = verified(capsys)
    assert code == 0, said
    assert "steps and 2 outputs are the same" in said


def test_a_replay_from_elsewhere(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    (work / "made").mkdir()
    found = compiled("-o", "made/c.stim", path="made/m.json")
    assert found["directory"] == ".."
    monkeypatch.chdir(work.parent)
    assert verified(capsys, "programs/made/m.json")[0] == 0
    shutil.move(work, work.parent / "moved")
    assert verified(capsys, "moved/made/m.json")[0] == 0


def append(path: str) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda: append("lib/readout.qwasm"), "input 'lib/readout.qwasm' has been changed"),
        (lambda: Path("chain.qwasm").unlink(), "cannot read the input 'chain.qwasm'"),
        (lambda: append("c.stim"), "output 'c.stim' has been changed"),
        (lambda: append("s.json"), "schedule 's.json' has been changed"),
        (lambda: Path("r.json").write_text("{}"), "report 'r.json' has been changed"),
        (lambda: Path("r.json").write_text("{"), "cannot read the report 'r.json'"),
        (lambda: Path("c.stim").unlink(), "cannot read the output 'c.stim'"),
        (lambda: Path("m.json").unlink(), "cannot read 'm.json'"),
    ],
)
def test_what_was_changed_is_named(
    work: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[], object], said: str
):
    compiled("-o", "c.stim", "--report", "r.json", "--schedule", "s.json")
    spoil()
    code, told = verified(capsys)
    assert code == (2 if "m.json" in said else 1)
    assert said in told


def forged(change: Callable[[dict[str, Any]], object]) -> None:
    """Change a manifest, and its own hash with it."""
    found = json.loads(Path("m.json").read_text())
    del found["sha256"]
    change(found)
    text = json.dumps(found, indent=1) + "\n"
    found["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    Path("m.json").write_text(json.dumps(found, indent=1) + "\n")


def set_ir(found: dict[str, Any]) -> None:
    number, step = next(
        (number, step) for number, step in enumerate(found["steps"]) if step["pass"] == "fold"
    )
    assert number > 1
    step["ir"] = "0" * 64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (set_ir, ", fold: its IR"),
        (lambda found: found["steps"].pop(), "instead of the end"),
        (lambda found: found["steps"].pop(1), "at step 1: promote instead of specialise"),
        (lambda found: found["steps"][2]["options"].clear(), ", specialise: its options"),
        (lambda found: found["outputs"][0].update(sha256="0"), "after all passes: output"),
        (lambda found: found["options"].update(level=1), "the compilation differs: options"),
        (lambda found: found["inputs"].pop(), "the compilation differs: inputs"),
        (lambda found: found["target"].update(name="x"), "the compilation differs: target"),
        (lambda found: found["arguments"].extend(["-d", "4"]), "not those of a compilation"),
        (lambda found: found["arguments"].extend(["--distance", "4"]), "not succeed any more"),
        (lambda found: found["arguments"].extend(["--nonsense"]), "No such option"),
        (lambda found: found["arguments"].extend(["-o", "stolen"]), "not those of a compilation"),
        (lambda found: found["arguments"].extend(["--", "x"]), "the arguments in the manifest"),
        (lambda found: found.update(directory="nowhere"), "there is no folder"),
        (lambda found: found["versions"].update(numpy="0.1"), "another version: numpy"),
    ],
)
def test_the_first_difference_is_named(
    work: Path, capsys: pytest.CaptureFixture[str], change: Callable[[Any], object], said: str
):
    compiled("-o", "c.mlir", "--emit", "circuit")
    forged(change)
    before = set(work.rglob("*"))
    code, told = verified(capsys)
    assert code == ("versions" not in str(change) and "another version" not in said)
    assert said in told
    assert set(work.rglob("*")) == before


# -- damage ----------------------------------------------------------------------------------------


def damaged(data: bytes, number: int, dice: random.Random) -> bytes:
    """A manifest with a bit flipped, cut short, or with two pieces swapped."""
    at = dice.randrange(len(data))
    if number % 3 == 0:
        return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]
    if number % 3 == 1:
        return data[:at]
    lines = data.splitlines(keepends=True)
    first, second = sorted(dice.sample(range(len(lines)), 2))
    lines[first], lines[second] = lines[second], lines[first]
    return b"".join(lines)


@pytest.mark.parametrize("count", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_damaged_manifests_are_found_out(
    work: Path, capsys: pytest.CaptureFixture[str], count: int
):
    compiled("-o", "p.mlir", "--emit", "program")
    whole = Path("m.json").read_bytes()
    assert manifest.parse("m.json")["input"] == "chain.qwasm"
    dice = random.Random(count)
    for number in range(count):
        spoilt = damaged(whole, number, dice)
        if spoilt == whole:  # two equal lines
            continue
        Path("m.json").write_bytes(spoilt)
        code, said = verified(capsys)
        assert code == 1
        assert "'m.json' is no manifest, or has been changed" in said


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{}", "[" * 100_000, '{"sha256": 1}', "\x00", '{"a": ' + "9" * 5000 + "}"],
    ids=lambda text: text[:12],
)
def test_other_files_are_no_manifests(work: Path, capsys: pytest.CaptureFixture[str], text: str):
    Path("m.json").write_text(text)
    assert verified(capsys)[0] == 1


def test_a_manifest_of_wrong_types_is_none(work: Path, capsys: pytest.CaptureFixture[str]):
    compiled("-o", "p.mlir", "--emit", "program")
    whole = Path("m.json").read_text()
    for key in json.loads(whole):
        for value in (None, 1, ["x", 1], {"x": 1}):
            if key == "sha256" or (key == "versions" and isinstance(value, dict)):
                continue
            Path("m.json").write_text(whole)
            forged(lambda found, key=key, value=value: found.update({key: value}))
            assert verified(capsys)[0] == 1
