"""What the outputs of this installation depend on, besides inputs and options."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import qwasmc
import qwasmc.backends
import qwasmc.grammar
import qwasmc.passes

PACKAGES = (
    "cirq-core",
    "lark",
    "llvmlite",
    "numba",
    "numpy",
    "openqasm3",
    "pyqir",
    "qdk",
    "qiskit",
    "qiskit-qasm3-import",
    "stim",
    "stimcirq",
)
"""Packages that read programs, compute or write outputs."""

PARTS = (qwasmc, qwasmc.backends, qwasmc.grammar, qwasmc.passes)


@cache
def versions() -> dict[str, str]:
    """Versions of qwasmc, of Python and of the packages that matter, as far as they are here.

    That of qwasmc ends in a hash of its code, which tells checkouts of one version apart.
    """
    found = {
        "qwasmc": f"{qwasmc.__version__}+{_code_hash()[:16]}",
        "python": sys.version.split()[0],
    }
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _code_hash() -> str:
    """SHA-256 of the package: the code and the data that lie beside it."""
    # Installed from a wheel, the other parts lie inside the first one.
    files = {name: path for part in PARTS for name, path in _files(part.__name__, part.__path__[0])}
    whole = hashlib.sha256()
    for name, path in sorted(files.items()):
        whole.update(f"{name}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _files(package: str, folder: str) -> Iterator[tuple[str, Path]]:
    for path in Path(folder).rglob("*"):
        inside = path.relative_to(folder)
        if "__pycache__" not in inside.parts and path.is_file():
            yield "/".join([*package.split("."), *inside.parts]), path
