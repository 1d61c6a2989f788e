"""Learns rewriting rules from a corpus of programs; see docs/rewriting.md.

Programs are read and compiled with -O2, `passes.learning` finds rules in what is left, and
`backends.proving` proves each of them.  All but the proofs is done in jobs (`qwasmc.jobs`).
"""

from __future__ import annotations

import os
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from qwasmc import __version__
from qwasmc.approval.files import read_bounded
from qwasmc.diagnostics import CompileError, Diagnostic, Kind, error
from qwasmc.driver import compile_source
from qwasmc.jobs import Bench, gathered
from qwasmc.options import Options, Watch
from qwasmc.pipeline import load
from qwasmc.reading import Source
from qwasmc.rules.notation import write_rules
from qwasmc.running import NO_RULES, InternalError
from qwasmc.store import Store

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.passes.learning.learn import Outcome, Request
    from qwasmc.passes.learning.ranking import Member
    from qwasmc.rules.rule import Rule

MAX_BYTES = 1 << 22
"""Longest program that is learned from."""

MAX_PROGRAMS = 5_000
"""Most programs of a corpus."""

MAX_OPERATIONS = 20_000
"""Most operations of a program, before it is optimised."""

MAX_FOR_VOLUME = 3_000
"""Most after that where surgery volume counts, for which each circuit is scheduled many times."""

SUFFIXES = (".asm", ".bc", ".json", ".ll", ".mlir", ".qasm", ".qasm3", ".qwasm", ".stim", ".tsim")
"""Names of programs in folders end so; a file that is named is read whatever its name is."""

STAGES = ("compile", "harvest", "discover", "rank", "explore", "train", "judge", "prove")

PACKAGES = ("numpy", "numba")
"""Packages whose versions may matter for what is learned."""

PRELOAD = ["qwasmc.driver", "qwasmc.passes.learning.trials"]
"""What worker processes find imported."""


@dataclass(frozen=True, slots=True)
class Learned:
    """The text of a set of rules, and what is to be said about how it was learned."""

    text: str
    summary: list[str]


def learn(
    paths: Sequence[str],
    watch: Watch,
    *,
    families: bool = False,
    workers: int = 1,
    cluster: str | None = None,
    folder: str | None = None,
    time_budget: float | None = None,
    **wanted: Any,
) -> Learned:
    """Learn from the programs in files and folders, and from generated `families`.

    What is `wanted` is that of `passes.learning.learn.Request`.  With `folder`, what is done is
    kept there, and what was done before is not done again.  No job is begun after `time_budget`
    seconds.  CompileError if there is nothing to learn from.
    """
    start = time.monotonic()
    request: Request = load("qwasmc.passes.learning.learn:Request")(**wanted)
    sources = programs(paths, watch)
    if families:
        made = load("qwasmc.passes.learning.families:families")(request.seed)
        sources += [Source(f"families/{name}.qasm", text.encode()) for name, text in made]
    store = Store(Path(folder), watch.warn) if folder is not None else None
    with gathered(workers, cluster, PRELOAD) as hands:
        end = None if time_budget is None else start + time_budget
        bench = Bench(hands, watch, store, end)
        watch.plan(STAGES)
        corpus = compiled(sources, request.cost, bench)
        if not corpus:
            raise error("there is no program to learn from", kind=Kind.USAGE)
        outcome: Outcome = load("qwasmc.passes.learning.learn:learn")(corpus, request, bench.run)
        proved = prove(outcome.rules.rules, bench)
    if store is not None:
        store.make_room()
    rules = replace(outcome.rules, rules=proved, origin=origin(sources, request, families))
    if bench.cut:
        rules = replace(rules, origin=f"{rules.origin}; cut short by --time-budget")
        watch.note("the time was up before the work was done: another run may find other rules")
    summary = [f"programs: {len(corpus)} of {len(sources)}", *outcome.summary]
    summary.append(f"proved: {len(proved)}")
    summary.append(f"jobs: {bench.ran} run, {bench.found} found in what was kept")
    summary.append("; ".join(f"{name} {spent:.1f} s" for name, spent in watch.timings.items()))
    return Learned(write_rules(rules), summary)


# -- the corpus


def programs(paths: Sequence[str], watch: Watch) -> list[Source]:
    """The programs in files and folders, each named as from the folder that was given."""
    found: list[Source] = []
    for path in paths:
        for name, file in _files(Path(path)):
            try:
                found.append(Source(name, read_bounded(file, MAX_BYTES) or b""))
            except CompileError as refused:
                _skip(name, refused.diagnostics[0].message, watch)
            if len(found) > MAX_PROGRAMS:
                message = f"there are more than {MAX_PROGRAMS} programs"
                raise error(message, kind=Kind.LIMIT, help="give smaller folders")
    return found


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    """Names and files of programs; those of a folder in the order of their names."""
    if not path.is_dir():
        if not path.exists():
            raise error(f"cannot read '{path}': no such file or folder", kind=Kind.USAGE)
        yield path.name, path
        return
    for folder, inner, names in os.walk(path):
        inner.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if name.lower().endswith(SUFFIXES):
                yield file.relative_to(path).as_posix(), file


