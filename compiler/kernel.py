"""Loops over columns, compiled by Numba; the compiled code is kept beside the source.

Numba compiles the tables and kernels that a kernel uses into it, but looks at the kernel's own file
only to tell whether the compiled code is still right.  Here it is right as long as no module of
this package has changed that the kernel's module imports, itself or by way of others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import types
from numba.core.caching import FunctionCache
from numba.core.registry import CPUDispatcher

Function = TypeVar("Function", bound=Callable[..., Any])

IMPORT = re.compile(r"^from (qwasmc[\w.]*) import", re.MULTILINE)


def kernel(function: Function) -> Function:
    """The compiled function."""
    return cast(Function, _Kernel(function))


class _Kernel(CPUDispatcher):
    """A kernel as Python calls it; in other kernels its name stands for its `_Part`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, targetoptions={"nopython": True})
        # This is what njit(cache=True) does, with another key.
        self._cache = _Cache(function)  # type: ignore[no-untyped-call]
        self._part = _Part(function)

    @property
    def _numba_type_(self) -> types.Dispatcher:
        return types.Dispatcher(self._part)


class _Part(CPUDispatcher):
    """A kernel as other kernels call it: quicker to compile, as it cannot be called from Python."""

    def __init__(self, function: Callable[..., Any]) -> None:
        options = {"nopython": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        super().__init__(function, targetoptions=options)

    def get_call_template(self, args: Sequence[Any], kws: Any) -> Any:
        """How a call with arguments of these types is compiled; Numba asks for it."""
        return super().get_call_template([_wide(each) for each in args], kws)


def _wide(argument: Any) -> Any:
    """Integers are passed in 64 bits, or there would be code for int32, for int64, for uint8..."""
    argument = types.unliteral(argument)  # type: ignore[no-untyped-call]
    fits = isinstance(argument, types.Integer) and argument != types.uint64
    return types.int64 if fits else argument


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
