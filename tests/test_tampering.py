"""Nothing that was tampered with is used: every case here stops the build with an error."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from approvals import (
    ADA,
    EVE,
    Tamper,
    approve,
    compact,
    found,
    history,
    on_entry,
    on_lines,
    public,
    rechained,
    refused,
    restored,
    sha256,
    shadow_report,
    signed,
    version,
)

from qwasmc.approval import decisions
from qwasmc.approval.approved import find_sets
from qwasmc.diagnostics import CompileError

OTHER_VALUES: dict[str, object] = {
    "n": 7,
    "previous": "5" * 64,
    "action": "rollback",
    "set": "evil",
    "sha256": "6" * 64,
    "who": "Eve",
    "when": "2026-11-21T12:00:01Z",
    "why": "because",
    "shadow": {"losses": 0},
    "key": public(EVE),
    "signature": "7" * 128,
}

BAD_VALUES: list[tuple[str, object]] = [
    *(("n", value) for value in (0, -1, True, "5", None, 10**30, 5.0)),
    *(("action", value) for value in ("", "Approve", "delete", ["approve"], None)),
    *(("set", value) for value in ("", "../demo", "de mo", "d" * 65, "demo\n", 5)),
    *(("sha256", value) for value in ("", "../../x", "A" * 64, "0" * 63, None)),
    *(("who", value) for value in ("", " ", "a\nb", "\x1b[2J", "\ud800", "a" * 201, [])),
    *(("when", value) for value in ("", "now", "2026-13-01T00:00:00Z", "2026-11-21 12:00:00")),
    *(("shadow", value) for value in (None, [], "none")),
    *(("key", value) for value in ("", "0" * 64, "f" * 64, "0" * 65)),
    *(("signature", value) for value in ("", "0" * 128, "f" * 128, "0" * 127)),
]
"""Values that no field has; all are tried with a signature of the trusted key, too."""

NONSENSE: dict[str, Callable[[dict[str, object]], dict[str, object]]] = {
    "a field more": lambda _: {"more": 1},
    "another hash before": lambda _: {"previous": "5" * 64},
    "another number": lambda _: {"n": 6},
    "another action": lambda _: {"action": "delete", "shadow": None},
    "back to what was never approved": lambda _: {"action": "rollback", "shadow": None},
    "back to what is revoked": lambda _: {
        **{"action": "rollback", "shadow": None, "set": "demo"},
        "sha256": sha256(history()["two.rules"]),
    },
    "back to another set": lambda _: {
        **{"action": "rollback", "shadow": None, "set": "other"},
        "sha256": sha256(history()["one.rules"]),
    },
    "a version of another set": lambda _: {"sha256": sha256(history()["one.rules"])},
    "no report": lambda _: {"shadow": None},
}
"""What no decision writes, though its signature is right."""


def field_cases() -> Iterator[tuple[str, Tamper]]:
    for at in range(5):
        for field, value in OTHER_VALUES.items():
            other = "approve" if (at, field) == (3, "action") else value
            changed = on_entry(at, lambda entry, f=field, v=other: {**entry, f: v})
            yield f"entry {at + 1}: another {field}", changed
    for field, value in OTHER_VALUES.items():
        new = on_entry(1, lambda entry, f=field, v=value: {**entry, f: v})
        if field not in ("n", "previous"):
            yield f"entry 2: another {field}, chained again", both(new, on_lines(rechained))
        lost = on_entry(1, lambda entry, f=field: {k: v for k, v in entry.items() if k != f})
        yield f"entry 2: no {field}", lost
    for n, (field, value) in enumerate(BAD_VALUES):
        bad = on_entry(4, lambda entry, f=field, v=value: {**entry, f: v})
        yield f"bad value {n} of {field}", bad
        if field not in ("key", "signature"):
            again = on_entry(4, lambda entry, f=field, v=value: signed({**entry, f: v}, ADA))
            yield f"bad value {n} of {field}, signed", both(again, unpinned)
    for name, change in NONSENSE.items():
        wrong = on_entry(4, lambda entry, c=change: signed({**entry, **c(entry)}, ADA))
        yield f"{name}, signed", both(wrong, unpinned)


def both(*parts: Tamper) -> Tamper:
    return lambda folder: [part(folder) for part in parts]


def unpinned(folder: Path) -> None:
    """Not tampering: what the trust file of somebody says who has not seen any entry yet."""
    (folder / "trust").write_text(f"qwasmc trust 1\nhead 0 {'0' * 64}\nkey {public(ADA)} Ada\n")


def chain_cases() -> Iterator[tuple[str, Tamper]]:
    for at in range(5):
        yield f"drop {at + 1}", on_lines(lambda x, at=at: x[:at] + x[at + 1 :])
        yield f"repeat {at + 1}", on_lines(lambda x, at=at: x[: at + 1] + x[at:])
        yield f"repeat {at + 1} last", on_lines(lambda x, at=at: [*x, x[at]])
        yield f"keep {at} only", on_lines(lambda x, at=at: x[:at])
        yield f"sign {at + 1} as Eve", on_entry(at, lambda entry: signed(entry, EVE))
        short = on_lines(lambda x, at=at: rechained(x[:at] + x[at + 1 :]))
        yield f"drop {at + 1}, chained again", short
        if at < 4:  # that the last ones are missing is what the pin is for
            yield f"drop {at + 1}, chained again, unpinned", both(short, unpinned)
        yield f"reverse from {at + 1}", on_lines(lambda x, at=at: x[:at] + x[at:][::-1] + x[:at])
    for at in range(4):
        yield f"swap {at + 1}", on_lines(lambda x, at=at: [*x[:at], x[at + 1], x[at], *x[at + 2 :]])
        yield f"signature of the entry after {at + 1}", on_lines(lambda x, at=at: stolen(x, at))
    for at in range(6):
        yield (
            f"insert at {at + 1}",
            on_lines(lambda x, at=at: rechained([*x[:at], eves(x[0]), *x[at:]])),
        )
    yield "all signed by Eve", on_lines(lambda x: rechained(x, EVE))
    yield "all signed by Eve, unpinned", both(on_lines(lambda x: rechained(x, EVE)), unpinned)
    yield (
        "an older copy",
        both(
            lambda folder: shutil.rmtree(folder / "store"),
            lambda folder: (folder / "older").rename(folder / "store"),
        ),
    )
    yield "another history by the same key", on_lines(lambda x: rechained([x[0]] * 5, ADA))
    yield "no ledger", lambda folder: (folder / "store/ledger.jsonl").unlink()
    yield "no store", lambda folder: shutil.rmtree(folder / "store")


def eves(line: bytes) -> bytes:
    return compact(signed(json.loads(line), EVE))


def stolen(found: list[bytes], at: int) -> list[bytes]:
    """The signature of the next entry in place of an entry's own."""
    entry, following = json.loads(found[at]), json.loads(found[at + 1])
    return [*found[:at], compact({**entry, "signature": following["signature"]}), *found[at + 1 :]]


