"""A program between known inputs and measured outputs, for one whose own results are all random.

    alloc "a"               alloc "a"; h
    h; measure_z      =>    h; measure_z        the result is now 0 in every run

Distance and suppression are about parities of results that are fixed without noise.  Teleporting
|+> and measuring Z has none, but the program has flows P -> Q xor results: prepare +1 of P,
measure Q, and the results have a fixed parity.
"""

from __future__ import annotations

from collections.abc import Iterable

import stim

from qwasmc.ir.circuit import Circuit, CircuitBuilder
from qwasmc.ops import OPS

LETTERS = "IXYZ"


def probe(program: Circuit, flows: Iterable[tuple[stim.PauliString, stim.PauliString]]) -> Circuit:
    """The program with as many of these flows (over wires) made visible as agree with each other.

    Flows with a Y are left out: preparing and measuring Y would change the circuit most.
    """
    before: dict[int, str] = {}
    after: dict[int, str] = {}
    for start, end in flows:
        wanted = [{q: LETTERS[p[q]] for q in p.pauli_indices()} for p in (start, end)]
        pairs = list(zip((before, after), wanted, strict=True))
        if all(_agree(chosen, more) for chosen, more in pairs):
            for chosen, more in pairs:
                chosen.update(more)
    return _between(program, before, after)


def _agree(chosen: dict[int, str], more: dict[int, str]) -> bool:
    return all(letter != "Y" and chosen.get(q, letter) == letter for q, letter in more.items())


def _between(program: Circuit, before: dict[int, str], after: dict[int, str]) -> Circuit:
    """The program with |+> for |0> on some wires and some live wires measured at the end.

    Its own open inputs start in |0> or |+>, its open outputs count as live.
    """
    out = CircuitBuilder(locations=program.locations)
    wires = program.wires()
    new: dict[int, int] = {}
    live: dict[int, int] = {}
    for row, code in enumerate(program.op.tolist()):
        spec = OPS[code]
        values = program.values(row)
        cond = int(program.cond[row])
        if spec.name == "output":
            continue
        made = out.copy(
            program,
            row,
            [new[value] for value in values],
            -1 if cond < 0 else new[cond],
            "alloc" if spec.name == "input" else "",
        )
        first, end = int(program.first[row]), int(program.first[row + 1])
        if spec.makes_qubit and before.get(int(wires[first])) == "X":
            made = out.add("h", [made])
        for value in values:
            live.pop(int(wires[value]), None)
        for slot in range(end - first):
            new[first + slot] = made + slot
            if wires[first + slot] >= 0:
                live[int(wires[first + slot])] = made + slot
    for wire, value in live.items():
        if wire in after:
            bit = out.add(f"measure_{after[wire].lower()}", [value]) + 1
            out.add("result", [bit], attr=f"{after[wire]} of wire {wire}")
    return out.freeze()
