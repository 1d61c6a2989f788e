"""Requests for magic states: the schedule keeps to them, or there is an error with a way out."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import qwasmc
from qwasmc import cli
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.ir.surgery import Row
from qwasmc.ops import OPS
from qwasmc.passes.scheduling.requests import longest_waits
from qwasmc.text import parse_ir, print_ir
from qwasmc.verify import verify

DISTANCE = 3
PASSES = ("specialise", "defer-paulis", "lower-surgery")

QUBITS = 6
FRESH = "".join(f"QLH {q}\nQLT {q}\nQLH {q}\n" for q in range(QUBITS))
"""T gates whose qubits are all ready from the start."""


def surgery(lines: str, **options: object) -> object:
    """The schedule of a program, without optimisation."""
    ir = qwasmc.parse(f"QLINIT {QUBITS}\n{lines}")
    return qwasmc.run_passes(ir, PASSES, **{"distance": DISTANCE, "factories": 1, **options})


def refusal(lines: str, **options: object) -> CompileError:
    with pytest.raises(CompileError) as caught:
        surgery(lines, **options)
    assert caught.value.exit_code == 3
    assert len(caught.value.diagnostics) == 1
    return caught.value


def slabs_of_t(lines: str, **options: object) -> list[int]:
    """When each T gate has its state, in program order: the first of the two joins of each."""
    found = surgery(lines, **options)
    return found.slab[found.kind == Row.JOIN][::2].tolist()


def command(work: Path, text: str, *arguments: str) -> int:
    (work / "p.qwasm").write_text(text)
    return cli.run(["compile", "p.qwasm", "-O0", "-o", "p.stim", *arguments])


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


# -- states in time --------------------------------------------------------------------------------


@pytest.mark.parametrize("factories", [1, 2, 4])
def test_a_request_is_met_if_no_wait_is_longer(factories):
    """All qubits are ready in slab 0, so that a T gate waits as many slabs as its number says."""
    waits = [slab * DISTANCE for slab in slabs_of_t(FRESH, factories=factories)]
    assert len(waits) == QUBITS
    lines = FRESH.splitlines()
    for first, count in [(0, 1), (0, 3), (0, 99), (2, 1), (2, 3), (4, 5)]:
        longest = max(waits[first : first + count])

        def with_limit(cycles: int, first: int = first, count: int = count) -> str:
            request = f"MAGIC_STATE_REQUEST {count}, {cycles}"
            return "\n".join([*lines[: 3 * first], request, *lines[3 * first :]])

        surgery(with_limit(longest), factories=factories)
        found = refusal(with_limit(longest - 1), factories=factories).diagnostics[0]
        assert f"waits {longest} cycles" in found.message
        assert found.place.line == 2 + 3 * first
        late = first + waits[first : first + count].index(longest)
        assert f"T gate {late - first + 1} behind" in found.message
        assert found.notes[0].endswith(f":{2 + 3 * late + 2}:1")
        assert f"allow {longest} cycles" in found.help


def test_cycles_are_rounds_counted_from_when_the_qubit_is_ready():
    slow = "QLH 0\nQLH 1\n" + "QLCNOT 0, 1\nQLSYNDROME rounds=9\n" * 5 + "{}QLT 0\n"
    *_, slab = slabs_of_t(slow.format(""))
    assert slab > 9
    for distance, cycles in [(3, 6), (5, 10)]:
        surgery(slow.format(f"MAGIC_STATE_REQUEST 1, {cycles}\n"), distance=distance)


def test_a_request_behind_the_last_t_gate_asks_for_nothing():
    surgery(f"{FRESH}MAGIC_STATE_REQUEST 1, 0\n")
    surgery("QLX 0\nMAGIC_STATE_REQUEST 1, 0\nQLX 0\n")


def test_what_the_error_suggests_works(work: Path, capsys: pytest.CaptureFixture[str]):
    for cycles in (30, 12, 8):
        text = f"QLINIT {QUBITS}\nMAGIC_STATE_REQUEST {QUBITS}, {{}}\n{FRESH}"
        assert command(work, text.format(cycles), "--factories", "1") == 3
        said = capsys.readouterr().err
        assert "p.qwasm:2:1" in said
        enough, count = re.search(r"allow (\d+) cycles, or use --factories (\d+)", said).groups()
        assert command(work, text.format(enough), "--factories", "1") == 0
        assert command(work, text.format(cycles), "--factories", count) == 0
        assert command(work, text.format(cycles), "--factories", str(int(count) - 1)) == 3
        capsys.readouterr()


def test_factories_suggested_are_enough_for_all_requests():
    text = f"MAGIC_STATE_REQUEST 1, 30\n{FRESH}"
    both = text.replace("QLH 1", f"MAGIC_STATE_REQUEST {QUBITS}, 18\nQLH 1")
    found = refusal(both).diagnostics[0]
    count = int(re.search(r"--factories (\d+)", found.help)[1])
    surgery(both, factories=count)


@pytest.mark.parametrize("options", [{}, {"max_tiles": 60}])
def test_if_no_number_of_factories_does_only_a_longer_timeout_is_suggested(options):
    """No state is there in the first slab, and on a small chip there are few factories."""
    cycles = 0 if not options else 8
    text = f"MAGIC_STATE_REQUEST {QUBITS}, {{}}\n{FRESH}"
    found = refusal(text.format(cycles), **options).diagnostics[0]
    assert "no number of factories up to 64 would do" in found.help
    enough = re.search(r"allow (\d+) cycles", found.help)[1]
    surgery(text.format(enough), **options)


def test_longest_waits():
    rng = np.random.default_rng(5)
    for size in (1, 2, 3, 7, 64, 100):
        waits = rng.integers(0, 50, size)
        first = rng.integers(0, size, 60)
        end = rng.integers(first + 1, size + 1)
        expected = [max(waits[a:b].tolist()) for a, b in zip(first, end, strict=True)]
        assert longest_waits(waits, first, end).tolist() == expected


# -- states that are good enough -------------------------------------------------------------------

START = "MAGIC_DISTILLATION_START 15, {}\n"


def test_declared_errors_are_compared_with_the_fidelity():
    """Injected states are wrong with the physical error rate, those of a port never."""
    surgery(f"{START.format(1)}{FRESH}")
    surgery(f"{START.format(0.999)}{FRESH}", factory="injection", noise="uniform:0.001")
    found = refusal(f"{START.format(0.9991)}{FRESH}", factory="injection", noise="uniform:0.001")
    assert found.diagnostics[0].place.line == 2
    surgery(f"{FRESH}{START.format(0.9999)}", factory="injection")


@pytest.mark.parametrize(
    ("factory", "fidelity", "change"),
    [
        ("15-to-1", 0.99, "--factory injection"),
        ("injection", 0.99999, "--factory cultivation-3"),
        ("cultivation-3", 0.99999999, "--factory cultivation-5"),
    ],
)
def test_the_error_names_a_factory_that_does(work, capsys, factory, fidelity, change):
    text = f"QLINIT 1\n{START.format(fidelity)}QLH 0\nQLT 0\n"
    assert command(work, text, "--factory", factory, "-d", "3") == 3
    assert change in capsys.readouterr().err
    assert command(work, text, *change.split(), "-d", "3") == 0


def test_the_error_names_the_least_distance_that_does(capsys):
    text = f"{START.format(1 - 1e-6)}QLH 0\nQLT 0\n"
    options = {"factory": "15-to-1", "noise": "uniform:0.002"}
    found = refusal(text, **options).diagnostics[0]
    change, distance = found.help.rsplit(" ", 1)
    assert change == "use --distance"
    options["noise"] = "uniform:0.002"
    with pytest.raises(CompileError):
        surgery(text, distance=int(distance) - 2, **options)
    surgery(text, distance=int(distance), **options)


def test_the_error_says_if_there_is_no_such_factory():
    found = refusal(f"{START.format(1 - 1e-14)}{FRESH}", factory="injection").diagnostics[0]
    assert "no factory does" in found.help


# -- on the way ------------------------------------------------------------------------------------

KEPT = """QLINIT 3
MAGIC_STATE_REQUEST 2, 900
QLH 0
QLT 0
QLCNOT 0, 1
QLT 1
MAGIC_DISTILLATION_START 15, 0.9
QLT 1
QLH 1
QLT 1
QLCCX 0, 1, 2
MAGIC_STATE_REQUEST 1, 900
QLT 0
QLMEASURE 0, r0 basis=X
QLMEASURE 1, r1 basis=X
QLMEASURE 2, r2
"""
ASKED = [
    "MAGIC_STATE_REQUEST 2, 900",
    "MAGIC_DISTILLATION_START 15, 0.9",
    "MAGIC_STATE_REQUEST 1, 900",
]


def required(path: str) -> list[str]:
    return re.findall(r'"qw.require"\(\) \{needs = "(.*?)"', Path(path).read_text())


@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3"])
def test_requirements_survive_every_level(work: Path, level: str):
    (work / "p.qwasm").write_text(KEPT)
    assert cli.run(["compile", "p.qwasm", "--emit", "program", "-o", "p.ir"]) == 0
    assert required("p.ir") == ASKED
    assert cli.run(["compile", "p.ir", level, "--verify", "--emit", "circuit", "-o", "c.ir"]) == 0
    assert required("c.ir") == ASKED
    assert cli.run(["opt", "c.ir", "-o", "again.ir"]) == 0
    assert (work / "again.ir").read_text() == (work / "c.ir").read_text()


def parity(qubits: list[int], middle: str) -> str:
    """A gate on the parity of some of four qubits."""
    *others, last = qubits
    there = [f"QLCNOT {qubit}, {last}\n" for qubit in others]
    return "".join([*there, middle.format(last), *reversed(there)])


PARITIES = [[q for q in range(4) if number >> q & 1] for number in range(1, 16)]

HALVES = [
    ("cancel", "QLT 0\n", "QLT 0\n", {"t"}),
    ("fold", "QLT 0\nQLCNOT 0, 1\n", "QLT 0\n", {"t"}),
    ("resynthesise", "QLCNOT 0, 1\n", "QLT 1\nQLCNOT 0, 1\nQLCNOT 1, 0\n", {"cx"}),
    (  # T on all parities of four qubits is nothing at all
        "reduce-t",
        "".join(parity(each, "QLT {}\n") for each in PARITIES[:8]),
        "".join(parity(each, "QLT {}\n") for each in PARITIES[8:]),
        {"t", "tdg"},
    ),
]


@pytest.mark.parametrize(
    ("name", "one", "two", "counted"), HALVES, ids=[half[0] for half in HALVES]
)
def test_no_gate_moves_across_a_requirement(name, one, two, counted):
    """What a pass can do to two halves together, it does to each if they are kept apart."""

    def ops(text: str) -> list[str]:
        circuit = qwasmc.parse(f"QLINIT 4\n{text}")
        done = qwasmc.run_passes(circuit, ("specialise", name), time_budget=5.0)
        return [OPS[code].name for code in done.op]

    def count(names: list[str]) -> int:
        return sum(each in counted for each in names)

    apart = ops(f"{one}{START.format(0.9)}{two}")
    at = apart.index("require")
    assert count(apart[:at]) == count(ops(one))
    assert count(apart[at:]) == count(ops(two))
    assert count(ops(one + two)) < count(apart)


def test_requirements_hold_in_every_run(work: Path):
    text = "QLINIT 2\nMOV r1, 3\nQLMEASURE 0, r0\nagain: IF r0: MAGIC_STATE_REQUEST 1, 50\n"
    (work / "p.qwasm").write_text(text + "QLT 1\nSUB r1, 1\nJNZ r1, again\n")
    assert cli.run(["compile", "p.qwasm", "-O0", "--emit", "circuit", "-o", "c.ir"]) == 0
    assert required("c.ir") == ["MAGIC_STATE_REQUEST 1, 50"] * 3


def test_simulation_ignores_requirements(work: Path, capsys: pytest.CaptureFixture[str]):
    """In a circuit, and shot by shot."""
    endless = "again: MAGIC_STATE_REQUEST 1, 0\nQLH 2\nQLMEASURE 2, r3\nIF r3: JMP again\n"
    for text in (KEPT.replace("900", "0"), KEPT + endless):
        found = []
        for lines in (text, re.sub("MAGIC_.*", "", text)):
            (work / "p.qwasm").write_text(lines)
            assert cli.run(["simulate", "p.qwasm", "--shots", "50", "--seed", "3"]) == 0
            found.append(capsys.readouterr().out)
        assert found[0] == found[1]


def test_texts_that_require_nothing_are_refused():
    for text in (
        "MAGIC_STATE_REQUEST 0, 1",
        "MAGIC_STATE_REQUEST 4",
        "MAGIC_STATE_REQUEST 99999999999, 1",
        "MAGIC_DISTILLATION_START 15, 1.5",
        "MAGIC_DISTILLATION_START 15, nan",
        "soon",
    ):
        builder = CircuitBuilder()
        builder.add("require", attr=text)
        with pytest.raises(CompileError, match="is not a requirement"):
            verify(builder.freeze())
        program = print_ir(qwasmc.parse("QLINIT 1\nMAGIC_STATE_REQUEST 1, 5\n"))
        program = program.replace("MAGIC_STATE_REQUEST 1, 5", text)
        with pytest.raises(CompileError, match="is not a requirement"):
            verify(parse_ir(program))


# -- what is said and not required -----------------------------------------------------------------


def warned(lines: str) -> list[str]:
    with pytest.warns(UserWarning, match="kept as a note") as caught:
        qwasmc.parse(f"QLINIT 1\n{lines}\nQLT 0\n")
    return [str(each.message) for each in caught]


def test_a_request_without_timeout_is_a_note():
    (said,) = warned("MAGIC_STATE_REQUEST 3")
    assert said.startswith("warning: MAGIC_STATE_REQUEST without timeout_cycles is kept as a note")
    with pytest.warns(UserWarning, match="kept as a note"):
        circuit = qwasmc.run_passes(qwasmc.parse("QLINIT 1\nMAGIC_STATE_REQUEST 3\n"), PASSES[:1])
    assert "require" not in [OPS[code].name for code in circuit.op]


def test_inputs_that_no_distillation_here_has():
    (said,) = warned("MAGIC_DISTILLATION_START 7, 0.9")
    assert "15-to-1 is the only distillation here" in said


def test_an_inventory_is_empty():
    text = "QLINIT 1\nMOV r2, 7\nMAGIC_STATE_INVENTORY r2\nIF r2: QLX 0\nQLMEASURE 0, r0\n"
    with pytest.warns(UserWarning, match="its register is 0"):
        program = qwasmc.parse(text)
    circuit = qwasmc.run_passes(program, PASSES[:1])
    assert "x" not in [OPS[code].name for code in circuit.op]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("MAGIC_STATE_REQUEST 0, 5", "from 1 to"),
        ("MAGIC_STATE_REQUEST 2, -1", "from 0 to"),
        ("MAGIC_STATE_REQUEST 2, r1", "from 0 to"),
        ("MAGIC_DISTILLATION_START 15, 1.01", "from 0 to 1"),
        ("MAGIC_DISTILLATION_START 15, r1", "from 0 to 1"),
        ("MAGIC_STATE_INVENTORY f1", "r0 to r15"),
    ],
)
def test_operands_out_of_range(line, message):
    with pytest.raises(CompileError, match=message):
        qwasmc.parse(f"QLINIT 1\n{line}\n")
