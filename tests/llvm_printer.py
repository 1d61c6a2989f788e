"""Prints what the reader of LLVM assembly read, for another reader to read again.

All pointers are printed without what they point to; attributes are left out.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from qwasmc.grammar import llvm_tree as tree


def module(read: tree.Module) -> str:
    lines = [f"{_quoted('%', name)} = type {_body(body)}" for name, body in read.types.items()]
    lines += map(_variable, read.variables.values())
    for function in read.functions.values():
        lines += _function(function)
    return "\n".join(lines) + "\n"


def _body(type: tree.Type | None) -> str:
    return "opaque" if type is None else type_text(type)


def _quoted(sigil: str, name: str) -> str:
    escaped = "".join(
        f"\\{b:02x}" if b < 32 or b > 126 or b in b'"\\' else chr(b) for b in name.encode()
    )
    return f'{sigil}"{escaped}"' if not name.isdecimal() else f"{sigil}{name}"


def _variable(variable: tree.Variable) -> str:
    start = _quoted("@", variable.name)
    if variable.kind in ("alias", "ifunc"):
        assert variable.initializer is not None
        return f"{start} = alias {type_text(variable.type)}, {typed(variable.initializer)}"
    linkage = "external " if variable.initializer is None else ""
    value = "" if variable.initializer is None else plain(variable.initializer)
    return f"{start} = {linkage}{variable.kind} {type_text(variable.type)} {value}"


def _function(function: tree.Function) -> Iterator[str]:
    start = f"{type_text(function.type.result)} {_quoted('@', function.name)}"
    if function.is_declaration:
        types = [*map(type_text, function.type.parameters), *["..."][: function.type.is_vararg]]
        yield f"declare {start}({', '.join(types)})"
        return
    inside = [f"{type_text(p.type)} {_quoted('%', p.name)}" for p in function.parameters]
    inside += ["..."][: function.type.is_vararg]
    yield f"define {start}({', '.join(inside)}) {{"
    for block in function.blocks:
        yield f"{_quoted('', block.label)}:"
        for instruction in block.instructions:
            yield instruction_text(instruction)
    yield "}"


# ---------------------------------------------------------------- types and values


def type_text(type: tree.Type) -> str:
    match type:
        case tree.PointerType(_, space):
            return f"ptr addrspace({space})" if space else "ptr"
        case tree.ArrayType(length, element):
            return f"[{length} x {type_text(element)}]"
        case tree.VectorType(length, element):
            return f"<{length} x {type_text(element)}>"
        case tree.StructType(elements, packed):
            inner = f"{{ {', '.join(map(type_text, elements))} }}"
            return f"<{inner}>" if packed else inner
        case tree.NamedType(name):
            return _quoted("%", name)
        case tree.FunctionType(result, parameters, is_vararg):
            types = [*map(type_text, parameters), *["..."][:is_vararg]]
            return f"{type_text(result)} ({', '.join(types)})"
    return str(type)


def typed(value: tree.Value) -> str:
    return f"{type_text(value.type)} {plain(value)}"


def plain(value: tree.Value) -> str:
    match value:
        case tree.Local(_, name):
            return _quoted("%", name)
        case tree.Symbol(_, name):
            return _quoted("@", name)
        case tree.Int(_, number):
            return str(number)
        case tree.Float(_, number):
            return "0x" + struct.pack(">d", number).hex().upper()
        case tree.Special(_, word):
            return word
        case tree.Text(_, data):
            return 'c"' + "".join(f"\\{byte:02x}" for byte in data) + '"'
        case tree.Aggregate(type, elements, splat):
            inner = ", ".join(map(typed, elements))
            if splat:
                return f"splat ({inner})"
            if isinstance(type, tree.StructType) and type.packed:
                return f"<{{ {inner} }}>"
            opening, closing = (
                "[]"
                if isinstance(type, tree.ArrayType)
                else "<>"
                if isinstance(type, tree.VectorType)
                else "{}"
            )
            return f"{opening} {inner} {closing}"
        case tree.Expression(type, opcode, operands, words, source):
            start = " ".join([opcode, *words])
            inner = ", ".join(map(typed, operands))
            if source is not None:
                return f"{start} ({type_text(source)}, {inner})"
            if len(operands) == 1:
                return f"{start} ({inner} to {type_text(type)})"
            return f"{start} ({inner})"
        case tree.Meta(_, item):
            return typed(item) if isinstance(item, tree.Value) else "!{}"
        case tree.Assembler(_, text):
            return f'asm "{text.decode()}", ""'
    raise AssertionError(value)


# ---------------------------------------------------------------- instructions


def instruction_text(found: tree.Instruction) -> str:
    start = "  " if found.result is None else f"  {_quoted('%', found.result)} = "
    return start + _operation(found)


def _operation(found: tree.Instruction) -> str:
    head = " ".join([found.opcode, *found.words])
    operands = found.operands
    type = type_text(found.type)
    match found.opcode:
        case "call" | "invoke":
            return _call(found)
        case "ret" | "unreachable":
            return f"{head} {typed(operands[0]) if operands else 'void' * (head == 'ret')}"
        case "switch":
            cases = operands[2:]
            pairs = [
                f"{typed(v)}, {typed(b)}" for v, b in zip(cases[::2], cases[1::2], strict=True)
            ]
            return f"switch {typed(operands[0])}, {typed(operands[1])} [ {' '.join(pairs)} ]"
        case "phi":
            pairs = [
                f"[ {plain(v)}, {plain(b)} ]"
                for v, b in zip(operands[::2], operands[1::2], strict=True)
            ]
            return f"{head} {type} {', '.join(pairs)}"
        case "alloca" | "load" | "getelementptr":
            return f"{head} {', '.join([type, *map(typed, operands)])}"
        case "extractvalue" | "insertvalue":
            count = 1 + (found.opcode == "insertvalue")
            indices = [plain(index) for index in operands[count:]]
            return f"{head} {', '.join([*map(typed, operands[:count]), *indices])}"
        case "landingpad":
            return f"landingpad {type} {' '.join(found.words)}" + "".join(
                f" catch {typed(v)}" for v in operands
            )
    if found.opcode in CASTS:
        return f"{head} {typed(operands[0])} to {type}"
    if found.opcode in ("icmp", "fcmp") or (
        len(operands) == 2 and found.opcode not in ("store", "extractelement")
    ):
        return f"{head} {typed(operands[0])}, {plain(operands[1])}"
    return f"{head} {', '.join(map(typed, operands))}"


# fmt: off
CASTS = {
    "trunc", "zext", "sext", "fptrunc", "fpext", "fptoui", "fptosi", "uitofp", "sitofp", "ptrtoint",
    "inttoptr", "bitcast", "addrspacecast",
}
# fmt: on


def _call(found: tree.Instruction) -> str:
    callee, *arguments = found.operands
    blocks = arguments[-2:] if found.opcode == "invoke" else []
    arguments = arguments[: len(arguments) - len(blocks)]
    tail = [word for word in found.words if word in ("tail", "musttail", "notail")]
    flags = [word for word in found.words if word in FLAGS]
    inside = ", ".join(map(typed, arguments))
    assert isinstance(callee.type, tree.PointerType)
    function = type_text(callee.type.pointee or found.type)
    text = " ".join([*tail, found.opcode, *flags, function, f"{plain(callee)}({inside})"])
    return f"{text} to {typed(blocks[0])} unwind {typed(blocks[1])}" if blocks else text


FLAGS = {"nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc", "fast"}
