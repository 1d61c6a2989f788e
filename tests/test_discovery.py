"""Discovery of rewriting rules: exact arithmetic, enumeration, pruning, blocks of circuits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.passes.learning import alphabets, discovery
from qwasmc.passes.learning.blocks import search
from qwasmc.passes.learning.classes import find_rules
from qwasmc.passes.learning.corpus import pack
from qwasmc.passes.learning.enumeration import enumerate_words
from qwasmc.passes.learning.exact import canonical, operators, over_root_two, times_omega
from qwasmc.passes.learning.harvest import harvest
from qwasmc.passes.learning.pruning import prune
from qwasmc.rules.notation import read_rule, write_rule, write_steps
from qwasmc.rules.rule import Angle, Rule, Step, names_in

Matrix = NDArray[np.complex128]

# -- an oracle: Kraus operators as matrices of complex numbers

I2 = np.eye(2, dtype=complex)
X = np.array([[0, 1], [1, 0]], dtype=complex)
Z = np.diag([1, -1]).astype(complex)
Y = 1j * X @ Z
H = (X + Z) / np.sqrt(2)
SX = (I2 * (1 + 1j) + X * (1 - 1j)) / 2
ONE = {"h": H, "x": X, "y": Y, "z": Z, "sx": SX, "sxdg": SX.conj().T}
TURNS = {"s": 2, "sdg": -2, "t": 1, "tdg": -1}
PAULI = {"X": X, "Y": Y, "Z": Z}


def turn(angle: float) -> Matrix:
    return np.diag([1, np.exp(1j * angle)])


def on(wires: str, parts: Mapping[str, Matrix]) -> Matrix:
    """The tensor product of matrices on some qubits, the first one most significant."""
    found = np.eye(1, dtype=complex)
    for wire in wires:
        found = np.kron(found, parts.get(wire, I2))
    return found


def radians(angle: Angle, values: Mapping[str, float]) -> float:
    return sum(count * values[name] for name, count in angle.terms) + angle.eighths * np.pi / 4


def matrix(step: Step, wires: str, values: Mapping[str, float]) -> Matrix:
    first, last = step.qubits[0], step.qubits[-1]
    if step.op in ONE:
        return on(wires, {first: ONE[step.op]})
    if step.op in TURNS:
        return on(wires, {first: turn(TURNS[step.op] * np.pi / 4)})
    if step.angle is not None:
        return on(wires, {first: turn(radians(step.angle, values))})
    if step.op == "swap":
        return sum(on(wires, {first: p, last: p}) for p in (I2, X, Y, Z)) / 2  # type: ignore[return-value]
    target = {"cx": X, "cz": Z}[step.op]
    zero, one = np.diag([1, 0]).astype(complex), np.diag([0, 1]).astype(complex)
    return on(wires, {first: zero}) + on(wires, {first: one, last: target})


def kraus(
    steps: Sequence[Step], wires: str, bits: Mapping[str, int], values: Mapping[str, float]
) -> list[Matrix]:
    """The Kraus operators for given results; `free` sums over both states, `alloc` starts in |0>.

    A qubit that is freed is put into |0>, one operator for each state that it may have had.
    """
    found = [np.eye(2 ** len(wires), dtype=complex)]
    for step in steps:
        here: list[Matrix]
        if step.op == "alloc":
            here = [on(wires, {step.qubits[0]: np.diag([1, 0]).astype(complex)})]
        elif step.op == "free":
            down = np.array([[0, 1], [0, 0]], dtype=complex)
            zero = np.diag([1, 0]).astype(complex)
            here = [on(wires, {step.qubits[0]: each}) for each in (zero, down)]
        elif step.bit:
            letters = step.paulis or step.op[-1].upper()
            pauli = on(wires, {q: PAULI[p] for q, p in zip(step.qubits, letters, strict=True)})
            here = [(np.eye(len(pauli)) + (-1) ** bits[step.bit] * pauli) / 2]
        elif step.cond and not bits[step.cond]:
            here = [np.eye(2 ** len(wires), dtype=complex)]
        else:
            here = [matrix(step, wires, values)]
        found = [new @ old for new in here for old in found]
    return found


def channel(operators: Sequence[Matrix]) -> Matrix:
    """The sum of K (x) K*, which does not depend on phases."""
    return sum(np.kron(each, each.conj()) for each in operators)  # type: ignore[return-value]


def meaning(
    steps: Sequence[Step], wires: str, bits: Sequence[str], values: Mapping[str, float]
) -> Matrix:
    """The channels for all results, where qubits of `alloc` start in |0>."""
    results = product((0, 1), repeat=len(bits))
    return np.array(
        [
            channel(kraus(steps, wires, dict(zip(bits, each, strict=True)), values))
            for each in results
        ]
    )


def solve(rule: Rule, rng: np.random.Generator) -> dict[str, float]:
    """Values of the angles at which the conditions hold; each gives its last angle."""
    values = dict(zip(rule.variables(), rng.uniform(0, 6, 9), strict=False))
    for condition in rule.conditions:
        name, count = max(condition.terms, key=lambda term: "xyzuvw".index(term[0]))
        values[name] = 0.0
        values[name] = -radians(condition, values) / count
    return values


def right(rule: Rule) -> bool:
    """Whether both sides are the same instrument."""
    rng = np.random.default_rng(5)
    wires = "".join(sorted(names_in(rule.pattern)))
    bits = sorted({step.bit for step in rule.pattern if step.bit})
    fresh = tuple(step for step in rule.pattern if step.op == "alloc")
    for _ in range(2 if rule.variables() else 1):
        values = solve(rule, rng)
        # What the pattern allocates starts in |0> on the other side, too.
        one = meaning(rule.pattern, wires, bits, values)
        other = meaning((*fresh, *rule.replacement), wires, bits, values)
        if not np.allclose(one, other, atol=1e-9):
            return False
    return True


# -- exact arithmetic

OMEGA = np.exp(1j * np.pi / 4)

COEFFICIENTS = st.lists(st.integers(-(2**40), 2**40), min_size=4, max_size=4)


def number(values: Sequence[int] | NDArray[np.int64]) -> complex:
    return complex(sum(int(each) * OMEGA**power for power, each in enumerate(values)))


@given(COEFFICIENTS, st.integers(0, 15))
def test_times_omega(values: list[int], power: int) -> None:
    turned = times_omega(np.array(values), power)
    assert np.isclose(number(turned), number(values) * OMEGA**power)


@given(COEFFICIENTS)
def test_division_by_root_two(values: list[int]) -> None:
    doubled = times_omega(np.array(values), 1) - times_omega(np.array(values), 3)
    assert np.isclose(number(doubled), number(values) * np.sqrt(2))
    divided = over_root_two(doubled)
    assert divided is not None
    assert divided.tolist() == values
    odd = np.array(values) * 2 + np.array([1, 0, 0, 0])
    assert over_root_two(odd) is None


LETTERS = [
    *alphabets.of_measurements(alphabets.GATES, 2).letters,
    *alphabets.of_angles((), 2).letters,
]


@given(st.lists(st.sampled_from(range(len(LETTERS))), max_size=6))
def test_operators_are_those_of_complex_matrices(chosen: list[int]) -> None:
    steps: list[Step] = []
    for at in chosen:
        steps += [s for s in LETTERS[at] if not s.bit or not any(each.bit for each in steps)]
    values = {"x": 0.7, "y": 1.9}
    names = sorted({name for s in steps if s.angle for name, _ in s.angle.terms})
    for result, operator in enumerate(operators(steps, "ab", ["m"], "ab")):
        found = (operator.values * OMEGA ** np.arange(4)).sum(axis=-1)
        for name in reversed(names):
            found = (found * np.exp(1j * values[name] * np.arange(found.shape[-1]))).sum(axis=-1)
        found = found.reshape(4, 4) / np.sqrt(2) ** operator.halves
        assert np.allclose(channel([found]), channel(kraus(steps, "ab", {"m": result}, values)))


def test_canonical_forms_are_equal_exactly_for_equal_circuits() -> None:
    alphabet = alphabets.of_gates(("h", "t", "s", "cx"), 2)
    forms: dict[bytes, Matrix] = {}
    for word in product(range(len(alphabet.letters) + 1), repeat=3):
        steps = alphabet.steps(word)
        form = b"".join(canonical(steps, "ab", [], ""))
        found = meaning(steps, "ab", [], {})
        assert np.allclose(forms.setdefault(form, found), found)
    for one, other in combinations(forms.values(), 2):
        assert not np.allclose(one, other)


# -- rules


FEW = ("h", "s", "t", "x", "z", "cx", "cz", "swap")


@cache
def small() -> discovery.Found:
    request = discovery.Request("two-qubit", FEW, (2, 3, 3))
    return discovery.combine(request, [discovery.work(job) for job in discovery.pieces(request)])


def names_of_operations(rule: Rule) -> list[list[str]]:
    return [sorted(step.op for step in side) for side in rule.sides]


def is_found(rule: Rule) -> bool:
    """Whether a rule was found, perhaps with other names of its qubits."""
    for other in small().rules:
        if names_of_operations(other) == names_of_operations(rule):
            names = sorted(names_in(other.pattern))
            for order in permutations(names):
                if same(other, dict(zip(names, order, strict=True))) == same(rule, {}):
                    return True
    return False


def same(rule: Rule, names: Mapping[str, str]) -> str:
    """A text that is the same for rules which differ in the order of steps on different qubits."""
    sides = (orders(alphabets.rename(side, names)) for side in rule.sides)
    where = write_rule(rule).partition(" where ")[2]
    return " => ".join(min(map(write_steps, side)) for side in sides) + where


def orders(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """All orders of some steps."""
    if not steps:
        yield ()
    for at, step in enumerate(steps):
        if not any(touch(step, other) for other in steps[:at]):
            for rest in orders([*steps[:at], *steps[at + 1 :]]):
                yield (step, *rest)


def touch(one: Step, other: Step) -> bool:
    bits = [{step.bit, step.cond} - {""} for step in (one, other)]
    return bool(set(one.qubits) & set(other.qubits) or bits[0] & bits[1])


@pytest.mark.parametrize(
    "text",
    [
        "h a; h a => nothing",
        "cx a b; cx a b => nothing",
        "s a; s a => z a",
        "t a; t a => s a",
        "h a; cz a b; h a => cx b a",
        "cx a b; cx b a; cx a b => swap a b",
        "cx a b; cx a c; cx a b => cx a c",
        "cx a b; cx a c => cx a c; cx a b",
        "cx a c; cx b c => cx b c; cx a c",
        "cx a b; t a => t a; cx a b",
        "cx b c; cx a c => cx a c; cx b c",
        "rz(x) a; rz(y) a => rz(x + y) a",
        "rz(x) a; x a => x a; rz(-x) a",
        "rz(x) a => t a where x = pi/4",
        "rz(x) a => nothing where x = 0",
        "rz(x) a; cx a b => cx a b; rz(x) a",
        "cx a b; measure_z a -> m => measure_z a -> m; x b if m",
        "cz a b; measure_z a -> m => measure_z a -> m; z b if m",
        "h a; measure_z a -> m => measure_x a -> m; h a",
        "t a; measure_z a -> m => measure_z a -> m",
        "alloc c; cx a c; cx b c; measure_z c -> m; free c => ppm[ZZ] a b -> m",
        "cx a b; measure_z b -> m; cx a b => ppm[ZZ] a b -> m",
        "alloc c; h c; cx c a; cx c b; measure_x c -> m; free c => ppm[XX] a b -> m",
    ],
)
def test_known_rules_are_found(text: str) -> None:
    assert is_found(read_rule(text))


def test_every_rule_is_right() -> None:
    wrong = [write_rule(rule) for rule in small().rules if not right(rule)]
    assert not wrong
    assert len(small().rules) > 300


def test_the_oracle_sees_wrong_rules() -> None:
    for text in (
        "cx a b; measure_z a -> m => measure_z a -> m; z b if m",
        "alloc c; cx a c; cx b c; measure_z c -> m; free c => ppm[XX] a b -> m",
        "rz(x) a; rz(y) a => rz(x - y) a",
        "rz(x) a => t a where x = 3*pi/4",
        "alloc c; cx a c; free c => nothing",
    ):
        assert not right(read_rule(text))


# -- nothing is missed, and what was left out follows


Steps = tuple[Step, ...]


def replaced(steps: Steps, rules: Sequence[Rule], longest: int) -> Iterator[Steps]:
    """Each exchange of neighbours on different qubits, and each rule at each run of steps."""
    for at in range(len(steps) - 1):
        if not touch(steps[at], steps[at + 1]):
            yield (*steps[:at], steps[at + 1], steps[at], *steps[at + 2 :])
    for rule in rules:
        for at in range(len(steps) - len(rule.pattern) + 1):
            run = steps[at : at + len(rule.pattern)]
            old = names_in(rule.pattern)
            for new in permutations(names_in(run), len(old)):
                names = dict(zip(old, new, strict=True))
                if alphabets.rename(rule.pattern, names) == run:
                    changed = alphabets.rename(rule.replacement, names)
                    result = (*steps[:at], *changed, *steps[at + len(run) :])
                    if len(result) <= longest:
                        yield result


def reached(start: Steps, rules: Sequence[Rule], longest: int) -> set[Steps]:
    seen = {start}
    waiting = [start]
    while waiting:
        for steps in replaced(waiting.pop(), rules, longest):
            if steps not in seen:
                seen.add(steps)
                waiting.append(steps)
    return seen


def counted(steps: Sequence[Step]) -> tuple[int, int, int]:
    return (
        sum(len(step.qubits) > 1 for step in steps),
        sum(step.op in ("t", "tdg") for step in steps),
        len(steps),
    )


def rules_of(gates: tuple[str, ...], qubits: int, size: int) -> list[Rule]:
    request = discovery.Request("two-qubit", gates, (size,) * qubits, neutral=size)
    jobs = [job for job in discovery.pieces(request) if job["kind"] == "gates"]
    return [*discovery.combine(request, [discovery.work(job) for job in jobs]).rules]


@pytest.mark.parametrize(("gates", "size"), [(("h", "cx"), 4), (("s", "t", "cz"), 3)])
def test_rules_make_equal_circuits_of_a_few_gates_one(gates: tuple[str, ...], size: int) -> None:
    """All words are listed here, and compared by their matrices."""
    rules = rules_of(gates, 2, size)
    alphabet = alphabets.of_gates(gates, 2)
    classes: dict[bytes, list[tuple[Step, ...]]] = {}
    for length in range(size + 1):
        for word in product(range(1, len(alphabet.letters) + 1), repeat=length):
            steps = alphabet.steps(word)
            key = (meaning(steps, "ab", [], {}).round(6) + 0.0).tobytes()
            classes.setdefault(key, []).append(steps)
    for members in classes.values():
        least = min(map(counted, members))
        missing = set(members)
        while missing:
            start = min(missing)
            found = reached(start, rules, size)
            assert min(map(counted, found)) == least
            missing -= found


def test_rules_left_out_follow_from_those_kept() -> None:
    alphabet = alphabets.of_gates(("h", "s", "cx", "cz"), 2)
    listing = enumerate_words(alphabet, 3, "two-qubit", ties=2)
    rules, counts = find_rules(listing, "two-qubit", 3)
    kept = prune(rules, "two-qubit")
    assert len(rules) - len(kept) > 20
    assert counts["discovered"] == len(rules) + counts["same ends"]
    left_out = {write_rule(rule): rule for rule in rules}
    for rule in kept:
        del left_out[write_rule(rule)]
    for rule in left_out.values():
        found = reached(rule.pattern, kept, 4)
        assert min(map(counted, found)) <= counted(rule.replacement)
        if counted(rule.pattern) == counted(rule.replacement):
            assert rule.replacement in found


# -- pieces


def test_pieces_give_the_same_in_any_order() -> None:
    request = discovery.Request("depth", ("h", "t", "cx"), (3, 2))
    jobs = json.loads(json.dumps(discovery.pieces(request)))
    forth = [discovery.work(job) for job in jobs]
    back = [json.loads(json.dumps(discovery.work(job))) for job in reversed(jobs)]
    assert forth == back[::-1]
    found = discovery.combine(request, forth)
    assert found == discovery.combine(request, back[::-1])
    pruned = found.counts["same ends"] + found.counts["follow"]
    assert found.counts["discovered"] == pruned + len(found.rules)


def test_no_rule_has_more_rotations_or_t_gates() -> None:
    for objective in ("two-qubit", "depth"):
        request = discovery.Request(objective, ("h", "t", "tdg", "cx"), (4, 2))
        jobs = [discovery.work(job) for job in discovery.pieces(request)]
        for rule in discovery.combine(request, jobs).rules:
            for magic in (("rz",), ("rz", "t", "tdg")):
                before, after = (sum(step.op in magic for step in side) for side in rule.sides)
                assert after <= before


# -- blocks


def circuit_of(steps: Sequence[Step], wires: int) -> Circuit:
    builder = CircuitBuilder()
    values = {name: builder.add("alloc", attr=name) for name in "abcdefgh"[:wires]}
    for step in steps:
        first = builder.add(step.op, [values[name] for name in step.qubits])
        values.update({name: first + at for at, name in enumerate(step.qubits)})
    return builder.freeze()


def random_steps(rng: np.random.Generator, wires: int, count: int) -> list[Step]:
    letters = alphabets.of_gates(alphabets.GATES, 3).letters
    found = []
    for _ in range(count):
        (step,) = letters[int(rng.integers(len(letters)))]
        names = rng.permutation([*"abcdefgh"[:wires]]).tolist()
        found.append(alphabets.rename((step,), dict(zip("abc", names, strict=False)))[0])
    return found


def shape(steps: Sequence[Step]) -> str:
    """The same for circuits that differ in names and in the order of what is on other qubits."""
    texts = []
    for order in orders(steps):
        for qubits in permutations(names_in(order)):
            names = dict(zip(qubits, "abcd", strict=False))
            texts.append(write_steps(alphabets.rename(order, names)))
    return min(texts)


def is_block(steps: Sequence[Step], chosen: Sequence[int]) -> bool:
    """Whether no step outside stands, by what it depends on, between two inside."""
    behind: set[int] = set()
    for at in range(len(steps)):
        near = [j for j in range(at) if touch(steps[j], steps[at])]
        above = [j for j in near if j in chosen or j in behind]
        if at in chosen and any(j in behind for j in above):
            return False
        if at not in chosen and above:
            behind.add(at)
    return True


def test_harvested_blocks_are_blocks_of_the_circuit() -> None:
    rng = np.random.default_rng(3)
    letters = [alphabets.of_gates(alphabets.GATES, qubits) for qubits in (1, 2, 3)]
    total = 0
    for _ in range(6):
        steps = random_steps(rng, 4, 9)
        real = {
            shape([steps[at] for at in chosen])
            for size in (2, 3, 4)
            for chosen in combinations(range(len(steps)), size)
            if is_block(steps, chosen)
        }
        for qubits, text, _ in harvest(circuit_of(steps, 4), letters, 4, seed=1):
            assert shape(letters[qubits - 1].steps(bytes.fromhex(text))) in real
            total += 1
    assert total > 60


def test_recurring_blocks_become_rules_with_macros() -> None:
    block = read_rule("cx a b; t b; cx b c; cx a b; h c; cx b c; h c; cx b c => nothing").pattern
    steps = []
    for wires in ("abc", "def", "cde"):
        steps += alphabets.rename(block, dict(zip("abc", wires, strict=True)))
    request = discovery.Request("two-qubit", ("h", "s", "t", "tdg", "cx"), (2, 2, 2))
    circuits = [pack(circuit_of(steps, 6))]
    counted = [discovery.work(job) for job in discovery.harvests(request, circuits)]
    jobs = discovery.block_pieces(request, counted)
    found = discovery.combine(request, [discovery.work(job) for job in jobs])
    assert found.rules
    assert all(map(right, found.rules))
    assert all(gain > (0,) for gain in found.gains)
    assert any(rule.pattern == macro.steps for macro in found.macros for rule in found.rules)


@pytest.mark.slow
def test_cheaper_forms_of_blocks_are_equal() -> None:
    rng = np.random.default_rng(9)
    tables = search(alphabets.GATES, (5, 4, 3), "two-qubit")
    gained = 0
    for _ in range(150):
        steps = tuple(random_steps(rng, 3, 8))
        better = tables.cheaper(steps)
        if better is not None:
            gained += 1
            assert counted(better) < counted(steps)
            assert right(Rule("", steps, better))
    assert gained > 20
