"""Pages of documentation whose commands are run, in order, in a folder of their own.

Run are the blocks marked `sh` and `python`.  What a block prints, on standard output and error, is
compared with the `text` block right behind it, if there is one; there `...` stands for anything.
The Python blocks of a page share their variables.  Comments in a page say what is different:

    <!-- not run: why -->     the next block is only shown
    <!-- exit code N -->      the next block ends with N instead of 0
    <!-- needs names -->      the next block is run only where these modules or programs are
    <!-- numbers vary -->     the next block prints other numbers on other machines
    <!-- run: commands -->    they are run, and not shown
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SEARCH = f"{BIN}{os.pathsep}{os.environ['PATH']}"
TIMEOUT = 600
COMMENT = re.compile(r"<!-- (not run|exit code|needs|numbers vary|run):? ?(.*?)-->", re.DOTALL)
NUMBER = re.compile(r" *\d+(\.\d+)?(e-?\d+)?")


@dataclass
class Block:
    """A block that is run; `output` is None where the page does not say what it prints."""

    language: str
    text: str
    line: int
    code: int = 0
    varies: bool = False
    output: str | None = None

    def prints(self, output: str) -> bool:
        """Whether the page says that it prints this."""
        if self.output is None:
            return True
        texts = (NUMBER.sub(" #", text) if self.varies else text for text in (self.output, output))
        return doctest.OutputChecker().check_output(*texts, doctest.ELLIPSIS)


def blocks(markdown: str) -> list[Block]:
    """The blocks of a page that are run, in order."""
    found: list[Block] = []
    marks: dict[str, str] = {}
    before = None  # the block right before this token
    for token in MarkdownIt().parse(markdown):
        line = (token.map or [0])[0] + 1
        if token.type == "html_block":
            marks |= {name: text.strip() for name, text in COMMENT.findall(token.content)}
            if "run" in marks:
                found.append(Block("sh", marks.pop("run"), line))
            before = None
        elif token.type == "fence":
            language = token.info.strip()
            shown = "not run" in marks or not have(marks.get("needs", ""))
            if language == "text" and before:
                before.output = token.content
            before = None
            if language in ("sh", "python") and not shown:
                code, varies = int(marks.get("exit code", 0)), "numbers vary" in marks
                before = Block(language, token.content, line + 1, code, varies)
                found.append(before)
            assert marks.get("not run", "why"), f"line {line}: why is the block not run?"
            marks = {}
        else:
            before, marks = None, {}
    return found


def have(names: str) -> bool:
    """Whether there are all these modules or programs."""
    return all(find_spec(name) or shutil.which(name, path=SEARCH) for name in names.split())


def furnish(folder: Path) -> None:
    """Put into a folder what the pages take for granted: the examples, and an environment."""
    shutil.copytree(ROOT / "examples", folder / "examples")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "qwasmc").symlink_to(BIN / "qwasmc")


def run_page(markdown: str, folder: Path) -> None:
    """Run the blocks of a page; AssertionError for one that does not do what the page says."""
    names: dict[str, Any] = {}
    for block in blocks(markdown):
        where = f"the block in line {block.line}"
        assert "pip install" not in block.text, f"{where}: tests install nothing"
        if block.language == "sh":
            code, output = run_shell(block, folder)
        else:
            code, output = run_python(block, folder, names)
        assert code == block.code, f"{where} ends with {code}, not {block.code}:\n{output}"
        assert block.prints(output), f"{where} prints:\n{output}\nnot:\n{block.output}"


def run_shell(block: Block, folder: Path) -> tuple[int, str]:
    """The exit code of a block of commands, and what it prints."""
    done = subprocess.run(
        ["sh", "-eu", "-c", block.text],
        cwd=folder,
        env={**os.environ, "PATH": SEARCH},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    return done.returncode, done.stdout


def run_python(block: Block, folder: Path, names: dict[str, Any]) -> tuple[int, str]:
    """The same for a block of Python, which finds and leaves its variables in `names`."""
    output = io.StringIO()
    code = compile("\n" * (block.line - 1) + block.text, "<page>", "exec")
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(output),
        mock.patch.dict(os.environ, {"PATH": SEARCH}),
    ):
        exec(code, names)
    return 0, output.getvalue()


def pages() -> Iterator[Path]:
    """The pages whose blocks are run."""
    yield ROOT / "README.md"
    yield from sorted((ROOT / "docs").rglob("*.md"))
