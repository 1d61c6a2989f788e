"""The command line: what it reads, writes and says, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import stim

from qwasmc import cli, driver, validation
from qwasmc.diagnostics import Kind
from qwasmc.ops import OPS
from qwasmc.pipeline import PASSES
from qwasmc.target import TARGETS

EXAMPLES = Path(__file__).parent.parent / "examples"
BELL = str(EXAMPLES / "bell.qwasm")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in; bug reports go to a folder inside."""
    (tmp_path / "bugs").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "bugs"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def start(*arguments: str, **settings: object) -> subprocess.Popen[bytes]:
    """A process of its own, for what a call in this one cannot show."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", "qwasmc", *arguments], **{**pipes, **settings})


# -- commands --------------------------------------------------------------------------------------


def test_compile_writes_circuit_report_and_dependencies(work: Path):
    code = cli.run(["compile", BELL, "-o", "bell.stim", "--report", "bell.json", "-MD"])
    assert code == 0
    assert {path.name for path in work.iterdir()} == {"bell.stim", "bell.json", "bell.d"}
    circuit = stim.Circuit.from_file("bell.stim")
    report = json.loads((work / "bell.json").read_text())
    assert report["detectors"] == circuit.num_detectors
    assert report["observables"] == [{"name": "mA^mB", "bits": ["mA", "mB"]}]
    assert report["physical_qubits"] == circuit.num_qubits
    assert (work / "bell.d").read_text() == f"bell.stim: {BELL}\n"


def test_report_keeps_names_as_they_are(work: Path):
    name = "bell[1,  2].qwasm"
    (work / name).write_text(Path(BELL).read_text())
    assert cli.run(["compile", name, "-o", "out.stim", "--report", "out.json"]) == 0
    assert json.loads((work / "out.json").read_text())["input"] == name


def test_dependency_file_names_what_was_included(work: Path):
    (work / "my lib.qwasm").write_text(".set n = 2\n")
    (work / "main.qwasm").write_text(
        '.caps CAP_ALLOC\n.include "my lib.qwasm"\na: ALLOC_LQ n={n} -> p, q\nm: MEASURE_Z q -> m\n'
    )
    assert cli.run(["compile", "main.qwasm", "-o", "out.stim", "-MF", "deps"]) == 0
    rule = (work / "deps").read_text()
    assert rule.startswith("out.stim: main.qwasm ")
    assert rule.endswith("my\\ lib.qwasm\n")


@pytest.mark.parametrize("emit", ["program", "circuit", "surgery", "stim"])
def test_compile_to_standard_output(capsys: pytest.CaptureFixture[str], emit: str):
    assert cli.run(["compile", BELL, "--emit", emit]) == 0
    text = capsys.readouterr().out
    if emit == "stim":
        assert stim.Circuit(text).num_observables == 1
    else:
        assert "qw." in text


@pytest.mark.parametrize("emit", ["program", "circuit", "surgery"])
def test_printed_ir_is_read_again(work: Path, emit: str, capsys: pytest.CaptureFixture[str]):
    assert cli.run(["compile", BELL, "--emit", emit, "-o", "ir"]) == 0
    assert cli.run(["opt", "ir"]) == 0
    assert capsys.readouterr().out == (work / "ir").read_text()


def test_compilation_continues_from_ir(work: Path):
    cli.run(["compile", BELL, "--emit", "program", "-o", "ir"])
    cli.run(["opt", "ir", "--passes", "specialise,defer-paulis", "-o", "ir2"])
    assert cli.run(["compile", "ir2", "-o", "a.stim"]) == 0
    assert cli.run(["compile", BELL, "-o", "b.stim"]) == 0
    assert (work / "a.stim").read_text() == (work / "b.stim").read_text()


def test_print_after_goes_to_standard_error(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["compile", BELL, "--emit", "circuit", "--print-after", "specialise"]) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith("// after specialise\n")
    assert printed.err.count("// after") == 1


def test_open_ends_are_open(capsys: pytest.CaptureFixture[str], work: Path):
    (work / "cx.qwasm").write_text(
        ".caps CAP_ALLOC\na: ALLOC_LQ n=2 -> p, q\ncx: APPLY_CNOT p, q\n"
    )
    assert cli.run(["compile", "cx.qwasm", "--open", "--emit", "circuit"]) == 0
    text = capsys.readouterr().out
    assert text.count("qw.input") == text.count("qw.output") == 2


@pytest.mark.parametrize(
    ("declared", "flags", "distance"),
    [
        ('ALLOC_LQ n=1, profile="logical:surface_code(d=5)" -> q', [], 5),
        ('ALLOC_LQ n=1, profile="logical:surface_code(d=5)" -> q', ["-d", "3"], 3),
        ("ALLOC_LQ n=1 -> q", [], 3),
    ],
)
def test_distance(work: Path, declared: str, flags: list[str], distance: int):
    (work / "q.qwasm").write_text(f".caps CAP_ALLOC\n{declared}\nm: MEASURE_Z q -> m\n")
    assert cli.run(["compile", "q.qwasm", "-o", "q.stim", "--report", "q.json", *flags]) == 0
    assert json.loads((work / "q.json").read_text())["distance"] == distance


def test_distance_in_machine_style(work: Path):
    (work / "q.qwasm").write_text("QLINIT 1, distance=5\nQLMEASURE 0, r0\n")
    cli.run(["compile", "q.qwasm", "-o", "q.stim", "--report", "q.json"])
    assert json.loads((work / "q.json").read_text())["distance"] == 5


def test_t_is_declared_a_stand_in(work: Path):
    magic = str(EXAMPLES / "magic.qwasm")
    cli.run(["compile", magic, "-o", "m.stim", "--noise", "uniform:0.001", "--report", "m.json"])
    report = json.loads((work / "m.json").read_text())
    assert report["t_count"] == report["t_states"] == report["ports"]["count"] == 2
    assert "stand-in S[T]" in report["ports"]["note"]
    assert "S[T]" in (work / "m.stim").read_text()


def test_check_is_silent(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["check", BELL]) == 0
    assert capsys.readouterr() == ("", "")


def test_stats(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["stats", BELL, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "qubits": 2,
        "gates": {"h": 1, "cx": 1},
        "t_count": 0,
        "t_predicated": 0,
        "t_depth": 0,
        "two_qubit": 1,
        "clifford": 2,
        "rotations": 0,
        "depth": 3,
        "measurements": 2,
        "ancillas": 0,
    }
    assert cli.run(["stats", BELL]) == 0
    assert "two_qubit         1" in capsys.readouterr().out


def test_simulate(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["simulate", BELL, "--shots", "100", "--seed", "5"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["results"] == ["mA", "mB"]
    assert set(found["counts"]) == {"00", "11"}
    assert sum(found["counts"].values()) == 100


def test_sample_names_the_observables(work: Path, capsys: pytest.CaptureFixture[str]):
    cli.run(["compile", BELL, "--noise", "uniform:0.002", "-o", "bell.stim"])
    assert cli.run(["sample", "bell.stim", "--shots", "2000", "--json", "--csv", "bell.csv"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["observables"]) == ["mA^mB"]
    assert found["total"]["shots"] == 2000
    assert (work / "bell.csv").read_text().lstrip().startswith("shots")


def test_param(capsys: pytest.CaptureFixture[str]):
    assert cli.run(["stats", str(EXAMPLES / "ghz.qwasm"), "--param", "n=5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["qubits"] == 5


def test_tables(capsys: pytest.CaptureFixture[str]):
    for command in ("ops", "targets", "passes"):
        assert cli.run([command]) == 0
    printed = capsys.readouterr().out
    assert all(row.name in printed for row in (*OPS, *TARGETS, *PASSES))


def test_every_command_shows_an_example(capsys: pytest.CaptureFixture[str]):
    for name in ("", *cli.cli.commands):
        assert cli.run([*name.split(), "--help"]) == 0
        assert "Example:\n    qwasmc" in capsys.readouterr().out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from qwasmc.cli import run; run(['--help']);"
        "sys.exit(not {'stim', 'numpy', 'lark', 'rich', 'sinter'}.isdisjoint(sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# -- endings ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["compile", "missing.qwasm"], 2, "cannot read 'missing.qwasm'"),
        (["compile", "."], 2, "cannot read '.'"),
        (["compile", BELL, "--emit", "nonsense"], 2, "nonsense"),
        (["compile", BELL, "--nonsense"], 2, "--nonsense"),
        (["compile", BELL, "-d", "4", "-o", "out"], 3, "no layout for distance 4"),
        (["compile", BELL, "-d", "1000001", "-o", "out"], 3, "no layout for distance"),
        (["compile", BELL, "--noise", "loud", "-o", "out"], 2, "unknown noise model 'loud'"),
        (["compile", BELL, "--noise", "uniform:2", "-o", "out"], 2, "uniform:2"),
        (["compile", BELL, "--param", "n", "-o", "out"], 2, "K=V"),
        (["compile", BELL, "--passes", "specialize", "-o", "out"], 2, "'specialise'"),
        (["compile", BELL, "--passes", "lower-surgery", "-o", "out"], 2, "takes a circuit"),
        (["compile", BELL, "--passes", "specialise", "-o", "out"], 2, "end in a circuit"),
        (["compile", BELL, "--emit", "program", "--verify", "-o", "out"], 2, "--verify needs"),
        (["compile", BELL, "-MD"], 2, "-MD needs -o FILE"),
        (["compile", BELL, "-o", "missing/out"], 2, "cannot write 'missing/out'"),
        (["compile", BELL, "-o", "out", "--report", "out"], 2, "two outputs"),
        (["sample", BELL], 1, "cannot be sampled"),
        (["opt", BELL], 1, ""),
        ([], 2, "Usage"),
    ],
)
def test_wrong_requests(
    work: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
):
    assert cli.run(arguments) == code
    assert said in "".join(capsys.readouterr())
    assert not list(work.iterdir())


@pytest.mark.parametrize(
    ("program", "code"),
    [
        (b"h: APLY_H q0\n", 1),
        (b"\x00\x01\x02", 1),
        (b"\xff\xfe", 1),
        (b".for i in 0..99999999999\nFENCE_EPOCH\n.endfor\n", 3),
        (b"OPENQASM 3.0;\nh q;\n", 1),
        (b'{"version": "0.1"}\n', 1),
        (b"define void @main() {\n", 1),
        (b"QLINIT 1\nQLMEASURE 0, r0\nIF r0: QLH 0\nQLMEASURE 0, r1\n", 3),
    ],
)
def test_wrong_programs(work: Path, capsys: pytest.CaptureFixture[str], program: bytes, code: int):
    path = work / "p.qwasm"
    path.write_bytes(program)
    assert cli.run(["compile", "p.qwasm", "-o", "out.stim", "--report", "out.json"]) == code
    assert capsys.readouterr().err.startswith("error: ")
    assert list(work.iterdir()) == [path]


def test_the_input_is_not_overwritten(work: Path, capsys: pytest.CaptureFixture[str]):
    path = work / "p.qwasm"
    path.write_text(Path(BELL).read_text())
    assert cli.run(["compile", "p.qwasm", "-o", str(path)]) == 2
    assert "is an input" in capsys.readouterr().err
    assert path.read_text() == Path(BELL).read_text()


def test_a_bug_leaves_a_report_and_no_output(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise RuntimeError("split infinitive")

    monkeypatch.setattr(driver, "run_pass", broken)
    assert cli.run(["compile", BELL, "-o", "out.stim"]) == Kind.BUG
    assert "split infinitive" in capsys.readouterr().err
    assert not list(work.iterdir())
    (report,) = (work.parent / "bugs").iterdir()
    text = report.read_text()
    assert "RuntimeError" in text
    assert "-o out.stim" in text
    assert "ALLOC_LQ" in text


def test_a_failed_check_leaves_no_output(
    work: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    verdict = [{"check": "distance", "result": "failed", "detail": "2 instead of 3"}]
    real = validation.load

    def load(name: str) -> object:
        return (lambda *_: verdict) if name.endswith(":validate") else real(name)

    monkeypatch.setattr(validation, "load", load)
    assert cli.run(["compile", BELL, "--verify", "-o", "out.stim"]) == Kind.BUG
    assert "distance: 2 instead of 3" in capsys.readouterr().err
    assert not list(work.iterdir())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_leaves_nothing(work: Path, number: signal.Signals):
    ghz = str(EXAMPLES / "ghz.qwasm")
    slow = ["--param", "n=40", "-d", "15", "--noise", "uniform:0.001"]
    process = start("compile", ghz, *slow, "-o", "out.stim", "--print-after", "lower-surgery")
    assert process.stderr is not None
    process.stderr.readline()
    process.send_signal(number)
    process.communicate(timeout=60)
    expected = {signal.SIGKILL: -number}.get(number, 128 + number)
    assert process.returncode == expected
    assert not list(work.iterdir())


def test_a_reader_that_leaves_is_no_error(work: Path):
    process = start("compile", BELL, "-d", "11", "--noise", "uniform:0.001")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(60) == 128 + signal.SIGPIPE


def test_standard_input(work: Path):
    process = start("compile", "-", "--emit", "circuit", stdin=subprocess.PIPE)
    out, _ = process.communicate(Path(BELL).read_bytes(), timeout=60)
    assert process.returncode == 0
    assert b"qw.measure_z" in out


@pytest.mark.parametrize("noise", [pytest.param("none", marks=pytest.mark.slow), "si1000:0.001"])
def test_equal_runs_write_equal_bytes(work: Path, noise: str):
    program = str(EXAMPLES / "repetition.qwasm")
    for number, settings in enumerate(
        [
            {"PYTHONHASHSEED": "1", "LC_ALL": "C"},
            {"PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8", "OMP_NUM_THREADS": "1"},
        ]
    ):
        files = ["-o", f"{number}.stim", "--report", f"{number}.json"]
        process = start(
            "compile", program, *files, "--noise", noise, env={**os.environ, **settings}
        )
        assert process.wait(60) == 0
    assert (work / "0.stim").read_bytes() == (work / "1.stim").read_bytes()
    reports = [json.loads((work / f"{number}.json").read_text()) for number in (0, 1)]
    for report in reports:
        del report["timings_s"]
    assert reports[0] == reports[1]
