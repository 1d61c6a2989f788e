"""What the uncompute pass refuses: each mistake with its reason, and the line that is to blame."""

import numpy as np
import pytest
from random_segments import Writer
from segment_checks import HEAD, RUNS, complaint, right_or_refused, straight, undone
from segment_oracle import legal

import qwasmc
from qwasmc.diagnostics import CompileError
from qwasmc.ir.circuit import CircuitBuilder
from qwasmc.passes.reversible import segments
from qwasmc.passes.uncompute import uncompute


class Broken(Writer):
    """A program of one segment, into which something is put that keeps it from being undone."""

    def __init__(self, seed: int) -> None:
        super().__init__(np.random.default_rng(seed), careless=0.0)
        self.data, self.bits = ["d0", "d1", "d2", "d3"], ["r0"]
        self.scratch = self.pick(["s0", "s1", "s2"], int(self.rng.integers(1, 4)))
        for _ in range(self.rng.integers(4)):
            self.onto(self.pick(self.scratch)[0], self.scratch)
        for each in self.scratch:
            self.onto(each, self.scratch)
        self.body, self.lines = self.lines, []
        self.controls = list(dict.fromkeys(self.held))
        if self.chance(0.7):
            self.act(self.scratch, [])
        self.actions, self.lines = self.lines, []
        listed = "".join(f", {each}" for each in self.scratch) if self.chance(0.5) else ""
        self.begin = f"REV_BEGIN n{listed}"

    def text(self) -> str:
        lines = [self.begin, *self.body, "REV_END", *self.actions, "UNCOMPUTE n"]
        return HEAD + "\n".join(lines) + "\n"

    def put(self, line: str, where: list[str], at: int | None = None) -> str:
        """Put a line somewhere; it says what it is, so that it can be found again."""
        if at is None:
            at = int(self.rng.integers(len(where) + 1))
        where.insert(at, f"{line}  ; here")
        return self.text()


def superposing(broken: Broken, qubit: str) -> str:
    """A gate on a qubit that makes superpositions."""
    other = broken.pick([each for each in broken.data if each != qubit])[0]
    texts = [f"{name} {qubit}" for name in ("QLH", "APPLY_SX", "IF r0: QLH")]
    texts += [f"QLRX {qubit}, 0.4", f"QLRY {qubit}, 0.4", f'QLPPR "XZ", 0.4, {qubit}, {other}']
    return broken.pick(texts)[0]


def ending(broken: Broken, qubit: str) -> str:
    """What ends the coherence of a qubit that stays."""
    bases = [f"QLMEASURE {qubit}, r5, basis={basis}" for basis in "XYZ"]
    product = f'QLPPM "ZX", {qubit}, m, r5'
    return broken.pick([*bases, product, f"QLRESET {qubit}"])[0]


@pytest.mark.parametrize("seed", range(0, 40))
def test_scratch_is_no_superposition(seed):
    broken = Broken(seed)
    qubit = broken.pick(broken.scratch)[0]
    inside = broken.chance(0.5)
    text = broken.put(superposing(broken, qubit), broken.body if inside else broken.actions)
    message, line = complaint(text)
    assert line.endswith("here")
    verb = "computes" if inside else "changes"
    assert f"{verb} scratch qubit {qubit} of segment 'n' in a way that cannot" in message


@pytest.mark.parametrize("seed", range(40, 80))
def test_scratch_is_there_until_it_is_undone(seed):
    broken = Broken(seed)
    qubit = broken.pick(broken.scratch)[0]
    text = broken.put(ending(broken, qubit), broken.pick([broken.body, broken.actions])[0])
    message, line = complaint(text)
    assert line.endswith("here")
    verb = "reset" if "RESET" in line else "measured"
    assert message == f"scratch qubit {qubit} of segment 'n' is {verb} before it is undone"


@pytest.mark.parametrize("seed", range(80, 100))
def test_scratch_is_not_freed(seed):
    broken = Broken(seed)
    qubit = broken.pick(broken.scratch)[0]
    text = broken.put(f"FREE_LQ {qubit}", broken.actions, len(broken.actions))
    message, line = complaint(text)
    assert line.endswith("here")
    assert message == f"scratch qubit {qubit} of segment 'n' is freed before it is undone"


@pytest.mark.parametrize("seed", range(100, 160))
def test_what_scratch_is_computed_from_is_lost(seed):
    """A value that is gone cannot be undone in any order."""
    broken = Broken(seed)
    if not broken.controls:
        return
    qubit = broken.pick(broken.controls)[0]
    lost = [superposing(broken, qubit), f"QLRESET {qubit}", f"QLMEASURE {qubit}, r5, basis=X"]
    text = broken.put(broken.pick(lost)[0], broken.actions, len(broken.actions))
    message, line = complaint(text)
    assert line.endswith("here")
    verb = "reset" if "RESET" in line else "overwritten"
    assert message == f"segment 'n' cannot be undone: qubit {qubit} was {verb}"


