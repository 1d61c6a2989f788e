"""Reads the rows of a surgery program."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qwasmc.diagnostics import did_you_mean
from qwasmc.ir.surgery import ROWS, Join, Row, Surgery, SurgeryBuilder, encode_join
from qwasmc.ops import Type
from qwasmc.text.scanner import AttrValue, Scanner
from qwasmc.text.syntax import AUX_NAMES, edge_of, route_of, signature, term_of, tile_of
from qwasmc.text.values import Values, check_attrs, check_leads_nowhere, check_type, count_types

_ROW_OF = {f"qw.{kind.name.lower()}": kind for kind in Row}


def read_surgery(scanner: Scanner) -> Surgery:
    """The rows up to the end of the module."""
    builder = SurgeryBuilder(locations=scanner.locations)
    bits: Values[int] = Values(scanner)
    while (match := scanner.operation()) is not None:
        kind = _ROW_OF.get(match["name"])
        if kind is None:
            hint = did_you_mean(match["name"], _ROW_OF)
            scanner.fail_group(match, "name", f"unknown operation '{match['name'][:64]}'", hint)
        check_leads_nowhere(scanner, match)
        row = _read_row(scanner, builder, bits, match, kind)
        for name in bits.results(match, ROWS[kind].makes_bit):
            bits.define(name, Type.I1, row, match.start())
    return builder.freeze()


def _read_row(
    scanner: Scanner,
    builder: SurgeryBuilder,
    bits: Values[int],
    match: re.Match[str],
    kind: Row,
) -> int:
    spec = ROWS[kind]
    attrs = scanner.attributes(match)
    check_attrs(scanner, match, attrs, _ROW_ATTRS[kind])
    n_bits = count_types(match) if spec.bits < 0 else spec.bits
    check_type(scanner, match, signature(0, n_bits, 0, spec.makes_bit))
    operands = bits.use(match, [Type.I1] * n_bits, [bits.of[Type.I1]] * n_bits)
    tile, aux = (0, 0), 0
    try:
        if spec.placed:
            tile = tile_of(str(attrs["tile"]))
        if spec.aux:
            aux = _aux_of(builder, spec.aux, attrs[spec.aux])
        if kind == Row.JOIN:
            operands = encode_join(_join_of(attrs))
        elif kind == Row.FACTORY:
            size, port = tile_of(str(attrs["size"])), tile_of(str(attrs["port"]))
            operands = [*size, *port, _integer(attrs["period"])]
        elif kind == Row.OUTPUT:
            operands.insert(0, _integer(attrs["label"]))
    except ValueError as wrong:
        scanner.fail_group(match, "attrs", str(wrong))
    slab = _integer(attrs["slab"]) if spec.timed else 0
    loc = scanner.location(match)
    return builder.add(kind, slab=slab, tile=tile, aux=aux, operands=operands, loc=loc)


def _row_attrs(kind: Row) -> dict[str, type]:
    """The attributes of a kind of row."""
    spec = ROWS[kind]
    wanted: dict[str, type] = {"slab": int} if spec.timed else {}
    if spec.placed:
        wanted["tile"] = str
    if spec.aux:
        wanted[spec.aux] = str if spec.aux in ("name", *AUX_NAMES) else int
    if kind == Row.OUTPUT:
        wanted["label"] = int
    if kind == Row.FACTORY:
        wanted |= {"size": str, "port": str, "period": int}
    if kind == Row.JOIN:
        wanted |= {"terms": list, "route": list, "edges": list}
    return wanted


_ROW_ATTRS = {kind: _row_attrs(kind) for kind in Row}


def _aux_of(builder: SurgeryBuilder, meaning: str, value: AttrValue) -> int:
    if meaning == "name":
        return builder.name(str(value))
    if meaning not in AUX_NAMES:
        return _integer(value)
    names = AUX_NAMES[meaning].__members__
    if value not in names:
        raise ValueError(f"expected one of {', '.join(names)}")
    return names[str(value)]


def _integer(value: AttrValue) -> int:
    assert isinstance(value, int)
    return value


def _join_of(attrs: Mapping[str, AttrValue]) -> Join:
    terms, route, edges = attrs["terms"], attrs["route"], attrs["edges"]
    assert isinstance(terms, list)
    assert isinstance(route, list)
    assert isinstance(edges, list)
    return Join(tuple(map(term_of, terms)), tuple(map(route_of, route)), tuple(map(edge_of, edges)))
