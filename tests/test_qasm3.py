"""OpenQASM 3 as programs, against an exact interpreter of Qiskit's circuits, and the QDK."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path

import program_oracle
import pytest
import qiskit_oracle
from branches import same
from qiskit import qasm3

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.grammar import qasm3 as reader
from qwasmc.grammar import qasm3_qdk
from qwasmc.grammar.qasm3_qdk import Unavailable
from qwasmc.ir.circuit import Circuit
from qwasmc.ir.program import Op, Program
from qwasmc.verify import verify

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'

needs_qdk = pytest.mark.skipif(find_spec("qdk") is None, reason="the QDK is not here")


def read(text: str, name: str = "test.qasm") -> Program:
    program = reader.read_qasm3(text, name)
    assert isinstance(program, Program)
    return program


def ops(program: Program) -> list[Op]:
    return [op for block in program.main.blocks for op in block.ops]


def places(program: Program) -> list[tuple[str, int, int]]:
    """Row, line and column of everything that acts on qubits."""
    at = program.locations
    acting = [op for op in ops(program) if op.spec.qubits and op.name != "insert"]
    return [(op.name, at.line[op.loc], at.column[op.loc]) for op in acting]


@pytest.fixture
def without_qdk(monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable(_: object) -> bytes:
        raise Unavailable

    monkeypatch.setattr(reader, "qasm_to_qir", unavailable)


def refusal(text: str, name: str = "test.qasm") -> CompileError:
    with pytest.raises(CompileError) as caught:
        read(text, name)
    return caught.value


# -- meaning

PROGRAMS = {
    "teleport": """
        qubit[3] q; bit[2] c; bit out;
        rx(0.7) q[0]; h q[1]; cx q[1], q[2]; cx q[0], q[1]; h q[0];
        c = measure q[0:1];
        if (c[1]) x q[2];
        if (c[0] == true) { z q[2]; }
        rx(-0.7) q[2]; out = measure q[2];""",
    "modifiers": """
        qubit[3] q; bit[3] c;
        h q; ctrl @ inv @ s q[0], q[1]; pow(0.5) @ x q[2]; negctrl @ ctrl @ y q[0], q[1], q[2];
        ctrl @ gphase(pi/3) q[0]; ctrl(2) @ U(0.1, 0.2, 0.3) q[2], q[0], q[1];
        h q; c = measure q;""",
    "gates": """
        gate mine(a, b) x, y { rx(a/2) x; ctrl @ ry(b) x, y; inv @ t y; }
        qubit[2] q; qubit r; bit[3] c; let both = q[1:1] ++ q[0:0];
        h q; mine(0.3, pi/2) both[0], r; mine(1, 2) q[0], q[1]; inv @ mine(0.4, 1) r, q[0];
        h q; reset r; h r; c[0:1] = measure q; c[2] = measure r;""",
    "loops": """
        qubit[2] q; bit[2] c;
        for int i in [0:2] { rx(i*pi/7) q[0]; for uint j in {1, 5, 2} { ry(i/3 + j) q[1]; } }
        for int i in [4:-2:0] { rz(i) q[0]; h q[0]; if (c == 1) break; c[0] = measure q[1]; }
        c = measure q;""",
    "repeat": """
        qubit q; bit[2] c;
        h q; c[0] = measure q;
        while (c[0]) { reset q; rx(1) q; c[0] = measure q; if (c[0]) continue; x q; }
        c[1] = measure q;""",
    "else": """
        qubit[2] q; bit[2] c; bit flag;
        h q; c = measure q;
        if (c == 2) { flag = measure q[1]; } else if (!c[0]) { x q[0]; c[0] = measure q[0]; }
        else { box { h q[0]; delay[30ns] q[0]; barrier q; } flag = measure q[0]; }""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name: str):
    text = HEAD + PROGRAMS[name]
    program, circuit = read(text), qasm3.loads(text)
    verify(program)
    mine = {
        tuple(value for _, value in key): chance
        for key, chance in program_oracle.distribution(program, 1e-5).items()
    }
    assert same(mine, qiskit_oracle.distribution(circuit, 1e-5), 1e-3)


