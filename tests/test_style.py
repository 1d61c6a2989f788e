"""The code is clean by ruff's rules and by mypy's strict ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff():
    run("ruff", "check", ".")


def test_ruff_format():
    run("ruff", "format", "--check", ".")


def test_mypy(tmp_path: Path):
    """The folders are one package only once installed, so mypy sees them as links in one."""
    package = tmp_path / "qwasmc"
    package.mkdir()
    for path in (ROOT / "compiler").iterdir():
        (package / path.name).symlink_to(path)
    for name in ("grammar", "passes", "backends"):
        (package / name).symlink_to(ROOT / name)
    cache = ROOT / ".mypy_cache"
    config = ROOT / "pyproject.toml"
    run("mypy", "--config-file", config, "--cache-dir", cache, "-p", "qwasmc", cwd=tmp_path)
