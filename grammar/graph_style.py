"""Instructions of QWASM's graph style: named qubits, outputs after an arrow."""

from __future__ import annotations

from collections.abc import Sequence

from qwasmc.grammar.evaluator import Value as Constant
from qwasmc.grammar.evaluator import kind_of
from qwasmc.grammar.handlers import (
    FREE_ROW,
    GATES,
    LIVES,
    RESET_ROW,
    alloc,
    barrier,
    check_new,
    gate_row,
    paulis_of,
)
from qwasmc.grammar.instructions import ANY, Builder, Instruction, Mnemonic, operand_name, plural
from qwasmc.ir.program import Value
from qwasmc.ops import BY_NAME


def _measure(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    assert row.spec is not None
    names = builder.operands(instruction, 0, 1)
    output = new_bit(builder, instruction, 0)
    cond = builder.condition(instruction)
    builder.measure(row.spec.name, names, output, instruction.loc, cond=cond)


def new_bit(builder: Builder, instruction: Instruction, index: int) -> str:
    """An output as the name of a bit."""
    name = instruction.outputs[index]
    check_new(instruction, index)
    if builder.has_qubit(name):
        raise instruction.fault(f"'{name}' is a qubit", "output", index, help="choose another name")
    return name


def _measure_bell(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, 2)
    outputs = [new_bit(builder, instruction, index) for index in range(2)]
    cond = builder.condition(instruction)
    loc = instruction.loc
    builder.apply(BY_NAME["cx"], names, loc, cond=cond)
    builder.apply(BY_NAME["h"], names[:1], loc, cond=cond)
    for name, output in zip(names, outputs, strict=True):
        builder.measure("measure_z", [name], output, loc, cond=cond)


def _cond_pauli(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    inputs = _inputs(builder, instruction)
    count = len(instruction.operands)
    # Operands after the qubits may be the bits.
    while count > 1 and builder.has_bit(operand_name(instruction, count - 1)):
        count -= 1
        inputs.append(builder.bit(operand_name(instruction, count), None))
    names = builder.operands(instruction, 0, count)
    key = "pauli" if "pauli" in instruction.named else "mask"
    mask = instruction.named.get(key)
    if mask is None:
        raise instruction.fault(
            "COND_PAULI needs a mask", help=f"write {instruction.name} {row.usage}"
        )
    letters = paulis_of(instruction, mask, key)
    if len(letters) == 1:
        letters *= count
    if len(letters) != count:
        raise instruction.fault(
            f"{plural(len(letters), 'Pauli')} for {plural(count, 'qubit')}", key
        )
    cond = builder.condition(instruction, inputs)
    if cond is None:
        raise instruction.fault(
            "COND_PAULI needs inputs or a guard", help="write inputs=m or if m==1"
        )
    for name, letter in zip(names, letters, strict=True):
        if letter != "I":
            builder.apply(BY_NAME[letter.lower()], [name], instruction.loc, cond=cond)


def _inputs(builder: Builder, instruction: Instruction) -> list[Value]:
    given = instruction.named.get("inputs", [])
    names: Sequence[Constant] = given.split(",") if isinstance(given, str) else [given]
    if isinstance(given, list):
        names = given
    (where,) = instruction.nodes.get("inputs", [None])
    bits = []
    for name in names:
        if not isinstance(name, str):
            raise instruction.fault(
                f"inputs are measurement results, not {kind_of(name)}", "inputs"
            )
        bits.append(builder.bit(name.strip(), where))
    return bits


def _inject_t(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """|0> -> T|+>; that the qubit is |0> is the program's promise."""
    names = builder.operands(instruction, 0, 1)
    cond = builder.condition(instruction)
    for gate in ("h", "t"):
        builder.apply(BY_NAME[gate], names, instruction.loc, cond=cond)


def _measure_row(basis: str) -> Mnemonic:
    spec = BY_NAME[f"measure_{basis.lower()}"]
    return Mnemonic(_measure, "qubit -> bit", 1, 1, 1, conditional=True, skips=True, spec=spec)


# fmt: off
ROWS: dict[str, Mnemonic] = {
    "ALLOC_LQ": Mnemonic(
        alloc, "n=count -> names", 0, 1, -1, keys=("n", "profile"), because=LIVES,
        capability="CAP_ALLOC",
    ),
    "FREE_LQ": FREE_ROW,
    "RESET": RESET_ROW,
    "FENCE_EPOCH": Mnemonic(barrier, "", 0, ANY, keys=("tag",), conditional=True),
    "BAR_REGION": Mnemonic(
        barrier, "qubit, ..., tag=text", 0, ANY, keys=("tag",), conditional=True
    ),
    **{f"APPLY_{name}": gate_row(name) for name in GATES},
    **{f"MEASURE_{basis}": _measure_row(basis) for basis in "ZXY"},
    "MEASURE_BELL": Mnemonic(
        _measure_bell, "qubit, qubit -> bit, bit", 2, 2, 2, conditional=True, skips=True
    ),
    "COND_PAULI": Mnemonic(
        _cond_pauli, "qubit, mask=X, inputs=bit", 1, ANY, keys=("mask", "pauli", "inputs"),
        conditional=True,
    ),
    "TELEPORT_CNOT": gate_row("CNOT", "CAP_TELEPORT"),
    "INJECT_T_STATE": Mnemonic(
        _inject_t, "qubit", 1, 1, conditional=True, capability="CAP_MAGIC"
    ),
}
# fmt: on
