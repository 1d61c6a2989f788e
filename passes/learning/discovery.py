"""Discovery of rewriting rules, in pieces that run anywhere, in any order.

    request = Request(objective="depth")
    jobs = pieces(request)                              # equal circuits of gates
    counts = [work(job) for job in harvests(request, texts)]    # of the corpus, as `pack` gives it
    jobs += block_pieces(request, counts)               # its recurring blocks
    found = combine(request, [work(job) for job in jobs])

A job and its result are plain data (dictionaries, lists, strings and integers, fit for JSON), and
`work` is a function of its job alone: jobs may run in other processes, on other machines, before a
kill or after it.  `block_pieces` and `combine` take results in the order of the jobs, whenever they
were done.

What there is to find: equal circuits of gates on one, two and three qubits (`enumeration`), with
variable angles, with measurements (`alphabets`), and blocks that recur in the corpus and have a
cheaper form (`blocks`).  Each rule has been confirmed in exact arithmetic (`exact`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from qwasmc.passes.learning import alphabets
from qwasmc.passes.learning.alphabets import GATES, Alphabet, of_gates
from qwasmc.passes.learning.blocks import search
from qwasmc.passes.learning.classes import find_rules
from qwasmc.passes.learning.corpus import unpack
from qwasmc.passes.learning.costs import step_costs, value
from qwasmc.passes.learning.enumeration import enumerate_words
from qwasmc.passes.learning.harvest import MAX_WIRES, harvest
from qwasmc.passes.learning.pruning import prune
from qwasmc.rules.notation import read_rule, write_rule
from qwasmc.rules.rule import Macro, Rule, names_in

Job = dict[str, Any]

BLOCK = 10
"""Most gates of a block."""

TABLES = (8, 6, 5)
"""Sizes of the circuits on 1, 2, 3 qubits among which cheaper forms of blocks are looked up."""

MACRO = 4
"""Fewest gates of a block that gets a name."""

PER_JOB = 1000
"""Blocks that one job looks at."""


@dataclass(frozen=True)
class Request:
    """What to look for.

    `sizes` are the most gates of a pattern on 1, 2, ... qubits; `neutral` those of rules that gain
    nothing.  Of the corpus, so many `blocks` that recur most are looked at.
    """

    objective: str
    gates: tuple[str, ...] = GATES
    sizes: tuple[int, ...] = (6, 5, 4)
    neutral: int = 3
    blocks: int = 10_000
    seed: int = 0


@dataclass(frozen=True)
class Found:
    """Rules by increasing size, and macros for patterns that recur in the corpus.

    `gains` has for each rule by how much it lowers each cost, in the order of the objective: all 0
    but the depth where it gains nothing.  `counts` has the numbers of circuits enumerated, classes
    of equal ones, blocks of the corpus, rules discovered, and of those pruned because both sides
    begin or end with the same gate ("same ends"), or because they follow from others ("follow").
    """

    rules: tuple[Rule, ...]
    macros: tuple[Macro, ...]
    gains: tuple[tuple[int, ...], ...]
    counts: dict[str, int]


def pieces(request: Request) -> list[Job]:
    """The jobs that do not need a corpus."""
    sizes = [*enumerate(request.sizes, start=1)]
    jobs = [_job(request, "gates", qubits=qubits, size=size) for qubits, size in sizes]
    for qubits, size in sizes[:2]:
        jobs.append(_job(request, "angles", qubits=qubits, size=min(size, 3)))
        jobs.append(_job(request, "measurements", qubits=qubits, size=min(size, 2)))
    if len(sizes) > 1 and request.sizes[1] > 2:
        # Measurements between gates, which may be joint ones.
        few = [name for name in request.gates if name in ("h", "cx", "cz")]
        jobs.append(_job(request, "measurements", gates=few, qubits=2, size=3, neutral=2))
    jobs.append(_job(request, "constants", qubits=1, size=1))
    # With another qubit, which is allocated, touched by each, measured and freed.
    jobs += [_job(request, "parities", qubits=qubits, size=qubits + 3) for qubits, _ in sizes[1:3]]
    return jobs


def harvests(request: Request, circuits: Sequence[str]) -> list[Job]:
    """The jobs that count the blocks of circuits, which `corpus.pack` has made text."""
    return [_job(request, "harvest", circuit=each, seed=request.seed) for each in circuits]


def block_pieces(request: Request, counted: Sequence[Any]) -> list[Job]:
    """The jobs that look for cheaper forms of recurring blocks; `counted` by `harvests`."""
    total: Counter[tuple[int, str]] = Counter()
    for blocks in counted:
        for qubits, word, count in blocks:
            total[qubits, word] += count
    recurring = [(-count, *block) for block, count in total.items() if count > 1]
    chosen = [[qubits, word, -less] for less, qubits, word in sorted(recurring)[: request.blocks]]
    return [
        _job(request, "blocks", blocks=chosen[first : first + PER_JOB])
        for first in range(0, len(chosen), PER_JOB)
    ]


def _job(request: Request, kind: str, **rest: Any) -> Job:
    return {
        "kind": kind,
        "gates": [*request.gates],
        "objective": request.objective,
        "neutral": request.neutral,
        **rest,
    }


def work(job: Job) -> Any:
    """The result of a job."""
    gates, objective = tuple(job["gates"]), job["objective"]
    if job["kind"] == "harvest":
        letters = [of_gates(gates, qubits) for qubits in range(1, MAX_WIRES + 1)]
        return harvest(unpack(job["circuit"]), letters, BLOCK, job["seed"])
    if job["kind"] == "blocks":
        found = search(gates, TABLES, objective).rules(job["blocks"])
        texts = [write_rule(rule) for rule, _ in found]
        recur = [count for _, count in found]
        counted = {"blocks": len(job["blocks"]), "discovered": len(found)}
        return {"rules": texts, "recur": recur, "counts": counted}
    listing = enumerate_words(_alphabet(job), job["size"], objective, job["neutral"] - 1)
    rules, counts = find_rules(listing, objective, job["neutral"])
    kept = prune(rules, objective)
    counts["follow"] += len(rules) - len(kept)
    return {"rules": [write_rule(rule) for rule in kept], "counts": dict(sorted(counts.items()))}


def _alphabet(job: Job) -> Alphabet:
    gates, qubits = job["gates"], job["qubits"]
    return {
        "gates": lambda: alphabets.of_gates(gates, qubits),
        "angles": lambda: alphabets.of_angles(gates, qubits),
        "constants": lambda: alphabets.of_constants(gates),
        "measurements": lambda: alphabets.of_measurements(gates, qubits),
        "parities": lambda: alphabets.of_parities(qubits),
    }[job["kind"]]()


def combine(request: Request, results: Sequence[Any]) -> Found:
    """What jobs found, without what follows from rules of others."""
    counts: Counter[str] = Counter()
    rules: list[Rule] = []
    recur: Counter[str] = Counter()
    for result in results:
        counts.update(result["counts"])
        rules += [read_rule(text) for text in result["rules"]]
        recur.update(dict(zip(result["rules"], result.get("recur", ()), strict=False)))
    kept = prune(rules, request.objective)
    counts["follow"] += len(rules) - len(kept)
    return Found(
        rules=tuple(kept),
        macros=tuple(_macros(kept, recur)),
        gains=tuple(_gain(rule, request.objective) for rule in kept),
        counts=dict(sorted(counts.items())),
    )


def _macros(rules: Sequence[Rule], recur: Counter[str]) -> Iterator[Macro]:
    """Names for patterns that recur, those that do most first."""
    blocks = [rule for rule in rules if len(rule.pattern) >= MACRO and recur[write_rule(rule)]]
    blocks.sort(key=lambda rule: (-recur[write_rule(rule)], write_rule(rule)))
    for number, rule in enumerate(blocks):
        yield Macro(f"block{number}", tuple(names_in(rule.pattern)), rule.pattern)


def _gain(rule: Rule, objective: str) -> tuple[int, ...]:
    before, after = (value(step_costs(side), objective) for side in rule.sides)
    return tuple(one - other for one, other in zip(before, after, strict=True))