def text_cases() -> Iterator[tuple[str, Tamper]]:
    def text(change: Callable[[bytes], bytes]) -> Tamper:
        def tamper(folder: Path) -> None:
            path = folder / "store/ledger.jsonl"
            path.write_bytes(change(path.read_bytes()))

        return tamper

    for name, tail in {
        "garbage": b"x",
        "an empty line": b"\n",
        "a space": b" ",
        "a zero": b"\0",
        "half an entry": b'{"action":"approve"',
        "an empty object": b"{}\n",
        "a list": b"[]\n",
        "a number": b"1\n",
        "a number with many digits": b"1" * 10_000 + b"\n",
        "deep nesting": b"[" * 60_000 + b"\n",
        "a long line": b" " * 100_000 + b"\n",
        "no UTF-8": b"\xff\xfe\n",
    }.items():
        yield f"{name} at the end", text(lambda data, tail=tail: data + tail)
        yield f"{name} at the start", text(lambda data, tail=tail: tail + data)
    for name, old, new in (
        ("a space after a colon", b'"n":1', b'"n": 1'),
        ("a space at the end", b"}\n", b"} \n"),
        ("lines of another system", b"\n", b"\r\n"),
        ("an escape", b'"Ada"', b'"\\u0041da"'),
        ("a number written otherwise", b'"n":1', b'"n":1e0'),
        ("no number", b'"n":1', b'"n":NaN'),
        ("a key twice", b'"n":1', b'"n":1,"n":1'),
        ("a key twice, first wrong", b'"n":1', b'"n":9,"n":1'),
        ("another order", b'{"action":"approve",', b"{"),
        ("digits in capitals", b'"sha256":"', b'"sha256":"A'),
    ):
        yield name, text(lambda data, old=old, new=new: data.replace(old, new, 1))
    yield "no line break at the end", text(lambda data: data[:-1])
    yield "half of it", text(lambda data: data[: len(data) // 2])
    yield "a mark of byte order", text(lambda data: b"\xef\xbb\xbf" + data)
    for at in range(0, 3000, 19):
        yield f"bit of byte {at}", text(lambda data, at=at: flipped(data, at))


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


CASES = dict([*field_cases(), *chain_cases(), *text_cases()])
"""Ways to tamper with a ledger."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return restored(tmp_path)


def test_there_are_many_cases():
    assert len(CASES) > 300


@pytest.mark.parametrize("case", CASES)
def test_tampering_with_the_ledger_stops_the_build(case: str, folder: Path):
    ledger = folder / "store/ledger.jsonl"
    before = ledger.read_bytes()
    CASES[case](folder)
    assert not ledger.exists() or ledger.read_bytes() != before
    for names in ([], ["demo"], ["other"], [str(folder / "one.rules")]):
        with pytest.raises(CompileError) as caught:
            find_sets(names, str(folder / "store"), str(folder / "trust"))
        place = caught.value.diagnostics[0].place
        assert place is not None
        assert place.file.endswith("ledger.jsonl")
    with pytest.raises(CompileError):
        approve(folder, "two")


FILE_CASES = {
    "changed": lambda path: path.write_bytes(path.read_bytes() + b"\n"),
    "another rule": lambda path: path.write_bytes(path.read_bytes().replace(b"h a; h a", b"h a")),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "another approved file": lambda path: path.write_bytes(
        (path.parents[2] / "three.rules").read_bytes()
    ),
    "its revoked version": lambda path: path.write_bytes(
        (path.parents[2] / "two.rules").read_bytes()
    ),
    "renamed": lambda path: path.rename(path.with_name(f"{'0' * 64}.rules")),
    "a folder": lambda path: [path.unlink(), path.mkdir()],
    "a pipe": lambda path: [path.unlink(), os.mkfifo(path)],
    "no end": lambda path: [path.unlink(), path.symlink_to("/dev/zero")],
    "a link to nothing": lambda path: [path.unlink(), path.symlink_to("nothing")],
    "a link to itself": lambda path: [path.unlink(), path.symlink_to(path.name)],
    "a link elsewhere": lambda path: [path.unlink(), path.symlink_to("/etc/passwd")],
    "huge": lambda path: os.truncate(path, 1 << 40),
}


@pytest.mark.parametrize("case", FILE_CASES)
def test_tampering_with_a_file_of_rules_stops_the_build(case: str, folder: Path):
    FILE_CASES[case](folder / "store/sets" / f"{version(folder, 'one')}.rules")
    refused(folder)
    assert found(folder, "other") == [version(folder, "three")]


LEDGER_CASES = {
    name: FILE_CASES[name]
    for name in ("a folder", "a pipe", "no end", "a link elsewhere", "a link to itself", "huge")
}


@pytest.mark.parametrize("case", LEDGER_CASES)
def test_a_ledger_that_is_no_file_stops_the_build(case: str, folder: Path):
    LEDGER_CASES[case](folder / "store/ledger.jsonl")
    shown = refused(folder).diagnostics[0]
    assert shown.place is None or not shown.place.text  # nothing of /etc/passwd


TRUST_CASES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "another format": lambda path: path.write_text("qwasmc trust 2\n"),
    "no head": lambda path: path.write_text(f"qwasmc trust 1\nkey {public(ADA)} Ada\n"),
    "two heads": lambda path: path.write_text(path.read_text() + f"head 0 {'0' * 64}\n"),
    "no such entry": lambda path: path.write_text(path.read_text().replace("head 5", "head 4")),
    "a later entry": lambda path: path.write_text(path.read_text().replace("head 5", "head 6")),
    "another key": lambda path: path.write_text(path.read_text().replace(public(ADA), public(EVE))),
    "a key twice": lambda path: path.write_text(path.read_text() + f"key {public(ADA)} Eve\n"),
    "garbage": lambda path: path.write_bytes(path.read_bytes() + b"\xff\n"),
    "a folder": FILE_CASES["a folder"],
    "huge": FILE_CASES["huge"],
    "retired too early": lambda path: path.write_text(
        path.read_text().replace(f"key {public(ADA)} ", f"retired {public(ADA)} 4 ")
    ),
    "retired after the head": lambda path: path.write_text(
        path.read_text().replace(f"key {public(ADA)} ", f"retired {public(ADA)} 9 ")
    ),
}


@pytest.mark.parametrize("case", TRUST_CASES)
def test_a_damaged_trust_file_stops_the_build(case: str, folder: Path):
    TRUST_CASES[case](folder / "trust")
    refused(folder)


def test_a_trust_file_in_the_store_does_not_count(folder: Path):
    (folder / "trust").rename(folder / "store/trust")
    (folder / "trust").symlink_to("store/trust")
    assert "lies in the rule store" in str(refused(folder))


@pytest.mark.parametrize(
    "name", ["", "..", "nothing", "../one.rules", "demo\0.rules", "x" * 5000 + ".rules", "/", "./"]
)
def test_no_other_name_finds_anything(name: str, folder: Path):
    (folder / "one.rules").write_bytes(b"qwasmc rules 1\n")
    refused(folder, name)


def test_wrong_rules_are_refused_whoever_signs_them(folder: Path, monkeypatch):
    rules = folder / "two.rules"
    rules.write_text(rules.read_text().replace("h a; h a", "h a; s a"))
    shadow_report(folder / "two.json", "demo", rules)
    with pytest.raises(CompileError, match="not proved"):
        approve(folder, "two")
    with monkeypatch.context() as patch:
        proved = decisions.proved.__wrapped__
        patch.setitem(proved.__globals__, "load", lambda _: lambda _: None)
        patch.setattr(decisions, "proved", proved)
        approve(folder, "two")
    assert "not proved" in str(refused(folder))
