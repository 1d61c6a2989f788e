"""Tables and progress on a terminal, which a pipe must see nothing of."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from qwasmc.cli import run
from qwasmc.commands import terminal
from qwasmc.formats import FORMATS
from qwasmc.ops import OPS
from qwasmc.pipeline import PASSES

ROOT = Path(__file__).parent.parent
BELL = str(ROOT / "examples" / "bell.qwasm")
CODES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
COLOUR = re.compile(r"\x1b\[[\d;]*3\d[\d;]*m")


def on_a_terminal(*arguments: str, width: int = 80, **variables: str) -> str:
    """All that a command shows on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    plain = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS")}
    command = [sys.executable, "-m", "qwasmc", *arguments]
    process = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**plain, "TERM": "xterm", **variables},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while piece := _read(ours):
        shown += piece
    os.close(ours)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def in_a_pipe(*arguments: str) -> tuple[str, str]:
    """Standard output and standard error of a command in a pipe."""
    command = [sys.executable, "-m", "qwasmc", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout, done.stderr


def test_a_table_fits_the_terminal():
    shown = on_a_terminal("passes", width=80)
    lines = CODES.sub("", shown).splitlines()
    assert lines[0].split() == ["pass", "from", "to", "level", "what", "it", "does"]
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    for row in PASSES:
        assert row.name in text
        assert row.doc.split()[0] in text


def test_a_pipe_gets_the_columns_that_scripts_know(capfd: pytest.CaptureFixture[str]):
    def written(*arguments: str) -> str:
        assert run(arguments) == 0
        return capfd.readouterr().out

    assert written("ops") == "".join(
        f"{spec.name:<12} {spec.cost.name.lower():<10} {spec.doc}\n" for spec in OPS
    )
    assert written("formats") == "".join(
        f"{row.name:<16} {' '.join(row.suffixes):<14} {row.doc}\n" for row in FORMATS
    )
    assert written("passes") == "".join(
        f"{row.name:<14} {row.takes:>8} -> {row.gives:<8} "
        f"{'on request' if row.level is None else f'-O{row.level}':<11} {row.doc}\n"
        for row in PASSES
    )
    lines = written("targets").splitlines()
    assert lines[0] == "target            distances        p  us/round    qubits  outputs"
    assert lines[1] == "grid                 3..101                               all"
    assert lines[2].startswith("    Square grid of any size")
    assert "auto is the first of these that holds:" in lines
    assert "\x1b" not in "".join(lines)


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path):
    shown = on_a_terminal("compile", BELL, "-o", str(tmp_path / "shown.stim"))
    assert re.search(r"stage \d+ of \d+ [a-z-]+ ", CODES.sub("", shown))
    assert re.search(r"\d:\d\d:\d\d", shown)
    assert COLOUR.search(shown)
    out, err = in_a_pipe("compile", BELL, "-o", str(tmp_path / "silent.stim"))
    assert (out, err) == ("", "")
    assert (tmp_path / "shown.stim").read_bytes() == (tmp_path / "silent.stim").read_bytes()


@pytest.mark.parametrize(
    "arguments", [("targets",), pytest.param(("check", BELL), marks=pytest.mark.slow)]
)
def test_no_color_is_respected(arguments: tuple[str, ...]):
    assert not COLOUR.search(on_a_terminal(*arguments, NO_COLOR="1"))


@pytest.mark.slow
def test_names_of_files_are_no_markup(tmp_path: Path):
    path = tmp_path / "a[" / "b].json"
    path.parent.mkdir()
    path.write_text('{"numQubits": 3, "tCount": 5}')
    shown = CODES.sub("", on_a_terminal("estimate", str(path), "--counts", width=200))
    assert f"{path}: 3 qubits, 5 T" in shown
    assert "qdk-legacy" in shown


@pytest.mark.slow
def test_stats_and_sample_are_tables_on_a_terminal(tmp_path: Path):
    found = CODES.sub("", on_a_terminal("stats", BELL))
    assert re.search(r"what +count", found)
    assert re.search(r"\n +qubits +2 *\n", found)
    path = str(tmp_path / "bell.stim")
    assert run(["compile", BELL, "--noise", "uniform:0.001", "-o", path]) == 0
    head = ["observable", "errors", "shots", "rate", "95%", "interval"]
    shown = CODES.sub("", on_a_terminal("sample", path, "--shots", "1000", "-j", "1"))
    assert head in [line.split() for line in shown.splitlines()]
    out, err = in_a_pipe("sample", path, "--shots", "1000", "-j", "1")
    assert out.startswith(
        "observable                  errors       shots       rate  95% interval\n"
    )
    assert not err


def test_names_are_no_codes_of_the_terminal(capsys: pytest.CaptureFixture[str]):
    terminal.show_table([("[red]\x1b]0;title\x07\u202e", 1)], ("name", "count"), ("left", "right"))
    out = capsys.readouterr().out
    assert "[red]\ufffd]0;title\ufffd\ufffd" in out
    assert "\x1b" not in out


def test_stages_are_counted_in_the_order_of_the_plan():
    with terminal.stages() as shown:
        shown.plan(["read", "cancel", "fold", "cancel", "write"])
        steps = []
        for name in ("read", "cancel", "verify-ir", "fold", "cancel", "fold", "cancel", "write"):
            shown.stage(name)
            steps.append(shown.at)
    assert steps == [0, 1, 1, 2, 3, 2, 3, 4]
