; Estimates the phase phi of an eigenvalue exp(2 pi i phi): afterwards prefix_0, the least
; significant, and those after it hold 2^n phi, as nearly as n bits can.
; Cleve, Ekert, Macchiavello, Mosca, arXiv:quant-ph/9708016
;
; The unitary is a macro of the caller: with .set unitary_macro = "NAME" before the include,
; NAME(control, qubits, power) is called for control-U^power.  Without it U is X on the first
; eigenstate qubit, the eigenvalues of which are 1 and -1.

.version 0.1
.include "../../qft.qwasm"

.param n_precision = 4
.param n_eigenstate = 2
.param precision_prefix = "prec"
.param eigenstate_prefix = "eigen"
.param unitary_name = "U"
.param unitary_macro = ""

.macro CONTROLLED_X_POWER(control, qubits, power)
    .if power % 2 == 1
        APPLY_CNOT {control}, {qubits[0]}
    .endif
.endmacro

.if unitary_macro == ""
    .set unitary_macro = "CONTROLLED_X_POWER"
.endif

.for k in 0..n_precision-1
    APPLY_H {precision_prefix}_{k}
.endfor
.for k in 0..n_precision-1
    {unitary_macro}({precision_prefix}_{k}, ["{eigenstate_prefix}_{i}" for i in 0..n_eigenstate-1], {2**k})
.endfor
IQFT(["{precision_prefix}_{k}" for k in 0..n_precision-1])