def _skip(name: str, reason: str, watch: Watch) -> None:
    message = f"'{name}' is left out: {reason}"
    watch.warn(Diagnostic(message, severity="warning"))


def compiled(sources: Sequence[Source], cost: str, bench: Bench) -> list[Member]:
    """The circuits of the programs that can be compiled, and what they cost."""
    jobs = [{"name": each.name, "data": b64encode(each.data).decode()} for each in sources]
    results = bench.run("compile", "qwasmc.learning:compile_job", jobs)
    found = [
        (source.name, result)
        for source, result in zip(sources, results, strict=True)
        if not _refused(source.name, result, bench.watch)
    ]
    jobs = [{"circuit": result["circuit"], "cost": cost} for _, result in found]
    prices = bench.run("compile", "qwasmc.learning:measure_job", jobs)
    member = load("qwasmc.passes.learning.ranking:Member")
    return [
        member(name, cost=price["cost"], **result)
        for (name, result), price in zip(found, prices, strict=True)
        if not _refused(name, price, bench.watch)
    ]


def _refused(name: str, result: dict[str, Any] | None, watch: Watch) -> bool:
    """Whether there is no result for a program, which is said then."""
    reason = "there was no time" if result is None else result.get("skipped", "")
    if reason:
        _skip(name, reason, watch)
    return bool(reason)


def compile_job(job: dict[str, str]) -> dict[str, Any]:
    """The packed circuit of a program after -O2, or why there is none."""
    source = Source(job["name"], b64decode(job["data"]))
    try:
        for level in (0, 2):
            circuit = cast("Circuit", compile_source(source, _options(level), Watch()).ir)
            if len(circuit) > MAX_OPERATIONS:
                return {"skipped": f"it has more than {MAX_OPERATIONS} operations"}
            if len(circuit.locations.paths) > 1:
                return {"skipped": "it includes other files"}
    except CompileError as refused:
        return {"skipped": refused.diagnostics[0].message}
    return {
        "circuit": load("qwasmc.passes.learning.corpus:pack")(circuit),
        "operations": len(circuit),
    }


def measure_job(job: dict[str, str]) -> dict[str, Any]:
    """What a circuit costs, or why that cannot be known."""
    circuit = load("qwasmc.passes.learning.corpus:unpack")(job["circuit"])
    if job["cost"] == "volume" and len(circuit) > MAX_FOR_VOLUME:
        return {"skipped": f"it has more than {MAX_FOR_VOLUME} operations"}
    try:
        return {"cost": load("qwasmc.passes.learning.measuring:measure")(circuit, job["cost"])}
    except CompileError as refused:
        return {"skipped": refused.diagnostics[0].message}


def _options(level: int) -> Options:
    return Options(emit="circuit", level=level, rules=(NO_RULES,))


# -- proofs


def prove(rules: Sequence[Rule], bench: Bench) -> tuple[Rule, ...]:
    """The rules with their proofs; a rule without one is a bug of those who found it."""
    with bench.watch.timed("prove"):
        make = load("qwasmc.backends.proving:prove")
        return tuple(_proved(rule, make) for rule in rules)


def _proved(rule: Rule, make: Any) -> Rule:
    unproved = cast("type[Exception]", load("qwasmc.backends.proving:Unproved"))
    try:
        return replace(rule, proof=make(rule))
    except unproved as reason:
        raise InternalError(
            f"the rule '{rule.name}' was found, but is not right: {reason}"
        ) from None


def origin(sources: Sequence[Source], request: Request, families: bool) -> str:
    """How a set was learned: what another one needs who wants to learn the same."""
    whole = sha256()
    for source in sources:
        whole.update(f"{source.name} {sha256(source.data).hexdigest()}\n".encode())
    options = (
        f"--cost {request.cost} --gates {','.join(request.gates)} "
        f"--size {','.join(map(str, request.sizes))} --blocks {request.blocks} "
        f"--max-rules {request.max_rules} "
        f"--generations {request.generations} --seed {request.seed}{' --families' * families}"
    )
    packages = " ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"qwasmc learn {options}; qwasmc {__version__} {packages}; {len(sources)} programs, "
        f"sha256 {whole.hexdigest()}"
    )
