"""Classical operations of programs in execution."""

from __future__ import annotations

import math

import pytest
from live_programs import outcome

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ops import Type

BIG = 2**63
COMPUTED = [
    ("addi", [BIG - 1, 1], {}, -BIG),
    ("subi", [-BIG, 1], {}, BIG - 1),
    ("muli", [2**32, 2**31], {}, -BIG),
    ("divsi", [-7, 2], {}, -3),
    ("remsi", [-7, 2], {}, -1),
    ("divui", [-1, 2], {}, BIG - 1),
    ("remui", [-1, 10], {}, 5),
    ("andi", [12, 10], {}, 8),
    ("ori", [12, 10], {}, 14),
    ("xori", [12, 10], {}, 6),
    ("shli", [1, 63], {}, -BIG),
    ("shrsi", [-8, 1], {}, -4),
    ("shrui", [-8, 1], {}, BIG - 4),
    ("extsi", [255], {"bits": 8}, -1),
    ("cmpi", [-1, 1], {"predicate": "slt"}, 1),
    ("cmpi", [-1, 1], {"predicate": "ult"}, 0),
    ("trunci", [6], {}, 0),
    ("sitofp", [-1], {}, -1.0),
    ("uitofp", [-1], {}, 2.0**64),
    ("fptosi", [-2.7], {}, -2),
    ("fptoui", [2.0**63], {}, -BIG),
    ("addf", [0.1, 0.2], {}, 0.1 + 0.2),
    ("divf", [1.0, 0.0], {}, math.inf),
    ("powf", [2.0, -2.0], {}, 0.25),
    ("cmpf", [math.nan, 1.0], {"predicate": "ult"}, 1),
    ("cmpf", [math.nan, 1.0], {"predicate": "olt"}, 0),
    ("mathf", [2.0], {"function": "sqrt"}, math.sqrt(2)),
]


@pytest.mark.parametrize(("name", "operands", "attrs", "expected"), COMPUTED)
def test_classical_operations(name: str, operands: list, attrs: dict, expected: float):
    build = FunctionBuilder("main")
    values = [build.f64(n) if isinstance(n, float) else build.i64(n) for n in operands]
    value = build.op(name, values, attrs or None)
    kind = {Type.I1: "result", Type.I64: "result_i64", Type.F64: "result_f64"}[value.type]
    build.do(kind, [value], {"name": "r"})
    build.ret()
    assert outcome(build) == str(expected)


def test_bits():
    build = FunctionBuilder("main")
    zero, one = build.i1(0), build.i1(1)
    for at, bits in enumerate([[one, one, one], [one, zero], [], [zero]]):
        for name in ("xor", "and"):
            build.do("result", [build.op(name, bits)], {"name": f"{name}{at}"})
    build.do("result", [build.op("select_i1", [zero, zero, one])], {"name": "select"})
    build.do("result_i64", [build.op("extui", [one])], {"name": "one"})
    build.ret()
    assert outcome(build) == "1 1 1 0 0 1 0 0 1 1"


@pytest.mark.parametrize("kind", ["i1", "i64", "f64"])
def test_memory(kind: str):
    """Addresses of different spaces are different cells, and the last value counts."""
    build = FunctionBuilder("main")
    values = {
        "i1": [build.i1(0), build.i1(1)],
        "i64": [build.i64(-5), build.i64(7)],
        "f64": [build.f64(0.5), build.f64(-1.5)],
    }[kind]
    at = build.i64(3)
    for value, space in ((values[0], "a"), (values[1], "a"), (values[0], "b")):
        build.do(f"store_{kind}", [value, at], {"space": space})
    result = "result" if kind == "i1" else f"result_{kind}"
    for space in "ab":
        loaded = build.op(f"load_{kind}", [at], {"space": space})
        build.do(result, [loaded], {"name": space})
    build.ret()
    assert outcome(build) == {"i1": "10", "i64": "7 -5", "f64": "-1.5 0.5"}[kind]
