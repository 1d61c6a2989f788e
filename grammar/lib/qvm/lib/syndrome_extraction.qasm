; Measures checks of prefix_0, prefix_1, ... through ancillas, which end in |0>.
; Gottesman, arXiv:quant-ph/9705052, section 3
;
; code_type "repetition": s0, s1, ... are the parities of neighbours.  "surface": sx0 is the product
; of X, and with a second ancilla sz0 that of Z, on the four qubits of a plaquette.  "custom": none.

.version 0.1
.include "../../checks.qwasm"

.param n_data = 3
.param n_ancilla = 2
.param data_prefix = "d"
.param ancilla_prefix = "a"
.param code_type = "repetition"

.if code_type == "repetition"
    .for i in 0..n_data-2
        CHECK_Z({ancilla_prefix}_{i}, ["{data_prefix}_{i}", "{data_prefix}_{i+1}"], s{i})
    .endfor
.elif code_type == "surface"
    CHECK_X({ancilla_prefix}_0, ["{data_prefix}_{i}" for i in 0..3], sx0)
    .if n_ancilla > 1
        CHECK_Z({ancilla_prefix}_1, ["{data_prefix}_{i}" for i in 0..3], sz0)
    .endif
.elif code_type != "custom"
    .set failed = code_type_is_repetition_or_surface_or_custom
.endif
