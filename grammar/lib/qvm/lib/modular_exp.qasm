; |x>|y> -> |x>|y a^x mod N> for y < N; control_0 and work_0 are the least significant.
; Beauregard, arXiv:quant-ph/0205095, with the adder of Cuccaro et al. instead of Draper's

.version 0.1
.include "../../modular.qwasm"

.param n_control = 4
.param n_work = 4
.param a = 7
.param N = 15
.param control_prefix = "ctrl"
.param work_prefix = "work"

MODULAR_POWER(["{control_prefix}_{i}" for i in 0..n_control-1], ["{work_prefix}_{i}" for i in 0..n_work-1], {a}, {N})
