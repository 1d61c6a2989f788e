"""Programs that are counted folded, against the same programs unrolled."""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import repeat
from pathlib import Path

import pytest
from assembly import Machine

from qwasmc.counts import LogicalCounts
from qwasmc.diagnostics import CompileError, Kind
from qwasmc.driver import compile_source
from qwasmc.estimate import estimate
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ops import OPS, OpSpec
from qwasmc.options import Options, Watch
from qwasmc.passes.folded import plans, runner
from qwasmc.passes.folded.counts import count, total
from qwasmc.passes.folded.program import Folded, fold
from qwasmc.passes.promote import promote
from qwasmc.passes.scheduling.factories import fifteen_to_one
from qwasmc.passes.specialise import specialise
from qwasmc.passes.uncompute import uncompute
from qwasmc.reading import Source, read

sys.path.append(str(Path(__file__).parent / "benchmarks"))
from modexp import qwasm

QUBITS = 12
BASE, COUNT, NEAR, FAR = "r1", "r9", "r2", "r3"
"""Registers: where a subroutine works, a parameter, and the numbers of qubits."""


def program_of(text: str) -> Program:
    """A program in QWASM, with its variables as values."""
    found = read(Source("test.qwasm", text.encode()), Options(), Watch())
    assert isinstance(found, Program)
    return promote(found)


def tally(circuit: Circuit) -> dict[str, int]:
    """Operations of an unrolled circuit by name, with the classes of angles; nothing shared."""
    found: dict[str, int] = {}
    for code, angle in zip(circuit.op.tolist(), circuit.angle.tolist(), strict=True):
        name = OPS[code].name
        if OPS[code].angle:
            eighths = angle / (math.pi / 4)
            if abs(eighths - round(eighths)) > 1e-9:
                name = "rotation"
            else:
                name = "t" if round(eighths) % 2 else "clifford"
        found[name] = found.get(name, 0) + 1
    return found


def widest(circuit: Circuit) -> int:
    """The most qubits at a time."""
    live = most = 0
    for code in circuit.op.tolist():
        live += OPS[code].makes_qubit - OPS[code].ends_qubit
        most = max(most, live)
    return most


def counts_of(found: Folded) -> LogicalCounts:
    counts = [count(circuit) for circuit in found.circuits()]
    return total(counts, list(found.times.values()), found.qubits)


def assert_as_unrolled(text: str) -> Folded:
    """The folded counts are those of the unrolled circuit; what was folded."""
    program = program_of(text)
    found = fold(program)
    counts, circuit = counts_of(found), specialise(program)
    names = tally(circuit)
    assert counts.qubits == widest(circuit)
    assert counts.t == names.get("t", 0) + names.get("tdg", 0)
    assert counts.rotations == names.get("rotation", 0)
    assert counts.ccz == names.get("ccx", 0) + names.get("ccz", 0)
    measured = ("measure_x", "measure_y", "measure_z", "ppm")
    assert counts.measurements == sum(names.get(name, 0) for name in measured)
    if list(found.times.values()) == [1]:
        assert counts == count(circuit)
    rows: Counter[str] = Counter()
    for number, times in found.times.items():
        for row in found.regions.lines[number]:
            rows[row.name] += times
    assert rows == Counter(OPS[code].name for code in circuit.op.tolist() if is_quantum(OPS[code]))
    return found


def is_quantum(spec: OpSpec) -> bool:
    return spec.qubits != 0 or spec.makes_qubit or spec.name == "syndrome"


# -- random programs -------------------------------------------------------------------------------


