"""Sampling against circuits whose error rates are known in closed form."""

import pytest
import sinter
import stim

from qwasmc.backends.stim.noise import NoiseModel, apply_noise
from qwasmc.backends.stim.sample import SampleError, rate, sample

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
    there = sample(noisy, shots=20_000, workers=2)
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
        (str(TWO), {"decoder": "oracle"}, "unknown decoder 'oracle'"),
        (str(TWO), {"names": ["one"]}, "2 observables need as many distinct names"),
        (str(TWO), {"names": ["one", "one"]}, "2 observables need as many distinct names"),
        (str(TWO), {"shots": 0}, "shots must be at least 1"),
        (str(TWO), {"max_errors": 0}, "max_errors must be at least 1"),
        (str(TWO), {"workers": 0}, "workers must be at least 1"),
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
    with pytest.raises(SampleError, match="'fusion_blossom' is not installed: no such package"):
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
