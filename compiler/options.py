"""What a compilation is asked for, and who watches it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

from qwasmc.diagnostics import Diagnostic
from qwasmc.formats import BY_NAME, Format
from qwasmc.pipeline import LEVELS
from qwasmc.target import INJECTING, Target, find_target

if TYPE_CHECKING:
    from qwasmc.ir.circuit import Circuit
    from qwasmc.ir.program import Program
    from qwasmc.ir.surgery import Surgery
    from qwasmc.pipeline import Pass
    from qwasmc.rules.rule import RuleSet

    IR = Program | Circuit | Surgery


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile; the command line has the same names and defaults."""

    language: str | None = None
    emit: str = "stim"
    distance: int | None = None
    noise: str = "none"
    open: bool = False
    level: int = 2
    passes: Sequence[str] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    include_dirs: Sequence[str] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    verify: bool = False
    verify_each: bool = False
    print_after: Sequence[str] = ()
    entry: str | None = None
    max_iterations: int | None = None
    synthesis_error: float = 1e-3
    objective: str = "t"
    feed_forward: bool | None = None
    ancillas: int | None = None
    time_budget: float = 60.0
    error_budget: float | None = None
    floor_plan: str | None = None
    factory: str | None = None
    factories: int | None = None
    max_tiles: int | None = None
    scratch: Sequence[str] = ()
    max_qubits: int | None = None
    max_t: int | None = None
    target: str | Target = "grid"
    rules: Sequence[str] | None = None
    """Names or files of sets of rewriting rules; by default those that the target names."""
    rule_store: str | None = None
    trust: str | None = None
    shadow: bool = False
    rule_sets: Sequence[RuleSet] | None = None
    """The sets themselves, each of them approved; `fitting.pinned` finds them."""

    @property
    def machine(self) -> Target:
        """The machine that the output is for."""
        return find_target(self.target) if isinstance(self.target, str) else self.target

    @property
    def format(self) -> Format:
        """The row of the output table for what is wanted."""
        return BY_NAME[self.emit]

    @property
    def measured(self) -> bool:
        """Whether scratch qubits may be measured instead of undone, with corrections.

        By default they are, unless the output is a fixed circuit.
        """
        if self.feed_forward is None:
            return self.format.takes not in ("surgery", "physical")
        return self.feed_forward

    @property
    def adaptive(self) -> bool:
        """Whether passes may add measurements, and gates that depend on them.

        By default they do at -O3, unless the output is a fixed circuit.
        """
        wanted = self.feed_forward is not None or self.level == LEVELS[-1]
        return self.measured and wanted and self.ancillas != 0

    @property
    def corrections(self) -> bool:
        """Whether rules may make Paulis depend on results, and measure products of Paulis.

        On patches both are cheap; in other outputs they are wanted where passes may measure.
        """
        on_patches = self.format.takes in ("surgery", "physical")
        return self.adaptive or (on_patches and self.feed_forward is not False)

    @property
    def noisy_ports(self) -> bool:
        """Whether magic states are injected with the noise of everything else."""
        return self.factory in INJECTING


DEFAULTS = Options()


Around = Callable[["Pass", Mapping[str, Any], "IR", "Watch", Callable[["Watch"], "IR"]], "IR"]
"""Gets a pass, its options, what it is to rewrite, the watch, and what runs it with a watch."""


@dataclass(slots=True)
class Watch:
    """What an onlooker gets: each stage as it starts, warnings, and the IR text of dumps.

    `plan` gets the names of the stages of a compilation as soon as they are known.

    `around` may answer for a pass instead of running it.  `passed` gets the IR after reading and
    after each pass, with the pass's name and options.
    """

    stage: Callable[[str], object] = lambda _: None
    plan: Callable[[Sequence[str]], object] = lambda _: None
    warn: Callable[[Diagnostic], object] = lambda _: None
    dump: TextIO = field(default_factory=lambda: sys.stderr)
    timings: dict[str, float] = field(default_factory=dict)
    around: Around = lambda row, options, ir, watch, run: run(watch)
    passed: Callable[[str, Mapping[str, Any], IR], object] = lambda name, options, ir: None

    def note(self, message: str) -> None:
        """Pass on what the user should know about an output that is right all the same."""
        self.warn(Diagnostic(message, severity="note"))

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Time a stage; one that is entered again adds up."""
        self.stage(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.perf_counter() - start