class Writer:
    """Writes a random program in the machine style: subroutines with loops, branches and calls."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.lines = [f"QLINIT {QUBITS}, distance=3"]
        self.labels = 0
        self.functions = self.random.randint(1, 4)

    def text(self) -> str:
        self.lines += [f"MOV {BASE}, 0", f"MOV {COUNT}, 2"]
        self.block(0, 3)
        self.lines.append("HALT")
        for function in range(1, self.functions + 1):
            self.lines.append(f"f{function}:")
            self.block(function, 2)
            self.lines.append("RET")
        return "\n".join(self.lines)

    def block(self, function: int, depth: int) -> None:
        for _ in range(self.random.randint(1, 4)):
            kinds: list[Callable[[int, int], None]] = [self.gate, self.gate]
            if depth:
                kinds += [self.loop, self.choice]
            if function < self.functions:
                kinds += [self.call, self.call]
            self.random.choice(kinds)(function, depth)

    def label(self) -> str:
        self.labels += 1
        return f"l{self.labels}"

    def gate(self, function: int, depth: int) -> None:
        near, far = self.random.sample(range(4), 2)
        self.lines += [f"ADD {NEAR}, {BASE}, {near}", f"ADD {FAR}, {BASE}, {far}"]
        gate = self.random.choice(
            [
                f"QLT {NEAR}",
                f"QLH {NEAR}",
                f"QLCNOT {NEAR}, {FAR}",
                f"QLCCX {NEAR}, {FAR}, {QUBITS - 1}",
                f"QLRZ {NEAR}, 0.3",
                f"QLRZ {NEAR}, {math.pi / 4}",
                f"QLMEASURE {NEAR}, r15",
                f"QLRESET {FAR}",
            ]
        )
        self.lines.append(gate)

    def loop(self, function: int, depth: int) -> None:
        counter = f"r{3 * function + depth + 1}" if not function else f"r{10 + function}"
        if function and depth < 2:
            return self.gate(function, depth)
        if not function:
            counter = f"r{4 + depth}"
        label, bound = self.label(), self.random.choice([COUNT, "3", "7"])
        step = self.random.choice([1, 1, 2])
        start = self.random.choice(["0", BASE]) if bound != COUNT else "0"
        self.lines += [f"MOV {counter}, {start}", f"{label}:"]
        self.block(function, depth - 1)
        self.lines += [f"ADD {counter}, {counter}, {step}", f"CMP {counter}, {bound}"]
        self.lines.append(f"JLT {label}")
        return None

    def choice(self, function: int, depth: int) -> None:
        label = self.label()
        jump = self.random.choice(["JLT", "JZ", "JGT"])
        self.lines += [f"CMP {BASE}, {self.random.randint(0, 4)}", f"{jump} {label}"]
        self.block(function, depth - 1)
        self.lines.append(f"{label}:")

    def call(self, function: int, depth: int) -> None:
        callee = self.random.randint(function + 1, self.functions)
        shift = self.random.choice([0, 1, 2])
        if function or not shift:
            self.lines.append(f"CALL f{callee}")
            return
        self.lines += [f"ADD {BASE}, {BASE}, {shift}", f"MOV {COUNT}, {self.random.randint(1, 4)}"]
        self.lines += [f"CALL f{callee}", f"SUB {BASE}, {BASE}, {shift}"]


@pytest.fixture(params=["small pieces", "as usual"])
def folding(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without thresholds every call and every iteration is a piece."""
    if request.param == "small pieces":
        monkeypatch.setattr(plans, "SMALL", 0)
        monkeypatch.setattr(runner, "LOOP_STEPS", 0)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.usefixtures("folding")
def test_random_programs(seed: int):
    assert_as_unrolled(Writer(seed).text())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 400))
@pytest.mark.usefixtures("folding")
def test_more_random_programs(seed: int):
    assert_as_unrolled(Writer(seed).text())


# -- loops and calls that nobody could unroll ------------------------------------------------------


def test_a_thousand_million_calls(monkeypatch: pytest.MonkeyPatch):
    """The inner loop's iterations differ in a counter only, the calls in where they work."""
    monkeypatch.setattr(runner, "LOOP_STEPS", 20_000)
    found = fold(
        program_of(
            """
            QLINIT 40
            MOV r1, 0
            outer:  MOV r2, 0
            inner:  CALL chain
                    ADD r2, r2, 1
                    CMP r2, 1000000
                    JLT inner
                    ADD r1, r1, 1
                    CMP r1, 1000
                    JLT outer
                    HALT
            chain:  MOV r3, 0
            next:   ADD r4, r3, 1
                    QLCCX r3, r4, 39
                    ADD r3, r3, 1
                    CMP r3, 30
                    JLT next
                    RET
            """
        )
    )
    assert counts_of(found).ccz == 30 * 10**9
    assert found.steps < 200_000


