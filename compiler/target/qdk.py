"""A machine in the words of the QDK's resource estimator."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from qwasmc.target.machine import GateBased, Target

_OURS = ("reset_time", "reset_error_rate", "t1", "t2")
"""Fields that the QDK does not have."""


def qdk_parameters(target: Target) -> dict[str, Any]:
    """Its job parameters `qubitParams` and `qecScheme`; none of what is not known of a machine.

    Where errors of qubits that wait follow from `t2`, its idle rate is for a two-qubit gate's time.
    """
    qubit = target.qubit
    if qubit is None:
        return {}
    params: dict[str, Any] = {}
    for each in fields(qubit):
        value = getattr(qubit, each.name)
        if each.name not in _OURS and value is not None:
            is_time = each.metadata["unit"] == "time"
            params[_camel(each.name)] = f"{value:.15g} ns" if is_time else value
    if isinstance(qubit, GateBased) and qubit.idle_error_rate is None:
        params["idleErrorRate"] = sum(qubit.idle_errors(qubit.two_qubit_gate_time))
    code = target.code
    return {
        "qubitParams": {"instructionSet": type(qubit).__name__, **params},
        "qecScheme": {
            "name": "surface_code",
            "crossingPrefactor": code.crossing_prefactor,
            "errorCorrectionThreshold": code.error_correction_threshold,
            "maxCodeDistance": code.max_distance,
        },
    }


def _camel(name: str) -> str:
    """A name in camel case."""
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)
