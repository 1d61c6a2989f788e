"""Samples circuits: reads what this compiler wrote about them, and chooses who runs the shots."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, cast

from qwasmc.diagnostics import error
from qwasmc.options import DEFAULTS, Watch
from qwasmc.pipeline import load
from qwasmc.reading import Source

if TYPE_CHECKING:
    from qwasmc.backends.sampling.rates import Sampled

OBSERVABLE_NAME = re.compile(r"^# observable \d+: (.*)$", re.MULTILINE)
"""Where a circuit that this compiler wrote says which result an observable is."""

TITLE = re.compile(r"^# qwasmc \S+: distance (\d{1,4}), noise (\w+)(?::(\S{1,30}))?$", re.MULTILINE)
"""Where it says the distance and the noise."""


def sample(
    sources: Sequence[Source],
    watch: Watch,
    *,
    workers: int = 1,
    cluster: str | None = None,
    records: str | None = None,
    **request: Any,
) -> list[Sampled]:
    """Sample circuits in Stim's language; `request` as in `backends.sampling.run`.

    Batches run in so many processes, or on the Dask `cluster` whose scheduler has this address;
    `records` is a file of counts to resume from and to add to.
    """
    pool = load(f"qwasmc.backends.sampling.{'cluster:cluster' if cluster else 'workers:processes'}")
    keep = load("qwasmc.backends.sampling.records:Records")
    file = nullcontext() if records is None else keep(records)
    with pool(cluster or workers) as executor, file as kept:
        request |= {"workers": executor, "records": kept, "progress": watch.stage}
        return [_sample_one(source, watch, request) for source in sources]


def described(source: Source) -> dict[str, Any]:
    """What a circuit that this compiler wrote says of itself: `{"d", "noise"}`, and `"p"`.

    There is no `"p"` if the noise is a machine's, and nothing in a circuit of another origin.
    """
    found = TITLE.search(source.data.decode("utf-8", "replace"))
    if found is None:
        return {}
    distance, noise, strength = found.groups()
    says = {"d": int(distance), "noise": noise}
    if noise == DEFAULTS.noise:
        return {**says, "p": 0.0}
    with suppress(ValueError):
        return {**says, "p": float(strength)} if strength else says
    return {}


def _sample_one(source: Source, watch: Watch, request: dict[str, Any]) -> Sampled:
    text = source.data.decode("utf-8", "replace")
    named = OBSERVABLE_NAME.findall(text)
    try:
        with watch.timed("read"):
            circuit = load("stim:Circuit")(text)
        names = named if len(named) == circuit.num_observables else None
        with watch.timed("sample"):
            sample = load("qwasmc.backends.sampling.run:sample")
            return cast(
                "Sampled", sample(circuit, names=names, metadata=described(source), **request)
            )
    except ValueError as wrong:
        raise error(f"'{source.name}' cannot be sampled: {wrong}") from wrong
