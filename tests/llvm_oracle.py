"""What the tests of LLVM assembly share: the corpus, and LLVM itself as another reader."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path

import llvmlite.binding as llvm
import pytest

from qwasmc.diagnostics import CompileError, render
from qwasmc.grammar.bitcode import is_bitcode, to_text
from qwasmc.grammar.llvm import parse
from qwasmc.grammar.llvm_tree import Instruction, Module

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "qir"
NO_MODULES = {
    "source__compiler__qsc_codegen__src__qir__v1__template.ll": "a module consists of",
    "source__compiler__qsc_codegen__src__qir__v2__template.ll": "a module consists of",
    "source__simulators__src__bin__ising.ll": "an instruction outside of a function",
}
"""Files of the corpus with the parts of modules, and what is wrong with them."""
UNREAD_BY_LLVM = {"qir__qsharp__SeparationTest__QSharpVersion__qir__Example.ll"}
"""Multiplies in constant expressions, which LLVM has given up."""
FILES = sorted([*CORPUS.rglob("*.ll"), *CORPUS.rglob("*.bc")])


def corpus(files: list[Path]) -> pytest.MarkDecorator:
    """A test for each of some files of the corpus; skipped without it."""
    ids = [str(path.relative_to(CORPUS)) for path in files]
    if not files:
        return pytest.mark.skip(reason="the corpus is not here")
    return pytest.mark.parametrize("path", files, ids=ids)


MODULES = [path for path in FILES if path.name not in NO_MODULES]


def text_of(path: Path) -> bytes:
    data = path.read_bytes()
    return to_text(data, path.name) if is_bitcode(data) else data


def load(text: str) -> Module:
    return parse(text.encode(), "test.ll")


def body(*lines: str) -> list[Instruction]:
    """The instructions of a function with these lines."""
    (function,) = load(inside(*lines)).functions.values()
    return [found for block in function.blocks for found in block.instructions][:-1]


def inside(*lines: str) -> str:
    """A function with these lines."""
    return "\n".join(["define void @f() {", *lines, "  ret void", "}"])


def one(line: str) -> Instruction:
    (instruction,) = body(line)
    return instruction


def problems(text: str | bytes) -> list[tuple[str, int, int]]:
    """Message, line and column of the errors."""
    with pytest.raises(CompileError) as caught:
        parse(text if isinstance(text, bytes) else text.encode(), "test.ll")
    found = []
    for diagnostic in caught.value.diagnostics:
        assert render(diagnostic)
        assert diagnostic.place is not None
        found.append((diagnostic.message, diagnostic.place.line, diagnostic.place.column))
    return found


# ---------------------------------------------------------------- LLVM

LEFT_OUT = re.compile(
    r", align \d+|(?<= )(?:zeroext|signext|noundef|nonnull|writeonly|readonly|nocapture|align \d+"
    r"|captures\(none\)|dereferenceable\(\d+\)|fastcc) |, ![\w.]+ !\w+| #\d+$"
)
"""What the reader does not keep."""
NO_VALUE = re.compile(
    r"\b(?:private|internal|(?:local_)?unnamed_addr|dso_local|thread_local\(\w+\)"
    r"|addrspace\(\d\)) |, section.*|, comdat.*"
)
"""What the printer does not print of a variable."""


def walk(text: str) -> dict[str, list[tuple[str, list[str]]]]:
    """The instructions of each block of each function, and variables, as LLVM prints them."""
    module = llvm.parse_assembly(text, context=llvm.create_context())
    found = {
        function.name: [
            (block.name, [LEFT_OUT.sub("", str(item).strip()) for item in block.instructions])
            for block in function.blocks
        ]
        for function in module.functions
    }
    for variable in module.global_variables:
        value = LEFT_OUT.sub("", str(variable))
        value = NO_VALUE.sub("", value)
        found[f"@{variable.name}"] = [(value, [])]
    return found


def walk_apart(text: str) -> dict[str, list[tuple[str, list[str]]]] | None:
    """The same, in a child, because wrong modules crash LLVM; None if it refuses the text."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        found = None
        try:
            found = walk(text)
        except RuntimeError:
            pass
        finally:
            with os.fdopen(writing, "wb") as pipe:
                pickle.dump(found, pipe)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return pickle.loads(data) if data else None


CONSTRUCTS = (Path(__file__).parent / "llvm" / "constructs.ll").read_text("utf-8")
"""A module with every construct that llvm_printer.py can print again."""
