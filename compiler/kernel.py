"""Loops over columns, compiled by Numba; the compiled code is kept beside the source.

Numba compiles the tables and kernels that a kernel uses into it, but looks at the kernel's own file
only to tell whether the compiled code is still right.  Here it is right as long as no module of
this package has changed that the kernel's module imports, itself or by way of others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import FunctionCache

Function = TypeVar("Function", bound=Callable[..., Any])

IMPORT = re.compile(r"^from (qwasmc[\w.]*) import", re.MULTILINE)


def kernel(function: Function) -> Function:
    """The compiled function."""
    compiled: Any = njit(function)
    # This is what njit(cache=True) does, with another key.
    compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast(Function, compiled)


class _Cache(FunctionCache):
    """Compiled code by the sources that went into it."""

    def _index_key(self, sig: Any, codegen: Any) -> tuple[Any, ...]:
        key: tuple[Any, ...] = super()._index_key(sig, codegen)  # type: ignore[no-untyped-call]
        return (*key, fingerprint(self._py_func.__module__))


@cache
def fingerprint(module: str) -> str:
    """A hash of a module's source and of those of this package that it depends on."""
    seen: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen[name] = _source(name)
            waiting += _imported(seen[name])
    total = sha256()
    for name in sorted(seen):
        total.update(sha256(seen[name]).digest())
    return total.hexdigest()


def _source(module: str) -> bytes:
    return Path(cast(str, sys.modules[module].__file__)).read_bytes()


def _imported(source: bytes) -> Iterator[str]:
    """The modules of this package that a source imports from."""
    for name in IMPORT.findall(source.decode()):
        if name in sys.modules:
            yield name
