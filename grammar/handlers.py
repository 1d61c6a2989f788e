"""Instructions that both styles of QWASM have: gates, and what qubits go through in their lives."""

from __future__ import annotations

import math
from contextlib import suppress

from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.evaluator import work
from qwasmc.grammar.instructions import (
    ANY,
    ANY_REGISTER,
    FLOAT_REGISTER,
    KEYWORDS,
    MAX_ATTRIBUTE,
    NAME,
    Builder,
    Instruction,
    Mnemonic,
    plural,
)
from qwasmc.ops import BY_NAME, OPS, OpSpec

GATES = {
    **{spec.name.upper(): spec.name for spec in OPS if spec.is_gate and spec.qubits > 0},
    "CNOT": "cx",
    "TOFFOLI": "ccx",
    "FREDKIN": "cswap",
}
"""Gates by their names in APPLY_ mnemonics."""

ANGLES = ("theta", "lambda", "phi", "angle")
"""Keys that give the angle of a gate that has one."""


def gate(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """A gate of the op table, perhaps with an angle, perhaps under a bit."""
    spec = row.spec
    assert spec is not None
    angle: float | str = 0.0
    if spec.angle:
        angle = angle_or_register(builder, instruction, spec.qubits)
    names = builder.operands(instruction, 0, spec.qubits)
    guarded = instruction.guard or instruction.predicate
    cond = builder.condition(instruction) if guarded else None
    if spec.angle:
        builder.rotate(spec, names, angle, instruction.loc, cond=cond)
    else:
        builder.apply(spec, names, instruction.loc, cond=cond)


def angle_of(instruction: Instruction, index: int) -> float:
    """The angle, which is the last operand or the argument `theta`."""
    value, part, index = _given_angle(instruction, index)
    if isinstance(value, str):
        message = f"undefined name '{value:.60}'"
        if ANY_REGISTER.fullmatch(value.lower()):
            message = f"the angle of {instruction.name} cannot be in register {value}"
        raise instruction.fault(message, part, index, label="expected an angle")
    return radians(instruction, value, part, index)


def angle_or_register(builder: Builder, instruction: Instruction, index: int) -> float | str:
    """The angle, or the register that it is in."""
    value, _, _ = _given_angle(instruction, index)
    if isinstance(value, str) and builder.is_register(value, FLOAT_REGISTER):
        return value.lower()
    return angle_of(instruction, index)


def radians(instruction: Instruction, value: Constant, part: str, index: int = 0) -> float:
    """A number as an angle."""
    angle = math.inf
    if isinstance(value, (int, float)):
        with suppress(OverflowError):  # an integer of thousands of bits
            angle = float(value)
    if not math.isfinite(angle):
        raise instruction.fault("an angle is a finite number of radians", part, index)
    return angle


def _given_angle(instruction: Instruction, index: int) -> tuple[Constant, str, int]:
    """The value of the angle, and where it is."""
    found: list[tuple[Constant, str, int]] = [
        (value, key, 0) for key, value in instruction.named.items() if key in ANGLES
    ]
    if len(instruction.operands) > index:
        found.append((instruction.operands[index], "operand", index))
    if len(found) != 1:
        message = f"{instruction.name} needs one angle, got {len(found)}"
        raise instruction.fault(message, help="write theta=angle")
    return found[0]


def alloc(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """New qubits, by name."""
    names = instruction.outputs
    part, count = "n", instruction.named.get("n")
    if instruction.operands:
        part, count = "operand", instruction.named.get("n", instruction.operands[0])
    if count is not None:
        wanted = whole(instruction, count, part, 0)
        if wanted != len(names):
            raise instruction.fault(
                f"{plural(wanted, 'qubit')} but {plural(len(names), 'name')}",
                part,
                help="give as many names after '->' as qubits",
            )
    if not names:
        help = f"write {instruction.name} {row.usage}"
        raise instruction.fault("the new qubits need names", help=help)
    seen: set[str] = set()
    for index, name in enumerate(names):
        check_new(instruction, index)
        if builder.is_allocated(name):
            message = f"qubit '{name}' is already allocated"
            raise instruction.fault(message, "output", index, help="free it first")
        if builder.has_bit(name):
            message = f"'{name}' is already a measurement result"
            raise instruction.fault(message, "output", index)
        if name in seen:
            raise instruction.fault(f"qubit '{name}' is allocated twice", "output", index)
        seen.add(name)
    if "profile" in instruction.named:
        note(builder, instruction)
    builder.allocate(names, instruction.loc)


def check_new(instruction: Instruction, index: int) -> None:
    """Check that an output can be a name."""
    name = instruction.outputs[index]
    if not NAME.fullmatch(name) or name.lower() in KEYWORDS:
        raise instruction.fault(f"'{name:.60}' is not a name", "output", index)


def free(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Discard qubits."""
    for name in builder.operands(instruction, 0, len(instruction.operands)):
        builder.release(name, instruction.loc)
        builder.freed.add(name)


def reset(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Put qubits into |0>."""
    names = builder.operands(instruction, 0, len(instruction.operands))
    cond = builder.condition(instruction)
    for name in names:
        builder.apply(BY_NAME["reset"], [name], instruction.loc, cond=cond)


def barrier(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Nothing moves across it on these qubits, or on all."""
    names = builder.operands(instruction, 0, len(instruction.operands))
    # A barrier has no effect on qubits, so nothing depends on its condition.
    builder.condition(instruction)
    if "tag" in instruction.named:
        note(builder, instruction)
    builder.barrier(names, instruction.loc)


def paulis_of(instruction: Instruction, value: Constant, part: str) -> str:
    """A value as letters of a Pauli product."""
    if not isinstance(value, str) or not value or set(value.upper()) - set("IXYZ"):
        raise instruction.fault("expected letters I, X, Y and Z", part)
    return value.upper()


def service(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """A run-time service, or a note for one: nothing happens here."""
    builder.services.setdefault(instruction.name.upper(), (instruction.loc, row.used))
    builder.spoil(instruction.outputs)
    note(builder, instruction)


def note(builder: Builder, instruction: Instruction) -> None:
    """Keep the instruction's text as a pragma."""
    arguments = [_shown(value) for value in instruction.operands]
    arguments += [f"{key}={_shown(value)}" for key, value in instruction.named.items()]
    text = " ".join([instruction.name.upper(), ", ".join(arguments)]).rstrip()
    if instruction.outputs:
        text += f" -> {', '.join(instruction.outputs)}"
    builder.context.expand(work(len(text)))
    builder.block.append("pragma", attrs={"text": text}, loc=instruction.loc)


def _shown(value: Constant) -> str:
    if isinstance(value, str) and not (NAME.fullmatch(value) or value.isdecimal()):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)


def whole(instruction: Instruction, value: Constant, part: str, least: int, index: int = 0) -> int:
    """The value as an integer that is not too small, and fits an attribute."""
    number = float("nan")
    if isinstance(value, (int, float)):
        number = value
    elif isinstance(value, str) and value.isdecimal():
        # A plain line arrives as words.
        number = int(value[:20])
    if not least <= number <= MAX_ATTRIBUTE or number != int(number):
        raise instruction.fault(f"expected an integer from {least} to {MAX_ATTRIBUTE}", part, index)
    return int(number)


def _gate_usage(spec: OpSpec) -> str:
    operands = ", ".join(["qubit"] * spec.qubits)
    return f"{operands}, theta=angle" if spec.angle else operands


def gate_row(name: str, capability: str = "") -> Mnemonic:
    """The row of a gate, by its name in the graph style."""
    spec = BY_NAME[GATES[name]]
    return Mnemonic(
        gate,
        _gate_usage(spec),
        spec.qubits,
        spec.qubits + spec.angle,
        keys=ANGLES if spec.angle else (),
        conditional=True,
        spec=spec,
        capability=capability,
    )


RESET_ROW = Mnemonic(reset, "qubit, ...", 1, ANY, conditional=True)
LIVES = "which qubits there are must be known before the program runs"
"""Why qubits do not come and go under a condition."""

FREE_ROW = Mnemonic(free, "qubit, ...", 1, ANY, because=LIVES)
