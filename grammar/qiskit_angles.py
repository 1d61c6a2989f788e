"""Angles of Qiskit circuits that depend on the variables of loops.

rx(0.5 * i + 1)       %f = "qw.sitofp"(%i); %a = "qw.mulf"(%f, %half); %b = "qw.addf"(%a, %one)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from qiskit.circuit import Parameter, ParameterExpression

from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Value

Environment: TypeAlias = "Mapping[Parameter, Value | int]"
"""What the loop variables are: computed, or known where a loop is unrolled."""


def slope(angle: ParameterExpression, parameter: Parameter) -> float | None:
    """By how much an angle grows with a parameter, if that is a constant."""
    try:
        grows = angle.gradient(parameter)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError):
        return None
    if isinstance(grows, ParameterExpression):
        if grows.parameters:
            return None
        grows = grows.numeric()
    return None if isinstance(grows, complex) else float(grows)


def bound(angle: ParameterExpression, environment: Environment) -> ParameterExpression:
    """An angle with the loop variables that are known put in."""
    known = {p: value for p in angle.parameters if isinstance(value := environment.get(p), int)}
    return angle.bind(known) if known else angle


def angle_value(
    build: FunctionBuilder, angle: ParameterExpression, environment: Environment
) -> float | Value:
    """An angle that depends on loop variables; on computed ones it depends linearly."""
    angle = bound(angle, environment)
    parameters = sorted(angle.parameters, key=lambda parameter: parameter.name)
    total: Value | None = None
    constant = float(angle.bind(dict.fromkeys(parameters, 0)).numeric())
    for parameter in parameters:
        value, grows = environment[parameter], slope(angle, parameter)
        assert isinstance(value, Value)
        assert grows is not None
        term = build.op("sitofp", [value])
        if grows != 1.0:
            term = build.op("mulf", [term, build.f64(grows)])
        total = term if total is None else build.op("addf", [total, term])
    if total is None:
        return constant
    return build.op("addf", [total, build.f64(constant)]) if constant else total