@pytest.mark.parametrize("seed", range(160, 220))
def test_what_scratch_is_computed_from_is_overwritten(seed):
    """Where there is another order, it is right; with a second segment there is none."""
    broken = Broken(seed)
    if not broken.controls:
        return
    qubit = broken.pick(broken.controls)[0]
    a, b = broken.pick([each for each in broken.data if each != qubit], 2)
    flips = [f"QLX {qubit}", f"QLCNOT {a}, {qubit}", f"QLCCX {a}, {b}, {qubit}"]
    flips += [f"QLY {qubit}", f"APPLY_CY {a}, {qubit}", f"QLSWAP {a}, {qubit}"]
    text = broken.put(broken.pick(flips)[0], broken.actions, len(broken.actions))
    right_or_refused(straight(text), seed)
    woven = text.replace("REV_END\n", "REV_END\nREV_BEGIN o, m\nQLCNOT d0, m\nREV_END\n")
    message, line = complaint(woven)
    assert line.endswith("here")
    assert message.startswith("segment 'n' cannot be undone: qubit d")
    assert message.endswith("was overwritten")


@pytest.mark.parametrize("seed", range(220, 260))
def test_scratch_is_changed_by_the_act(seed):
    broken = Broken(seed)
    qubit = broken.pick(broken.scratch)[0]
    a, b = broken.pick(broken.data, 2)
    flips = [f"QLX {qubit}", f"QLCNOT {a}, {qubit}", f"QLCCX {a}, {b}, {qubit}"]
    flips += [f"QLY {qubit}", f"APPLY_CY {a}, {qubit}", f"QLSWAP {a}, {qubit}"]
    message, line = complaint(
        broken.put(broken.pick(flips)[0], broken.actions, len(broken.actions))
    )
    assert line.endswith("here")
    assert message == f"scratch qubit {qubit} of segment 'n' is changed by what is not undone"


@pytest.mark.parametrize("seed", range(260, 300))
def test_scratch_is_not_exchanged(seed):
    broken = Broken(seed)
    qubit, other = broken.pick(broken.scratch)[0], broken.pick(broken.data)[0]
    line = broken.pick([f"QLSWAP {qubit}, {other}", f"APPLY_FREDKIN m, {other}, {qubit}"])[0]
    inside = broken.chance(0.5)
    where = broken.body if inside else broken.actions
    right_or_refused(straight(broken.put(line, where, len(where))), seed)


COPY = "REV_BEGIN n\nQLCNOT d0, s0\nREV_END\n"
AND = "REV_BEGIN n\nQLCCX d0, d1, s0\nREV_END\n"


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("REV_BEGIN n\nREV_END\nUNCOMPUTE n", "'n' has no scratch qubit", 0),
        ("REV_BEGIN n\nQLX d0\nREV_END\nUNCOMPUTE n", "'n' has no scratch qubit", 0),
        ("QLX s0\nREV_BEGIN n\nQLX s0\nREV_END\nUNCOMPUTE n", "'n' has no scratch qubit", 1),
        ("REV_BEGIN n\nQLT s0\nREV_END\nUNCOMPUTE n", "'n' has no scratch qubit", 0),
        (f"{AND}UNCOMPUTE n\nUNCOMPUTE n", "there is no complete segment 'n'", 4),
        (f"UNCOMPUTE n\n{AND}", "there is no complete segment 'n'", 0),
        (f"{AND}UNCOMPUTE m", "there is no complete segment 'm'", 3),
        ("REV_BEGIN n\nQLX s0\nUNCOMPUTE n\nREV_END", "there is no complete segment 'n'", 2),
        ("REV_BEGIN n\nQLX s0", "segment 'n' has no REV_END", 0),
        ("REV_BEGIN a\nREV_BEGIN n\nQLX s0\nREV_END", "segment 'a' has no REV_END", 0),
        (f"{AND}REV_END", "REV_END without REV_BEGIN", 3),
        (f"{AND}{AND}", "segment 'n' exists already", 3),
        ("REV_BEGIN n, q\nQLX s0\nREV_END", "undefined qubit 'q'", 0),
        ("REV_BEGIN n, s0, s0\nQLX s0\nREV_END", "'s0' is used twice", 0),
        (f"{AND}IF r0: UNCOMPUTE n", "UNCOMPUTE cannot depend on", 3),
        ("REV_BEGIN n\nMOV r1, 1\nJNZ r1, e\ne:\nREV_END", "segment 'n' cannot branch", 2),
        ("MOV r1, 2\ne:\nREV_BEGIN n\nQLX s0\nREV_END\nUNCOMPUTE n\nUNCOMPUTE n\n"
         "SUB r1, r1, 1\nJNZ r1, e", "there is no segment 'n' to undo", 6),
        (f"{AND}REV_BEGIN o\nQLCNOT s0, s1\nREV_END\nUNCOMPUTE n\nUNCOMPUTE o",
         "segment 'o' cannot be undone: qubit s0 was undone", 6),
        (f"{AND}FREE_LQ d1\nUNCOMPUTE n\nUNCOMPUTE n", "there is no complete segment 'n'", 5),
        (f"{AND}REV_BEGIN o, d1\nQLCNOT d0, d1\nREV_END\nFREE_LQ d0\nUNCOMPUTE o\nUNCOMPUTE n",
         "segment 'o' cannot be undone: qubit d0 was freed", 6),
        ("REV_BEGIN n, s0, d2\nQLCNOT d1, s0\nREV_END\nQLCCX s0, d0, d2\nUNCOMPUTE n",
         "scratch qubit d2 of segment 'n' is changed by what is not undone", 3),
        (f"{AND}QLH d1\nQLH d1\nUNCOMPUTE n",
         "segment 'n' cannot be undone: qubit d1 was overwritten", 4),
        ("REV_BEGIN n\nALLOC_LQ n=1 -> w\nQLCNOT d0, w\nREV_END\nQLH d0\nUNCOMPUTE n",
         "segment 'n' cannot be undone: qubit d0 was overwritten", 4),
        ("REV_BEGIN n\nQLX s0\nQLRESET s0\nQLX s1\nREV_END\nUNCOMPUTE n",
         "scratch qubit s0 of segment 'n' is reset before it is undone", 2),
        # what happens in a control region may not have happened
        (f"{COPY}CTRL_BEGIN d1\nQLX s0\nCTRL_END\nQLX s0\nUNCOMPUTE n",
         "scratch qubit s0 of segment 'n' is changed by what is not undone", 6),
        (f"{AND}QLRESET s0\nUNCOMPUTE n",
         "scratch qubit s0 of segment 'n' is reset before it is undone", 3),
    ],
)  # fmt: skip
def test_errors(text, message, line):
    found, guilty = complaint(HEAD + text + "\n")
    assert message in found
    assert guilty == text.splitlines()[line]


