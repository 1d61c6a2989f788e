"""From functions of LLVM to functions of the Program IR.

    %1 = call i1 @__quantum__rt__read_result(ptr null)    %1 = "qw.load_i1"(%z) {space = "result"}
    br i1 %1, label %then, label %end                     "qw.cond_br"(%1)[^bb1, ^bb2]
    then:                                               ^bb1:
    call void @__quantum__qis__x__body(ptr null)          "qw.extract" ... "qw.x" ... "qw.insert"

A pointer to a qubit is the number of a slot, one to a result an address in the space "result", any
other an address in the space "memory", where each cell holds a whole value.  Structures and arrays
as values are tuples of their parts.  What QIR's own functions mean is in qir_runtime.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from qwasmc.diagnostics import CompileError, did_you_mean
from qwasmc.grammar import llvm_tree as llvm
from qwasmc.grammar.qir_functions import FUNCTIONS, IGNORED_INTRINSICS, MATH, known_function
from qwasmc.grammar.qir_layout import (
    MAX_PARTS,
    Unsupported,
    extent,
    offset,
    parts,
    resolve,
    scalar,
)
from qwasmc.grammar.qir_module import Callees, Entry
from qwasmc.grammar.qir_runtime import Runtime
from qwasmc.ir.builder import FunctionBuilder
from qwasmc.ir.program import Block, Function, Value
from qwasmc.ops import Type

Item: TypeAlias = "int | Value | tuple[Item, ...]"
"""A known integer or pointer, a value, or the parts of a structure or array."""

_SAME = {
    **{"add": "addi", "sub": "subi", "mul": "muli", "sdiv": "divsi", "srem": "remsi"},
    **{"shl": "shli", "ashr": "shrsi", "and": "andi", "or": "ori", "xor": "xori"},
}
"""Integer instructions that take narrow integers sign-extended."""

_UNSIGNED = {"udiv": "divui", "urem": "remui", "lshr": "shrui"}
_FLOATS = {"fadd": "addf", "fsub": "subf", "fmul": "mulf", "fdiv": "divf", "frem": "remf"}
_COPIES = frozenset({"bitcast", "inttoptr", "ptrtoint", "addrspacecast", "freeze"})
_SUFFIX = {Type.I1: "i1", Type.I64: "i64", Type.F64: "f64"}
_MINMAX = {"smax": "sgt", "smin": "slt", "umax": "ugt", "umin": "ult"}


class FunctionLowering:
    """Lowers one function."""

    def __init__(
        self, module: llvm.Module, entry: Entry, callees: Callees, function: llvm.Function
    ) -> None:
        self.module = module
        self.entry = entry
        self.callees = callees
        self.source = function
        self.is_main = function is entry.function
        params = [] if self.is_main else self.scalars(p.type for p in function.parameters)
        results = () if self.is_main else self.scalars([function.type.result])
        self.build = FunctionBuilder(callees.name(function.name), params, results)
        self.env: dict[str, Item] = {}
        self.blocks: dict[str, tuple[llvm.Block, Block]] = {}
        self.runtime = Runtime(self)
        self.line = function.line

    # -- the whole function

    def run(self) -> Function:
        """The lowered function; raises CompileError at the first instruction that has no form."""
        try:
            self._run()
        except Unsupported as problem:
            raise self.error(f"{problem} is not supported") from None
        return self.build.function

    def _run(self) -> None:
        self.build.loc = self.module.locate(self.line)
        arguments = iter(self.build.block.args)
        for parameter in () if self.is_main else self.source.parameters:
            self.env[parameter.name] = self.gathered(parameter.type, arguments)
        if self.is_main:
            self.runtime.start(self.entry)
        order = list(self._order())
        self.blocks[order[0].label] = order[0], self.build.block
        for block in order[1:]:
            self.line = block.line
            types = self.scalars(phi.type for phi in _phis(block))
            self.blocks[block.label] = block, self.build.new_block(types)
        for number, block in enumerate(order):
            if number:
                self.build.enter(self.blocks[block.label][1])
            self._block(block)

    def _order(self) -> Iterator[llvm.Block]:
        """The blocks that the first one leads to, each after those that dominate it."""
        named = {block.label: block for block in self.source.blocks}
        found: list[llvm.Block] = []
        seen = {self.source.blocks[0].label}
        stack = [(self.source.blocks[0], iter(_targets(self.source.blocks[0])))]
        while stack:
            block, targets = stack[-1]
            label = next(targets, None)
            if label is None:
                found.append(stack.pop()[0])
            elif label not in seen:
                if label not in named:
                    self.line = block.lines[-1]
                    raise self.error(f"there is no block '%{label}'")
                seen.add(label)
                stack.append((named[label], iter(_targets(named[label]))))
        return reversed(found)

    def _block(self, block: llvm.Block) -> None:
        arguments = iter(self.build.block.args)
        phis = 0 if block is self.source.blocks[0] else len(list(_phis(block)))
        for at, (line, instruction) in enumerate(zip(block.lines, block.instructions, strict=True)):
            self.line = line
            if instruction.opcode == "phi":
                if at >= phis:
                    raise self.error(
                        "a phi must be at the beginning of a block, and not of the first"
                    )
                self.env[instruction.result or ""] = self.gathered(instruction.type, arguments)
                continue
            self.build.loc = self.module.locate(line)
            self._instruction(instruction, block.label)
        if not self.build.ended:
            raise self.error(f"block '%{block.label}' does not end in a branch or a return")

    def error(self, message: str, help: str = "") -> CompileError:
        """An error at the current line."""
        loc = self.module.locate(self.line)
        return CompileError(self.module.locations.diagnostic(message, loc, help=help))

    # -- types and values

    def scalars(self, types: Iterator[llvm.Type] | Sequence[llvm.Type]) -> list[Type]:
        """The types of the values that values of these types consist of."""
        found: list[Type] = []
        pending = list(reversed(list(types)))
        while pending:
            type = pending.pop()
            if type == llvm.VOID:
                continue
            one = scalar(self.module, type)
            if one is None:
                pending.extend(reversed(parts(self.module, type)))
            else:
                found.append(one)
            if len(found) + len(pending) > MAX_PARTS:
                raise Unsupported(f"a value of the type '{type}', which has too many parts")
        return found

    def gathered(self, type: llvm.Type, values: Iterator[Value]) -> Item:
        """A value of a type from the values that it consists of."""
        if scalar(self.module, type) is not None:
            return next(values)
        return tuple(self.gathered(part, values) for part in parts(self.module, type))

    def flat(self, item: Item, type: llvm.Type) -> list[Value]:
        """The values that a value consists of."""
        if not isinstance(item, tuple):
            return [self.settled(item, type)]
        inner = parts(self.module, type)
        return [v for part, each in zip(item, inner, strict=True) for v in self.flat(part, each)]

    def settled(self, item: Item, type: llvm.Type) -> Value:
        """A value of the Program IR for one without parts."""
        if isinstance(item, int):
            wanted = scalar(self.module, type)
            if wanted == Type.F64:
                return self.build.f64(float(item))
            return self.build.i1(item & 1) if wanted == Type.I1 else self.build.i64(item)
        if isinstance(item, tuple):
            raise Unsupported(f"a value of the type '{type}' here")
        return item

    def value(self, operand: llvm.Value) -> Value:
        """An operand without parts."""
        return self.settled(self.item(operand), operand.type)

    def item(self, operand: llvm.Value) -> Item:
        """An operand."""
        match operand:
            case llvm.Local(name=name):
                if name not in self.env:
                    known = did_you_mean(name, self.env)
                    raise self.error(f"'%{name}' is not defined here", known)
                return self.env[name]
            case llvm.Int(value=number):
                return number
            case llvm.Float(type=type, value=real):
                scalar(self.module, type)
                return self.build.f64(real)
            case llvm.Special(type=type):
                return self._zero(type)
            case llvm.Symbol(name=name):
                return self.callees.address(name)
            case llvm.Aggregate(elements=elements, splat=False):
                return tuple(self.item(element) for element in elements)
            case llvm.Text(data=data):
                return tuple(data)
            case llvm.Expression():
                return self._expression(operand)
        raise Unsupported(f"the operand '{operand.__class__.__name__.lower()}'")

    def _zero(self, type: llvm.Type) -> Item:
        """Zero, which also stands for what is undefined: any value will do there."""
        one = scalar(self.module, type)
        if one == Type.F64:
            return self.build.f64(0.0)
        if one is not None:
            return 0
        self.scalars([type])
        return tuple(self._zero(part) for part in parts(self.module, type))

    def _expression(self, expression: llvm.Expression) -> Item:
        if expression.opcode == "getelementptr":
            return self._element(expression.source, expression.operands)
        made = llvm.Instruction(
            expression.opcode,
            None,
            expression.operands[0].type if expression.opcode in _SAME else expression.type,
            expression.operands,
            expression.words,
        )
        return self._computed(made)

    # -- instructions

    def _instruction(self, instruction: llvm.Instruction, label: str) -> None:
        opcode = instruction.opcode
        if opcode in _ENDS:
            _ENDS[opcode](self, instruction, label)
            return
        if opcode in ("call", "invoke"):
            result = self._call(instruction)
            if opcode == "invoke":
                self._go(label, instruction.operands[-2])
        elif opcode == "store":
            what, where = instruction.operands
            self._store(self.item(what), what.type, self.value(where))
            result = None
        else:
            result = self._computed(instruction)
        if instruction.result is not None and result is not None:
            self.env[instruction.result] = result

    def _computed(self, instruction: llvm.Instruction) -> Item:
        opcode, operands, build = instruction.opcode, instruction.operands, self.build
        if opcode in _COPIES:
            before, after = operands[0].type, instruction.type
            if scalar(self.module, before) != scalar(self.module, after):
                raise Unsupported(f"'{opcode}' from '{before}' to '{after}'")
            return self.item(operands[0])
        if opcode == "getelementptr":
            return self._element(instruction.type, operands)
        if opcode == "select":
            bit, yes, no = operands
            return self._selected(self.value(bit), self.item(yes), self.item(no), yes.type)
        if opcode == "alloca":
            return self._allocated(instruction)
        if opcode == "load":
            return self._load(instruction.type, self.value(operands[0]))
        if opcode == "extractvalue":
            return self._part(self.item(operands[0]), operands[1:])
        if opcode == "insertvalue":
            whole, part, *path = operands
            return self._with_part(self.item(whole), self.item(part), path)
        if opcode in _FLOATS:
            scalar(self.module, instruction.type)
            return build.op(_FLOATS[opcode], [self.value(operand) for operand in operands])
        if opcode == "fneg":
            return build.op("subf", [build.f64(-0.0), self.value(operands[0])])
        if opcode in ("icmp", "fcmp"):
            return self._compared(instruction)
        if opcode in _SAME or opcode in _UNSIGNED:
            return self._arithmetic(instruction)
        if opcode in _CASTS:
            return _CASTS[opcode](self, self.value(operands[0]), operands[0].type, instruction.type)
        raise Unsupported(f"the instruction '{opcode}'")

    def _width(self, type: llvm.Type) -> int:
        type = resolve(self.module, type)
        if isinstance(type, llvm.PointerType):
            return 64
        if not isinstance(type, llvm.IntType) or type.width > 64:
            raise Unsupported(f"arithmetic with values of the type '{type}'")
        return type.width

    def _arithmetic(self, instruction: llvm.Instruction) -> Value:
        opcode, build = instruction.opcode, self.build
        width = self._width(instruction.type)
        a, b = (self.value(operand) for operand in instruction.operands)
        if width == 1:
            if opcode in ("add", "sub", "xor"):
                return build.op("xor", [a, b])
            if opcode in ("and", "mul"):
                return build.op("and", [a, b])
            if opcode == "or":
                return build.or_(a, b)
            raise Unsupported(f"'{opcode}' of single bits")
        if opcode in _UNSIGNED:
            a, b = self.unsigned(a, width), self.unsigned(b, width)
        found = build.op(_SAME.get(opcode) or _UNSIGNED[opcode], [a, b])
        return found if opcode in ("and", "or", "xor", "ashr") else self.narrowed(found, width)

    def narrowed(self, value: Value, width: int) -> Value:
        """The lowest bits of an integer, sign-extended."""
        return value if width == 64 else self.build.op("extsi", [value], {"bits": width})

    def unsigned(self, value: Value, width: int) -> Value:
        """A narrow integer, zero-extended."""
        if width == 64:
            return value
        return self.build.op("andi", [value, self.build.i64((1 << width) - 1)])

    def _compared(self, instruction: llvm.Instruction) -> Value:
        predicate = instruction.words[-1]
        a, b = (self.value(operand) for operand in instruction.operands)
        if instruction.opcode == "fcmp":
            if predicate in ("true", "false"):
                return self.build.i1(predicate == "true")
            return self.build.op("cmpf", [a, b], {"predicate": predicate})
        if self._width(instruction.operands[0].type) == 1:
            if predicate in ("eq", "ne"):
                differs = self.build.op("xor", [a, b])
                return differs if predicate == "ne" else self.build.not_(differs)
            a, b = self.build.op("extui", [a]), self.build.op("extui", [b])
            if predicate[0] == "s":  # the bit 1 is -1
                a, b = b, a
        return self.build.op("cmpi", [a, b], {"predicate": predicate})

    def _selected(self, bit: Value, yes: Item, no: Item, type: llvm.Type) -> Item:
        if isinstance(yes, tuple) and isinstance(no, tuple):
            inner = parts(self.module, type)
            pairs = zip(yes, no, inner, strict=True)
            return tuple(self._selected(bit, a, b, each) for a, b, each in pairs)
        a, b = self.settled(yes, type), self.settled(no, type)
        return self.build.op(f"select_{_SUFFIX[a.type]}", [bit, a, b])

    # -- memory

    def _allocated(self, instruction: llvm.Instruction) -> Value:
        size = self.build.i64(extent(self.module, instruction.type)[0])
        if instruction.operands:
            size = self.build.op("muli", [size, self.value(instruction.operands[0])])
        return self.build.op("allocate", [size], {"space": "memory"})

    def _element(self, source: llvm.Type | None, operands: Sequence[llvm.Value]) -> Item:
        base, first, *rest = operands
        if source is None:
            raise Unsupported("'getelementptr' without a type")
        found = self._moved(self.item(base), self.item(first), extent(self.module, source)[0])
        for index in rest:
            number = self.item(index)
            whole = resolve(self.module, source)
            if isinstance(whole, llvm.ArrayType):
                source = whole.element
                found = self._moved(found, number, extent(self.module, source)[0])
                continue
            if not isinstance(number, int):
                raise Unsupported(f"a computed index into the type '{whole}'")
            distance, source = offset(self.module, whole, number)
            found = self._moved(found, distance, 1)
        return found

    def _moved(self, address: Item, index: Item, size: int) -> Item:
        """The address of an element of some size in bytes."""
        if isinstance(index, int):
            if index == 0:
                return address
            if isinstance(address, int):
                return address + index * size
            distance = self.build.i64(index * size)
        else:
            distance = self.build.op("muli", [self._pointer(index), self.build.i64(size)])
        return self.build.op("addi", [self._pointer(address), distance])

    def _pointer(self, item: Item) -> Value:
        return self.settled(item, llvm.PointerType())

    def _load(self, type: llvm.Type, address: Value) -> Item:
        one = scalar(self.module, type)
        if one is not None:
            return self.build.op(f"load_{_SUFFIX[one]}", [address], {"space": "memory"})
        self.scalars([type])
        loaded = []
        for index in range(len(parts(self.module, type))):
            distance, part = offset(self.module, type, index)
            loaded.append(self._load(part, self._pointer(self._moved(address, distance, 1))))
        return tuple(loaded)

    def _store(self, item: Item, type: llvm.Type, address: Value) -> None:
        if not isinstance(item, tuple):
            value = self.settled(item, type)
            self.build.do(f"store_{_SUFFIX[value.type]}", [value, address], {"space": "memory"})
            return
        for index, part in enumerate(item):
            distance, inner = offset(self.module, type, index)
            self._store(part, inner, self._pointer(self._moved(address, distance, 1)))

    def initialise(self, variable: llvm.Variable, address: int) -> None:
        """Store what a global variable holds at first."""
        self.line = variable.line
        if variable.initializer is not None:
            item = self.item(variable.initializer)
            self._store(item, variable.type, self.build.i64(address))

    def _part(self, item: Item, path: Sequence[llvm.Value]) -> Item:
        for index in path:
            item = self._member(item, index)[0]
        return item

    def _with_part(self, item: Item, part: Item, path: Sequence[llvm.Value]) -> Item:
        if not path:
            return part
        inner, number, whole = self._member(item, path[0])
        changed = self._with_part(inner, part, path[1:])
        return (*whole[:number], changed, *whole[number + 1 :])

    def _member(self, item: Item, index: llvm.Value) -> tuple[Item, int, tuple[Item, ...]]:
        number = index.value if isinstance(index, llvm.Int) else -1
        if not isinstance(item, tuple) or not 0 <= number < len(item):
            raise self.error("there is no such part")
        return item[number], number, item

    # -- calls

    def _call(self, instruction: llvm.Instruction) -> Item | None:
        callee = instruction.operands[0]
        end = -2 if instruction.opcode == "invoke" else None
        arguments = instruction.operands[1:end]
        while isinstance(callee, llvm.Expression) and callee.opcode == "bitcast":
            callee = callee.operands[0]
        if not isinstance(callee, llvm.Symbol):
            raise Unsupported("a call of a computed address")
        function = self.module.functions.get(callee.name)
        if function is not None and not function.is_declaration:
            return self._call_defined(function, arguments)
        known = known_function(callee.name, len(arguments))
        if known is not None:
            return self.runtime.call(callee.name, known, arguments)
        return self._call_other(callee.name, arguments, instruction.type)

    def _call_defined(
        self, function: llvm.Function, arguments: Sequence[llvm.Value]
    ) -> Item | None:
        if function is self.entry.function:
            raise Unsupported("a call of the entry point")
        types = [parameter.type for parameter in function.parameters]
        if len(types) != len(arguments):
            message = f"'@{function.name}' takes {len(types)} arguments, not {len(arguments)}"
            raise self.error(message)
        values = [v for a, type in zip(arguments, types, strict=True) for v in self._fit(a, type)]
        results = self.scalars([function.type.result])
        found = self.build.call(self.callees.name(function.name), values, results)
        return self.gathered(function.type.result, iter(found)) if results else None

    def _fit(self, argument: llvm.Value, type: llvm.Type) -> list[Value]:
        if self.scalars([argument.type]) != self.scalars([type]):
            raise self.error(f"the argument is a '{argument.type}' and should be a '{type}'")
        return self.flat(self.item(argument), type)

    def _call_other(
        self, name: str, arguments: Sequence[llvm.Value], type: llvm.Type
    ) -> Item | None:
        """A function of the mathematical library or an intrinsic of LLVM."""
        if name.startswith(IGNORED_INTRINSICS):
            return None
        stem = name.removeprefix("llvm.").removesuffix(".f64")
        if scalar_or_none(self.module, type) == Type.F64:
            if stem in MATH and len(arguments) == 1:
                value = self.value(arguments[0])
                return self.build.op("mathf", [value], {"function": MATH[stem]})
            if stem == "pow" and len(arguments) == 2:
                return self.build.op("powf", [self.value(argument) for argument in arguments])
        stem = name.removeprefix("llvm.").partition(".")[0]
        if name.startswith("llvm.") and stem in _MINMAX:
            a, b = (self.value(argument) for argument in arguments)
            first = self.build.op("cmpi", [a, b], {"predicate": _MINMAX[stem]})
            return self.build.op("select_i64", [first, a, b])
        raise unknown_function(self, name)

    # -- control flow

    def _arguments(self, label: str, target: str) -> list[Value]:
        """What the arguments of a block are when it is reached from another."""
        values: list[Value] = []
        for phi in _phis(self.blocks[target][0]):
            pairs = zip(phi.operands[::2], phi.operands[1::2], strict=True)
            from_here = next((value for value, block in pairs if _label(block) == label), None)
            if from_here is None:
                raise self.error(f"'%{phi.result}' has no value for block '%{label}'")
            values += self.flat(self.item(from_here), phi.type)
        return values

    def _go(self, label: str, target: llvm.Value) -> None:
        name = _label(target)
        self.build.br(self.blocks[name][1], self._arguments(label, name))

    def _branch(self, instruction: llvm.Instruction, label: str) -> None:
        if len(instruction.operands) == 1:
            self._go(label, instruction.operands[0])
            return
        bit, *targets = instruction.operands
        value = self.value(bit)
        then, otherwise = (_label(target) for target in targets)
        given = self._arguments(label, then), self._arguments(label, otherwise)
        self.build.cond_br(value, self.blocks[then][1], self.blocks[otherwise][1], *given)

    def _switch(self, instruction: llvm.Instruction, label: str) -> None:
        subject, default, *cases = instruction.operands
        value = self.value(subject)
        if value.type == Type.I1:
            value = self.build.op("extui", [value])
        for case, target in zip(cases[::2], cases[1::2], strict=True):
            wanted = self.build.i64(case.value if isinstance(case, llvm.Int) else 0)
            equal = self.build.op("cmpi", [value, wanted], {"predicate": "eq"})
            name, further = _label(target), self.build.new_block()
            given = self._arguments(label, name)
            self.build.cond_br(equal, self.blocks[name][1], further, given)
            self.build.enter(further)
        self._go(label, default)

    def _return(self, instruction: llvm.Instruction, _: str) -> None:
        if self.is_main:
            self.build.ret()
            return
        values = [v for operand in instruction.operands for v in self._fit(operand, operand.type)]
        if [value.type for value in values] != list(self.build.function.results):
            raise self.error("the returned value is not of the function's type")
        self.build.ret(values)

    def _unreachable(self, _: llvm.Instruction, __: str) -> None:
        self.build.fail("the program gets to a place that it says it cannot")


def scalar_or_none(module: llvm.Module, type: llvm.Type) -> Type | None:
    """`qir_layout.scalar`, with None for whatever has no scalar type."""
    try:
        return scalar(module, type)
    except Unsupported:
        return None


def unknown_function(lowering: FunctionLowering, name: str) -> CompileError:
    """The error about a call of a function that is neither defined nor known."""
    if name.startswith("__quantum__"):
        known = [each.partition("/")[0] for each in FUNCTIONS]
        return lowering.error(
            f"QIR's function '{name}' is not supported", did_you_mean(name, known)
        )
    if name.startswith("llvm."):
        return lowering.error(f"LLVM's intrinsic '{name}' is not supported")
    return lowering.error(
        f"'@{name}' is called, but only declared",
        help="define it in the module, or express it with the functions of QIR",
    )


def _phis(block: llvm.Block) -> Iterator[llvm.Instruction]:
    for instruction in block.instructions:
        if instruction.opcode != "phi":
            return
        yield instruction


def _label(operand: llvm.Value) -> str:
    assert isinstance(operand, llvm.Local)
    return operand.name


def _targets(block: llvm.Block) -> list[str]:
    """The labels that the end of a block leads to, the last one first."""
    if not block.instructions:
        return []
    last = block.instructions[-1]
    if last.opcode == "invoke":  # nothing here throws, so nothing unwinds
        return [_label(last.operands[-2])]
    if last.opcode not in ("br", "switch"):
        return []
    return [_label(o) for o in reversed(last.operands) if o.type is llvm.LABEL]


_ENDS: dict[str, Callable[[FunctionLowering, llvm.Instruction, str], None]] = {
    "br": FunctionLowering._branch,
    "switch": FunctionLowering._switch,
    "ret": FunctionLowering._return,
    "unreachable": FunctionLowering._unreachable,
}


def _truncate(low: FunctionLowering, value: Value, _: llvm.Type, after: llvm.Type) -> Value:
    width = low._width(after)
    return low.build.op("trunci", [value]) if width == 1 else low.narrowed(value, width)


def _extend_zero(low: FunctionLowering, value: Value, before: llvm.Type, _: llvm.Type) -> Value:
    if value.type == Type.I1:
        return low.build.op("extui", [value])
    return low.unsigned(value, low._width(before))


def _extend_sign(low: FunctionLowering, value: Value, *_: Any) -> Value:
    if value.type == Type.I1:
        return low.build.op("subi", [low.build.i64(0), low.build.op("extui", [value])])
    return value


def _to_float(low: FunctionLowering, value: Value, before: llvm.Type, after: llvm.Type) -> Value:
    scalar(low.module, after)
    return low.build.op("sitofp", [_extend_sign(low, value)])


def _to_float_unsigned(
    low: FunctionLowering, value: Value, before: llvm.Type, after: llvm.Type
) -> Value:
    scalar(low.module, after)
    return low.build.op("uitofp", [_extend_zero(low, value, before, after)])


def _to_integer(low: FunctionLowering, value: Value, _: llvm.Type, after: llvm.Type) -> Value:
    return low.narrowed(low.build.op("fptosi", [value]), low._width(after))


def _to_unsigned(low: FunctionLowering, value: Value, _: llvm.Type, after: llvm.Type) -> Value:
    return low.narrowed(low.build.op("fptoui", [value]), low._width(after))


_CASTS: dict[str, Callable[[FunctionLowering, Value, llvm.Type, llvm.Type], Value]] = {
    "trunc": _truncate,
    "zext": _extend_zero,
    "sext": _extend_sign,
    "sitofp": _to_float,
    "uitofp": _to_float_unsigned,
    "fptosi": _to_integer,
    "fptoui": _to_unsigned,
}
