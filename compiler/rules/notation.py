"""How rules are written: files to `RuleSet` and back.

What `HEADER` says about the notation stands at the head of each file that is written.  What is
read and written again is the same set.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from math import gcd
from typing import NamedTuple

from qwasmc.diagnostics import CompileError, Diagnostic, Kind, Place, did_you_mean, error
from qwasmc.ops import BY_NAME, OBJECTIVES
from qwasmc.rules.rule import (
    MAX_QUBITS,
    MAX_STEPS,
    MAX_VARIABLES,
    OPERATIONS,
    Angle,
    Macro,
    Policy,
    Proof,
    Rule,
    RuleSet,
    Step,
    names_in,
    total,
)

FORMAT = "qwasmc rules 1"

HEADER = f"""{FORMAT}
#
# rule NAME: PATTERN => REPLACEMENT where ANGLE = ANGLE, ...
#
# Both sides are operations, separated by ";", on qubits a, b, c, ...: different names are different
# qubits.  A pattern matches operations that follow each other on each of their qubits, whatever
# happens on other qubits in between, and no operation may have to stand between them.  "nothing" is
# no operation.
#   rz(x + pi/4) a     diag(1, exp(i x + i pi/4)); x, y, ... are any angles, all modulo 2 pi
#   cx a b             a is the control
#   measure_z a -> m   m is the result, on both sides
#   ppm[ZX] a b -> m   measures the product of Z on a and X on b
#   x b if m           a Pauli that depends on a result
#   alloc c; free c    c begins in |0> here, and is never used again
#   block a b          the operations of "macro block a b: ..."
# "where" restricts the angles.
#
# proof KIND PHASE SHA256: both sides are the same; the replacement is exp(i pi PHASE / 4) times the
# pattern.  `qwasmc rules verify` checks it.
#
# policy: a place is rewritten if its features, times their weights, sum up to more than 0.
#
"""
"""What every file begins with."""

NOTHING = "nothing"
RESERVED = {NOTHING, "if", "where", "pi"}

MAX_BYTES = 1 << 25
"""Longest file."""

MAX_RULES = 100_000
MAX_LINE = 10_000
"""Longest line, in characters."""

MAX_NUMBER = 1 << 31
"""Integers are smaller than this."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
TOKEN = re.compile(r"\s*(=>|->|[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[][();:,*/+=-]|$)")
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
PHASES = tuple("01234567")
LETTERS = re.compile(r"[XYZ]+")
NO_TEXT = re.compile(rb"[^\n -~]")
DIGEST = re.compile(r"[0-9a-f]{64}")


class _Token(NamedTuple):
    text: str
    at: int


class _Line:
    """A line of a file, token by token; the last token is empty."""

    def __init__(self, text: str, number: int, file: str) -> None:
        self.text = text
        self.number = number
        self.file = file
        self.tokens: list[_Token] = []
        self.next = 0

    def scan(self, start: int) -> None:
        """Split what is left of the line."""
        at = start
        while not self.tokens or self.tokens[-1].text:
            found = TOKEN.match(self.text, at)
            if not found:
                at += len(self.text[at:]) - len(self.text[at:].lstrip())
                raise self.wrong(f"unexpected {self.text[at]!r}", _Token(self.text[at], at))
            self.tokens.append(_Token(found[1], found.start(1)))
            at = found.end()

    def wrong(self, message: str, token: _Token | None = None, help: str = "") -> CompileError:
        """An error at a token, or at the line."""
        text, at = token or _Token(self.text.strip(), len(self.text) - len(self.text.lstrip()))
        place = Place(self.file, self.number, at + 1, at + 1 + max(len(text), 1), self.text)
        return CompileError(Diagnostic(message, place, help=help))

    @property
    def head(self) -> _Token:
        """The token that comes next."""
        return self.tokens[self.next]

    def take(self) -> _Token:
        """The next token, which is then behind."""
        token = self.head
        self.next += bool(token.text)
        return token

    def accept(self, text: str) -> bool:
        """Take the next token if it is this one."""
        found = self.head.text == text
        self.next += found
        return found

    def expect(self, text: str) -> None:
        """Take this token, which must come next."""
        if not self.accept(text):
            raise self.wrong(f"expected '{text}'", self.head)

    def word(self, what: str) -> str:
        """Take a name of something."""
        token = self.take()
        if not WORD.fullmatch(token.text) or token.text in RESERVED:
            raise self.wrong(f"expected {what}", token)
        return token.text

    def integer(self) -> int:
        """Take an integer, perhaps with a sign."""
        sign = -1 if self.accept("-") else 1
        token = self.take()
        if not token.text.isdecimal() or len(token.text) > 10 or int(token.text) >= MAX_NUMBER:
            raise self.wrong("expected an integer", token)
        return sign * int(token.text)

    def end(self) -> None:
        """Refuse anything that is left."""
        if self.head.text:
            raise self.wrong("unexpected", self.head)


