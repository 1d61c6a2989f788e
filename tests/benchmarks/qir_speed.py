"""How long QIR takes to load, beside PyQIR on the same module.

    python tests/benchmarks/qir_speed.py [--calls 1000 10000 100000 1000000] [--text 1000000]

For each size a module of that many random gate calls on 100 qubits is written as text (typed
pointers, as most producers write) and, by llvmlite, as bitcode.  Ours is text to Circuit, in a
fresh process; PyQIR's are `Module.from_bitcode` on the bitcode and, up to `--text` calls,
`Module.from_ir` on the text.  Needs pyqir and llvmlite.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from pathlib import Path

import llvmlite.binding as llvm

QUBITS = 100

OURS = """
import resource, sys, time
from qwasmc.grammar.qir import read
data = open(sys.argv[1], "rb").read()
start = time.perf_counter()
ir = read(data, "big.ll")
seconds = time.perf_counter() - start
memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{seconds:.3f} s, {memory:.0f} MB, a {type(ir).__name__} of {len(ir)} rows")
"""

BITCODE = """
import pyqir, sys, time
data = open(sys.argv[1], "rb").read()
start = time.perf_counter()
pyqir.Module.from_bitcode(pyqir.Context(), data, "big")
print(f"{time.perf_counter() - start:.3f} s")
"""

TEXT = """
import pyqir, sys, time
data = open(sys.argv[1]).read()
start = time.perf_counter()
pyqir.Module.from_ir(pyqir.Context(), data, "big")
print(f"{time.perf_counter() - start:.3f} s")
"""


def pointer(kind: str, number: int) -> str:
    """A static pointer, as typed pointers are written."""
    return f"%{kind}* inttoptr (i64 {number} to %{kind}*)" if number else f"%{kind}* null"


def module(calls: int, rng: random.Random) -> str:
    """A base-profile module of random gates, and a measurement of each qubit."""
    lines = ["%Qubit = type opaque", "%Result = type opaque", "", "define void @main() #0 {"]
    lines.append("entry:")
    for _ in range(calls):
        a, b = (pointer("Qubit", q) for q in rng.sample(range(QUBITS), 2))
        name = rng.choice(("h", "s", "t", "x", "cnot", "cz", "rz"))
        given = {"cnot": f"{a}, {b}", "cz": f"{a}, {b}", "rz": f"double 1.250000e-01, {a}"}
        lines.append(f"  call void @__quantum__qis__{name}__body({given.get(name, a)})")
    for number in range(QUBITS):
        qubit, result = pointer("Qubit", number), pointer("Result", number)
        lines.append(f"  call void @__quantum__qis__mz__body({qubit}, {result})")
    for number in range(QUBITS):
        result = pointer("Result", number)
        lines.append(f"  call void @__quantum__rt__result_record_output({result}, i8* null)")
    lines += ["  ret void", "}", ""]
    for names, parameters in (
        ("hstx", "%Qubit*"),
        (("cnot", "cz"), "%Qubit*, %Qubit*"),
        (("rz",), "double, %Qubit*"),
        (("mz",), "%Qubit*, %Result*"),
    ):
        lines += [f"declare void @__quantum__qis__{name}__body({parameters})" for name in names]
    lines.append("declare void @__quantum__rt__result_record_output(%Result*, i8*)")
    lines.append(
        'attributes #0 = { "entry_point" "qir_profiles"="base_profile" '
        f'"required_num_qubits"="{QUBITS}" "required_num_results"="{QUBITS}" }}'
    )
    return "\n".join(lines) + "\n"


def bitcode(text: str) -> bytes:
    """The module as bitcode; LLVM of today has opaque pointers only."""
    opaque = text.replace("%Qubit*", "ptr").replace("%Result*", "ptr").replace("i8*", "ptr")
    return bytes(llvm.parse_assembly(opaque).as_bitcode())


def measured(code: str, path: Path) -> str:
    """What a fresh process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip() if done.returncode == 0 else f"failed: {done.stderr[-200:]}"


def main() -> None:
    """Print a line for each measurement."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--text", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for calls in arguments.calls:
            text = module(calls, random.Random(calls))
            as_text, as_bitcode = Path(folder, "big.ll"), Path(folder, "big.bc")
            as_text.write_text(text)
            as_bitcode.write_bytes(bitcode(text))
            print(f"{calls} calls, {len(text) / 1e6:.1f} MB")
            print(f"  qwasmc, text to Circuit      {measured(OURS, as_text)}")
            print(f"  PyQIR Module.from_bitcode    {measured(BITCODE, as_bitcode)}")
            if calls <= arguments.text:
                print(f"  PyQIR Module.from_ir         {measured(TEXT, as_text)}", flush=True)


if __name__ == "__main__":
    main()
