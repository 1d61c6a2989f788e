"""Sampling against circuits whose error rates are known in closed form."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import sinter
import stim

from qwasmc import cli
from qwasmc.backends.sampling import batch, decoders
from qwasmc.backends.sampling.batch import Tally
from qwasmc.backends.sampling.rates import rate
from qwasmc.backends.sampling.records import Records
from qwasmc.backends.sampling.run import SampleError, sample
from qwasmc.backends.sampling.workers import processes
from qwasmc.backends.stim.noise import apply_noise
from qwasmc.backends.stim.noise_models import NoiseModel
from qwasmc.diagnostics import CompileError

TWO = stim.Circuit("""
    R 0 1
    X_ERROR(0.1) 0
    X_ERROR(0.3) 1
    M 0 1
    OBSERVABLE_INCLUDE(0) rec[-2]
    OBSERVABLE_INCLUDE(1) rec[-1]
""")
"""Nothing to decode with: observable 0 fails with 0.1, 1 with 0.3, any with 1 - 0.9 * 0.7."""


def test_rates_per_observable_and_in_total():
    there = sample(TWO, shots=20_000, names=["left", "right"])
    assert list(there.observables) == ["left", "right"]
    assert there.total.shots == there.observables["left"].shots == 20_000
    # Five standard deviations: one run in a million is further off.
    for found, p in zip([*there.observables.values(), there.total], [0.1, 0.3, 0.37], strict=True):
        assert abs(found.rate - p) < 5 * (p * (1 - p) / 20_000) ** 0.5
        assert found.errors == round(found.rate * found.shots)
        assert found.low < found.rate < found.high


def test_decoder_corrects_what_detectors_show():
    circuit = stim.Circuit.generated("repetition_code:memory", distance=5, rounds=2)
    noisy = apply_noise(circuit, NoiseModel.uniform(0.01))
    there = sample(noisy, shots=20_000)
    undecoded = sample(noisy, shots=20_000, decoder="vacuous")
    assert there.total == there.observables["L0"]
    assert there.total.high < undecoded.total.low


def test_stops_at_max_errors():
    there = sample(TWO, shots=10**9, max_errors=100)
    assert there.total.errors >= 100
    assert there.total.shots < 10**9


def test_csv_is_read_back_by_sinter(tmp_path):
    there = sample(TWO, shots=1000, metadata={"d": 3})
    (tmp_path / "stats.csv").write_text(there.csv)
    (back,) = sinter.stats_from_csv_files(tmp_path / "stats.csv")
    assert back.json_metadata == {"d": 3}
    assert (back.shots, back.errors) == (there.total.shots, there.total.errors)


def test_to_json():
    there = sample(TWO, shots=1000)
    data = there.to_json()
    assert set(data) == {"observables", "total", "discards"}
    assert set(data["observables"]) == {"L0", "L1"}
    assert set(data["total"]) == {"shots", "errors", "rate", "low", "high"}
    assert data["total"]["errors"] == there.total.errors


def test_interval_covers_as_often_as_it_says():
    """Exact coverage of the binomial at p = 0.2, n = 100, from the probability of each count."""
    n, p = 100, 0.2
    covered, weight = 0.0, (1 - p) ** n
    for errors in range(n + 1):
        there = rate(n, errors)
        covered += weight * (there.low <= p <= there.high)
        weight *= (n - errors) / (errors + 1) * p / (1 - p)
    assert covered == pytest.approx(0.95, abs=0.02)


def test_interval_without_errors():
    """No error in n shots: rates up to 1.92 / n are within the likelihood ratio."""
    there = rate(10_000, 0)
    assert there.low == there.rate == 0
    assert there.high == pytest.approx(1.92e-4, rel=0.01)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("M 0", {}, "no observables"),
        ("H 0\nM 0\nOBSERVABLE_INCLUDE(0) rec[-1]", {}, "no error model"),
        ("H 0\nM 0\nDETECTOR rec[-1]\nOBSERVABLE_INCLUDE(0)", {}, "no error model"),
        (str(TWO), {"names": ["one"]}, "2 observables need as many distinct names"),
        (str(TWO), {"names": ["one", "one"]}, "2 observables need as many distinct names"),
        (str(TWO), {"shots": 0}, "shots must be at least 1"),
        (str(TWO), {"max_errors": 0}, "max_errors must be at least 1"),
    ],
)
def test_refuses(text, options, message):
    with pytest.raises(SampleError, match=message):
        sample(stim.Circuit(text), **{"shots": 10, **options})


def test_missing_decoder_package_is_said(monkeypatch):
    class Missing(sinter.Decoder):
        def compile_decoder_for_dem(self, *, dem):
            raise ImportError("no such package")

    monkeypatch.setitem(sinter.BUILT_IN_DECODERS, "fusion_blossom", Missing())
    message = "'fusion_blossom' is not installed: no such package; pip install fusion-blossom"
    with pytest.raises(SampleError, match=message):
        sample(TWO, shots=10, decoder="fusion_blossom")


POSTSELECTED = stim.Circuit("""
    R 0 1
    X_ERROR(0.1) 0
    X_ERROR(0.3) 0 1
    M 0 1
    DETECTOR(0, 0, 0) rec[-1]
    DETECTOR(0, 0, 0, 1) rec[-1]
    OBSERVABLE_INCLUDE(0) rec[-2]
