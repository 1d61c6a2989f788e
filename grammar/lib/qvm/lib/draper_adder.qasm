; |a>|b> -> |a>|a + b mod 2^n>; a_0 and b_0 are the least significant.
; Draper, arXiv:quant-ph/0008033

.version 0.1
.include "../../adders.qwasm"

.param n_bits = 4
.param a_prefix = "a"
.param b_prefix = "b"

DRAPER_ADD(["{a_prefix}_{i}" for i in 0..n_bits-1], ["{b_prefix}_{i}" for i in 0..n_bits-1])
