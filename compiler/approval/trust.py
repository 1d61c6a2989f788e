"""The trust file: which keys count, and the last entry of the ledger that is known.

    qwasmc trust 1
    head 3 9f86d081...
    key d75a9801... Ada Lovelace
    retired 3d4017c3... 2 Charles Babbage

A ledger by itself cannot show that its last entries were cut off, or that all of it is an older
copy.  So the trust file pins an entry by number and hash, the *head*: a ledger without it is not
the one that was trusted.  A retired key counts for the entries up to a number that is not after
the head, which the head's hash fixes.  A trust file is about one ledger, and lies outside of the
store that it judges.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from qwasmc.approval.files import read_bounded, write_file
from qwasmc.approval.signing import PUBLIC_KEY
from qwasmc.diagnostics import CompileError, Diagnostic, Place

FORMAT = "qwasmc trust 1"

HEADER = f"""{FORMAT}
# The keys whose approvals of rewriting rules count here, and the last entry of the ledger that is
# known: its number and its hash.  Whoever can write this file decides which rules are used.
"""

NO_ENTRY = "0" * 64
"""The hash of what is before the first entry."""

MAX_BYTES = 1 << 20
"""Longest trust file."""

MAX_NAME = 200
"""Longest name of a person, in characters."""

_HEAD = re.compile(r"head (0|[1-9][0-9]{0,8}) ([0-9a-f]{64})")
_KEY = re.compile(rf"key ({PUBLIC_KEY.pattern}) (.{{1,{MAX_NAME}}})")
_RETIRED = re.compile(rf"retired ({PUBLIC_KEY.pattern}) (0|[1-9][0-9]{{0,8}}) (.{{1,{MAX_NAME}}})")


class Key(NamedTuple):
    """A trusted key: whose it is said to be, and the last entry it counts for if it is retired."""

    owner: str
    last: int | None = None


class Head(NamedTuple):
    """The last entry of a ledger: its number, 0 if there is none, and its hash."""

    n: int = 0
    hash: str = NO_ENTRY


NOTHING = Head()


@dataclass(frozen=True, slots=True)
class Trust:
    """What is known of a ledger: `keys` by their public keys."""

    file: str
    keys: dict[str, Key]
    head: Head = NOTHING

    def with_key(self, public: str, key: Key) -> Trust:
        """The same with one more key, or another word about one."""
        return replace(self, keys={**self.keys, public: key})

    def with_head(self, head: Head) -> Trust:
        """The same at another entry."""
        return replace(self, head=head)

    def write(self) -> None:
        """Write the file, in one step."""
        lines = [f"head {self.head.n} {self.head.hash}"]
        for public, (owner, last) in self.keys.items():
            lines.append(
                f"key {public} {owner}" if last is None else f"retired {public} {last} {owner}"
            )
        write_file(Path(self.file), (HEADER + "\n".join(lines) + "\n").encode())


def read_trust(file: str) -> Trust | None:
    """What a trust file says, None if there is no such file."""
    data = read_bounded(Path(file), MAX_BYTES)
    if data is None:
        return None
    lines = data.decode("utf-8", "replace").split("\n")
    if lines[0] != FORMAT:
        raise _wrong(file, 1, lines[0], f"a trust file begins with '{FORMAT}'")
    keys: dict[str, Key] = {}
    head: Head | None = None
    for number, line in enumerate(lines[1:], start=2):
        if not line or line.startswith("#"):
            continue
        if head is None and (found := _HEAD.fullmatch(line)):
            head = Head(int(found[1]), found[2])
        elif (found := _KEY.fullmatch(line)) and found[1] not in keys:
            keys[found[1]] = Key(found[2])
        elif (found := _RETIRED.fullmatch(line)) and found[1] not in keys:
            keys[found[1]] = Key(found[3], int(found[2]))
        else:
            raise _wrong(file, number, line, "this is no line of a trust file")
    if head is None or (head.n == 0) != (head.hash == NO_ENTRY):
        raise _wrong(file, 1, lines[0], "no line 'head NUMBER HASH' says which entry is known")
    for public, key in keys.items():
        if key.last is not None and key.last > head.n:
            raise _wrong(file, 1, lines[0], f"the key {public[:16]}... is retired after the head")
    return Trust(file, keys, head)


def _wrong(file: str, number: int, line: str, message: str) -> CompileError:
    place = Place(file, number, 1, len(line) + 1, line)
    help = "restore the file from where you keep copies; what it says cannot be guessed"
    return CompileError(Diagnostic(message, place, help=help))