@pytest.mark.usefixtures("folding")
@pytest.mark.parametrize(
    "loop",
    [
        "ADD r1, r1, 2305843009213693952; CMP r1, 0; JGT top",  # wraps around
        "MUL r1, r1, 3; CMP r1, 1000; JLT top",
        "SHL r1, r1, 1; CMP r1, 1000; JLT top",
        "AND r4, 6; ADD r4, r4, 2; ADD r1, r1, 1; CMP r1, 20; JLE top",
        "SUB r4, r4, 3; ADD r1, r1, 2; CMP r1, r4; JLT top",
        "ADD r5, r5, r1; ADD r1, r1, 1; CMP r5, 50; JLT top",  # grows by what grows
    ],
)
def test_loops(loop: str):
    lines = "\n".join(loop.split("; "))
    assert_as_unrolled(f"QLINIT 4\nMOV r1, 1\nMOV r4, 40\nMOV r5, 0\ntop: QLT 0\n{lines}\nHALT")


@pytest.mark.usefixtures("folding")
def test_slots_that_come_to_be_the_same_are_not_taken_for_two():
    """The second call is as the first one but for its numbers, which now name one qubit."""
    text = """
        QLINIT 4
        MOV r1, 0
        MOV r2, 1
        CALL both
        MOV r2, {second}
        CALL both
        HALT
        both: QLCNOT r1, r2
              QLT r1
              RET
        """
    assert_as_unrolled(text.format(second=3))
    with pytest.raises(CompileError, match="there is no qubit 0 here"):
        fold(program_of(text.format(second=0)))
    with pytest.raises(CompileError, match="there is no qubit 9 here"):
        fold(program_of(text.format(second=9)))


def test_recursion():
    assert_as_unrolled(
        """
        QLINIT 12
        MOV r1, 0
        CALL down
        HALT
        down: QLT r1
              ADD r1, r1, 1
              CMP r1, 9
              JGE end
              CALL down
        end:  SUB r1, r1, 1
              QLH r1
              RET
        """
    )


@pytest.mark.parametrize("n", [2, 4, pytest.param(8, marks=pytest.mark.slow)])
@pytest.mark.usefixtures("folding")
def test_modular_exponentiation(n: int):
    found = assert_as_unrolled(qwasm(n))
    # five additions of n ANDs and one more for each of 4 n^2 products; 2 n^2 Toffolis to swap
    assert counts_of(found).ccz == 4 * n**2 * (5 * n + 1) + 2 * n**2


ARRAYS = """
%Qubit = type opaque
%Array = type opaque
define void @main() #0 {{
entry:
  %arr = call %Array* @__quantum__rt__qubit_allocate_array(i64 4)
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %k = urem i64 %i, 4
  %p = call i8* @__quantum__rt__array_get_element_ptr_1d(%Array* %arr, i64 %k)
  %pp = bitcast i8* %p to %Qubit**
  %q = load %Qubit*, %Qubit** %pp
  call void @inner(%Qubit* %q, double 0.3)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, {times}
  br i1 %more, label %loop, label %end
end:
  call void @__quantum__rt__qubit_release_array(%Array* %arr)
  ret void
}}
define internal void @inner(%Qubit* %c, double %x) {{
entry:
  %arr = call %Array* @__quantum__rt__qubit_allocate_array(i64 3)
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %p = call i8* @__quantum__rt__array_get_element_ptr_1d(%Array* %arr, i64 %i)
  %pp = bitcast i8* %p to %Qubit**
  %q = load %Qubit*, %Qubit** %pp
  call void @__quantum__qis__cnot__body(%Qubit* %c, %Qubit* %q)
  call void @__quantum__qis__t__body(%Qubit* %q)
  call void @__quantum__qis__rz__body(double %x, %Qubit* %q)
  %next = add i64 %i, 1
  %more = icmp slt i64 %next, 3
  br i1 %more, label %loop, label %end
end:
  call void @__quantum__rt__qubit_release_array(%Array* %arr)
  ret void
}}
declare %Array* @__quantum__rt__qubit_allocate_array(i64)
declare void @__quantum__rt__qubit_release_array(%Array*)
declare i8* @__quantum__rt__array_get_element_ptr_1d(%Array*, i64)
declare void @__quantum__qis__t__body(%Qubit*)
declare void @__quantum__qis__cnot__body(%Qubit*, %Qubit*)
declare void @__quantum__qis__rz__body(double, %Qubit*)
attributes #0 = {{ "entry_point" "output_labeling_schema" "qir_profiles"="adaptive_profile"
  "required_num_qubits"="0" "required_num_results"="0" }}
"""


