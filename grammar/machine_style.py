"""Instructions of QWASM's machine style: numbered qubits, results in registers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from qwasmc.diagnostics import did_you_mean
from qwasmc.grammar.flow import FlowBuilder
from qwasmc.grammar.handlers import (
    FREE_ROW,
    RESET_ROW,
    barrier,
    gate_row,
    note,
    paulis_of,
    service,
    whole,
)
from qwasmc.grammar.instructions import (
    ANY,
    REGISTER,
    Builder,
    Instruction,
    Mnemonic,
    operand_name,
    plural,
)
from qwasmc.grammar.survey import as_register
from qwasmc.ops import BY_NAME

# fmt: off
MACHINE_GATES = (
    "H", "X", "Y", "Z", "S", "SDG", "T", "TDG", "RX", "RY", "RZ", "CNOT", "CZ", "SWAP", "CCX",
    "CCZ",
)
# fmt: on
"""Gates by their names in QL mnemonics."""


def _init(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    count = whole(instruction, instruction.operands[0], "operand", 1)
    if builder.machine_size:
        raise instruction.fault("QLINIT can be given once")
    if "distance" in instruction.named:
        whole(instruction, instruction.named["distance"], "distance", 1)
        note(builder, instruction)
    # Before the names are made: there may be far too many.
    builder.context.allow(count)
    builder.machine_size = count
    builder.allocate([str(number) for number in range(count)], instruction.loc)


def _machine_measure(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    names = builder.operands(instruction, 0, 1)
    register = _register(instruction, 1)
    basis = paulis_of(instruction, instruction.named.get("basis", "Z"), "basis")
    if len(basis) != 1 or basis == "I":
        raise instruction.fault("a basis is X, Y or Z", "basis")
    builder.measure(f"measure_{basis.lower()}", names, register, instruction.loc)


def _register(instruction: Instruction, index: int) -> str:
    name = operand_name(instruction, index).lower()
    if not REGISTER.fullmatch(name):
        raise instruction.fault("expected a register r0 to r15", "operand", index)
    return name


def _pauli_product(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    paulis = paulis_of(instruction, instruction.operands[0], "operand")
    last = len(instruction.operands) - 1
    names = builder.operands(instruction, 1, last)
    register = _register(instruction, last)
    if len(paulis) != len(names):
        raise instruction.fault(
            f"{plural(len(paulis), 'Pauli')} for {plural(len(names), 'qubit')}", "operand"
        )
    kept = [(name, letter) for name, letter in zip(names, paulis, strict=True) if letter != "I"]
    if not kept:
        raise instruction.fault("a product of identities has nothing to measure", "operand")
    builder.measure(
        "ppm",
        [name for name, _ in kept],
        register,
        instruction.loc,
        attrs={"paulis": "".join(letter for _, letter in kept)},
    )


def _syndrome(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    rounds = 0
    if "rounds" in instruction.named:
        rounds = whole(instruction, instruction.named["rounds"], "rounds", 1)
    builder.block.append("syndrome", attrs={"rounds": rounds}, loc=instruction.loc)


def _rev_begin(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    name = operand_name(instruction, 0)
    taken = builder.segments - builder.spent
    if name in taken or any(name == other for other, _ in builder.open_segments):
        raise instruction.fault(f"segment '{name}' exists already", "operand")
    scratch = builder.operands(instruction, 1, len(instruction.operands))
    builder.open_segments.append((name, instruction.loc))
    builder.apply(BY_NAME["rev_begin"], scratch, instruction.loc, attrs={"name": name})


def _rev_end(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    if not builder.open_segments:
        raise instruction.fault("REV_END without REV_BEGIN")
    if builder.open_controls and builder.open_controls[-1][0] == len(builder.open_segments):
        raise instruction.fault("a control region in this segment has no CTRL_END")
    name, _ = builder.open_segments.pop()
    builder.segments.add(name)
    builder.spent.discard(name)
    builder.block.append("rev_end", attrs={"name": name}, loc=instruction.loc)


def _uncompute(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    name = operand_name(instruction, 0)
    if name in builder.segments:
        builder.spent.add(name)
        if not builder.branches:  # otherwise another branch may undo it, too
            builder.segments.remove(name)
    elif builder.branches:
        builder.undone.setdefault(name, instruction.loc)
    else:
        help = did_you_mean(name, builder.segments)
        if any(name == other for other, _ in builder.open_segments):
            help = "end it with REV_END before"
        raise instruction.fault(f"there is no complete segment '{name}'", "operand", help=help)
    builder.block.append("uncompute", attrs={"name": name}, loc=instruction.loc)


def _ctrl_begin(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    controls = builder.operands(instruction, 0, len(instruction.operands))
    builder.open_controls.append((len(builder.open_segments), instruction.loc))
    builder.apply(BY_NAME["ctrl_begin"], controls, instruction.loc)


def _ctrl_end(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    if not builder.open_controls:
        raise instruction.fault("CTRL_END without CTRL_BEGIN")
    segments, _ = builder.open_controls[-1]
    if segments < len(builder.open_segments):
        name, _ = builder.open_segments[-1]
        raise instruction.fault(f"segment '{name}' in this control region has no REV_END")
    builder.open_controls.pop()
    builder.block.append("ctrl_end", loc=instruction.loc)


def _note(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Something for a machine at run time: kept, if the program does not depend on it."""
    count = len(instruction.operands)
    register = ""
    if row.writes is not None and row.writes < count:
        register = as_register(instruction.operands[row.writes])
    if register and not isinstance(builder, FlowBuilder):
        raise builder.beyond(instruction.fault(f"{instruction.name} cannot write {register}"))
    if isinstance(builder, FlowBuilder) and builder.is_needed(register):
        raise instruction.fault(
            f"{instruction.name} writes {register}, which the program uses",
            "operand",
            row.writes or 0,
            label="known only to a machine that runs the program",
        )
    if instruction.name.upper() in DECODE_POINTS:
        builder.barrier([], instruction.loc)
    service(builder, row, instruction)


