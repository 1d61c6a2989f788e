"""Exact proofs of rewriting rules; see `proofs`."""

from qwasmc.backends.proving.conditions import Unproved
from qwasmc.backends.proving.proofs import check, check_set, prove

__all__ = ["Unproved", "check", "check_set", "prove"]