@pytest.mark.usefixtures("folding")
def test_arrays_of_qubits_and_fresh_ones_in_a_subroutine():
    """What a call allocates has other addresses each time, and it is still run once."""
    found = read(Source("p.ll", ARRAYS.format(times=200).encode()), Options(), Watch())
    assert isinstance(found, Program)
    folded = fold(promote(found))
    counts = counts_of(folded)
    assert (counts.qubits, counts.t, counts.rotations) == (7, 600, 600)
    assert folded.calls >= 200
    assert folded.steps < 5_000


# -- measurement results ---------------------------------------------------------------------------

EITHER = """
    QLINIT 4
    QLH 0
    QLMEASURE 0, r5
    CMP r5, 0
    JZ other
    QLT 1
    QLT 2
    JMP on
    other: QLCCX 1, 2, 3
    on: QLT 1
    """

UNTIL = """
    QLINIT 2
    again: QLT 1
    QLH 0
    QLMEASURE 0, r5
    CMP r5, 0
    JNZ again
    QLT 1
    """

BREAK = """
    QLINIT 2
    MOV r1, 0
    again: QLT 1
    QLH 0
    QLMEASURE 0, r5
    CMP r5, 0
    JNZ out
    QLT 0
    ADD r1, r1, 1
    CMP r1, 5
    JLT again
    out: QLT 1
    """


def test_the_dearer_side_counts():
    found = fold(program_of(EITHER))
    assert found.bounded
    assert counts_of(found) == LogicalCounts(4, t=1, ccz=1, measurements=1)


def test_loops_until_a_result_are_refused_or_bounded():
    with pytest.raises(CompileError, match="depends on measurement results") as refused:
        fold(program_of(UNTIL))
    assert refused.value.exit_code == Kind.LIMIT
    assert counts_of(fold(program_of(UNTIL), 3)) == LogicalCounts(2, t=4, measurements=3)
    for limit in (None, 3):  # which ends by itself, so that there is nothing to limit
        assert counts_of(fold(program_of(BREAK), limit)) == LogicalCounts(2, t=11, measurements=5)


class MeasuredWriter(Writer):
    """Measurement results decide what is done, and what later branches look at."""

    def gate(self, function: int, depth: int) -> None:
        super().gate(function, depth)
        if self.random.random() < 0.5:
            return
        label = self.label()
        self.lines += [f"QLMEASURE {self.random.randrange(QUBITS)}, r15", "CMP r15, 0"]
        self.lines += [f"JZ {label}", f"ADD {NEAR}, {BASE}, {self.random.randrange(4)}"]
        self.lines.append(f"QLT {NEAR}")
        if depth and self.random.random() < 0.3:
            self.block(function, depth - 1)
        self.lines += [f"MOV r8, {self.random.randrange(2)}", f"{label}:"]
        if self.random.random() < 0.5:
            label = self.label()
            self.lines += ["CMP r8, 1", f"JZ {label}", f"QLCCX 0, 1, {QUBITS - 1}", f"{label}:"]

    def text(self) -> str:
        return (
            super()
            .text()
            .replace("QLRZ", "QLT")
            .replace(", 0.3", "")
            .replace("MOV r1", "MOV r8, 0\nMOV r1", 1)
        )


def states(names: Iterable[str]) -> int:
    return sum({"t": 1, "ccx": 4}.get(name, 0) for name in names)


def folded_or_refused(text: str) -> Folded | CompileError:
    try:
        return fold(program_of(text))
    except CompileError as refused:
        return refused


def check_bound(seed: int) -> None:
    """No run of a machine takes more than what is counted, whatever the outcomes are."""
    text = MeasuredWriter(seed).text()
    text = "\n".join(line for line in text.splitlines() if str(math.pi / 4) not in line)
    found = folded_or_refused(text)
    if isinstance(found, CompileError):
        assert found.exit_code == Kind.LIMIT
        pytest.skip("how often a loop runs depends on results")
    counts = counts_of(found)
    for run in range(20):
        outcomes = map(random.Random(run).randrange, repeat(2))
        machine = Machine(text, outcomes, 10**6)
        assert machine.run() == "end"
        names = [name for name, *_ in machine.seen]
        assert states(names) <= counts.t + 4 * counts.ccz


@pytest.mark.usefixtures("folding")
@pytest.mark.parametrize("seed", range(5))
def test_counts_bound_every_run(seed: int):
    check_bound(seed)


