"""A file of counts that a run adds to as it goes, and that a later run resumes from.

It is sinter's CSV: lines about the same circuit and decoder add up.  Lines are only ever appended;
one that a killed run left unfinished is dropped.  A lock keeps two runs from counting the same
shots.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import re
from collections import Counter
from types import TracebackType
from typing import Self

import sinter

from qwasmc.backends.sampling.batch import Tally
from qwasmc.diagnostics import Kind, error
from qwasmc.output import STDIO

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError)
"""What sinter raises about a file that holds something else."""

_MASK = "obs_mistake_mask="
"""Prefix of sinter's counts by set of mispredicted observables."""


class Records:
    """An open file of counts; raises `CompileError` if it cannot be used."""

    def __init__(self, path: str) -> None:
        self.path = path
        if path == STDIO:
            raise error("counts are kept in a file, not on standard output", kind=Kind.USAGE)
        try:
            self._file = open(path, "a+", encoding="utf-8", newline="")  # noqa: SIM115
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            message = f"another run is writing to '{path}'"
            raise error(message, kind=Kind.USAGE) from taken
        except OSError as refused:
            message = f"cannot write '{path}': {refused.strerror or refused}"
            raise error(message, kind=Kind.USAGE) from refused
        self._counted = self._read()

    def counted(self, strong_id: str, observables: int) -> Tally:
        """What earlier runs have counted of a circuit with so many observables."""
        found = Tally()
        found.add(self._counted.get(strong_id, Tally()))
        marks = re.compile(f"[_E]{{{observables}}}")
        said = sum(times for key, times in found.mistakes.items() if marks.fullmatch(key))
        if said != found.errors or said != found.mistakes.total():
            message = f"'{self.path}' has counts that do not say which observables were wrong"
            help = "use another file, or sinter's option count_observable_error_combos"
            raise error(message, kind=Kind.USAGE, help=help)
        return found

    def append(self, stats: sinter.TaskStats) -> None:
        """Add a line, on the disk before this returns."""
        self._file.write(f"{stats.to_csv_line()}\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._counted.setdefault(stats.strong_id, Tally()).add(_tally(stats))

    def _read(self) -> dict[str, Tally]:
        try:
            self._file.seek(0)
            text = self._file.read()
            whole = text[: text.rfind("\n") + 1]
            stats = sinter.stats_from_csv_files(io.StringIO(whole)) if whole else []
        except (*_UNREADABLE, csv.Error) as wrong:
            message = f"'{self.path}' holds no counts that sinter reads: {wrong}"
            raise error(message, kind=Kind.USAGE) from wrong
        if whole != text:
            self._file.truncate(len(whole.encode()))
        if not whole:
            self._file.write(f"{sinter.CSV_HEADER}\n")
        return {each.strong_id: _tally(each) for each in stats}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def to_stats(task: sinter.Task, tally: Tally, seconds: float) -> sinter.TaskStats:
    """Counts of a task as sinter keeps them; `seconds` are of all workers together."""
    mistakes = {f"{_MASK}{marks}": times for marks, times in sorted(tally.mistakes.items())}
    return sinter.TaskStats(
        strong_id=task.strong_id(),
        decoder=task.decoder,
        json_metadata=task.json_metadata,
        shots=tally.shots,
        errors=tally.errors,
        discards=tally.discards,
        seconds=seconds,
        custom_counts=Counter(mistakes),
    )


def _tally(stats: sinter.TaskStats) -> Tally:
    mistakes = {
        key.removeprefix(_MASK): times
        for key, times in stats.custom_counts.items()
        if key.startswith(_MASK)
    }
    return Tally(stats.shots, stats.errors, stats.discards, Counter(mistakes))
