"""OpenQASM 2 as programs, against Qiskit's matrices and an exact interpreter of its circuits."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Hashable
from pathlib import Path

import numpy as np
import program_oracle
import pytest
import qiskit_oracle
from branches import same
from qiskit import QuantumCircuit, qasm2
from qiskit.quantum_info import Operator
from random_qasm import random_program

from qwasmc.diagnostics import CompileError, Kind
from qwasmc.grammar.qasm import read_qasm2
from qwasmc.ir.program import Op, Program
from qwasmc.verify import verify

CORPUS = Path(__file__).parents[2] / "shared" / "corpus" / "circuits"
HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
SEEDS = [*range(60), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(60, 500))]


def read(text: str, name: str = "test.qasm") -> Program:
    return read_qasm2(text, name)


def ops(program: Program) -> list[Op]:
    return [op for block in program.main.blocks for op in block.ops]


def refusal(text: str, name: str = "test.qasm") -> CompileError:
    with pytest.raises(CompileError) as caught:
        read(text, name)
    return caught.value


def line_of(program: Program, op: Op) -> int:
    assert op.loc >= 0
    return program.locations.line[op.loc]


# -- meaning


def by_qiskit(text: str) -> QuantumCircuit:
    """Qiskit's circuit, with the program's own definitions where it has them."""
    known = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
    return qasm2.loads(text, custom_instructions=[g for g in known if f"gate {g.name}" not in text])


@pytest.mark.parametrize("seed", SEEDS)
def test_random_programs(seed: int):
    """Gates alone for even seeds, with measurements and conditions for odd ones."""
    text, lines = random_program(random.Random(seed), measured=seed % 2 == 1)
    program, circuit = read(text), by_qiskit(text)
    verify(program)
    assert len(program.main.blocks) == 1
    check_lines(program, circuit, lines)
    if seed % 2 == 0:
        mine = program_oracle.unitary(program)
        theirs = Operator(circuit.reverse_bits()).data
        assert abs(np.vdot(mine, theirs)) == pytest.approx(len(theirs), rel=1e-6)
    else:
        assert same(outcomes(program, circuit), qiskit_oracle.distribution(circuit))


def outcomes(program: Program, circuit: QuantumCircuit) -> dict[Hashable, float]:
    """The distribution of all clbits; what is no result stays 0."""
    at = {
        f"{r.name}[{k}]": circuit.find_bit(b).index for r in circuit.cregs for k, b in enumerate(r)
    }
    found: dict[Hashable, float] = {}
    for key, chance in program_oracle.distribution(program).items():
        clbits = [0] * circuit.num_clbits
        for name, value in key:
            clbits[at[name]] = value
        found[tuple(clbits)] = found.get(tuple(clbits), 0) + chance
    return found


def check_lines(program: Program, circuit: QuantumCircuit, lines: list[int]) -> None:
    """Every operation is on the line of a statement, in order, and none is missing."""
    assert len(lines) == len(circuit.data)
    acting = [op for op in ops(program) if op.spec.qubits and not op.spec.makes_qubit]
    found = [line_of(program, op) for op in acting]
    assert found == sorted(found)
    silent = ("id", "mine", "other", "swap", "rzz", "csx", "u", "u3", "u2", "if_else")
    heard = {at for at, inst in zip(lines, circuit.data, strict=True) if inst.name not in silent}
    assert heard <= set(found) <= set(lines)


def test_each_element_of_a_broadcast_has_the_line_of_its_statement():
    program = read(HEAD + "qreg q[3]; qreg r[3];\ncreg c[3];\n\nh q;\ncx q, r;\nmeasure r -> c;")
    lines = [(op.name, line_of(program, op)) for op in ops(program) if op.spec.qubits]
    assert lines == [("h", 6)] * 3 + [("cx", 7)] * 3 + [("measure_z", 8)] * 3
    names = [op.attrs["name"] for op in ops(program) if op.name in ("alloc", "result")]
    assert names == [f"{r}[{k}]" for r in "qrc" for k in range(3)]
    assert {line_of(program, op) for op in ops(program) if op.name == "alloc"} == {3}


def test_a_definition_of_the_program_counts_more_than_a_name():
    text = "OPENQASM 2.0; gate h a { U(0,0,pi/4) a; } qreg q[1]; h q[0];"
    mine = program_oracle.unitary(read(text))
    assert abs(np.vdot(mine, np.diag([1, np.exp(0.25j * math.pi)]))) == pytest.approx(2)


def test_legacy_gates_need_no_definition():
    program = read(HEAD + "qreg q[3]; swap q[0],q[1]; cswap q[0],q[1],q[2]; u0(1000000000) q[0];")
    assert [op.name for op in ops(program) if op.spec.qubits] == ["swap", "cswap"]


def test_comments_of_both_kinds_and_any_text_in_them():
    program = read(HEAD + "/* h q[0];\n \u00e9 */ qreg q[1]; // \u00fc\n x q[0]; // y q[0];")
    assert [op.name for op in ops(program)] == ["alloc", "x", "return"]
    assert line_of(program, ops(program)[1]) == 5


# -- includes


def test_included_files(tmp_path: Path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.inc").write_text('gate g a { h a; }\nqreg r[2];\n\n  g r;\ninclude "sub/b.inc";')
    (tmp_path / "sub" / "b.inc").write_text('x r[0];\ninclude "c.inc";')
    (tmp_path / "sub" / "c.inc").write_text("y r[0];")
    main = tmp_path / "main.qasm"
    program = read(HEAD + 'include "a.inc"; z r[1];', str(main))
    places = [program.locations.place(op.loc) for op in ops(program) if op.spec.qubits]
    assert [str(place) for place in places] == [
        f"{tmp_path / 'a.inc'}:4:3",
        f"{tmp_path / 'a.inc'}:4:3",
        f"{tmp_path / 'sub' / 'b.inc'}:1:1",
        f"{tmp_path / 'sub' / 'c.inc'}:1:1",
        f"{main}:3:18",
    ]
    included = [tmp_path / "a.inc", tmp_path / "sub" / "b.inc", tmp_path / "sub" / "c.inc"]
    assert list(program.locations.paths) == [str(path) for path in (main, *included)]
    assert len(program.locations.chain(ops(program)[5].loc)) == 3


def test_include_directories(tmp_path: Path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "a.inc").write_text("qreg r[2];")
    text = HEAD + 'include "a.inc"; h r;'
    assert "cannot find" in str(refusal(text, str(tmp_path / "main.qasm")))
    program = read_qasm2(text, str(tmp_path / "main.qasm"), include_dirs=[tmp_path / "lib"])
    assert sum(op.name == "h" for op in ops(program)) == 2


def test_no_file_outside_is_read(tmp_path: Path):
    (tmp_path / "secret").write_text("qreg secret[1];")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    name = str(tmp_path / "in" / "main.qasm")
    for target in ("../secret", str(tmp_path / "secret"), "link", "../in/../secret"):
        wrong = refusal(f'{HEAD}include "{target}";', name)
        assert "leaves the folders" in str(wrong)
        assert wrong.diagnostics[0].place is not None
    for text in ('gate g a { include "../secret"; }', 'include "../\nsecret";'):
        assert "include" in str(refusal(HEAD + text, name))


def test_a_file_that_includes_itself(tmp_path: Path):
    (tmp_path / "a.inc").write_text('include "a.inc";')
    wrong = refusal(HEAD + 'include "a.inc";', str(tmp_path / "main.qasm"))
    assert "includes itself" in str(wrong)
    for number in range(100):
        (tmp_path / f"{number}.inc").write_text(f'include "{number + 1}.inc";')
    wrong = refusal(HEAD + 'include "0.inc";', str(tmp_path / "main.qasm"))
    assert wrong.exit_code == Kind.LIMIT


# -- errors


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("qreg q[2];\n  foo q[0];", "'foo' is not defined", (4, 3, 6)),
        ("qreg q[2];\nh q[5];", "out-of-range", (4, 5, 6)),
        ("qreg q[2];\nh q[0]", "end-of-file", (4, 1, 2)),
        ("qreg q[2];\ncx q[0], q[0];", "duplicate", (4, 1, 3)),
        ("qreg q[2];\nh \u00e9;", "non-ASCII", (4, 3, 4)),
        ("qreg q[2];\nrx(1/0) q[0];", "divide by zero", (4, 5, 6)),
        ("qreg q[2];\nrx(1e400) q[0];", "not a finite number", (4, 1, 15)),
        ("qreg q[2];\nopaque g a;\n g q[0];", "'g' has no definition", (5, 2, 8)),
        ("qreg q[2];\nqreg q[3];", "already defined", (4, 6, 7)),
    ],
)
def test_errors_have_positions(text: str, message: str, place: tuple[int, int, int]):
    (found,) = refusal(HEAD + text).diagnostics
    assert message in found.message
    assert found.place is not None
    assert (found.place.line, found.place.column, found.place.end) == place
    assert found.kind == Kind.PROGRAM


def test_bytes_that_are_no_text():
    with pytest.raises(CompileError, match="not UTF-8"):
        read_qasm2(b"OPENQASM 2.0;\n\xff", "x")


DOUBLING = "".join(f"gate g{k + 1}(x) a {{ g{k}(2*x) a; g{k}(3*x) a; }}\n" for k in range(60))
NESTED = "".join(f"gate g{k + 1} a {{ g{k} a; }}\n" for k in range(500))
MANY = "".join(f"gate g{k} a {{ }}\n" for k in range(5000))


@pytest.mark.parametrize(
    "text",
    [
        "qreg q[1000001];",
        "qreg q[600000];\nqreg r[600000];",
        "creg q[1000001];",
        "qreg q[99999999999999999999999];",
        "qreg q[2]; h q[99999999999999999999999];",
        "qreg q[1000000];\n" + "h q;\n" * 11,
        f"gate g0(x) a {{ }}\n{DOUBLING}qreg q[1]; g60(1) q[0];",
        f"gate g0 a {{ }}\n{NESTED}qreg q[1]; g500 q[0];",
        MANY,
        f"qreg q[1]; rx({'(' * 100_000}1{')' * 100_000}) q[0];",
        f"qreg q[1]; rx({'-' * 2_000_000}1) q[0];",
        f"gate g(x) a {{ rx({'1^' * 2_000_000}1) a; }}",
        f"qreg q[1]; rx({'sin(' * 100_000}1{')' * 100_000}) q[0];",
    ],
)
def test_bombs_are_refused_at_once(text: str):
    start = time.process_time()
    wrong = refusal(HEAD + text)
    assert wrong.exit_code == Kind.LIMIT
    assert wrong.diagnostics[0].place is not None
    assert time.process_time() - start < 10


def test_a_hundred_thousand_gates():
    text = HEAD + "qreg q[20];\n" + "h q[3];\ncx q[1], q[2];\nrz(pi/7) q[3];\n" * 33_334
    start = time.process_time()
    program = read(text)
    assert time.process_time() - start < 15
    assert len(ops(program)) == 100_002 + 21
    assert line_of(program, ops(program)[-2]) == 3 + 100_002


@pytest.mark.slow
@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here")
def test_the_corpus():
    """Every circuit loads, and every row of a gate is on a line that starts with its name."""
    files = sorted(CORPUS.glob("*/*.qasm"))
    assert files
    for path in files:
        program = read_qasm2(path.read_bytes(), str(path))
        text = path.read_text()
        starts = [line.strip() for line in text.split("\n")]
        rows = [op for op in ops(program) if op.name in ("ccx", "h", "t", "tdg", "x", "measure_z")]
        assert rows
        for op in rows[::7]:
            start = starts[line_of(program, op) - 1]
            assert start.startswith(op.name.partition("_")[0]) or f"gate {start.split()[0]}" in text