@pytest.mark.slow
@pytest.mark.usefixtures("folding")
@pytest.mark.parametrize("seed", range(100, 150))
def test_counts_bound_more_runs(seed: int):
    check_bound(seed)


def test_what_a_result_decides_is_unknown_later():
    """Which qubit, how often: refused; whether: both ways."""
    start = "QLINIT 4\nQLMEASURE 0, r1\nCMP r1, 0\nMOV r2, 1\nJZ on\nMOV r2, 2\non: "
    with pytest.raises(CompileError, match="which qubit this is depends on a measurement") as one:
        fold(program_of(start + "QLH r2\nHALT"))
    assert one.value.exit_code == Kind.LIMIT
    found = fold(program_of(start + "CMP r2, 2\nJZ end\nQLT 3\nend: HALT"))
    assert counts_of(found).t == 1


def test_endless_programs_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner, "LOOP_STEPS", 100)
    with pytest.raises(CompileError, match="this loop does not end"):
        fold(program_of("QLINIT 1\ntop: QLT 0\nJMP top"))
    monkeypatch.setattr(runner, "MAX_STEPS", 10_000)
    with pytest.raises(CompileError, match="more than 10000 operations") as refused:
        fold(program_of("QLINIT 1\nMOV r1, 1\ntop: MUL r1, r1, 3\nQLT 0\nCMP r1, 0\nJNZ top"))
    assert refused.value.exit_code == Kind.LIMIT


# -- segments --------------------------------------------------------------------------------------

SEGMENT = """
    QLINIT 8
    MOV r1, 0
    top: CALL marked
    ADD r1, r1, 1
    CMP r1, 3
    JLT top
    HALT
    marked: REV_BEGIN and, 7
    QLCCX 0, 1, 7
    REV_END
    CALL copy
    QLCNOT 7, 3
    UNCOMPUTE and
    QLT 3
    RET
    copy: QLCNOT 0, 2
    RET
    """


def test_a_segment_is_one_region_with_what_it_calls():
    found = fold(program_of(SEGMENT))
    assert [
        len(found.regions.lines[number]) for number, times in found.times.items() if times == 3
    ] == [7]
    counts = [count(uncompute(circuit)) for circuit in found.circuits()]
    unrolled = count(uncompute(specialise(program_of(SEGMENT))))
    assert total(counts, list(found.times.values()), found.qubits) == unrolled


@pytest.mark.slow
def test_measured_uncomputation_takes_four_states_per_and():
    """And one for the T; by gates it is at least as many for undoing the Toffoli."""
    states = {}
    for measured in (None, True):
        options = Options(error_budget=1e-3, feed_forward=measured)
        found = estimate(Source("s.qwasm", SEGMENT.encode()), options, Watch(), ["schedule"], few=0)
        states[measured] = found["models"]["schedule"]["t_states"]
    assert states[True] == 3 * (4 + 1)
    assert states[None] > states[True]


# -- estimates -------------------------------------------------------------------------------------

LINES = {
    "clifford": "QLINIT 3\nQLH 0\nQLCNOT 0, 1\nQLCNOT 1, 2\nQLMEASURE 2, r0",
    "magic": "QLINIT 3\nQLT 0\nQLCCX 0, 1, 2\nQLRZ 1, 0.3\nQLMEASURE 2, r0",
    "loop": "QLINIT 4\nMOV r1, 0\ntop: QLT r1\nADD r1, r1, 1\nCMP r1, 4\nJLT top",
}


@pytest.mark.parametrize(
    "name",
    ["loop", *(pytest.param(name, marks=pytest.mark.slow) for name in ("clifford", "magic"))],
)
@pytest.mark.parametrize("budget", [pytest.param(1e-3, marks=pytest.mark.slow), None])
def test_what_unrolls_is_estimated_as_it_is_compiled(name: str, budget: float | None):
    source = Source("p.qwasm", LINES[name].encode())
    options = Options(error_budget=budget)
    found = estimate(source, options, Watch(), ["schedule"])
    report = compile_source(source, options, Watch()).report
    model = found["models"]["schedule"]
    same = ("physical_qubits", "tiles", "distance", "slabs", "rounds", "t_states")
    assert {key: model[key] for key in same} == {key: report[key] for key in same}
    assert model["factories"]["count"] == report["factories"]
    assert found["folded"]["unrolled"]


