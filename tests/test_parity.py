"""The graph of record parities against sets of records."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qwasmc.backends.stim.parity import ZERO, Parities

NODES = st.lists(
    st.tuples(
        st.lists(st.integers(0, 10**6), max_size=4),
        st.integers(0, 50),
        st.lists(st.integers(0, 9), max_size=4),
        st.integers(0, 1),
    ),
    max_size=40,
)


@given(NODES)
def test_expansion_is_the_symmetric_difference(nodes) -> None:
    graph = Parities()
    handles, expected = [ZERO], [(set(), 0)]
    for children, base, offsets, constant in nodes:
        picked = [child % len(handles) for child in children]
        handles.append(
            graph.add(
                tuple(handles[i] for i in picked), base, np.array(offsets, dtype=int), constant
            )
        )
        records: set[int] = set()
        for i in picked:
            records = records ^ expected[i][0]
            constant ^= expected[i][1]  # noqa: PLW2901
        for offset in offsets:
            records = records ^ {base + offset}
        expected.append((records, constant))
    for handle, (records, constant) in zip(handles, expected, strict=True):
        assert graph.expand(handle) == (sorted(records), constant)


@given(NODES)
def test_shares_add_up_to_the_roots(nodes) -> None:
    graph = Parities()
    handles = [ZERO]
    for children, base, offsets, constant in nodes:
        picked = tuple(handles[child % len(handles)] for child in children)
        handles.append(graph.add(picked, base, np.array(offsets, dtype=int), constant))
    handles.append(graph.add((handles[-1],), -7, np.zeros(1, dtype=int)))  # no record
    found: list[set[int]] = [set() for _ in handles]
    bases = []
    for records, roots in graph.shares(handles):
        bases.append(min(records))
        for root in roots:
            for record in records.tolist():
                found[root] ^= {record}
    expected = [{record for record in graph.expand(root)[0] if record >= 0} for root in handles]
    assert found == expected


def test_long_chains_stay_small() -> None:
    """Ten thousand events, each on top of the last, are as many nodes and one walk."""
    graph = Parities()
    node = ZERO
    block = np.arange(3)
    for i in range(10_000):
        node = graph.add((node,), 3 * i, block)
    records, constant = graph.expand(node)
    assert records == list(range(30_000))
    assert constant == 0
