"""qwasmc: from quantum programs to checked, noisy, decodable surface-code circuits.

import qwasmc
artifact = qwasmc.compile(Path("bell.qwasm"), distance=3, noise="uniform:0.001", verify=True)
artifact.circuit   # stim.Circuit
artifact.report    # dict, see docs/json.md
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qwasmc.api import Artifact, CompileError, compile, parse, run_passes, verify

__version__ = "0.1.0"
__all__ = ["Artifact", "CompileError", "compile", "parse", "run_passes", "verify"]


def __getattr__(name: str) -> object:
    """The API, loaded on first use so that importing any part of qwasmc stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'qwasmc' has no attribute '{name}'")
    api = importlib.import_module("qwasmc.api")
    # All names at once: loading the API has made `verify` the name of a module of ours.
    globals().update({each: getattr(api, each) for each in __all__})
    return globals()[name]
