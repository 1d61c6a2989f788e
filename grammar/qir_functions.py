"""The functions of QIR: what each name means and what its parameters are.

LLVM pointers do not say what they point to, so this table decides: `parameters` has one letter for
each, q qubit, r result, l label, d double, b bool, i integer, a array, f function, p any other
pointer; * is any number of qubits, and + as many angles and qubits as the integers in front say.
Producers spell names differently (`__body`, no suffix, other stems); each spelling is a key.  From
the QIR specification (Base and Adaptive Profile) and what QDK, PyQIR, CUDA-Q, pytket-qir and
hugr-qir write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qwasmc.grammar import llvm_tree as llvm
from qwasmc.ops import BY_NAME

QIS = "__quantum__qis__"
RT = "__quantum__rt__"


@dataclass(frozen=True, slots=True)
class Known:
    """A function: `action` is the method of the lowering that gives it meaning, `row` an op."""

    action: str
    parameters: str
    row: str = ""


_GATE_STEMS = {
    **{name: name for name in ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "sx", "sxdg")},
    **{name: name for name in ("cx", "cy", "cz", "swap", "ccx", "ccz", "cswap")},
    "cnot": "cx",
    "toffoli": "ccx",
    "fredkin": "cswap",
}
"""Gates without angles: stem and op."""

_ROTATION_STEMS = {
    **{name: name for name in ("rx", "ry", "rz", "p", "cp", "crz")},
    "r1": "p",
    "u1": "p",
}

_PRODUCT_STEMS = {"rxx": "XX", "ryy": "YY", "rzz": "ZZ"}
"""Rotations about a Pauli product."""

_MEASUREMENTS = {"mz": "measure_z", "m": "measure_z", "mx": "measure_x", "my": "measure_y"}

_NOTHING = {
    **{f"{RT}{name}": "p" for name in ("initialize", "message", "result_release")},
    **{f"{RT}{what}_record_output": "il" for what in ("array", "tuple")},
    **{
        f"{RT}{what}_update_{count}_count": "pi"
        for what in ("array", "string", "tuple", "result", "callable", "capture", "bigint")
        for count in ("reference", "alias")
    },
    f"{QIS}sleep__body": "qd",
}
"""Functions that change nothing here: memory management, messages, the shape of the output."""


_TO_STRING = {"int": "i", "double": "d", "bool": "b", "result": "r", "qubit": "q", "pauli": "i"}
"""What is turned into strings, which only messages show."""


def _gates() -> dict[str, Known]:
    known: dict[str, Known] = {}
    for stem, row in _GATE_STEMS.items():
        qubits = "q" * BY_NAME[row].qubits
        _spell(known, stem, Known("gate", qubits, row))
        known[f"{QIS}{stem}__adj"] = Known("gate", qubits, str(BY_NAME[row].inverse))
    for stem, row in _ROTATION_STEMS.items():
        qubits = "q" * BY_NAME[row].qubits
        _spell(known, stem, Known("rotation", "d" + qubits, row))
        known[f"{QIS}{stem}__adj"] = Known("back_rotation", "d" + qubits, row)
    for stem, paulis in _PRODUCT_STEMS.items():
        _spell(known, stem, Known("product_rotation", "dqq", paulis))
    _spell(known, "phasedx", Known("phased_x", "ddq"))
    _spell(known, "u2", Known("u2", "ddq"))
    for stem in ("u", "u3"):
        _spell(known, stem, Known("u3", "dddq"))
    for stem in ("barrier", "group", "order"):
        for number in ("", *map(str, range(1, 65))):
            _spell(known, stem + number, Known("barrier", "*"))
    _spell(known, "reset", Known("gate", "q", "reset"))
    return known


def _spell(known: dict[str, Known], stem: str, meaning: Known) -> None:
    known[f"{QIS}{stem}__body"] = known[f"{QIS}{stem}"] = meaning


def _measurements() -> dict[str, Known]:
    known: dict[str, Known] = {}
    for stem, row in _MEASUREMENTS.items():
        _spell(known, stem, Known("measure", "qr", row))
        known[f"{QIS}{stem}__body/1"] = known[f"{QIS}{stem}/1"] = Known("measure_new", "q", row)
    _spell(known, "mresetz", Known("measure_reset", "qr", "measure_z"))
    known[f"{QIS}mresetz__body/1"] = Known("measure_reset_new", "q", "measure_z")
    for name in ("mz_handle__to__register", "mz__to__register"):
        known[QIS + name] = Known("measure_labelled", "ql", "measure_z")
    for name in (f"{QIS}read_result__body", f"{RT}read_result", "__quantum__qir__read_result"):
        known[name] = Known("read_result", "r")
    return known


FUNCTIONS: dict[str, Known] = {
    **_gates(),
    **_measurements(),
    **{name: Known("nothing", parameters) for name, parameters in _NOTHING.items()},
    f"{RT}qubit_allocate": Known("allocate_qubit", ""),
    f"{RT}qubit_allocate/1": Known("allocate_qubit", "p"),
    f"{RT}qubit_release": Known("release_qubit", "q"),
    f"{RT}qubit_allocate_array": Known("allocate_qubits", "i"),
    f"{RT}qubit_release_array": Known("release_qubits", "a"),
    f"{RT}result_allocate": Known("allocate_result", ""),
    f"{RT}result_allocate/1": Known("allocate_result", "p"),
    f"{RT}write_result": Known("write_result", "br"),
    f"{RT}result_equal": Known("results_equal", "rr"),
    f"{RT}result_get_one": Known("constant_result", "", "1"),
    f"{RT}result_get_zero": Known("constant_result", "", "0"),
    f"{RT}array_create_1d": Known("create_array", "ii"),
    f"{RT}array_get_size_1d": Known("array_size", "a"),
    f"{RT}array_get_element_ptr_1d": Known("array_element", "ai"),
    f"{RT}tuple_create": Known("create_tuple", "i"),
    f"{RT}string_create": Known("create_string", "l"),
    f"{RT}string_concatenate": Known("string", "pp"),
    **{f"{RT}{what}_to_string": Known("string", letter) for what, letter in _TO_STRING.items()},
    f"{RT}fail": Known("fail", "p"),
    f"{RT}result_record_output": Known("record_result", "rl"),
    f"{RT}bool_record_output": Known("record_bool", "bl"),
    f"{RT}int_record_output": Known("record_int", "il"),
    f"{RT}double_record_output": Known("record_double", "dl"),
    f"{QIS}int_record_output__body": Known("record_int", "i"),
    "generalizedInvokeWithRotationsControlsTargets": Known("invoke_controlled", "iiiif+"),
    "create_creg": Known("create_creg", "i"),
    "get_creg_bit": Known("get_creg_bit", "pi"),
    "set_creg_bit": Known("set_creg_bit", "pib"),
    "set_creg_to_int": Known("set_creg_to_int", "pi"),
    "get_int_from_creg": Known("get_int_from_creg", "p"),
    "mz_to_creg_bit": Known("measure_to_creg", "qpi"),
}
"""By name; `name/n` is the form with n parameters of a function that has another."""

MAX_INVOKED = 1 << 12
"""Angles and qubits of a gate that is invoked with its controls."""


def letters(known: Known, arguments: Sequence[llvm.Value]) -> str:
    """A letter for each parameter, for a call with these arguments."""
    if known.parameters == "*":
        return "q" * len(arguments)
    if not known.parameters.endswith("+") or not arguments:
        return known.parameters
    numbers = [a.value if isinstance(a, llvm.Int) else MAX_INVOKED for a in arguments[:4]]
    angles, *qubits = (max(0, min(number, MAX_INVOKED)) for number in numbers)
    return known.parameters[:-1] + "d" * angles + "q" * sum(qubits)


MATH = {
    **{
        name: name
        for name in ("sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh")
    },
    **{name: name for name in ("exp", "exp2", "log", "log2", "log10", "floor", "ceil", "trunc")},
    "fabs": "fabs",
    "round": "round",
}
"""Functions of C and LLVM with one double, and the function of `mathf`."""

IGNORED_INTRINSICS = (
    "llvm.dbg.",
    "llvm.lifetime.",
    "llvm.assume",
    "llvm.donothing",
    "llvm.invariant.",
    "llvm.experimental.noalias.scope.decl",
)
"""Beginnings of the names of LLVM's intrinsics that say nothing about what is computed."""


def known_function(name: str, parameters: int) -> Known | None:
    """What a function means that is called with so many arguments; None if it is not of QIR."""
    return FUNCTIONS.get(f"{name}/{parameters}") or FUNCTIONS.get(name)
