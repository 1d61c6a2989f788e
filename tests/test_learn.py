"""`qwasmc learn`: rules that gain and are proved, the same bytes however it is run."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from qwasmc import cli
from qwasmc.backends.proving import check_set
from qwasmc.commands.learn import learn as learn_command
from qwasmc.cost import cost
from qwasmc.diagnostics import Kind, error
from qwasmc.driver import compile_source
from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.jobs import ALONE, Bench
from qwasmc.options import Options, Watch
from qwasmc.passes.learning import learn as learning
from qwasmc.passes.learning import trials
from qwasmc.passes.learning.alphabets import GATES
from qwasmc.passes.learning.corpus import pack, split, unpack
from qwasmc.passes.learning.families import families
from qwasmc.passes.learning.learn import Request
from qwasmc.passes.learning.measuring import loss, measure
from qwasmc.passes.learning.ranking import Late, Member, Trials, needed
from qwasmc.passes.learning.training import draw, train
from qwasmc.passes.rewrite import rewrite
from qwasmc.passes.rewriting.features import FEATURES
from qwasmc.reading import read_source
from qwasmc.rules.notation import read_rule, read_rules, write_rule
from qwasmc.store import Store

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[4];\n'
TINY = [
    "--size",
    "2,2",
    "--blocks",
    "0",
    "--generations",
    "1",
    "--cost",
    "depth",
    "--gates",
    "h,s,t,tdg,cx,cz",
]


def programs(folder: Path) -> Path:
    """Six programs in which gates on one qubit can be moved out of the way."""
    folder.mkdir()
    rng = random.Random(5)
    for number in range(6):
        lines = []
        for _ in range(40):
            a, b = rng.sample(range(4), 2)
            lines.append(rng.choice([f"h q[{a}]", f"t q[{a}]", f"cx q[{a}],q[{b}]"]))
        (folder / f"p{number}.qasm").write_text(HEAD + "".join(f"{line};\n" for line in lines))
    return folder


def learned(folder: Path, *options: str) -> bytes:
    out = folder.parent / "out.rules"
    assert cli.run(["learn", str(folder), *TINY, "-j", "1", "-o", str(out), *options]) == 0
    return out.read_bytes()


def circuit(*rows: str) -> Circuit:
    """Gates on qubits 0, 1, 2, as "cx 0 1"."""
    builder = CircuitBuilder()
    wires = [builder.add("alloc", attr=f"q{i}") for i in range(3)]
    for row in rows:
        name, *qubits = row.split()
        made = builder.add(name, [wires[int(q)] for q in qubits])
        for slot, q in enumerate(qubits):
            wires[int(q)] = made + slot
    return builder.freeze()


def member(name: str, found: Circuit, objective: str) -> Member:
    return Member(name, pack(found), len(found), measure(found, objective))


def request(objective: str, **changed: object) -> Request:
    given = {
        "name": "some",
        "cost": objective,
        "seed": 0,
        "gates": ("h", "t", "s", "cx"),
        "sizes": (2, 2),
        "blocks": 0,
        "max_rules": 100,
        "generations": 0,
    }
    return Request(**{**given, **changed})  # type: ignore[arg-type]


run = Bench(ALONE, Watch()).run


# -- the whole


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> tuple[Path, bytes, str]:
    """A corpus, the rules learned from it, and what standard error got."""
    folder = programs(tmp_path_factory.mktemp("learned") / "corpus")
    (folder / "wrong.qasm").write_text("OPENQASM 2.0;\nqreg q[2];\nmess q[0];\n")
    (folder / "notes.md").write_text("not a program")
    with redirect_stderr(StringIO()) as told:
        text = learned(folder)
    return folder, text, told.getvalue()


def test_rules_are_proved_and_readable(once):
    folder, text, told = once
    rules = read_rules(text, "out.rules")
    assert rules.rules
    assert rules.cost == "depth"
    assert "7 programs" in rules.origin
    check_set(rules)
    assert "programs: 6 of 7" in told
    assert f"proved: {len(rules.rules)}" in told
    assert str(folder.parent).encode() not in text


def test_another_run_gives_the_same_bytes(once):
    folder, text, _ = once
    assert learned(folder) == text


def test_they_gain_on_the_corpus(once):
    folder, text, _ = once
    rules = read_rules(text, "out.rules")
    before = after = 0
    for path in sorted(folder.glob("p*.qasm")):
        compiled = compile_source(read_source(str(path)), Options(emit="circuit"), Watch()).ir
        before += cost(compiled, "depth")[0]
        after += cost(rewrite(compiled, [rules], "depth"), "depth")[0]
    assert after < before


def test_what_cannot_be_learned_from_is_skipped_and_named(once):
    told = once[2]
    assert "warning: 'wrong.qasm' is left out: " in told
    assert "notes.md" not in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give a CORPUS"),
        (["nowhere"], "no such file"),
        (["--families", "--size", "3,x"], "is not a list of up to 4 numbers"),
        (["--families", "--gates", "h,ccx"], "'ccx' is none of h,"),
        (["--families", "--name", "two words"], "a name has"),
        (["--families", "--time-budget", "0"], "there is no program to learn from"),
    ],
)
def test_wrong_requests(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert cli.run(["learn", *arguments, "-j", "1", "-o", "out.rules"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out.rules").exists()


# -- the corpus


def test_a_packed_circuit_is_the_same():
    made = circuit("h 0", "cx 0 1", "t 1")
    again = unpack(pack(made))
    for name in ("op", "operands", "cond", "angle", "attr", "first"):
        assert np.array_equal(getattr(made, name), getattr(again, name))
    assert again.names == made.names


@pytest.mark.parametrize("count", [0, 1, 4, 5, 9, 10, 61])
def test_a_fifth_is_held_out(count):
    names = [f"n{i}" for i in range(count)]
    learning_part, judges = split(names, 3)
    assert sorted(learning_part + judges) == list(range(count))
    assert len(judges) == count // 5
    assert count < 10 or split(names, 4) != (learning_part, judges)


def test_families_are_drawn_from_the_seed():
    one, same, other = ([*families(seed)] for seed in (1, 1, 2))
    assert one == same
    assert one != other
    assert len({name for name, _ in one + other}) == 2 * len(one)


# -- ranking


def ranked(objective: str, found: Circuit, lines: Sequence[str]) -> list[str]:
    tried = Trials([member("only", found, objective)], objective, run)
    kept = needed([read_rule(line) for line in lines], 0, None, tried)
    return [write_rule(rule) for rule in kept]


CX_CX = "cx a b; cx a b => nothing"
T_T = "t a; t a => s a"
H_H = "h a; h a => nothing"


def test_rules_that_nothing_needs_are_dropped():
    found = circuit("cx 0 1", "cx 0 1", "t 2", "cx 1 2")
    assert ranked("two-qubit", found, [H_H, T_T, CX_CX]) == [CX_CX]
    twice = ["cx a b; cx a b; t b => t b", "cx a b; cx a b; t a => t a", CX_CX]
    assert ranked("two-qubit", found, twice) == [CX_CX]


def test_the_cost_decides_which_rules_come_first():
    found = circuit("cx 0 1", "cx 0 1", "t 2", "t 2")
    for objective, wanted in (("two-qubit", CX_CX), ("t", T_T)):
        corpus = [member("only", found, objective)]
        outcome = learning.learn(corpus, request(objective, max_rules=1), run)
        assert [write_rule(rule) for rule in outcome.rules.rules] == [wanted]


def test_the_loss_is_relative_and_the_first_number_counts_most():
    assert loss([9, 5], [10, 5]) == 10 * loss([99, 5], [100, 5]) < 0
    assert loss([9, 9], [10, 5]) < 0 < loss([10, 6], [10, 5])
    assert loss([9, 9, 9, 9, 1000], [9, 9, 9, 9, 1001]) < 0


def test_ranking_stops_when_the_time_is_up():
    def late(stage: str, function: str, jobs: Sequence[object]) -> list[None]:
        return [None for _ in jobs]

    tried = Trials([member("only", circuit("t 0", "t 0"), "t")], "t", late)
    with pytest.raises(Late):
        needed([read_rule(T_T)], 0, None, tried)


def test_surgery_volume_is_that_of_our_schedule():
    found = circuit("cx 0 1", "t 1", "cx 1 2")
    assert measure(found, "volume")[0] > measure(circuit("cx 0 1"), "volume")[0] > 0


# -- the policy


def test_training_finds_a_minimum():
    def losses(drawn: list[list[int]]) -> list[int]:
        return [(a - 100) ** 2 + (b + 50) ** 2 for a, b in drawn]

    found = train([0, 0], [64, 64], losses, 0, 20)
    assert found is not None
    assert losses([found])[0] < 100
    assert found == train([0, 0], [64, 64], losses, 0, 20)


def test_candidates_lie_opposite_each_other():
    first, *others = draw([5, 7], [10, 10], 3)
    half = len(others) // 2
    assert first == [5, 7]
    for one, other in zip(others[:half], others[half:], strict=True):
        assert [a + b for a, b in zip(one, other, strict=True)] == [10, 14]


def five(objective: str) -> list[Member]:
    rows = ("cx 0 1", "t 2", "cx 0 1", "h 1", "h 1", "cx 1 2", "t 1", "t 1")
    return [member(f"c{i}", circuit(*rows, *["h 0"] * i), objective) for i in range(5)]


@pytest.mark.parametrize("better", [False, True])
def test_a_policy_is_kept_only_if_it_beats_fixed_order(better, monkeypatch):
    """One that rewrites nothing is worse; one with a rule more that fits is better."""
    corpus = five("two-qubit")
    where = learning._Choice([read_rule(H_H if better else CX_CX)], [])

    def trained(choice, rules, trials, wanted):
        choice.kept = where.kept
        choice.helpers = [read_rule(CX_CX)] if better else []
        choice.weights = [100 if better else -100] * len(FEATURES)

    monkeypatch.setattr(learning, "_train", trained)
    outcome = learning.learn(corpus, request("two-qubit"), run)
    assert bool(outcome.rules.policy) == better
    assert any("no policy" in line for line in outcome.summary) != better
    assert len(outcome.rules.rules) == 1 + better


def test_circuits_held_out_are_not_learned_from():
    corpus = five("depth")
    _, (judge,) = split([each.name for each in corpus], 0)
    one = learning.learn(corpus, request("depth", generations=1), run).rules
    corpus[judge] = member(corpus[judge].name, circuit("t 0", "t 1", "cx 0 2"), "depth")
    other = learning.learn(corpus, request("depth", generations=1), run).rules
    shared = min(len(one.rules), len(other.rules))
    assert shared
    assert one.rules[:shared] == other.rules[:shared]


# -- jobs


def test_results_that_were_kept_are_not_computed_again(tmp_path):
    job = {"circuit": pack(circuit("t 0", "t 0")), "rules": [T_T], "cost": "t", "weights": [None]}
    warned: list[object] = []
    first = Bench(ALONE, Watch(), Store(tmp_path, warned.append))
    function = "qwasmc.passes.learning.trials:tried"
    result = first.run("some", function, [job])
    second = Bench(ALONE, Watch(), Store(tmp_path, warned.append))
    assert second.run("some", function, [job]) == result
    assert (first.ran, first.found, second.ran, second.found) == (1, 0, 0, 1)
    (entry,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    entry.write_bytes(entry.read_bytes().replace(b"1", b"2"))
    third = Bench(ALONE, Watch(), Store(tmp_path, warned.append))
    assert third.run("some", function, [job]) == result
    assert third.ran == 1
    assert len(warned) == 1


def test_no_job_begins_when_the_time_is_up():
    bench = Bench(ALONE, Watch(), end=time.monotonic() - 1)
    assert bench.run("some", "qwasmc.jobs:work", [{}, {}]) == [None, None]
    assert bench.cut


def test_errors_come_back_from_other_processes():
    raised = pickle.loads(pickle.dumps(error("too much", kind=Kind.LIMIT, help="less")))
    assert raised.exit_code == 3
    assert raised.diagnostics[0].help == "less"


def test_rules_that_leave_no_schedule_cost_more_than_any(monkeypatch):
    def refuse(found: Circuit, objective: str) -> list[int]:
        raise error("no way")

    found = member("only", circuit("cx 0 1", "cx 0 1", "h 2"), "volume")
    monkeypatch.setattr(trials, "measure", refuse)
    assert Trials([found], "volume", run).losses("some", [read_rule(CX_CX)], [None])[0] > 10**18


# -- however it is run


@pytest.mark.slow
def test_processes_find_the_same(tmp_path):
    folder = programs(tmp_path / "corpus")
    assert learned(folder) == learned(folder, "-j", "2")


@pytest.mark.slow
def test_a_cluster_finds_the_same(tmp_path):
    distributed = pytest.importorskip("distributed")
    folder = programs(tmp_path / "corpus")
    alone = learned(folder)
    options = {"processes": False, "dashboard_address": None, "n_workers": 2}
    with distributed.LocalCluster(**options, threads_per_worker=1) as local:
        assert learned(folder, "--cluster", local.scheduler_address) == alone


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(tmp_path):
    folder = programs(tmp_path / "corpus")
    alone = learned(folder)
    out, kept = tmp_path / "killed.rules", tmp_path / "kept"
    command = [sys.executable, "-m", "qwasmc", "learn", str(folder), *TINY, "-j", "1"]
    command += ["--resume", str(kept), "-o", str(out)]
    rng = random.Random(1)
    for _ in range(3):
        target = len(entries(kept)) + rng.randint(1, 6)
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        while process.poll() is None and len(entries(kept)) < target:
            time.sleep(0.005)
        assert process.poll() is None
        assert not out.exists()
        process.kill()
        process.wait()
    before = set(entries(kept))
    subprocess.run(command, check=True, capture_output=True)
    assert before
    assert before < set(entries(kept))
    assert out.read_bytes() == alone


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and len(path.name) == 64]


def test_the_command_has_the_gates_of_discovery_by_default():
    (option,) = (each for each in learn_command.params if each.name == "gates")
    assert option.default == ",".join(GATES)
