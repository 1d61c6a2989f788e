"""Counts modular exponentiation folded, beside the QDK on the same program; prints a table.

    python modexp.py [--sizes 4 8 ... 2048] [--qdk 4 8 16 32] [--write FOLDER]

The program is the modular exponentiation of Vedral, Barenco and Ekert (Phys. Rev. A 54, 147, 1996)
with the adder of Gidney (Quantum 2, 74, 2018): one temporary AND a bit, undone by a measurement.
Its loops and subroutines stand in the text; constants are taken to be all ones, the most that
loading them can take.  `--qdk` writes the same program in Q# and lets the QDK's estimator count it,
in this process.  Needs the package itself and, for `--qdk`, `qdk`.
"""

from __future__ import annotations

import argparse
import importlib
import resource
import time
import warnings
from pathlib import Path

from qwasmc.estimate import estimate
from qwasmc.options import Options, Watch
from qwasmc.reading import Source

BUDGET = 1e-3
SIZES = (4, 8, 64, 256, 1024, 2048)


def qwasm(n: int) -> str:
    """x -> a^e x mod N with n bits and 2 n bits of e, in QWASM's machine style.

    r10 is the number of the exponent's bit, r11 that of the factor's; r1 the qubit that decides
    what is loaded.
    """
    x, b, t, c = 2 * n, 3 * n, 4 * n + 1, 5 * n + 2
    flag, both = 6 * n + 3, 6 * n + 4
    return f"""// Modular exponentiation with {n} bits; see tests/benchmarks/modexp.py.
QLINIT {6 * n + 5}, distance=3
        MOV r10, 0
expo:   QLH r10
        CALL times
        CALL swap
        CALL times
        ADD r10, r10, 1
        CMP r10, {2 * n}
        JLT expo
        HALT

times:  MOV r11, {x}        ; b += a x, if the exponent's bit is 1
factor: QLRESET {both}
        QLCCX r10, r11, {both}
        CALL modadd
        QLMEASURE {both}, r15, basis=X
        IF r15: QLCZ r10, r11
        ADD r11, r11, 1
        CMP r11, {x + n}
        JLT factor
        RET

swap:   MOV r2, 0           ; exchanges x and b, if the exponent's bit is 1
next:   ADD r3, r2, {x}
        ADD r4, r2, {b}
        QLCNOT r4, r3
        QLCCX r10, r3, r4
        QLCNOT r4, r3
        ADD r2, r2, 1
        CMP r2, {n}
        JLT next
        RET

modadd: MOV r1, {both}      ; b += a, minus N if that is not less than N
        CALL load
        CALL add
        CALL load
        CALL modulus
        CALL sub
        CALL modulus
        QLCNOT {b + n}, {flag}
        MOV r1, {flag}
        CALL load
        CALL add
        CALL load
        MOV r1, {both}
        CALL load
        CALL sub
        QLX {b + n}
        QLCNOT {b + n}, {flag}
        QLX {b + n}
        CALL add
        CALL load
        RET

load:   MOV r2, {t}         ; t = a constant, if a qubit is 1
bit:    QLCNOT r1, r2
        ADD r2, r2, 1
        CMP r2, {t + n}
        JLT bit
        RET

modulus: MOV r2, {t}
ones:   QLX r2
        ADD r2, r2, 1
        CMP r2, {t + n}
        JLT ones
        RET

sub:    CALL invert         ; b -= t
        CALL add
        CALL invert
        RET

invert: MOV r2, {b}
not:    QLX r2
        ADD r2, r2, 1
        CMP r2, {b + n + 1}
        JLT not
        RET

add:    QLRESET {c}         ; b += t, modulo 2^{n + 1}
        QLCCX {t}, {b}, {c}
        MOV r2, 1
up:     ADD r3, r2, {t}
        ADD r4, r2, {b}
        ADD r5, r2, {c}
        SUB r6, r5, 1
        QLCNOT r6, r3
        QLCNOT r6, r4
        QLRESET r5
        QLCCX r3, r4, r5
        QLCNOT r6, r5
        ADD r2, r2, 1
        CMP r2, {n}
        JLT up
        QLCNOT {c + n - 1}, {b + n}
        QLCNOT {t + n}, {b + n}
down:   SUB r2, r2, 1
        ADD r3, r2, {t}
        ADD r4, r2, {b}
        ADD r5, r2, {c}
        SUB r6, r5, 1
        QLCNOT r6, r5
        QLMEASURE r5, r15, basis=X
        IF r15: QLCZ r3, r4
        QLCNOT r6, r3
        QLCNOT r3, r4
        CMP r2, 1
        JGT down
        QLMEASURE {c}, r15, basis=X
        IF r15: QLCZ {t}, {b}
        QLCNOT {t}, {b}
        RET
"""


