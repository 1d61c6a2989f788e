"""Instructions of QWASM that stand for many gates: controlled gates, arithmetic, rotations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwasmc.controlled import Angle, Machine, can_be_controlled, controlled
from qwasmc.grammar.arithmetic import diffuse, divide, multiply
from qwasmc.grammar.graph_style import new_bit
from qwasmc.grammar.handlers import ANGLES, GATES, angle_of, paulis_of, radians, whole
from qwasmc.grammar.instructions import (
    ANY,
    FLOAT_REGISTER,
    Builder,
    Instruction,
    Mnemonic,
    plural,
)
from qwasmc.ir.program import Attr, Value
from qwasmc.ops import BY_NAME


class _Gates:
    """Gates go to a program that is being built, perhaps under a bit."""

    def __init__(self, builder: Builder, loc: int, cond: Value | None) -> None:
        self.builder = builder
        self.loc = loc
        self.cond = cond
        self.borrowed = 0

    def apply(self, name: str, qubits: Sequence[str], angle: Angle = None) -> None:
        """Apply a gate of the op table."""
        attrs: dict[str, Attr] | None = None
        if angle is not None:
            assert isinstance(angle, float)
            attrs = {"angle": angle}
        self.builder.apply(BY_NAME[name], qubits, self.loc, attrs=attrs, cond=self.cond)

    def borrow(self) -> str:
        """A fresh qubit in |0>, called what no program can write: an ancilla of the compiler."""
        name = f"ancilla {self.borrowed}"
        self.borrowed += 1
        self.builder.allocate([name], self.loc, unnamed=True)
        return name

    def give_back(self, qubit: str) -> None:
        """Free a borrowed qubit, which is in |0> again."""
        self.builder.release(qubit, self.loc)


def _apply_controlled(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    named = instruction.named.get("gate")
    word = named.upper() if isinstance(named, str) else ""
    name = GATES.get(word.removeprefix("APPLY_"))
    if name is None or not can_be_controlled(name):
        help = 'write gate="X", or the name of another gate'
        raise instruction.fault("APPLY_CONTROLLED needs a gate", "gate", help=help)
    spec = BY_NAME[name]
    count = len(instruction.operands)
    if count <= spec.qubits:
        message = f"{word} has {plural(spec.qubits, 'qubit')}, and there are no controls"
        raise instruction.fault(message, help="the last qubits are the gate's, the others controls")
    angle = angle_of(instruction, count) if spec.angle else None
    given = [key for key in instruction.named if key in ANGLES]
    if given and not spec.angle:
        raise instruction.fault(f"{word} has no angle", given[0])
    names = builder.operands(instruction, 0, count)
    split = count - spec.qubits
    gates = _Gates(builder, instruction.loc, builder.condition(instruction))
    controlled(gates, name, names[:split], names[split:], angle)


def _measure_angle(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Measure cos(theta) Z + sin(theta) X."""
    angle = angle_of(instruction, 1)
    names = builder.operands(instruction, 0, 1)
    output = new_bit(builder, instruction, 0)
    cond = builder.condition(instruction)
    loc = instruction.loc
    builder.apply(BY_NAME["ry"], names, loc, attrs={"angle": -angle}, cond=cond)
    builder.measure("measure_z", names, output, loc, cond=cond)
    builder.apply(BY_NAME["ry"], names, loc, attrs={"angle": angle}, cond=cond)


def _rotation(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """QLPPR "XZ", angle, q...: exp(-i angle P / 2)."""
    paulis = paulis_of(instruction, instruction.operands[0], "operand")
    value = instruction.operands[1]
    in_register = isinstance(value, str) and builder.is_register(value, FLOAT_REGISTER)
    angle = str(value).lower() if in_register else radians(instruction, value, "operand", 1)
    names = builder.operands(instruction, 2, len(instruction.operands))
    if len(paulis) != len(names):
        message = f"{plural(len(paulis), 'Pauli')} for {plural(len(names), 'qubit')}"
        raise instruction.fault(message, "operand")
    kept = [(name, letter) for name, letter in zip(names, paulis, strict=True) if letter != "I"]
    if kept:  # a product of identities turns the global phase
        letters = "".join(letter for _, letter in kept)
        builder.rotate(
            BY_NAME["ppr"],
            [name for name, _ in kept],
            angle,
            instruction.loc,
            attrs={"paulis": letters},
            cond=builder.condition(instruction),
        )


def _product(
    operate: Callable[[Machine[str], int, Sequence[str]], None],
) -> Callable[[Builder, Mnemonic, Instruction], None]:
    def handler(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
        factor = instruction.operands[0]
        if not isinstance(factor, int) or factor % 2 == 0:
            factor = whole(instruction, factor, "operand", 1)
        if factor % 2 == 0:
            help = "an even factor loses bits, so no gate can do it"
            raise instruction.fault(f"{instruction.name} takes an odd factor", "operand", help=help)
        names = builder.operands(instruction, 1, len(instruction.operands))
        builder.context.expand(10 * len(names) ** 2)
        operate(_Gates(builder, instruction.loc, builder.condition(instruction)), factor, names)

    return handler


def _diffuse(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, len(instruction.operands))
    diffuse(_Gates(builder, instruction.loc, builder.condition(instruction)), names)


# fmt: off
ROWS: dict[str, Mnemonic] = {
    "APPLY_CONTROLLED": Mnemonic(
        _apply_controlled, 'control, ..., qubit, gate="X", theta=angle', 2, ANY,
        keys=("gate", *ANGLES), conditional=True,
    ),
    "MEASURE_ANGLE": Mnemonic(
        _measure_angle, "qubit, theta=angle -> bit", 1, 2, 1, keys=ANGLES, conditional=True,
        skips=True,
    ),
    "QLPPR": Mnemonic(
        _rotation, '"XZ", angle, qubit, ...', 3, ANY, conditional=True, angle_at=1
    ),
    "OPMUL": Mnemonic(_product(multiply), "factor, qubit, ...", 2, ANY, conditional=True),
    "OPDIV": Mnemonic(_product(divide), "factor, qubit, ...", 2, ANY, conditional=True),
    "OPDIFFUSE": Mnemonic(_diffuse, "qubit, ...", 1, ANY, conditional=True),
}
# fmt: on