""")
"""Of the shots, 30% are discarded; observable 0 fails with 0.1 * 0.7 + 0.9 * 0.3 in any case."""


def test_postselection():
    there = sample(POSTSELECTED, shots=20_000, decoder="vacuous", postselect=True)
    kept = there.total.shots
    assert kept + there.discards == 20_000
    assert abs(kept / 20_000 - 0.7) < 5 * (0.3 * 0.7 / 20_000) ** 0.5
    assert abs(there.total.rate - 0.34) < 5 * (0.34 * 0.66 / kept) ** 0.5
    assert there.observables["L0"] == there.total
    assert sample(POSTSELECTED, shots=1000).discards == 0


def test_postselection_on_nothing():
    with pytest.raises(SampleError, match="no marked detector and no flag"):
        sample(TWO, shots=1000, postselect=True)


def test_postselection_of_nothing():
    always = stim.Circuit(str(POSTSELECTED).replace("X_ERROR(0.3) 0 1", "X_ERROR(1) 1"))
    with pytest.raises(SampleError, match="discarded all 1000 shots"):
        sample(always, shots=1000, decoder="vacuous", postselect=True)


MEMORY = apply_noise(
    stim.Circuit.generated("surface_code:rotated_memory_z", distance=3, rounds=3),
    NoiseModel.uniform(0.005),
)


def test_counts_agree_with_sinter():
    """The same circuit, model and decoder, but other shots and another collector."""
    ours = sample(MEMORY, shots=60_000).total
    task = sinter.Task(circuit=MEMORY, decoder="pymatching")
    (theirs,) = sinter.collect(num_workers=1, tasks=[task], max_shots=60_000)
    p = (ours.errors + theirs.errors) / (ours.shots + theirs.shots)
    spread = (p * (1 - p) * (1 / ours.shots + 1 / theirs.shots)) ** 0.5
    assert abs(ours.rate - theirs.errors / theirs.shots) < 5 * spread


def counts(found) -> tuple[int, int, Counter[str]]:
    return found.stats.shots, found.stats.errors, found.stats.custom_counts


def test_other_seeds_are_other_shots():
    first, second = (sample(MEMORY, shots=20_000, seed=seed) for seed in (1, 2))
    assert counts(first) != counts(second)
    assert counts(first) == counts(sample(MEMORY, shots=20_000, seed=1))


def test_batches_are_other_shots():
    job = batch.Job("id", str(TWO), str(TWO.detector_error_model()), "vacuous", 1)
    tallies = [batch.run(job, start, 1000).mistakes for start in (0, 1000, 2000)]
    assert len({tuple(sorted(each.items())) for each in tallies}) == 3


@pytest.mark.parametrize("limit", [{}, {"max_errors": 150}])
def test_counts_do_not_depend_on_workers(limit):
    alone = sample(MEMORY, shots=100_000, **limit)
    with processes(3) as workers:
        assert counts(sample(MEMORY, shots=100_000, workers=workers, **limit)) == counts(alone)


def test_counts_do_not_depend_on_the_cluster():
    distributed = pytest.importorskip("distributed")
    cluster = pytest.importorskip("qwasmc.backends.sampling.cluster").cluster
    alone = sample(MEMORY, shots=50_000, max_errors=100)
    options = {"processes": False, "dashboard_address": None, "n_workers": 2}
    with distributed.LocalCluster(**options, threads_per_worker=1) as local:  # noqa: SIM117
        # Workers in this process are reached by an address that only this process knows.
        with cluster(local.scheduler_address) as workers:
            assert workers.count == 2
            there = sample(MEMORY, shots=50_000, max_errors=100, workers=workers)
    assert counts(there) == counts(alone)


def test_a_cluster_that_does_not_answer(monkeypatch):
    cluster = pytest.importorskip("qwasmc.cluster")
    monkeypatch.setattr(cluster, "TIMEOUT", "1s")
    with pytest.raises(CompileError, match="no Dask scheduler answers"):  # noqa: SIM117
        with cluster.connected("tcp://127.0.0.1:9"):
            pass


def test_resumed_counts_are_those_of_one_run(tmp_path):
    path = str(tmp_path / "counts.csv")
    for shots in (1024, 2048, 30_000):
        with Records(path) as records:
            there = sample(MEMORY, shots=shots, records=records)
    whole = sample(MEMORY, shots=30_000)
    assert counts(there) == counts(whole)
    (stored,) = sinter.stats_from_csv_files(path)
    assert (stored.shots, stored.errors) == (30_000, whole.total.errors)
    with Records(path) as records:  # nothing is left to do
        sample(MEMORY, shots=20_000, records=records)
    assert len(Path(path).read_text().splitlines()) == 4


def test_an_unfinished_line_is_dropped(tmp_path):
    path = tmp_path / "counts.csv"
    with Records(str(path)) as records:
        sample(MEMORY, shots=2048, records=records)
    whole = path.read_text()
    path.write_text(whole + whole.splitlines()[1][:40])
    with Records(str(path)) as records:
        sample(MEMORY, shots=2048, records=records)
    assert path.read_text() == whole


def test_counts_of_other_circuits_stay(tmp_path):
    path = str(tmp_path / "counts.csv")
    for circuit in (MEMORY, TWO, MEMORY):
        with Records(path) as records:
            sample(circuit, shots=1024, records=records)
    assert [each.shots for each in sinter.stats_from_csv_files(path)] == [1024, 1024]


def test_a_file_of_something_else_is_refused(tmp_path):
    path = tmp_path / "counts.csv"
    path.write_text("a,b,c\n1,2,3\n")
    with pytest.raises(CompileError, match="holds no counts"):
        Records(str(path))
    assert path.read_text() == "a,b,c\n1,2,3\n"


def test_two_runs_do_not_share_a_file(tmp_path):
    path = str(tmp_path / "counts.csv")
    with Records(path), pytest.raises(CompileError, match="another run"):
        Records(path)


def test_a_killed_run_resumes(tmp_path, monkeypatch):
    """Killed in the middle; what it had saved is not run again, and the counts are the same."""
    monkeypatch.chdir(tmp_path)
    Path("memory.stim").write_text(str(MEMORY))
    Path("slow.py").write_text(
        "import time\n"
        "from qwasmc import cli\n"
        "from qwasmc.backends.sampling import batch, run\n"
        "run.SAVE_EVERY, real = 0, batch.run\n"
        "def slow(*job):\n"
        "    time.sleep(0.2)\n"
        "    return real(*job)\n"
        "batch.run = slow\n"
        "cli.main()\n"
    )
    request = ["sample", "memory.stim", "--shots", "60000", "-j", "1", "--resume", "counts.csv"]
    process = subprocess.Popen([sys.executable, "slow.py", *request])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        Path("counts.csv").exists() and Path("counts.csv").read_text().count("\n") > 3
    ):
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (before,) = sinter.stats_from_csv_files("counts.csv")
    assert 0 < before.shots < 60_000
    assert cli.run(request) == 0
    (after,) = sinter.stats_from_csv_files("counts.csv")
    whole = sample(MEMORY, shots=60_000)
    assert (after.shots, after.errors) == (60_000, whole.total.errors)
    assert after.custom_counts == whole.stats.custom_counts


@pytest.mark.parametrize("name", ["bp-osd", "bp-lsd", "belief-find"])
def test_extra_decoders(name):
    pytest.importorskip("ldpc")
    few = apply_noise(
        stim.Circuit.generated("repetition_code:memory", distance=5, rounds=3),
        NoiseModel.uniform(0.02),
    )
    there = sample(few, shots=2000, decoder=name)
    assert there.total.high < sample(few, shots=2000, decoder="vacuous").total.low


class Flips(sinter.CompiledDecoder):
    """Predicts that every observable was flipped."""

    def decode_shots_bit_packed(self, *, bit_packed_detection_event_data):
        return np.full((len(bit_packed_detection_event_data), 1), 3, dtype=np.uint8)


class Pessimist(sinter.Decoder):
    def compile_decoder_for_dem(self, *, dem):
        return Flips()


def test_decoders_of_other_packages(monkeypatch):
    point = EntryPoint("pessimist", f"{__name__}:Pessimist", decoders.GROUP)
    found = decoders.entry_points

    def entry_points(**wanted):
        return [point] if wanted.get("name") == "pessimist" else found(**wanted)

    monkeypatch.setattr(decoders, "entry_points", entry_points)
    there = sample(TWO, shots=5000, decoder="pessimist")
    assert abs(there.observables["L0"].rate - 0.9) < 0.03


def test_tally_names_sets_as_sinter_does():
    job = batch.Job("id", str(TWO), str(TWO.detector_error_model()), "vacuous", 1)
    tally = Tally()
    tally.add(batch.run(job, 0, 20_000))
    assert set(tally.mistakes) == {"E_", "_E", "EE"}
    assert abs(tally.mistakes["EE"] / 20_000 - 0.03) < 0.006


@pytest.fixture(scope="module")
def compiled_circuits(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("circuits")
    bell = str(Path(__file__).parent.parent / "examples" / "bell.qwasm")
    paths = []
    for d in (3, 5):
        for p in ("0.002", "0.005"):
            paths.append(str(folder / f"bell-{d}-{p}.stim"))
            noise = f"uniform:{p}"
            assert cli.run(["compile", bell, "-d", str(d), "--noise", noise, "-o", paths[-1]]) == 0
    return paths


def test_plot(compiled_circuits, tmp_path):
    pytest.importorskip("matplotlib")
    for name in ("a.svg", "b.svg", "a.png"):
        request = ["sample", *compiled_circuits, "--shots", "2000", "-j", "1"]
        assert cli.run([*request, "--plot", str(tmp_path / name), "--csv", "-"]) == 0
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_plot_says_what_is_missing(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    (tmp_path / "two.stim").write_text(str(TWO))
    request = ["sample", str(tmp_path / "two.stim"), "--shots", "100", "-j", "1"]
    assert cli.run([*request, "--plot", str(tmp_path / "a.png")]) == 2
    assert "does not say its distance" in capsys.readouterr().err
    assert not (tmp_path / "a.png").exists()


def test_several_circuits(compiled_circuits, tmp_path, capsys):
    path = tmp_path / "a.csv"
    request = ["sample", *compiled_circuits, "--shots", "500", "-j", "1", "--csv", str(path)]
    assert cli.run(request) == 0
    assert capsys.readouterr().out.count("bell-") == 4
    text = path.read_text()
    assert text.count("json_metadata") == 1
    assert '""d"":5,""noise"":""uniform"",""p"":0.005' in text