def test_regions_add_up():
    """Twice as many calls take twice the slabs and states, on the same chip."""
    text = "QLINIT 3\nMOV r1, 0\ntop: CALL f\nADD r1, r1, 1\nCMP r1, {times}\nJLT top\nHALT\n"
    text += "f: MOV r2, 0\nin: QLCCX 0, 1, 2\nQLH 2\nADD r2, r2, 1\nCMP r2, 5\nJLT in\nRET"
    chip = Options(distance=25, floor_plan="bus", factory="15-to-1", factories=2)
    few, many = (
        estimate(Source("p", text.format(times=n).encode()), chip, Watch(), ["schedule"], few=0)
        for n in (100, 200)
    )
    one, two = (found["models"]["schedule"] for found in (few, many))
    assert not few["folded"]["unrolled"]
    assert two["t_states"] == 2 * one["t_states"]
    assert two["slabs"] - one["slabs"] == pytest.approx(one["slabs"], abs=20)  # of the start
    assert two["tiles"] == one["tiles"]
    assert two["error"]["logical"] == pytest.approx(2 * one["error"]["logical"], rel=1e-2)


def test_factories_that_are_too_slow_make_the_run_longer():
    text = "QLINIT 3\nMOV r1, 0\ntop: CALL f\nADD r1, r1, 1\nCMP r1, 1000\nJLT top\nHALT\n"
    text += "f: MOV r2, 0\nin: QLT r2\nQLH r2\nADD r2, r2, 1\nCMP r2, 3\nJLT in\nRET"
    chip = Options(distance=9, floor_plan="bus", factory="15-to-1", factories=1)
    found = estimate(Source("p", text.encode()), chip, Watch(), ["schedule"], few=0)
    model = found["models"]["schedule"]
    assert model["t_states"] == 3000
    assert model["slabs"] >= 3000 * fifteen_to_one(1e-3, 9).period


@pytest.mark.slow
def test_counts_are_exact_beyond_machine_words():
    """Five loops within each other: 10^25 T gates, and no machine for them."""
    loops = [f"MOV r{k}, 0\nl{k}: QLH 1" for k in range(1, 6)]
    ends = [f"ADD r{k}, r{k}, 1\nCMP r{k}, 100000\nJLT l{k}" for k in range(5, 0, -1)]
    text = "\n".join(["QLINIT 2", *loops, "QLT 0", *ends, "HALT"])
    assert counts_of(fold(program_of(text))).t == 10**25
    with pytest.raises(CompileError, match="the least error of a run") as refused:
        source = Source("p", text.encode())
        estimate(source, Options(error_budget=1e-3), Watch(), ["schedule"])
    assert refused.value.exit_code == Kind.LIMIT


# -- the QDK counts the same -----------------------------------------------------------------------

QASM = {
    "toffolis": "qubit[3] q; ccx q[0], q[1], q[2]; cswap q[0], q[1], q[2]; t q[0]; tdg q[2];",
    "controlled": "qubit[2] q; cp(0.3) q[0], q[1]; crz(0.3) q[0], q[1]; cp(pi / 2) q[0], q[1];",
    "rotations": "qubit[2] q; rz(0.1) q[0]; t q[1]; rz(0.1) q[1]; rx(pi / 4) q[0]; ry(0.1) q[0];",
    "layers": "qubit[3] q; ccx q[0], q[1], q[2]; rz(0.1) q[2]; rz(0.1) q[0]; swap q[0], q[1]; "
    "rz(0.1) q[0]; rz(pi) q[1]; p(0.7) q[1];",
    "measured": "qubit[2] q; bit[2] b; t q[0]; b[0] = measure q[0]; reset q[0]; "
    "b[1] = measure q[1];",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", QASM)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_counts_are_those_of_the_qdk(name: str):
    openqasm = pytest.importorskip("qdk.openqasm")
    text = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n' + QASM[name]
    theirs = openqasm.estimate(text)["logicalCounts"]
    found = estimate(Source("p.qasm", text.encode()), Options(), Watch(), [])
    names = {
        "qubits": "numQubits",
        "t": "tCount",
        "rotations": "rotationCount",
        "rotation_depth": "rotationDepth",
        "ccz": "cczCount",
        "ccix": "ccixCount",
        "measurements": "measurementCount",
    }
    assert {key: theirs[name] for key, name in names.items()} == found["counts"]