# -- reading


def read_rules(data: bytes, file: str) -> RuleSet:
    """The set in a file; `file` is its name, for diagnostics.

    CompileError, with the place, for anything that is not as `HEADER` says.  Proofs are not checked
    here.
    """
    if len(data) > MAX_BYTES:
        raise error(f"'{file}' is longer than {MAX_BYTES} bytes", kind=Kind.LIMIT)
    if NO_TEXT.search(data):  # such codes can hide on a terminal what a file says
        raise error(f"'{file}' is no file of rules: it is not printable ASCII")
    return _Reader(file, data.decode("ascii").split("\n")).read(data)


class _Reader:
    """Reads a file line by line."""

    def __init__(self, file: str, lines: Sequence[str]) -> None:
        self.file = file
        self.lines = lines
        self.facts: dict[str, str] = {}
        self.macros: dict[str, Macro] = {}
        self.rules: dict[str, Rule] = {}
        self.rule = ""
        """The rule that an indented line is about."""
        self.policy: Policy | None = None

    def read(self, data: bytes) -> RuleSet:
        """The set; `data` is the whole file."""
        if self.lines[0] != FORMAT:
            raise error(f"'{self.file}' is no file of rules: its first line is not '{FORMAT}'")
        for number, text in enumerate(self.lines[1:], start=2):
            if text.strip() and not text.lstrip().startswith("#"):
                self._line(_Line(text, number, self.file))
        for key in ("set", "about", "cost", "origin"):
            if key not in self.facts:
                raise error(f"'{self.file}' has no line '{key}'")
        return RuleSet(
            name=self.facts["set"],
            about=self.facts["about"],
            cost=self.facts["cost"],
            origin=self.facts["origin"],
            rules=tuple(self.rules.values()),
            macros=tuple(self.macros.values()),
            policy=self.policy,
            text=data,
            file=self.file,
        )

    def _line(self, line: _Line) -> None:
        if len(line.text) > MAX_LINE:
            raise line.wrong(f"a line has at most {MAX_LINE} characters", _Token("", 0))
        key, _, rest = line.text.strip().partition(" ")
        indented = line.text[0].isspace()
        if not indented and key in ("set", "about", "cost", "origin"):
            self._fact(line, key, rest.strip())
        elif not indented and key == "macro":
            self._macro(line)
        elif not indented and key == "rule":
            self._rule(line)
        elif not indented and key == "policy":
            self._policy(line)
        elif indented and self.rule and key == "proof":
            self._proof(line, rest.split())
        elif indented and self.policy and not self.rule and key in ("evidence", "feature"):
            self._of_policy(line, key, rest)
        else:
            raise line.wrong("this line is not understood")

    def _fact(self, line: _Line, key: str, value: str) -> None:
        if key in self.facts:
            raise line.wrong(f"'{key}' stands here for a second time")
        if key == "set" and not NAME.fullmatch(value):
            raise line.wrong("a name has up to 64 letters, digits, or any of . _ -")
        if key == "cost" and value not in OBJECTIVES:
            raise line.wrong(f"'cost' is one of {', '.join(OBJECTIVES)}")
        self.facts[key] = value

    def _macro(self, line: _Line) -> None:
        line.scan(len("macro"))
        name = line.take()
        if not WORD.fullmatch(name.text) or name.text in RESERVED or name.text in OPERATIONS:
            raise line.wrong("expected a name for the macro", name)
        if name.text in self.macros:
            raise line.wrong(f"there is another macro '{name.text}'", name)
        qubits = _qubits(line)
        line.expect(":")
        steps = _side(line, self.macros)
        line.end()
        if sorted(names_in(steps)) != sorted(qubits):
            raise line.wrong("the qubits of a macro are those that it uses, each once")
        if any(step.bit or step.cond or (step.angle and step.angle.terms) for step in steps):
            raise line.wrong("a macro has no results and no variable angles")
        self.macros[name.text] = Macro(name.text, tuple(qubits), steps)

    def _rule(self, line: _Line) -> None:
        heading, colon, _ = line.text.partition(":")
        name = heading.removeprefix("rule").strip()
        if not colon or not NAME.fullmatch(name):
            raise line.wrong("expected 'rule NAME: PATTERN => REPLACEMENT'")
        if name in self.rules:
            raise line.wrong(f"there is another rule '{name}'")
        if len(self.rules) == MAX_RULES:
            raise line.wrong(f"a set has at most {MAX_RULES} rules")
        line.scan(len(heading) + 1)
        self.rules[name] = _read_rule(line, name, self.macros)
        self.rule = name

    def _proof(self, line: _Line, words: Sequence[str]) -> None:
        rule = self.rules[self.rule]
        if rule.proof:
            raise line.wrong("the rule has a proof already")
        if len(words) != 3 or words[1] not in PHASES or not DIGEST.fullmatch(words[2]):
            raise line.wrong("expected 'proof KIND PHASE SHA256'")
        proof = Proof(words[0], int(words[1]), words[2])
        self.rules[self.rule] = replace(rule, proof=proof)

    def _policy(self, line: _Line) -> None:
        words = line.text.split()
        if self.policy or words[1:2] != ["sweeps"]:
            raise line.wrong("expected 'policy sweeps N', once")
        self.policy = Policy((), _number(line, words[2:]), "")
        self.rule = ""

    def _of_policy(self, line: _Line, key: str, rest: str) -> None:
        assert self.policy is not None
        if key == "evidence":
            self.policy = replace(self.policy, evidence=rest.strip())
            return
        name, *value = rest.split() or [""]
        if not WORD.fullmatch(name) or name in dict(self.policy.weights):
            raise line.wrong("expected 'feature NAME WEIGHT', once for each feature")
        weight = (name, _number(line, value))
        self.policy = replace(self.policy, weights=(*self.policy.weights, weight))


