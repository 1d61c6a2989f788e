"""What the functions of QIR do, as operations of the Program IR; see qir_functions.py.

The methods of `Runtime` are the actions of that table.  Data of the run-time library lies in
memory: an array as its length, the size of an element and the elements; a register of pytket
("creg") as its length and one bit each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from qwasmc.controlled import can_be_controlled, controlled
from qwasmc.grammar import llvm_tree as llvm
from qwasmc.grammar.qir_functions import FUNCTIONS, Known, letters
from qwasmc.grammar.qir_layout import Unsupported
from qwasmc.grammar.qir_module import Entry, label_text, static_number
from qwasmc.ir.builder import FunctionBuilder, Slot
from qwasmc.ir.program import Value
from qwasmc.ops import BY_NAME, Type

if TYPE_CHECKING:
    from qwasmc.grammar.qir_lower import FunctionLowering, Item

HALF_PI = 1.5707963267948966

ARRAY_HEAD = 16
"""Bytes in front of the elements of an array: its length and the size of an element."""

CONSTANT_RESULTS = {"0": -1, "1": -2}
"""Addresses of the results that are always 0 and always 1."""

MAX_CREG = 64
"""Bits of a register of pytket, which is read as an integer."""


class _Gates:
    """Gates under controls go to a function that is being built."""

    def __init__(self, build: FunctionBuilder) -> None:
        self.build = build

    def apply(self, name: str, qubits: Sequence[Slot], angle: float | Value | None = None) -> None:
        """Apply a gate of the op table."""
        self.build.gate(name, qubits, angle=angle)

    def borrow(self) -> Slot:
        """A fresh qubit in |0>."""
        slot = self.build.op("slot")
        self.build.alloc(slot)
        return slot

    def give_back(self, qubit: Slot) -> None:
        """Take back a borrowed qubit, which is in |0> again."""
        self.build.free(qubit)


_TYPES = {"d": Type.F64, "b": Type.I1}


class Runtime:
    """Lowers the calls of one function to functions of QIR."""

    def __init__(self, lowering: FunctionLowering) -> None:
        self.low = lowering
        self.build: FunctionBuilder = lowering.build
        self.recorded = 0

    def start(self, entry: Entry) -> None:
        """What a program begins with: its qubits, its results, its global variables."""
        for number in sorted(entry.qubits):
            self.build.alloc(number, f"q{number}")
        for number in sorted(entry.results):
            self._set_result(self.build.i1(0), self.build.i64(number))

    def call(self, name: str, known: Known, arguments: Sequence[llvm.Value]) -> Item | None:
        """Call the function `name`; returns what it returns."""
        expected = letters(known, arguments)
        if len(expected) != len(arguments):
            wanted = f"{len(expected)} argument{'s' * (len(expected) != 1)}"
            raise self.low.error(f"'{name}' takes {wanted}, not {len(arguments)}")
        for letter, argument in zip(expected, arguments, strict=True):
            self._check(name, letter, argument)
        found: Item | None = getattr(self, f"_{known.action}")(known.row, *arguments)
        return found

    def _check(self, name: str, letter: str, argument: llvm.Value) -> None:
        wanted = _TYPES.get(letter, Type.I64)
        if self.low.scalars([argument.type]) != [wanted]:
            raise self.low.error(f"'{name}' does not take a value of the type '{argument.type}'")

    def _slot(self, argument: llvm.Value) -> Slot:
        number = static_number(argument)
        if number is not None:
            return number
        item = self.low.item(argument)
        return item if isinstance(item, int | Value) else self.low.value(argument)

    def _slots(self, arguments: Sequence[llvm.Value]) -> list[Slot]:
        return [self._slot(argument) for argument in arguments]

    # -- gates

    def _gate(self, row: str, *qubits: llvm.Value) -> None:
        self.build.gate(row, self._slots(qubits))

    def _rotation(self, row: str, angle: llvm.Value, *qubits: llvm.Value) -> None:
        self.build.gate(row, self._slots(qubits), angle=self._angle(angle))

    def _back_rotation(self, row: str, angle: llvm.Value, *qubits: llvm.Value) -> None:
        self.build.gate(row, self._slots(qubits), angle=self._minus(self._angle(angle)))

    def _product_rotation(self, paulis: str, angle: llvm.Value, *qubits: llvm.Value) -> None:
        attrs: dict[str, str | int | float] = {"paulis": paulis}
        self.build.gate("ppr", self._slots(qubits), angle=self._angle(angle), attrs=attrs)

    def _phased_x(self, _: str, angle: llvm.Value, axis: llvm.Value, qubit: llvm.Value) -> None:
        """rz(axis) rx(angle) rz(-axis), the last one first."""
        slots, turn = [self._slot(qubit)], self._angle(axis)
        self.build.gate("rz", slots, angle=self._minus(turn))
        self.build.gate("rx", slots, angle=self._angle(angle))
        self.build.gate("rz", slots, angle=turn)

    def _u3(
        self, _: str, theta: llvm.Value, phi: llvm.Value, lam: llvm.Value, qubit: llvm.Value
    ) -> None:
        self._euler(self._slot(qubit), self._angle(theta), phi, lam)

    def _u2(self, _: str, phi: llvm.Value, lam: llvm.Value, qubit: llvm.Value) -> None:
        self._euler(self._slot(qubit), HALF_PI, phi, lam)

    def _euler(self, slot: Slot, theta: float | Value, phi: llvm.Value, lam: llvm.Value) -> None:
        self.build.gate("rz", [slot], angle=self._angle(lam))
        self.build.gate("ry", [slot], angle=theta)
        self.build.gate("rz", [slot], angle=self._angle(phi))

    def _barrier(self, _: str, *qubits: llvm.Value) -> None:
        if qubits:
            self.build.gate("barrier", self._slots(qubits))

    def _invoke_controlled(self, _: str, *arguments: llvm.Value) -> None:
        """CUDA-Q's call of a gate: numbers of angles, arrays, controls and targets; the gate."""
        *numbers, function = arguments[:5]
        n_angles, n_arrays, n_controls, _n_targets = (static_number(n) or 0 for n in numbers)
        stem = getattr(function, "name", "").removesuffix("__ctl")
        gate = FUNCTIONS.get(stem)
        if n_arrays or gate is None or gate.action not in ("gate", "rotation"):
            raise Unsupported(f"the gate '{stem}' with controls")
        angles = [self._angle(angle) for angle in arguments[5 : 5 + n_angles]]
        slots = self._slots(arguments[5 + n_angles :])
        angle = angles[0] if angles else None
        if not can_be_controlled(gate.row) or BY_NAME[gate.row].angle != (len(angles) == 1):
            raise Unsupported(f"the gate '{stem}' with controls")
        targets = slots[n_controls:]
        if len(targets) != BY_NAME[gate.row].qubits:
            raise self.low.error(f"'{stem}' acts on {BY_NAME[gate.row].qubits} qubits")
        controlled(_Gates(self.build), gate.row, slots[:n_controls], targets, angle)

    def _angle(self, argument: llvm.Value) -> float | Value:
        if isinstance(argument, llvm.Float):
            return argument.value
        return self.low.value(argument)

    def _minus(self, angle: float | Value) -> float | Value:
        if isinstance(angle, float):
            return -angle
        return self.build.op("subf", [self.build.f64(-0.0), angle])

    # -- measurements and results

    def _measure(self, row: str, qubit: llvm.Value, result: llvm.Value) -> None:
        bit = self.build.measure(row, [self._slot(qubit)])
        self._set_result(bit, self.low.value(result))

    def _measure_new(self, row: str, qubit: llvm.Value) -> Value:
        return self._new_result(self.build.measure(row, [self._slot(qubit)]))

    def _measure_reset(self, row: str, qubit: llvm.Value, result: llvm.Value) -> None:
        self._measure(row, qubit, result)
        self._gate("reset", qubit)

    def _measure_reset_new(self, row: str, qubit: llvm.Value) -> Value:
        found = self._measure_new(row, qubit)
        self._gate("reset", qubit)
        return found

    def _measure_labelled(self, row: str, qubit: llvm.Value, label: llvm.Value) -> Value:
        bit = self.build.measure(row, [self._slot(qubit)])
        self._record("result", bit, label)
        return self._new_result(bit)

    def _read_result(self, _: str, result: llvm.Value) -> Value:
        return self._get_result(self.low.value(result))

    def _write_result(self, _: str, bit: llvm.Value, result: llvm.Value) -> None:
        self._set_result(self.low.value(bit), self.low.value(result))

    def _results_equal(self, _: str, a: llvm.Value, b: llvm.Value) -> Value:
        bits = [self._get_result(self.low.value(each)) for each in (a, b)]
        return self.build.not_(self.build.op("xor", bits))

    def _constant_result(self, which: str) -> int:
        address = CONSTANT_RESULTS[which]
        self._set_result(self.build.i1(int(which)), self.build.i64(address))
        return address

    def _allocate_result(self, _: str, *__: llvm.Value) -> Value:
        return self._new_result(self.build.i1(0))

    def _new_result(self, bit: Value) -> Value:
        address = self.build.op("allocate", [self.build.i64(1)], {"space": "result"})
        self._set_result(bit, address)
        return address

    def _set_result(self, bit: Value, address: Value) -> None:
        self.build.do("store_i1", [bit, address], {"space": "result"})

    def _get_result(self, address: Value) -> Value:
        return self.build.op("load_i1", [address], {"space": "result"})

    # -- output

    def _record_result(self, _: str, result: llvm.Value, label: llvm.Value) -> None:
        self._record("result", self._get_result(self.low.value(result)), label)

    def _record_bool(self, _: str, bit: llvm.Value, label: llvm.Value) -> None:
        self._record("result", self.low.value(bit), label)

    def _record_int(self, _: str, number: llvm.Value, label: llvm.Value | None = None) -> None:
        self._record("result_i64", self.low.value(number), label)

    def _record_double(self, _: str, number: llvm.Value, label: llvm.Value) -> None:
        self._record("result_f64", self.low.value(number), label)

    def _record(self, row: str, value: Value, label: llvm.Value | None) -> None:
        name = label_text(self.low.module, label) or f"{self.build.function.name}.{self.recorded}"
        self.recorded += 1
        self.build.do(row, [value], {"name": name})

    def _fail(self, _: str, message: llvm.Value) -> None:
        self.build.fail(label_text(self.low.module, message) or "the program reports a failure")
        self.build.enter(self.build.new_block())  # what follows is not reached

    def _nothing(self, _: str, *__: llvm.Value) -> None:
        pass

    # -- memory management

    def _allocate_qubit(self, _: str, *__: llvm.Value) -> Slot:
        slot = self.build.op("slot")
        self.build.alloc(slot)
        return slot

    def _release_qubit(self, _: str, qubit: llvm.Value) -> None:
        self.build.free(self._slot(qubit))

    def _create_string(self, _: str, text: llvm.Value) -> Item:
        return self.low.item(text)

    def _string(self, _: str, *__: llvm.Value) -> int:
        return 0

    def _create_tuple(self, _: str, size: llvm.Value) -> Value:
        return self.build.op("allocate", [self.low.value(size)], {"space": "memory"})

    def _create_array(self, _: str, size: llvm.Value, length: llvm.Value) -> Value:
        return self._array(self.low.value(size), self.low.value(length))

    def _array(self, size: Value, length: Value) -> Value:
        build = self.build
        bytes = build.op("muli", [size, length])
        whole = build.op("addi", [bytes, build.i64(ARRAY_HEAD)])
        array = build.op("allocate", [whole], {"space": "memory"})
        build.do("store_i64", [length, array], {"space": "memory"})
        second = build.op("addi", [array, build.i64(8)])
        build.do("store_i64", [size, second], {"space": "memory"})
        return array

    def _array_size(self, _: str, array: llvm.Value) -> Value:
        return self.build.op("load_i64", [self.low.value(array)], {"space": "memory"})

    def _array_element(self, _: str, array: llvm.Value, index: llvm.Value) -> Value:
        return self._element(self.low.value(array), self.low.value(index))

    def _element(self, array: Value, index: Value) -> Value:
        build = self.build
        second = build.op("addi", [array, build.i64(8)])
        size = build.op("load_i64", [second], {"space": "memory"})
        first = build.op("addi", [array, build.i64(ARRAY_HEAD)])
        return build.op("addi", [first, build.op("muli", [index, size])])

    def _allocate_qubits(self, _: str, length: llvm.Value) -> Value:
        number = self.low.value(length)
        array = self._array(self.build.i64(8), number)
        index = self._loop(number)
        slot = self.build.op("slot")
        self.build.alloc(slot)
        self.build.do("store_i64", [slot, self._element(array, index)], {"space": "memory"})
        self._end_loop(index)
        return array

    def _release_qubits(self, _: str, array: llvm.Value) -> None:
        address = self.low.value(array)
        length = self.build.op("load_i64", [address], {"space": "memory"})
        index = self._loop(length)
        place = self._element(address, index)
        self.build.free(self.build.op("load_i64", [place], {"space": "memory"}))
        self._end_loop(index)

    # -- loops: what is appended between the two calls is done for each index below a number

    def _loop(self, number: Value, start: Sequence[Value] = ()) -> Value:
        """Begin a loop; returns the index."""
        build = self.build
        types = [Type.I64, *(value.type for value in start)]
        head, body, end = build.new_block(types), build.new_block(), build.new_block()
        build.br(head, [build.i64(0), *start])
        build.enter(head)
        index = head.args[0]
        goes_on = build.op("cmpi", [index, number], {"predicate": "slt"})
        build.cond_br(goes_on, body, end)
        build.enter(body)
        self._open = head, end
        return index

    def _end_loop(self, index: Value, carried: Sequence[Value] = ()) -> None:
        build = self.build
        head, end = self._open
        build.br(head, [build.op("addi", [index, build.i64(1)]), *carried])
        build.enter(end)

    # -- registers of pytket

    def _create_creg(self, _: str, size: llvm.Value) -> Value:
        number = static_number(size)
        if number is None or not 0 <= number <= MAX_CREG:
            raise Unsupported(f"a register that has not from 0 to {MAX_CREG} bits")
        build = self.build
        register = build.op("allocate", [build.i64(number + 1)], {"space": "creg"})
        build.do("store_i64", [build.i64(number), register], {"space": "creg"})
        for index in range(number):
            place = build.op("addi", [register, build.i64(index + 1)])
            build.do("store_i1", [build.i1(0), place], {"space": "creg"})
        return register

    def _creg_place(self, register: Value, index: Value) -> Value:
        one = self.build.op("addi", [register, self.build.i64(1)])
        return self.build.op("addi", [one, index])

    def _get_creg_bit(self, _: str, register: llvm.Value, index: llvm.Value) -> Value:
        place = self._creg_place(self.low.value(register), self.low.value(index))
        return self.build.op("load_i1", [place], {"space": "creg"})

    def _set_creg_bit(
        self, _: str, register: llvm.Value, index: llvm.Value, bit: llvm.Value
    ) -> None:
        place = self._creg_place(self.low.value(register), self.low.value(index))
        self.build.do("store_i1", [self.low.value(bit), place], {"space": "creg"})

    def _measure_to_creg(
        self, _: str, qubit: llvm.Value, register: llvm.Value, index: llvm.Value
    ) -> None:
        bit = self.build.measure("measure_z", [self._slot(qubit)])
        place = self._creg_place(self.low.value(register), self.low.value(index))
        self.build.do("store_i1", [bit, place], {"space": "creg"})

    def _get_int_from_creg(self, _: str, register: llvm.Value) -> Value:
        build, address = self.build, self.low.value(register)
        length = build.op("load_i64", [address], {"space": "creg"})
        index = self._loop(length, [build.i64(0)])
        so_far = self._open[0].args[1]
        bit = build.op("load_i1", [self._creg_place(address, index)], {"space": "creg"})
        shifted = build.op("shli", [build.op("extui", [bit]), index])
        self._end_loop(index, [build.op("ori", [so_far, shifted])])
        return so_far

    def _set_creg_to_int(self, _: str, register: llvm.Value, number: llvm.Value) -> None:
        build, address, value = self.build, self.low.value(register), self.low.value(number)
        length = build.op("load_i64", [address], {"space": "creg"})
        index = self._loop(length)
        bit = build.op("trunci", [build.op("shrui", [value, index])])
        build.do("store_i1", [bit, self._creg_place(address, index)], {"space": "creg"})
        self._end_loop(index)