QSHARP = """
operation And(a : Qubit, b : Qubit, c : Qubit) : Unit {{ Reset(c); CCNOT(a, b, c); }}
operation Undo(a : Qubit, b : Qubit, c : Qubit) : Unit {{
    if Measure([PauliX], [c]) == One {{ CZ(a, b); }}
}}
operation Load(control : Qubit, t : Qubit[]) : Unit {{
    for i in 0..{n} - 1 {{ CNOT(control, t[i]); }}
}}
operation Modulus(t : Qubit[]) : Unit {{ for i in 0..{n} - 1 {{ X(t[i]); }} }}
operation Add(t : Qubit[], b : Qubit[], c : Qubit[]) : Unit {{
    And(t[0], b[0], c[0]);
    for i in 1..{n} - 1 {{
        CNOT(c[i - 1], t[i]); CNOT(c[i - 1], b[i]); And(t[i], b[i], c[i]); CNOT(c[i - 1], c[i]);
    }}
    CNOT(c[{n} - 1], b[{n}]); CNOT(t[{n}], b[{n}]);
    for i in {n} - 1..-1..1 {{
        CNOT(c[i - 1], c[i]); Undo(t[i], b[i], c[i]); CNOT(c[i - 1], t[i]); CNOT(t[i], b[i]);
    }}
    Undo(t[0], b[0], c[0]); CNOT(t[0], b[0]);
}}
operation Sub(t : Qubit[], b : Qubit[], c : Qubit[]) : Unit {{
    for q in b {{ X(q); }}
    Add(t, b, c);
    for q in b {{ X(q); }}
}}
operation ModAdd(both : Qubit, flag : Qubit, t : Qubit[], b : Qubit[], c : Qubit[]) : Unit {{
    Load(both, t); Add(t, b, c); Load(both, t);
    Modulus(t); Sub(t, b, c); Modulus(t);
    CNOT(b[{n}], flag);
    Load(flag, t); Add(t, b, c); Load(flag, t);
    Load(both, t); Sub(t, b, c);
    X(b[{n}]); CNOT(b[{n}], flag); X(b[{n}]);
    Add(t, b, c); Load(both, t);
}}
operation Main() : Unit {{
    use e = Qubit[2 * {n}];
    use x = Qubit[{n}];
    use b = Qubit[{n} + 1];
    use t = Qubit[{n} + 1];
    use c = Qubit[{n} + 1];
    use (flag, both) = (Qubit(), Qubit());
    for i in 0..2 * {n} - 1 {{
        H(e[i]);
        for side in 0..1 {{
            for j in 0..{n} - 1 {{
                And(e[i], x[j], both);
                ModAdd(both, flag, t, b, c);
                Undo(e[i], x[j], both);
            }}
            if side == 0 {{
                for j in 0..{n} - 1 {{
                    CNOT(b[j], x[j]); CCNOT(e[i], x[j], b[j]); CNOT(b[j], x[j]);
                }}
            }}
        }}
    }}
}}
"""


def of_qdk(n: int) -> tuple[float, dict[str, int]]:
    """CPU seconds and logical counts of the QDK for the same program in Q#."""
    warnings.simplefilter("ignore")
    qsharp = importlib.import_module("qdk.qsharp")
    start = time.process_time()
    qsharp.init()
    qsharp.eval(QSHARP.format(n=n))
    counts = qsharp.estimate("Main()", {"errorBudget": BUDGET})["logicalCounts"]
    return time.process_time() - start, counts


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--qdk", type=int, nargs="*", default=())
    parser.add_argument("--write", type=Path, help="folder for the programs")
    arguments = parser.parse_args()
    print(
        "| bits | logical qubits | Toffolis | measurements | to count, s | with schedule, s | MB |"
    )
    print("|---|---|---|---|---|---|---|")
    for n in arguments.sizes:
        text = qwasm(n)
        if arguments.write:
            (arguments.write / f"modexp{n}.qwasm").write_text(text)
        source = Source(f"modexp{n}.qwasm", text.encode())
        options = Options(error_budget=BUDGET)
        seconds = []
        for models in ([], ["schedule"]):
            start = time.process_time()
            found = estimate(source, options, Watch(), models)
            seconds.append(time.process_time() - start)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        counts = found["counts"]
        cells = [n, counts["qubits"], counts["ccz"], counts["measurements"]]
        cells += [*(f"{each:.1f}" for each in seconds), round(memory)]
        print(
            "|", " | ".join(f"{cell:,}" if isinstance(cell, int) else cell for cell in cells), "|"
        )
        model = found["models"]["schedule"]
        print(
            f"    {model['physical_qubits']:,} physical qubits, distance {model['distance']}, "
            f"{model['factories']['count']} x {model['factories']['kind']}, "
            f"{model['t_states']:,} T states, {model['runtime_s']:.3g} s"
        )
    for n in arguments.qdk:
        seconds_qdk, theirs = of_qdk(n)
        print(f"QDK, {n} bits: {seconds_qdk:.1f} s, {theirs}")


if __name__ == "__main__":
    main()
