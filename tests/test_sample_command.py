"""`qwasmc sample` and its files: what is refused, and that it is refused before sampling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sinter
import stim

from qwasmc import cli
from qwasmc.backends.sampling.records import Records
from qwasmc.backends.sampling.run import sample
from qwasmc.diagnostics import CompileError

REPETITION = stim.Circuit.generated(
    "repetition_code:memory", distance=3, rounds=2, before_measure_flip_probability=0.05
)
FOREVER = ["--shots", str(10**15), "-j", "1"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.stim").write_text(str(REPETITION))
    return tmp_path


def titled(path: Path, distance: object, noise: str, circuit: stim.Circuit = REPETITION) -> str:
    path.write_text(f"# qwasmc 0.1.0: distance {distance}, noise {noise}\n{circuit}")
    return str(path)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (["a.stim", "--csv", "no/a.csv"], "cannot write 'no/a.csv'"),
        (["a.stim", "--plot", "no/a.svg"], "cannot write 'no/a.svg'"),
        (["a.stim", "--plot", "a.svg"], "'a.stim' does not say its distance and noise"),
        (["a.stim", "--resume", "no/a.csv"], "cannot write 'no/a.csv'"),
        (["a.stim", "--resume", "-"], "counts are kept in a file"),
        (["a.stim", "--resume", "a.csv", "--csv", "./a.csv"], "need a file each"),
        (["a.stim", "--csv", "./a.stim"], "the output './a.stim' is an input"),
        (["a.stim", "--csv", ""], "cannot write ''"),
        (["a.stim", "--resume", ""], "cannot write ''"),
        (["-", "-"], "standard input holds one circuit"),
        (["a.stim", "--csv", "-", "--json"], "would both write on standard output"),
        (["a.stim", "--decoder", "pymatchin"], "did you mean 'pymatching'?"),
    ],
)
def test_refused_before_sampling(request_, message, folder, capsys):
    pytest.importorskip("matplotlib")
    assert cli.run(["sample", *request_, *FOREVER]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "-").exists()


def test_circuits_that_a_plot_cannot_tell_apart(folder, capsys):
    pytest.importorskip("matplotlib")
    paths = [titled(folder / f"{name}.stim", 3, "uniform:0.01") for name in "bc"]
    assert cli.run(["sample", *paths, "--plot", "a.svg", *FOREVER]) == 2
    assert "have the same distance and noise" in capsys.readouterr().err


@pytest.mark.parametrize("noises", [("uniform:.01", "none"), ("uniform:1E-2",), ("target",)])
def test_plots_of_odd_noise(noises, folder):
    """Without errors, with p = 0, and with noise that has no p."""
    pytest.importorskip("matplotlib")
    quiet = REPETITION.without_noise()
    paths = [
        titled(folder / f"{d}{i}.stim", d, noise, quiet if noise == "none" else REPETITION)
        for d in (3, 5)
        for i, noise in enumerate(noises)
    ]
    assert cli.run(["sample", *paths, "--shots", "300", "-j", "1", "--plot", "a.svg"]) == 0
    assert (folder / "a.svg").stat().st_size > 1000


@pytest.mark.parametrize("title", [("9" * 5000, "none"), (3, "uniform:x"), (3, "uniform:1.2.3")])
def test_titles_that_say_nothing(title, folder):
    path = titled(folder / "b.stim", *title)
    assert cli.run(["sample", path, "--shots", "300", "-j", "1", "--csv", "b.csv"]) == 0
    (stats,) = sinter.stats_from_csv_files("b.csv")
    assert stats.json_metadata == {}


def test_a_circuit_that_is_given_twice_counts_once(folder):
    (folder / "b.stim").write_text(f"# the same\n{REPETITION}")
    request = ["sample", "a.stim", "b.stim", "a.stim", "--shots", "1000", "-j", "1"]
    assert cli.run([*request, "--csv", "a.csv", "--resume", "kept.csv"]) == 0
    for name in ("a.csv", "kept.csv"):
        (stats,) = sinter.stats_from_csv_files(name)
        assert stats.shots == 1000


def test_csv_alone_on_standard_output(folder, capsys):
    assert cli.run(["sample", "a.stim", "--shots", "1000", "-j", "1", "--csv", "-"]) == 0
    (folder / "out.csv").write_text(capsys.readouterr().out)
    (stats,) = sinter.stats_from_csv_files("out.csv")
    assert stats.shots == 1000


def test_counts_without_sets_are_not_resumed(folder, capsys):
    """sinter's own counts say how many shots were wrong, but not in which observables."""
    task = sinter.Task(circuit=REPETITION, decoder="pymatching", json_metadata={})
    (stats,) = sinter.collect(num_workers=1, tasks=[task], max_shots=1000)
    assert stats.errors
    Path("sinter.csv").write_text(f"{sinter.CSV_HEADER}\n{stats.to_csv_line()}\n")
    assert cli.run(["sample", "a.stim", "--resume", "sinter.csv", *FOREVER]) == 2
    assert "do not say which observables were wrong" in capsys.readouterr().err


def test_counts_of_sinter_are_resumed(folder, capsys):
    task = sinter.Task(circuit=REPETITION, decoder="pymatching", json_metadata={})
    sinter.collect(
        num_workers=1,
        tasks=[task],
        max_shots=1000,
        count_observable_error_combos=True,
        save_resume_filepath="sinter.csv",
    )
    (stats,) = sinter.stats_from_csv_files("sinter.csv")
    request = ["sample", "a.stim", "--resume", "sinter.csv", "--shots", "1000", "-j", "1"]
    assert cli.run([*request, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["total"]
    assert (found["shots"], found["errors"]) == (stats.shots, stats.errors)


HEAD = "shots,errors,discards,seconds,decoder,strong_id,json_metadata,custom_counts\n"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\n",
        f"{HEAD}1,2,0,0,pymatching,ab,,\n".encode(),
        f"{HEAD}-1,0,0,0,pymatching,ab,,\n".encode(),
        f"{HEAD}9,1,0,0,pymatching,ab,,[1]\n".encode(),
        f"{HEAD}9,1,0,0\n".encode(),
        f"{HEAD}9,1,0,0,pymatching,ab,{'[' * 50_000},\n".encode(),
        f'{HEAD}9,1,0,0,pymatching,ab,"{"x" * 200_000}",\n'.encode(),
    ],
)
def test_files_that_hold_no_counts(data, folder):
    Path("odd.csv").write_bytes(data)
    with pytest.raises(CompileError, match="holds no counts that sinter reads"):
        Records("odd.csv")
    assert Path("odd.csv").read_bytes() == data


def test_seconds_are_of_all_workers(folder, monkeypatch):
    """The file has the same unit as the counts that come back."""
    monkeypatch.setattr("qwasmc.backends.sampling.run.SAVE_EVERY", 0)
    with Records("counts.csv") as records:
        there = sample(REPETITION, shots=5000, records=records)
    (kept,) = sinter.stats_from_csv_files("counts.csv")
    assert kept.seconds == pytest.approx(there.stats.seconds, abs=0.2)
