; |a>|b>|c> -> |a>|a + b mod 2^n>|c + carry mod 2>; a_0 and b_0 are the least significant.
; Cuccaro, Draper, Kutin, Moulton, arXiv:quant-ph/0410184

.version 0.1
.include "../../adders.qwasm"

.param n_bits = 4
.param a_prefix = "a"
.param b_prefix = "b"
.param carry_qubit = "c"

.macro CUCCARO_ADD_WITH_CARRY(carry_in, a, b, carry_out)
    .set n = len(a)
    .set c = [carry_in] + a
    .for i in 0..n-1
        MAJ({c[i]}, {b[i]}, {a[i]})
    .endfor
    APPLY_CNOT {a[n-1]}, {carry_out}
    .for k in 1..n
        UMA({c[n-k]}, {b[n-k]}, {a[n-k]})
    .endfor
.endmacro

ALLOC_LQ n=1 -> cuccaro_carry_in
CUCCARO_ADD_WITH_CARRY(cuccaro_carry_in, ["{a_prefix}_{i}" for i in 0..n_bits-1], ["{b_prefix}_{i}" for i in 0..n_bits-1], {carry_qubit})
FREE_LQ cuccaro_carry_in
