"""What is installed, and what lies at the top of the repository."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import qwasmc

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = {
    "compiler": "qwasmc",
    **{name: f"qwasmc.{name}" for name in ("grammar", "passes", "backends")},
}

TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "backends",
    "compiler",
    "docs",
    "examples",
    "grammar",
    "passes",
    "pyproject.toml",
    "tests",
}


def folders_with_code() -> set[str]:
    """The packages that the folders hold."""
    found = set()
    for folder, package in FOLDERS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            found.add(".".join([package, *init.parent.relative_to(ROOT / folder).parts]))
    return found


def test_package_list_matches_the_folders():
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == folders_with_code()


def test_top_level_entries():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    entries = {path.split("/")[0] for path in listed if path}
    if not entries:
        pytest.skip("not a git checkout")
    assert entries == TOP_LEVEL


def test_version_is_said_once():
    assert qwasmc.__version__ == PROJECT["project"]["version"]


def test_readme_starts_with_the_two_commands():
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"^```sh\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert block is not None
    assert readme.index("```") == block.start()
    install, test = block[1].splitlines()
    assert install == (
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/qwasmc compile "
        "examples/bell.qwasm -d 3 --noise uniform:0.001 --verify -o bell.stim --report bell.json"
    )
    assert test.endswith("pytest -n auto")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive, made from a copy of the code."""
    copy = tmp_path_factory.mktemp("build")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    build = "from setuptools import build_meta as b; b.build_wheel('.'); b.build_sdist('.')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    return copy


def test_wheel_holds_one_package_and_its_data(built: Path):
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    info = f"qwasmc-{qwasmc.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"qwasmc", info}
    sources = {
        "/".join([FOLDERS[folder].replace(".", "/"), *path.relative_to(ROOT / folder).parts])
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert sources <= names
    assert f"{info}/licenses/LICENSE" in names


def test_source_archive_builds_the_same_wheel(built: Path, tmp_path: Path):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    build = "from setuptools import build_meta as b; b.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=source, check=True, capture_output=True)
    (wheel,) = source.glob("*.whl")
    (first,) = built.glob("*.whl")
    assert set(zipfile.ZipFile(wheel).namelist()) == set(zipfile.ZipFile(first).namelist())


def test_wheel_runs_by_itself(built: Path, tmp_path: Path):
    (wheel,) = built.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = (
        "import sys; sys.path.insert(0, '.'); import qwasmc; print(qwasmc.__file__);"
        "from qwasmc.cli import run; sys.exit(run(['passes']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.splitlines()[0]).is_relative_to(tmp_path)
    assert "specialise" in done.stdout
