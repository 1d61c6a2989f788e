"""The table of mnemonics: every instruction of QWASM that this compiler compiles."""

from __future__ import annotations

from qwasmc.grammar import channels, classical, graph_style, machine_style, operators
from qwasmc.grammar.handlers import service
from qwasmc.grammar.instructions import ANY, ANY_SERVICE, Mnemonic

MNEMONICS: dict[str, Mnemonic] = {
    **graph_style.ROWS,
    **machine_style.ROWS,
    **classical.ROWS,
    **operators.ROWS,
    **channels.ROWS,
    ANY_SERVICE: Mnemonic(service, "", 0, ANY, -1, keys=None),
}
