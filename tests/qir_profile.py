"""The rules of QIR's Base and Adaptive Profile, checked on the text of a module.

Written down from the profiles of https://github.com/qir-alliance/qir-spec; LLVM itself takes the
text apart, and verifies it.  Raises AssertionError where a rule is broken, also where a module
declares more than it uses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import llvmlite.binding as llvm

CALLEE = re.compile(r"call [^@]*@([\w.$-]+)\(")
NUMBER = re.compile(r"ptr (?:null|inttoptr \(i64 (\d+) to ptr\))")
FLAG = re.compile(r'^!\d+ = !\{i32 (\d), !"(\w+)", (.*)\}$', re.MULTILINE)
LABEL = re.compile(r'^@(\d+) = internal constant \[(\d+) x i8\] c"(.*)\\00"$', re.MULTILINE)

BEHAVIOURS = {"qir_major_version": 1, "qir_minor_version": 7, "int_computations": 5}
BEHAVIOURS |= {"float_computations": 5}
"""Where it is not 1 (Error)."""

SIGNATURES = {
    "__quantum__rt__initialize": "void (ptr)",
    "__quantum__rt__read_result": "zeroext i1 (ptr readonly)",
    "__quantum__rt__tuple_record_output": "void (i64, ptr)",
    "__quantum__rt__result_record_output": "void (ptr, ptr)",
    "__quantum__rt__bool_record_output": "void (i1 zeroext, ptr)",
    "__quantum__rt__int_record_output": "void (i64, ptr)",
    "__quantum__rt__double_record_output": "void (double, ptr)",
    "__quantum__qis__mz__body": "void (ptr, ptr writeonly)",
}
QUBITS = {
    **dict.fromkeys(("h", "x", "y", "z", "s", "t", "reset"), 1),
    **dict.fromkeys(("cx", "cy", "cz", "swap"), 2),
    "ccx": 3,
}
ROTATIONS = {"rx": 1, "ry": 1, "rz": 1, "rxx": 2, "ryy": 2, "rzz": 2}
for stem, count in (*QUBITS.items(), *ROTATIONS.items()):
    types = ["double"] * (stem in ROTATIONS) + ["ptr"] * count
    SIGNATURES[f"__quantum__qis__{stem}__body"] = f"void ({', '.join(types)})"
for stem in ("s", "t"):
    SIGNATURES[f"__quantum__qis__{stem}__adj"] = "void (ptr)"

BOOLEAN = {"and", "or", "xor", "select", "phi"}
"""Instructions that every adaptive backend has, for bits."""
INTEGER = {"add", "sub", "mul", "udiv", "sdiv", "urem", "srem", "shl", "lshr", "ashr", "icmp"}
INTEGER |= {"zext", "sext"}
FLOAT = {"fadd", "fsub", "fmul", "fdiv", "fcmp"}


class Call:
    """A call, from its text."""

    def __init__(self, text: str) -> None:
        found = CALLEE.search(text)
        assert found, text
        self.name = found[1]
        self.arguments = text[found.end() :]
        self.numbers = [int(n or 0) for n in NUMBER.findall(self.arguments)]
        self.records = self.name.endswith("_record_output")


def check(text: str) -> dict[str, str]:
    """Check a module; returns its flags, with the profile as `profile`."""
    module = llvm.parse_assembly(text, context=llvm.create_context())
    module.verify()
    defined = [function for function in module.functions if not function.is_declaration]
    flags = {name: value for _, name, value in FLAG.findall(text)}
    for behaviour, name, _ in FLAG.findall(text):
        assert int(behaviour) == BEHAVIOURS.get(name, 1), name
    assert flags.pop("qir_major_version") == "i32 2"
    assert flags.pop("qir_minor_version") == "i32 0"
    assert flags.pop("dynamic_qubit_management") == "i1 false"
    assert flags.pop("dynamic_result_management") == "i1 false"
    entry, attributes = _entry(text)
    assert [f.name for f in defined if f.name == entry] == [entry]
    _declarations(module, text)
    sizes = [int(attributes[f"required_num_{what}"]) for what in ("qubits", "results")]
    for function in defined:
        for block in function.blocks:
            for instruction in block.instructions:
                _numbers(str(instruction), sizes)
    profile = attributes["qir_profiles"]
    if profile == "base_profile":
        assert not flags
        assert len(defined) == 1
        _base(defined[0])
    else:
        assert profile == "adaptive_profile"
        _adaptive(defined, entry, flags)
    return flags | {"profile": profile}


def _entry(text: str) -> tuple[str, dict[str, str]]:
    found = re.findall(r"^define i64 @(\w+)\(\) #0 \{$", text, re.MULTILINE)
    assert len(found) == 1
    line = re.search(r"^attributes #0 = \{ (.*) \}$", text, re.MULTILINE)
    assert line
    pairs = dict(re.findall(r'"(\w+)"(?:="([^"]*)")?', line[1]))
    wanted = {"entry_point", "output_labeling_schema", "qir_profiles"}
    assert pairs.keys() == wanted | {"required_num_qubits", "required_num_results"}
    return found[0], pairs


def _declarations(module: llvm.ModuleRef, text: str) -> None:
    for function in module.functions:
        if function.is_declaration:
            returned, _, taken = SIGNATURES[function.name].partition(" (")
            mark = " #1" if function.name == "__quantum__qis__mz__body" else ""
            assert f"\ndeclare {returned} @{function.name}({taken}{mark}\n" in text
    assert ('attributes #1 = { "irreversible" }' in text) == ("mz__body" in text)


def _numbers(text: str, sizes: list[int]) -> None:
    """Qubits and results are in range."""
    if "call" not in text.partition("(")[0]:
        return
    call = Call(text)
    if call.name.endswith("mz__body"):
        *numbers, result = call.numbers
        assert result < sizes[1]
    elif call.name in ("__quantum__rt__read_result", "__quantum__rt__result_record_output"):
        assert call.numbers[0] < sizes[1]
        numbers = []
    else:
        numbers = call.numbers if "__rt__" not in call.name else []
    assert all(number < sizes[0] for number in numbers)


def _calls(block: llvm.ValueRef) -> list[Call]:
    return [Call(str(i)) for i in block.instructions if i.opcode == "call"]


def _output(calls: list[Call]) -> None:
    """Records, each with a label of its own."""
    labels = [call.arguments.rsplit("@", 1)[1] for call in calls]
    assert all(call.records for call in calls)
    assert len(set(labels)) == len(labels)


def _base(function: llvm.ValueRef) -> None:
    """Four blocks in a row; a qubit is not used after it is measured."""
    blocks = list(function.blocks)
    assert len(blocks) == 4
    for block, following in pairwise(blocks):
        *others, end = block.instructions
        assert {each.opcode for each in others} <= {"call"}
        assert str(end).strip() == f"br label %{following.name}"
    entry, gates, measurements, output = map(_calls, blocks)
    assert [call.name for call in entry] == ["__quantum__rt__initialize"]
    assert all("__qis__" in call.name and "mz__" not in call.name for call in gates)
    assert not any("reset" in call.name for call in gates)
    assert all(call.name == "__quantum__qis__mz__body" for call in measurements)
    for place in (0, 1):
        used = [call.numbers[place] for call in measurements]
        assert len(set(used)) == len(used)
    *others, end = blocks[3].instructions
    assert {each.opcode for each in others} <= {"call"}
    assert str(end).strip() == "ret i64 0"
    _output(output)
    assert {call.name.split("__")[3] for call in output} <= {
        "tuple_record_output",
        "result_record_output",
    }


def _adaptive(defined: list[llvm.ValueRef], entry: str, flags: dict[str, str]) -> None:
    used: dict[str, str] = {}
    names = {function.name for function in defined}
    calls = {f.name: [c for b in f.blocks for c in _calls(b)] for f in defined}
    for function in defined:
        loops = _has_loop(function)
        if loops:
            assert flags["backwards_branching"] in ("i2 1", "i2 2", "i2 3")
            used["backwards_branching"] = flags["backwards_branching"]
        returns = [b for b in function.blocks if list(b.instructions)[-1].opcode == "ret"]
        if len(returns) > 1:
            used["multiple_return_points"] = "i1 true"
        for block in function.blocks:
            for instruction in block.instructions:
                _instruction(instruction, loops, used)
            _ends_with_output(block, function.name == entry)
    first = next(iter(next(f for f in defined if f.name == entry).blocks))
    assert _calls(first)[0].name == "__quantum__rt__initialize"
    assert sum(c.name == "__quantum__rt__initialize" for cs in calls.values() for c in cs) == 1
    if len(defined) > 1:
        used["ir_functions"] = "i1 true"
        assert not _recursive({f: {c.name for c in cs} & names for f, cs in calls.items()}, entry)
    assert flags == used, (flags, used)


def _instruction(instruction: llvm.ValueRef, loops: bool, used: dict[str, str]) -> None:
    """One instruction of the profile; adds to `used` what it needs."""
    opcode, text = instruction.opcode, str(instruction).strip()
    assert "load" not in text.split(" = ")[-1].split(" ")[0]
    if opcode in ("call", "br", "ret"):
        if opcode == "call" and "__" not in Call(text).name:
            _types(Call(text).arguments, used)
        return
    if opcode == "inttoptr":  # of a counter of a loop
        (operand,) = instruction.operands
        assert loops
        assert " = phi i64 " in str(operand)
        return
    if opcode in FLOAT:
        used["float_computations"] = '!{!"double"}'
    elif opcode in INTEGER:
        used["int_computations"] = '!{!"i64"}'
    else:
        assert opcode in BOOLEAN, text
    _types(text, used)


def _types(text: str, used: dict[str, str]) -> None:
    plain = re.sub(r"inttoptr \(i64 \d+ to ptr\)", "", text)
    if re.search(r"\bi64\b", plain):
        used["int_computations"] = '!{!"i64"}'
    if re.search(r"\bdouble\b", plain):
        used["float_computations"] = '!{!"double"}'


def _ends_with_output(block: llvm.ValueRef, is_entry: bool) -> None:
    """Records stand at the end of a block of the entry point that returns, and nowhere else."""
    calls = [(i, Call(str(i))) if i.opcode == "call" else (i, None) for i in block.instructions]
    records = [at for at, (_, call) in enumerate(calls) if call and call.records]
    if not records:
        return
    assert is_entry
    assert records == list(range(records[0], len(calls) - 1))
    assert str(calls[-1][0]).strip() == "ret i64 0"
    _output([call for _, call in calls if call and call.records])


def _successors(function: llvm.ValueRef) -> dict[str, list[str]]:
    ends = {block.name: str(list(block.instructions)[-1]) for block in function.blocks}
    return {name: re.findall(r"label %([\w.]+)", end) for name, end in ends.items()}


def _has_loop(function: llvm.ValueRef) -> bool:
    return _recursive(
        {name: set(after) for name, after in _successors(function).items()},
        next(iter(function.blocks)).name,
    )


def _recursive(graph: dict[str, set[str]], start: str) -> bool:
    """Whether there is a cycle that can be reached."""
    done: set[str] = set()
    way = [start]
    rest: list[Iterator[str]] = [iter(sorted(graph[start]))]
    while way:
        after = next(rest[-1], None)
        if after is None:
            done.add(way.pop())
            rest.pop()
        elif after in way:
            return True
        elif after not in done:
            way.append(after)
            rest.append(iter(sorted(graph[after])))
    return False
