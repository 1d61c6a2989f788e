"""Budgets of qubits and T gates: kept, or refused with the smallest that can be."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import qwasmc
from qwasmc import cli
from qwasmc.backends.stats import stats
from qwasmc.cost import width
from qwasmc.diagnostics import Kind

sys.path.append(str(Path(__file__).parent / "benchmarks"))

import random_segments
import reversible_programs as programs

CASES = {
    "chain": programs.and_chain(7),
    "mcx": programs.mcx(9),
    "adder": programs.adder(6),
    "comparator": programs.comparator(7, 5),
    "two in a row": programs.weighted_adder((1, 2, 3)),
}


def numbers(program: str, **options: object) -> tuple[int, int]:
    """Qubits and T gates."""
    found = stats(qwasmc.compile(program, emit="circuit", level=1, **options).ir)
    return found["qubits"], found["t_count"]


def least(program: str, option: str, **options: object) -> int:
    """What the refusal of a far too small budget says is possible."""
    with pytest.raises(qwasmc.CompileError) as caught:
        numbers(program, **{option.strip("-").replace("-", "_"): 1}, **options)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.kind is Kind.LIMIT
    found = re.search(rf"{option} (\d+)", diagnostic.help)
    assert found, diagnostic.help
    return int(found[1])


@pytest.mark.parametrize("feed_forward", [True, False], ids=["measured", "mirrored"])
@pytest.mark.parametrize("program", CASES.values(), ids=CASES)
def test_the_fewest_qubits_are_enough_and_one_less_is_not(program: str, feed_forward: bool):
    fewest = least(program, "--max-qubits", feed_forward=feed_forward)
    free = numbers(program, feed_forward=feed_forward)
    assert fewest <= free[0]
    qubits, t = numbers(program, max_qubits=fewest, feed_forward=feed_forward)
    assert qubits <= fewest
    assert t >= free[1]
    with pytest.raises(qwasmc.CompileError):
        numbers(program, max_qubits=fewest - 1, feed_forward=feed_forward)


@pytest.mark.parametrize("program", CASES.values(), ids=CASES)
def test_fewer_qubits_never_take_fewer_t_gates(program: str):
    fewest, (most, _) = least(program, "--max-qubits"), numbers(program)
    found = [numbers(program, max_qubits=budget) for budget in range(fewest, most + 1)]
    assert all(qubits <= budget for budget, (qubits, _) in enumerate(found, fewest))
    t = [t for _, t in found]
    assert t == sorted(t, reverse=True)


def test_the_fewest_t_gates_are_enough_and_one_less_is_not():
    program = CASES["mcx"]
    fewest = least(program, "--max-t")
    assert numbers(program, max_t=fewest)[1] == fewest
    with pytest.raises(qwasmc.CompileError, match=f"needs {fewest} T gates"):
        numbers(program, max_t=fewest - 1)


def test_both_budgets_at_once():
    program = CASES["chain"]
    qubits = least(program, "--max-qubits")
    t = least(program, "--max-t", max_qubits=qubits)
    assert numbers(program, max_qubits=qubits, max_t=t) == (qubits, t)
    with pytest.raises(qwasmc.CompileError) as caught:
        numbers(program, max_qubits=qubits, max_t=t - 1)
    assert f"with more qubits than {qubits} it may be less" in caught.value.diagnostics[0].help


def test_scratch_that_is_data_later_takes_no_more_qubits():
    both = "".join(
        f"REV_BEGIN s{q}\nQLCCX {q - 4}, {q - 3}, {q}\nREV_END\nQLCZ {q}, 6\nUNCOMPUTE s{q}\n"
        for q in (4, 5)
    )
    program = f"QLINIT 9\nQLH 0\nQLH 1\nQLH 2\n{both}QLH 4\nQLCNOT 4, 5\nQLT 5\n"
    assert numbers(program)[0] == numbers(program, open=True)[0] == 9


def test_three_products_of_a_majority_are_one():
    pairs = [(i, at, other) for i in range(4) for at, other in ((0, 4), (0, 8), (4, 8))]
    carries = "".join(f"QLCCX {at + i}, {other + i}, {9 + i}\n" for i, at, other in pairs)
    inputs = "".join(f"QLH {q}\n" for q in range(9))
    program = f"QLINIT 14\n{inputs}REV_BEGIN c, 9, 10, 11, 12\n{carries}REV_END\nQLCNOT 12, 13\n"
    assert numbers(f"{program}UNCOMPUTE c\nQLH 0\nQLH 4\n", feed_forward=None) == (14, 4 * 4)
    assert numbers(f"{program}UNCOMPUTE c\n", feed_forward=False) == (14, 8 * 4)


def test_a_budget_holds_for_programs_without_segments():
    with pytest.raises(qwasmc.CompileError, match="the program needs 3 qubits, 2 are allowed"):
        numbers("QLINIT 3\nQLH 0\n", max_qubits=2)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "mcx.qwasm"
    path.write_text(CASES["mcx"])
    assert cli.run(["stats", str(path), "--max-qubits", "3"]) == Kind.LIMIT
    assert "the least here is --max-qubits" in capsys.readouterr().err
    assert cli.run(["stats", str(path), "--max-qubits", "15", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["qubits"] <= 15


def test_the_report_has_the_certificate(tmp_path: Path):
    path = tmp_path / "mcx.qwasm"
    path.write_text(CASES["mcx"])
    out, report = tmp_path / "out.mlir", tmp_path / "out.json"
    files = ["-o", str(out), "--report", str(report)]
    assert cli.run(["compile", str(path), "--emit", "circuit", "--verify", *files]) == 0
    found = json.loads(report.read_text())
    assert found["uncomputation"]["result"] == "proved"
    assert found["uncomputation"]["ghosts"] == 7
    assert found["verification"][0]["check"] == "uncompute"
    assert found["verification"][0]["result"] == "proved"


@pytest.mark.parametrize("seed", [50014, 50028, 50043, 50054])
@pytest.mark.parametrize("feed_forward", [True, False], ids=["measured", "mirrored"])
def test_every_budget_is_kept_or_refused_with_one_that_is(seed: int, feed_forward: bool):
    """Programs whose segments cannot all be written anew, or have more than their rooms tell."""
    text = random_segments.program(seed, 0.01)

    def qubits(budget: int | None) -> int:
        passes = ("promote", "specialise", "uncompute", "erase")
        found = qwasmc.compile(
            text, emit="circuit", passes=passes, feed_forward=feed_forward, max_qubits=budget
        )
        return width(found.ir)

    full = qubits(None)
    for budget in range(1, full):
        try:
            assert qubits(budget) <= budget
        except qwasmc.CompileError as refused:
            (diagnostic,) = refused.diagnostics
            assert diagnostic.kind is Kind.LIMIT
            found = re.search(r"--max-qubits (\d+)", diagnostic.help)
            assert found
            assert budget < int(found[1]) <= full
            assert qubits(int(found[1])) <= int(found[1])
    assert qubits(full) <= full