def test_names_are_those_of_the_program():
    program = read(
        HEAD + "qubit[2] Alice; qubit bob; bit[2] Foo; bit e; let last = Foo[1:1];\n"
        "Foo = measure Alice; e = measure bob;"
    )
    names = [op.attrs["name"] for op in ops(program) if op.name in ("alloc", "result")]
    assert names == ["Alice[0]", "Alice[1]", "bob", "Foo[0]", "Foo[1]", "e"]
    program = read(HEAD + "cx $0, $2;")
    assert [op.attrs["name"] for op in ops(program) if op.name == "alloc"] == ["$0", "$1", "$2"]


def test_the_older_include_file():
    program = read(
        'OPENQASM 3; include "qelib1.inc"; qubit[2] q; u1(0.5) q[0]; cu1(0.5) q[0],q[1];'
    )
    assert [row for row, _, _ in places(program)] == ["p", "cp"]


# -- positions


def test_positions_in_blocks():
    program = read(
        HEAD + "qubit[2] q; bit[2] c;\n"
        "for int i in [0:3] {\n"
        "  h q; c = measure q;\n"
        "  if (c[0]) { x q[0];\n"
        "    y q[1]; } else {\n"
        "    z q; c[0] = measure q[0]; reset q[1]; }\n"
        "  while (c[1]) {\n"
        "    s q[0]; if (c == 3) { break; }\n"
        "    t q[0];\n"
        "  }\n"
        "} box { sdg q[0]; }\n"
        "tdg q[0];"
    )
    verify(program)
    expected = [
        *[("h", 5, 3), ("h", 5, 3), ("measure_z", 5, 8), ("measure_z", 5, 8)],
        *[("x", 6, 15), ("y", 7, 5), ("z", 8, 5), ("z", 8, 5)],
        *[("measure_z", 8, 10), ("reset", 8, 31), ("s", 10, 5), ("t", 11, 5)],
        *[("sdg", 13, 9), ("tdg", 14, 1)],
    ]
    assert sorted(places(program), key=lambda place: place[1:]) == expected


def test_positions_in_included_files(tmp_path: Path):
    (tmp_path / "a.inc").write_text("gate g a { h a; x a; }\n  qubit r;\n  g r;")
    program = read(f'{HEAD}include "a.inc"; z r;', str(tmp_path / "main.qasm"))
    assert places(program) == [("h", 3, 3), ("x", 3, 3), ("z", 3, 18)]
    at = program.locations
    files = [at.files[at.file[op.loc]] for op in ops(program) if op.name in ("z", "h")]
    assert files == [str(tmp_path / "a.inc"), str(tmp_path / "main.qasm")]


# -- refusals


@pytest.mark.usefixtures("without_qdk")
@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("qubit q;\nh q", "unexpected end of file", (4, 4, 5)),
        ("qubit q;\nh q);", "unexpected ')'", (4, 4, 5)),
        ("qubit q;\n h ` q;", "token recognition error", (4, 4, 5)),
        ("qubit q;\n  foo q;", "'foo' is not defined", (4, 3, 4)),
        ("qubit[2] q;\nh q[7];", "out of range", (4, 1, 8)),
        ("qubit q;\nfor int i in [0:1] { rx(1/0) q; }", "division", (4, 22, 32)),
        ("qubit q;\nint i = 3;", "not supported", (4, 1, 2)),
        ("qubit[4] q;\nh q[3:-1:0];", "acts on no qubits", (4, 1, 13)),
        ("qubit q;\nbreak;", "outside loop", (4, 1, 6)),
    ],
)
def test_errors_have_positions(
    text: str, message: str, place: tuple[int, int, int], capfd: pytest.CaptureFixture[str]
):
    (found,) = refusal(HEAD + text).diagnostics
    assert message in found.message
    assert found.place is not None
    assert (found.place.line, found.place.column, found.place.end) == place
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("without_qdk")
def test_what_is_outside_the_subset_names_the_extra():
    (found,) = refusal(HEAD + "def f(qubit q) { h q; } qubit q; f(q);").diagnostics
    assert "SubroutineDefinition is not supported" in found.message
    assert "qwasmc[qdk]" in found.help


