"""Links that open a circuit in Crumble, Stim's editor in the browser (algassert.com/crumble)."""

from __future__ import annotations

import stim

from qwasmc.backends.physical import Physical
from qwasmc.diagnostics import CompileError, Kind, error

LONGEST = 8
"""How many times as long as its link the text of a circuit is, at most."""

MAX_URL = 1_000_000
"""Most characters of a link: Firefox takes 1 MiB, browsers on Chromium 2 MiB."""


def url(circuit: stim.Circuit) -> str:
    """The link; Crumble knows no noise and no tags, so they are left out.

    CompileError if it is too long for a browser.
    """
    link: str = circuit.without_noise().to_crumble_url()
    if len(link) > MAX_URL:
        raise _too_long(f"{len(link)}")
    return link


def write(physical: Physical) -> str:
    """The link to a physical circuit, as a line; of a far too long one only the beginning is made.

    CompileError if it is too long for a browser.
    """
    circuit, length = stim.Circuit(), 0
    for text in physical.fragments():
        length += len(text)
        if length > LONGEST * MAX_URL:
            raise _too_long(f"more than {MAX_URL}")
        circuit.append_from_stim_program_text(text)
    return f"{url(circuit)}\n"


def _too_long(characters: str) -> CompileError:
    return error(
        f"a link to Crumble would have {characters} characters; browsers take {MAX_URL}",
        kind=Kind.LIMIT,
        help="a smaller distance or fewer slabs make it shorter",
    )
