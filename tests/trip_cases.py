"""Awkward programs in several languages, and the exact distribution of what they record."""

from __future__ import annotations

from collections.abc import Mapping

HEAD2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'

Distribution = Mapping[str, float]
"""By the values of all results, between spaces, the probability."""

QIR = """
define void @main() #0 {
  call void @__quantum__qis__h__body(ptr null)
  call void @__quantum__qis__mz__body(ptr null, ptr null)
  %b = call i1 @__quantum__rt__read_result(ptr null)
BODY
  ret void
}
declare void @__quantum__qis__h__body(ptr)
declare void @__quantum__qis__mz__body(ptr, ptr)
declare i1 @__quantum__rt__read_result(ptr)
declare void @__quantum__rt__int_record_output(i64, ptr)
declare void @__quantum__rt__double_record_output(double, ptr)
declare void @__quantum__rt__bool_record_output(i1, ptr)
attributes #0 = { "entry_point" "required_num_qubits"="1" "required_num_results"="1" }
"""
"""A coin is tossed: %b."""

WORDS = "measure gate pi U define let bit while result_ i64 entry main label true reset def cal"

COIN = {"0 0": 0.5, "1 1": 0.5}

CASES: dict[str, tuple[str, Distribution]] = {
    "feed-forward.qasm": (
        HEAD3 + "qubit[3] q; bit[3] c; h q[0]; cx q[0], q[1]; c[0] = measure q[0]; "
        "if (c[0]) { h q[2]; t q[2]; h q[2]; } c[1] = measure q[1]; c[2] = measure q[2];",
        {"0 0 0": 0.5, "1 1 0": 0.5 * 0.8535533905932737, "1 1 1": 0.5 * 0.1464466094067262},
    ),
    "until.qasm": (
        HEAD3 + "qubit q; bit c; h q; c = measure q; while (c) { h q; c = measure q; } x q; "
        "bit last; last = measure q;",
        {"0 1": 1.0},
    ),
    "integers.ll": (
        QIR.replace(
            "BODY",
            "  %i = zext i1 %b to i64\n  %j = mul i64 %i, -5\n  %k = add i64 %j, 3\n"
            "  call void @__quantum__rt__int_record_output(i64 %k, ptr null)\n"
            "  call void @__quantum__rt__int_record_output(i64 -9223372036854775808, ptr null)",
        ),
        {"3 -9223372036854775808": 0.5, "-2 -9223372036854775808": 0.5},
    ),
    "floats.ll": (
        QIR.replace(
            "BODY",
            "  %f = select i1 %b, double 0.5, double 0xC00921FB54442D18\n"
            "  call void @__quantum__rt__double_record_output(double %f, ptr null)\n"
            "  call void @__quantum__rt__double_record_output(double 1.0e-300, ptr null)\n"
            "  call void @__quantum__rt__bool_record_output(i1 %b, ptr null)",
        ),
        {"-3.141592653589793 1e-300 0": 0.5, "0.5 1e-300 1": 0.5},
    ),
    "words.qwasm": (
        f".caps CAP_ALLOC\na: ALLOC_LQ n=17 -> {', '.join(WORDS.split())}\nh: APPLY_H measure\n"
        "c: APPLY_CNOT measure, pi\nm: MEASURE_Z measure -> input\nm: MEASURE_Z pi -> ret\n",
        COIN,
    ),
    "letters.qasm": (
        HEAD3 + "qubit ψ; qubit φ_1; bit Δ; bit é; h ψ; cx ψ, φ_1; Δ = measure φ_1; é = measure ψ;",
        COIN,
    ),
    "long.qasm": (
        HEAD3 + f"qubit {'q' * 900}; bit {'b' * 900}; x {'q' * 900}; "
        f"{'b' * 900} = measure {'q' * 900};",
        {"1": 1.0},
    ),
    "gaps.qasm": (
        HEAD2 + "qreg a[5]; qreg b[3]; creg c[7]; h a[1]; cx a[1], b[2]; measure a[1] -> c[5]; "
        "measure b[2] -> c[1];",
        COIN,
    ),
    "empty.qasm": (HEAD2, {"": 1.0}),
    "no-results.qasm": (HEAD2 + "qreg q[2]; h q[0]; cx q[0], q[1];", {"": 1.0}),
    "unused.qasm": (HEAD2 + "qreg q[4]; creg c[2]; x q[2]; measure q[2] -> c[0];", {"1": 1.0}),
    "twice.qasm": (
        HEAD2 + "qreg q[1]; creg c[1]; x q[0]; measure q[0] -> c[0]; x q[0]; "
        "measure q[0] -> c[0]; x q[0]; measure q[0] -> c[0];",
        {"1": 1.0},
    ),
    "reset.qasm": (
        HEAD2 + "qreg q[2]; creg c[2]; x q[0]; cx q[0], q[1]; reset q[0]; measure q -> c;",
        {"0 1": 1.0},
    ),
    "wide-register.qasm": (
        HEAD2 + "qreg q[3]; creg c[100]; x q[0]; measure q[0] -> c[99]; if (c == 0) x q[1]; "
        "measure q[1] -> c[70];",
        {"0 1": 1.0},
    ),
    "recorded.stim": (
        "H 0\nCX 0 1\nREPEAT 2 {\nM 0 1\n}\nMPP X0*X1\n",
        {f"{a} {a} {a} {a} {b}": 0.25 for a in (0, 1) for b in (0, 1)},
    ),
}
"""Programs, and the exact distribution of what they record."""