@pytest.mark.parametrize(
    "text",
    [
        f"{AND}JZ r0, e\nUNCOMPUTE n\ne:\nQLT d0",
        f"JZ r0, e\n{AND}e:\nUNCOMPUTE n",
    ],
)
def test_other_condition(text):
    """Only some runs undo a segment, or have it."""
    with pytest.raises(CompileError, match="not undone in just the runs that compute it") as caught:
        straight(HEAD + text + "\n")
    place = caught.value.diagnostics[0].place
    assert place is not None
    assert place.text == "UNCOMPUTE n"


def test_a_value_that_returns_in_a_rewritten_act():
    """d0 returns to its value in `o`, but not in its act; so `n` cannot be undone."""
    text = "REV_BEGIN n, s0\nQLCNOT d1, s0\nREV_END\nREV_BEGIN o, s1\nQLCNOT d2, d1\n"
    text += "QLCNOT d2, d1\nQLCCX d2, d1, s1\nREV_END\nQLCNOT s0, d1\nUNCOMPUTE o\nUNCOMPUTE n"
    before = straight(HEAD + text + "\n")
    assert not legal(before, 0, RUNS)
    message, line = complaint(HEAD + text + "\n")
    assert message == "segment 'n' cannot be undone: qubit d1 was overwritten"
    assert line == "QLCNOT s0, d1"


def test_too_many_operations(monkeypatch):
    """A segment that undoes another one inside has it twice, and so on."""
    depth = 12
    text = "ALLOC_LQ n=13 -> " + ", ".join(f"t{at}" for at in range(depth + 1)) + "\n"
    text += "".join(f"REV_BEGIN n{at}\n" for at in reversed(range(depth)))
    text += "QLCNOT d0, t0\nREV_END\n"
    for at in range(1, depth):
        text += f"QLCCX t{at - 1}, d1, t{at}\nUNCOMPUTE n{at - 1}\nREV_END\n"
    before = straight(HEAD + text + f"UNCOMPUTE n{depth - 1}\n")
    assert len(undone(before) or ()) > 2**depth
    monkeypatch.setattr(segments, "MAX_ROWS", 2**depth)
    with pytest.raises(CompileError, match="more than 4,096 operations when segments") as caught:
        qwasmc.run_passes(before, ["uncompute"])
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["rev_end a"], "this does not end the innermost segment"),
        (["rev_begin a", "rev_begin b", "rev_end a"], "this does not end the innermost segment"),
        (["rev_begin a"], "this segment has no end"),
        (["uncompute a"], "there is no segment 'a' to undo"),
        (["ctrl_end "], "there is no control region to end"),
    ],
)
def test_markers_of_a_circuit(rows, message):
    """The text form of a circuit can have any markers."""
    build = CircuitBuilder()
    for row in rows:
        name, attr = row.split(" ")
        build.add(name, attr=attr or 0)
    with pytest.raises(CompileError, match=message):
        uncompute(build.freeze())