def _number(line: _Line, words: Sequence[str]) -> int:
    """The only word of a rest of a line, an integer."""
    if len(words) != 1 or not re.fullmatch(r"-?[0-9]{1,10}", words[0]):
        raise line.wrong("expected an integer")
    if abs(int(words[0])) >= MAX_NUMBER:
        raise line.wrong(f"an integer is less than {MAX_NUMBER}")
    return int(words[0])


def read_rule(text: str, name: str = "rule") -> Rule:
    """A rule without macros: "PATTERN => REPLACEMENT where ..."."""
    line = _Line(text, 1, "<rule>")
    line.scan(0)
    return _read_rule(line, name, {})


def _read_rule(line: _Line, name: str, macros: dict[str, Macro]) -> Rule:
    pattern = _side(line, macros)
    line.expect("=>")
    replacement = _side(line, macros)
    conditions: list[Angle] = []
    if line.accept("where"):
        conditions.append(_equation(line))
        while line.accept(","):
            conditions.append(_equation(line))
    line.end()
    rule = Rule(name, pattern, replacement, tuple(conditions))
    for count, most, what in (
        (len(rule.qubits()), MAX_QUBITS, "qubits"),
        (len(rule.variables()), MAX_VARIABLES, "variable angles"),
    ):
        if count > most:
            raise line.wrong(f"a rule has at most {most} {what}")
    return rule


def _side(line: _Line, macros: dict[str, Macro]) -> tuple[Step, ...]:
    steps = tuple(islice(_steps(line, macros), MAX_STEPS + 1))
    if len(steps) > MAX_STEPS:
        raise line.wrong(f"at most {MAX_STEPS} operations stand for each other")
    return steps


def _steps(line: _Line, macros: dict[str, Macro]) -> Iterator[Step]:
    if line.accept(NOTHING):
        return
    while True:
        yield from _step(line, macros)
        if not line.accept(";"):
            return


def _step(line: _Line, macros: dict[str, Macro]) -> Iterator[Step]:
    start = line.head
    op = line.word("an operation")
    if op in macros:
        yield from _expanded(line, macros[op])
        return
    if op not in OPERATIONS:
        help = did_you_mean(op, [*OPERATIONS, *macros])
        raise line.wrong(f"unknown operation '{op}'", start, help)
    spec = BY_NAME[op]
    angle = paulis = None
    if spec.angle:
        line.expect("(")
        angle = _angle(line)
        line.expect(")")
    if op == "ppm":
        line.expect("[")
        token = line.take()
        if not LETTERS.fullmatch(token.text):
            raise line.wrong("expected letters X, Y, Z", token)
        paulis = token.text
        line.expect("]")
    qubits = _qubits(line)
    count = 1 if spec.makes_qubit else spec.qubits if paulis is None else len(paulis)
    if len(qubits) != count:
        raise line.wrong(f"'{op}' takes {count} qubits here, not {len(qubits)}", start)
    bit = cond = ""
    if spec.makes_bit:
        line.expect("->")
        bit = line.word("a name for the result")
    if line.accept("if"):
        if not spec.is_pauli:
            raise line.wrong("only x, y and z may depend on a result", start)
        cond = line.word("a result")
    yield Step(op, tuple(qubits), angle, paulis or "", bit, cond)


def _expanded(line: _Line, macro: Macro) -> Iterator[Step]:
    start = line.head
    qubits = _qubits(line)
    if len(qubits) != len(macro.qubits):
        raise line.wrong(f"'{macro.name}' takes {len(macro.qubits)} qubits", start)
    names = dict(zip(macro.qubits, qubits, strict=True))
    for step in macro.steps:
        yield step._replace(qubits=tuple(names[qubit] for qubit in step.qubits))


