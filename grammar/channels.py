"""Channels of QWASM's graph style: two qubits that share a Bell pair.

    link: OPEN_CHAN a, b -> ch                      a and b are in (|00> + |11>) / sqrt 2
    send: USE_CHAN q, ch, semantic="teleport"       the state of q is in b; q and a are in |0>
    done: CLOSE_CHAN ch                             a and b stay as they are

QVM 0.1 has no qubits in USE_CHAN, so it says what a channel is used for and moves nothing; such a
use, and the fidelity that a channel should have, are kept as notes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.handlers import check_new, note
from qwasmc.grammar.instructions import Builder, Instruction, Mnemonic, Spoilt, operand_name
from qwasmc.ops import BY_NAME

PAIRS = ("bell_pair", "ghz")
"""Types of a channel; two qubits in a GHZ state are a Bell pair."""

TELEPORT = "teleport"
"""What a channel can be used for."""

NO_QUBIT = "nothing moves without a qubit: write USE_CHAN qubit, channel, semantic=teleport"
STAY = "the qubits at its ends stay as they are"
CERTAIN = "which channels are open must be known before the program runs"

_TYPE = re.compile(r'"type"\s*:\s*"([^"]*)"')
"""The type among options that a graph has as an object."""


def open_channel(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Two qubits become a Bell pair with a name."""
    names = builder.operands(instruction, 0, 2)
    (channel,) = instruction.outputs
    check_new(instruction, 0)
    if builder.has_qubit(channel) or builder.has_bit(channel) or channel in builder.channels:
        message = f"there is a '{channel}' already"
        raise instruction.fault(message, "output", help="choose another name")
    found = _TYPE.search(str(instruction.named.get("opts", "")))
    types: dict[str, Constant] = {"opts": found[1]} if found else {}
    types.update((key, value) for key, value in instruction.named.items() if key == "type")
    for part, value in types.items():
        if value not in PAIRS:
            help = f"the types are {' and '.join(PAIRS)}"
            raise instruction.fault("a channel of this type is not known", part, help=help)
    if instruction.named:
        note(builder, instruction)
    loc = instruction.loc
    for name in names:
        builder.apply(BY_NAME["reset"], [name], loc)
    builder.apply(BY_NAME["h"], names[:1], loc)
    builder.apply(BY_NAME["cx"], names, loc)
    builder.channels[channel] = (names[0], names[1])


def _use_channel(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    channel = _channel(builder, instruction, len(instruction.operands) - 1)
    if len(instruction.operands) == 1:
        builder.services.setdefault("USE_CHAN without a qubit", (instruction.loc, NO_QUBIT))
        note(builder, instruction)
        return
    if instruction.named.get("semantic", TELEPORT) != TELEPORT:
        help = f'with a qubit, a channel is used for semantic="{TELEPORT}"'
        raise instruction.fault("this use of a channel is not known", "semantic", help=help)
    (source,) = builder.operands(instruction, 0, 1)
    near, far = builder.channels[channel]
    for end in (near, far):
        if not builder.has_qubit(end):
            message = f"qubit '{end}' at an end of channel '{channel}' was freed"
            raise instruction.fault(message, "operand", 1)
    if source in (near, far):
        message = f"qubit '{source}' is an end of channel '{channel}'"
        raise instruction.fault(message, "operand")
    _teleport(builder, source, near, far, instruction.loc)


def _teleport(builder: Builder, source: str, near: str, far: str, loc: int) -> None:
    """Bennett et al., PRL 70, 1895, with the measurements left to the resets at the end."""
    steps: Sequence[tuple[str, Sequence[str]]] = (
        ("cx", (source, near)),
        ("h", (source,)),
        ("cx", (near, far)),
        ("cz", (source, far)),
        ("reset", (source,)),
        ("reset", (near,)),
    )
    for name, on in steps:
        builder.apply(BY_NAME[name], on, loc)


def _close_channel(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    del builder.channels[_channel(builder, instruction, 0)]
    builder.services.setdefault("CLOSE_CHAN", (instruction.loc, STAY))
    note(builder, instruction)


def _channel(builder: Builder, instruction: Instruction, index: int) -> str:
    """An operand as the name of an open channel."""
    name = operand_name(instruction, index)
    if name not in builder.channels:
        if name in builder.spoilt or builder.unknown_names:
            raise Spoilt
        help = "open it with OPEN_CHAN qubit, qubit -> channel"
        raise instruction.fault(f"there is no open channel '{name}'", "operand", index, help=help)
    return name


# fmt: off
ROWS: dict[str, Mnemonic] = {
    "OPEN_CHAN": Mnemonic(
        open_channel, "qubit, qubit -> channel", 2, 2, 1, keys=("fidelity", "type", "opts"),
        because=CERTAIN, capability="CAP_LINK",
    ),
    "USE_CHAN": Mnemonic(
        _use_channel, 'qubit, channel, semantic="teleport"', 1, 2, keys=("semantic",),
        because=CERTAIN,
    ),
    "CLOSE_CHAN": Mnemonic(_close_channel, "channel", 1, 1, because=CERTAIN),
}
# fmt: on