def _request(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """States in time: something that the schedule has to keep to, if there is a limit."""
    numbers = [
        whole(instruction, value, "operand", 1 - index, index)
        for index, value in enumerate(instruction.operands)
    ]
    if len(numbers) == 1:
        key = "MAGIC_STATE_REQUEST without timeout_cycles"
        builder.services.setdefault(key, (instruction.loc, "without a limit nothing is too late"))
        note(builder, instruction)
        return
    count, cycles = numbers
    _require(builder, f"MAGIC_STATE_REQUEST {count}, {cycles}", instruction.loc)


def _distillation(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """States that are good enough: something that factories have to keep to."""
    inputs = whole(instruction, instruction.operands[0], "operand", 1)
    if inputs != 15:
        key = "the number of inputs of MAGIC_DISTILLATION_START"
        builder.services.setdefault(key, (instruction.loc, INPUTS))
    value, fidelity = instruction.operands[1], -1.0
    if isinstance(value, int | float | str):
        with suppress(ValueError, OverflowError):
            fidelity = float(value)
    if not 0 <= fidelity <= 1:
        raise instruction.fault("expected a number from 0 to 1", "operand", 1)
    _require(builder, f"MAGIC_DISTILLATION_START {inputs}, {fidelity}", instruction.loc)


def _require(builder: Builder, text: str, loc: int) -> None:
    builder.block.append("require", attrs={"needs": text}, loc=loc)


def _inventory(builder: Builder, row: Mnemonic, instruction: Instruction) -> None:
    """Only a machine knows; so that the program can go on, there are none."""
    if not isinstance(builder, FlowBuilder):
        raise builder.beyond(instruction.fault(f"{instruction.name} cannot stand here"))
    register = _register(instruction, 0)
    service(builder, replace(row, used=INVENTORY), instruction)
    builder.write(register, builder.build.i64(0))


INPUTS = "15-to-1 is the only distillation here; the fidelity is required of any factory"
INVENTORY = "its register is 0: only a machine that runs the program knows how many states wait"
CONTROLLED = "put the condition on what is in the control region"
DECODING = "decoding is done with the detectors of the circuit; later operations wait for it"
STREAM = "syndromes are extracted in every round anyway"
DATA = "this compiler does not take circuits as data; it would be for a pass that does"
CUT = "`qwasmc cut` cuts the whole program into pieces of at most max_qubits; no address is used"
KNIT = "`qwasmc knit` puts results of pieces together, in one way; no operand is used"

DECODE_POINTS = frozenset({"MWPM_DECODE", "ERROR_CORRECTION_APPLY"})
"""Like QLCORRECT: later operations may depend on decoded values."""


def _note_row(usage: str, least: int, most: int, used: str, writes: int | None = None) -> Mnemonic:
    return Mnemonic(_note, usage, least, most, keys=None, skips=True, used=used, writes=writes)


# fmt: off
ROWS: dict[str, Mnemonic] = {
    "QLINIT": Mnemonic(_init, "count, distance=d", 1, 1, keys=("distance",)),
    **{f"QL{name}": gate_row(name) for name in MACHINE_GATES},
    "QLRESET": RESET_ROW,
    "QLFREE": replace(FREE_ROW, skips=True),
    "QLMEASURE": Mnemonic(
        _machine_measure, "qubit, register", 2, 2, keys=("basis",), skips=True, writes=1,
        measures=True,
    ),
    "QLPPM": Mnemonic(
        _pauli_product, '"XZ", qubit, ..., register', 3, ANY, skips=True, writes=-1, measures=True
    ),
    "QLSYNDROME": Mnemonic(_syndrome, "rounds=count", keys=("rounds",), skips=True),
    "QLCORRECT": Mnemonic(barrier, conditional=True),
    "REV_BEGIN": Mnemonic(_rev_begin, "name, scratch qubit, ...", 1, ANY),
    "REV_END": Mnemonic(_rev_end),
    "UNCOMPUTE": Mnemonic(_uncompute, "name", 1, 1),
    "CTRL_BEGIN": Mnemonic(_ctrl_begin, "qubit, ...", 1, ANY, because=CONTROLLED),
    "CTRL_END": Mnemonic(_ctrl_end, because=CONTROLLED),
    "MAGIC_STATE_REQUEST": Mnemonic(_request, "count, timeout_cycles", 1, 2, skips=True),
    "MAGIC_STATE_INVENTORY": Mnemonic(_inventory, "register", 1, 1, skips=True, writes=0),
    "MAGIC_DISTILLATION_START": Mnemonic(
        _distillation, "inputs, target_fidelity", 2, 2, skips=True
    ),
    "SYNDROME_STREAM_START": _note_row("buffer, interval", 2, 2, STREAM),
    "MWPM_DECODE": _note_row("syndrome, correction, decoder", 2, 3, DECODING, writes=1),
    "ERROR_CORRECTION_APPLY": _note_row("correction", 1, 1, DECODING),
    "CIRCUIT_CUT": _note_row("addr, max_qubits, out", 3, 3, CUT, writes=2),
    "CIRCUIT_TRANSPILE": _note_row("src, dst, backend", 3, 3, DATA, writes=1),
    "CIRCUIT_KNIT": _note_row("a, b, out, method", 4, 4, KNIT, writes=2),
}
# fmt: on