def _qubits(line: _Line) -> list[str]:
    found: list[str] = []
    while WORD.fullmatch(line.head.text) and line.head.text not in RESERVED:
        if line.head.text in found:
            raise line.wrong("the qubits of an operation are different", line.head)
        found.append(line.take().text)
    return found


def _equation(line: _Line) -> Angle:
    """The left side minus the right side."""
    left = _angle(line)
    line.expect("=")
    return total([(left, 1), (_angle(line), -1)])


def _angle(line: _Line) -> Angle:
    parts = [_term(line, -1 if line.accept("-") else 1)]
    while line.head.text in ("+", "-"):
        parts.append(_term(line, 1 if line.take().text == "+" else -1))
    return total(parts)


def _term(line: _Line, sign: int) -> tuple[Angle, int]:
    start = line.head
    count = 1
    if start.text.isdecimal():
        count = line.integer()
        if not line.accept("*"):
            if count:
                raise line.wrong("expected an angle, such as 2*x or 3*pi/4", start)
            return Angle(), 1
    if not line.accept("pi"):
        return Angle(((line.word("an angle"), 1),)), sign * count
    parts = 1
    if line.accept("/"):
        parts = line.integer()
        if parts not in (1, 2, 4):
            raise line.wrong("angles are multiples of pi/4", start)
    return Angle((), 4 // parts), sign * count


# -- writing


def write_rules(rules: RuleSet) -> str:
    """The text of a file."""
    return "".join(_lines(rules))


def _lines(rules: RuleSet) -> Iterator[str]:
    yield HEADER
    yield f"set {rules.name}\nabout {rules.about}\ncost {rules.cost}\norigin {rules.origin}\n\n"
    for macro in rules.macros:
        heading = " ".join([macro.name, *macro.qubits])
        yield f"macro {heading}: {write_steps(macro.steps)}\n"
    for rule in rules.rules:
        yield f"rule {rule.name}: {write_rule(rule, rules.macros)}\n"
        if rule.proof:
            yield f"  proof {rule.proof.kind} {rule.proof.phase} {rule.proof.digest}\n"
    if rules.policy:
        yield f"policy sweeps {rules.policy.sweeps}\n  evidence {rules.policy.evidence}\n"
        for name, weight in rules.policy.weights:
            yield f"  feature {name} {weight}\n"


def write_rule(rule: Rule, macros: Sequence[Macro] = ()) -> str:
    """A rule on a line; a pattern that begins with a macro's steps is written with it."""
    text = f"{_with_macro(rule.pattern, macros)} => {write_steps(rule.replacement)}"
    if rule.conditions:
        text += f" where {', '.join(map(_write_condition, rule.conditions))}"
    return text


def _with_macro(steps: tuple[Step, ...], macros: Sequence[Macro]) -> str:
    for macro in macros:
        beginning = steps[: len(macro.steps)]
        names = dict(zip(names_in(macro.steps), names_in(beginning), strict=False))
        renamed = tuple(
            step._replace(qubits=tuple(names.get(qubit, "") for qubit in step.qubits))
            for step in macro.steps
        )
        if renamed == beginning:
            call = " ".join([macro.name, *(names[qubit] for qubit in macro.qubits)])
            rest = steps[len(macro.steps) :]
            return f"{call}; {write_steps(rest)}" if rest else call
    return write_steps(steps)


def write_steps(steps: Sequence[Step]) -> str:
    """Operations as one side of a rule has them."""
    return "; ".join(map(_write_step, steps)) or NOTHING


def _write_step(step: Step) -> str:
    op = step.op
    if step.angle is not None:
        op += f"({write_angle(step.angle)})"
    if step.paulis:
        op += f"[{step.paulis}]"
    text = " ".join([op, *step.qubits])
    if step.bit:
        text += f" -> {step.bit}"
    if step.cond:
        text += f" if {step.cond}"
    return text


def _write_condition(angle: Angle) -> str:
    """An angle that is 0, with what is constant on the other side."""
    constant = Angle((), -angle.eighths % 8)
    return f"{write_angle(Angle(angle.terms))} = {write_angle(constant)}"


def write_angle(angle: Angle) -> str:
    """A sum as it is read."""
    parts = [(count, name) for name, count in angle.terms]
    if angle.eighths:
        multiple = gcd(angle.eighths, 4)
        over = "" if multiple == 4 else f"/{4 // multiple}"
        parts.append((angle.eighths // multiple, f"pi{over}"))
    text = "".join(
        f" {'-' if count < 0 else '+'} {'' if abs(count) == 1 else f'{abs(count)}*'}{name}"
        for count, name in parts
    )
    return text.removeprefix(" + ").replace(" - ", "-", text.startswith(" - ")) or "0"
