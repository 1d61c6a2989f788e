; The standard library of QVM 0.1: the macros that programs of that dialect call, by these names.

.version 0.1
.include "../../states.qwasm"
.include "../../grover.qwasm"

.macro SWAP(q0, q1)
    APPLY_SWAP {q0}, {q1}
.endmacro

; |x> -> sum over y of exp(2 pi i x y / 2^n) |y> / 2^(n/2); here the first qubit is the most
; significant.  Nielsen, Chuang, Quantum Computation and Quantum Information, section 5.1
.macro QFT(qubits)
    .set n = len(qubits)
    .for i in 0..n-1
        APPLY_H {qubits[i]}
        .for j in i+1..n-1
            APPLY_CP {qubits[j]}, {qubits[i]}, theta={pi / 2**(j-i)}
        .endfor
    .endfor
    .for i in 0..n//2-1
        APPLY_SWAP {qubits[i]}, {qubits[n-1-i]}
    .endfor
.endmacro

; 2 |s><s| - 1, where |s> is the uniform superposition
.macro GROVER_DIFFUSION(qubits)
    OPDIFFUSE {", ".join(qubits)}
.endmacro

; The oracles of Deutsch and Jozsa, Proc. R. Soc. London A 439, 553 (1992): f(x) = 0
.macro DJ_ORACLE_CONSTANT_0(qubits)
.endmacro

; f(x) = 1
.macro DJ_ORACLE_CONSTANT_1(y)
    APPLY_X {y}
.endmacro

; f(x) = one bit of x, which `control` holds; `bit_index` says which, for people
.macro DJ_ORACLE_BALANCED_BIT(control, target, bit_index)
    APPLY_CNOT {control}, {target}
.endmacro

; The results are called m0, m1, ...
.macro MEASURE_ALL(qubits)
    .for i in 0..len(qubits)-1
        m{i}: MEASURE_Z {qubits[i]} -> m{i}
    .endfor
.endmacro

; The qubits are called prefix0, prefix1, ...
.macro ALLOC_QUBITS(n, prefix, profile)
    ALLOC_LQ n={n}, profile="{profile}" -> {", ".join(["{prefix}{i}" for i in 0..n-1])}
.endmacro
