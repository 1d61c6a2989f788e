"""Representations in columns as bytes, exactly: numbers of values, names and positions stay.

    {"kind": "circuit", "names": [...], "columns": [["op", "|u1", [3]], ...]}
    <the bytes of each column>

Source positions are numbers of the program's `Locations`, which all its representations share, so
these are not written.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import fields

import numpy as np

from qwasmc.diagnostics import Locations
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Program
from qwasmc.ir.surgery import Surgery
from qwasmc.text import print_lines

KINDS: dict[str, type[Circuit | Surgery]] = {"circuit": Circuit, "surgery": Surgery}
POSITIONS = ("file", "line", "column", "end", "parent")


def to_bytes(ir: Circuit | Surgery) -> Iterator[bytes]:
    """The bytes of a representation, piece by piece."""
    columns = {
        field.name: np.ascontiguousarray(getattr(ir, field.name))
        for field in fields(ir)
        if field.name not in ("names", "locations")
    }
    table = [[name, column.dtype.str, column.shape] for name, column in columns.items()]
    head = {"kind": type(ir).__name__.lower(), "names": ir.names, "columns": table}
    yield json.dumps(head).encode() + b"\n"
    for column in columns.values():
        yield column.tobytes()


def from_bytes(data: bytes, locations: Locations) -> Circuit | Surgery:
    """What `to_bytes` wrote, with the locations of its program."""
    at = data.index(b"\n") + 1
    head = json.loads(data[:at])
    found = {}
    for name, dtype, shape in head["columns"]:
        count = int(np.prod(shape, dtype=np.int64))
        # A copy, because the bytes may be neither aligned nor writable.
        column = np.frombuffer(data, dtype, count, at).copy()
        found[name] = column.reshape(shape)
        at += column.nbytes
    return KINDS[head["kind"]](**found, names=head["names"], locations=locations)


def fingerprint(ir: Program | Circuit | Surgery) -> str:
    """SHA-256 of all that a representation holds, without the positions behind its numbers."""
    return printed(ir) if isinstance(ir, Program) else _hash(to_bytes(ir))


def printed(ir: Program | Circuit | Surgery) -> str:
    """SHA-256 of a representation as text."""
    return _hash(line.encode("utf-8", "surrogatepass") for line in print_lines(ir))


def _hash(pieces: Iterable[bytes]) -> str:
    whole = hashlib.sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.hexdigest()


def positions(locations: Locations) -> str:
    """SHA-256 of source positions and the texts that they lead to."""
    whole = hashlib.sha256(json.dumps([locations.files, locations.texts]).encode())
    for name in POSITIONS:
        whole.update(array("q", getattr(locations, name)))
    return whole.hexdigest()