def test_inputs_have_no_value():
    assert "'theta'" in str(refusal(HEAD + "input float theta; qubit q; rx(theta) q;"))


def test_no_file_outside_is_read(tmp_path: Path):
    (tmp_path / "secret").write_text("qubit secret;")
    (tmp_path / "in").mkdir()
    name = str(tmp_path / "in" / "main.qasm")
    for target in ("../secret", str(tmp_path / "secret")):
        assert "leaves the folders" in str(refusal(f'{HEAD}include "{target}";', name))
    for text in (
        f'int i; include\n"{tmp_path}\n/secret";',
        f'if (true) include"{tmp_path}/secret";',
    ):
        assert "include" in str(refusal(HEAD + text, name))


DOUBLING = "".join(f"gate g{k + 1}(x) a {{ g{k}(2*x) a; g{k}(x) a; }}\n" for k in range(40))


@pytest.mark.parametrize(
    "text",
    [
        "qubit[1000001] q;",
        "qubit[99999999999999999999] q;",
        "qubit[1000*1000*1000] q;",
        "bit[1000001] c;",
        "x $99999999;",
        pytest.param("qubit[1000000] q;\n" + "h q;\n" * 11, marks=pytest.mark.slow),
        f"gate g0(x) a {{ }}\n{DOUBLING}qubit q; g40(1) q;",
        "qubit q; ctrl(100000000) @ x q, q;",
        "qubit[12] q; pow(0.5) @ ctrl(11) @ x " + ", ".join(f"q[{k}]" for k in range(12)) + ";",
        "qubit q; for int i in [0:1180591620717411303424] { x q; }",
        "qubit q; for int i in {1180591620717411303424} { x q; }",
        f"qubit q; rx({'(' * 5000}1{')' * 5000}) q;",
        "qubit q; " + "if (true) {" * 300 + "}" * 300,
    ],
)
def test_bombs_are_refused_at_once(text: str):
    start = time.process_time()
    assert refusal(HEAD + text).exit_code == Kind.LIMIT
    assert time.process_time() - start < 20


# -- the QDK

CLASSICAL = """qubit[2] q; bit[2] c; int n = 3;
for int i in [0:1] { h q[i]; h q[i]; }
def flip(qubit a, int times) { for int i in [1:times] { x a; } }
flip(q[0], n);
c = measure q;
if (c[0]) { n = n + 1; }
"""


@needs_qdk
def test_the_qdk_reads_what_the_importer_does_not():
    program = reader.read_qasm3(HEAD + CLASSICAL, "test.qasm")
    assert isinstance(program, Program)
    assert program.locations.files == ["test.qasm (as QIR)"]
    assert list(program.locations.paths) == ["test.qasm"]
    (key,) = program_oracle.distribution(program)
    assert [value for _, value in key] == [1, 0, 4]


@needs_qdk
def test_a_straight_line_from_the_qdk():
    found = reader.read_qasm3(HEAD + "qubit q; const int n = 2; bit c; x q; c = measure q;", "x")
    assert isinstance(found, Program | Circuit)


@needs_qdk
def test_the_qdk_says_what_is_wrong_and_where():
    (found,) = refusal(HEAD + "qubit q; int n = 3;\n  n = foo(n);").diagnostics
    assert "foo" in found.message
    assert found.place is not None
    assert (found.place.line, found.place.column, found.place.end) == (4, 7, 10)
    assert "'int' are not supported" in found.notes[0]


@needs_qdk
def test_a_loop_that_qir_cannot_say_is_a_limit():
    wrong = refusal(HEAD + "qubit q; bit c; int n = 0; c = measure q; "
        "while (c) { n = n + 1; h q; c = measure q; }")  # fmt: skip
    assert wrong.exit_code == Kind.LIMIT
    assert "all variables of the program are bits" in wrong.diagnostics[0].help


@pytest.mark.slow
@needs_qdk
def test_the_qdk_has_limited_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(qasm3_qdk, "TIMEOUT", 2.0)
    wrong = refusal(HEAD + "qubit q; int n = 3; while (n > 0) { n += 1; }")
    assert wrong.exit_code == Kind.LIMIT
