"""The machines that circuits are made for: `find_target("superconducting")`."""

from qwasmc.target.choice import AUTO, RULES, Needs, Rule, decide
from qwasmc.target.description import read_target
from qwasmc.target.known import BY_NAME, DEFAULT_TARGET, TARGETS, find_target
from qwasmc.target.machine import (
    DEFAULT_CODE,
    DEFAULT_DISTANCE,
    DEFAULT_ERROR_RATE,
    DISTANCES,
    FACTORIES,
    FLOOR_PLANS,
    INJECTING,
    OUTPUTS,
    Code,
    GateBased,
    Majorana,
    Target,
    check_distance,
    tile_qubits,
)
from qwasmc.target.qdk import qdk_parameters

__all__ = [
    "AUTO",
    "BY_NAME",
    "DEFAULT_CODE",
    "DEFAULT_DISTANCE",
    "DEFAULT_ERROR_RATE",
    "DEFAULT_TARGET",
    "DISTANCES",
    "FACTORIES",
    "FLOOR_PLANS",
    "INJECTING",
    "OUTPUTS",
    "RULES",
    "TARGETS",
    "Code",
    "GateBased",
    "Majorana",
    "Needs",
    "Rule",
    "Target",
    "check_distance",
    "decide",
    "find_target",
    "qdk_parameters",
    "read_target",
    "tile_qubits",
]
