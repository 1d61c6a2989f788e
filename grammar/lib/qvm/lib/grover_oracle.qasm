; Turns the sign of the states to be found; character i of a state belongs to prefix_i.
; Grover, arXiv:quant-ph/9605043
;
; oracle_mode "single" marks target_state, "multi" each of the list target_states, and "function"
; calls a macro of the caller: .set oracle_macro = "NAME" before the include, for NAME(qubits).

.version 0.1
.include "../../grover.qwasm"

.param n_qubits = 3
.param qubit_prefix = "q"
.param target_state = "101"
.param target_states = []
.param oracle_mode = "single"
.param oracle_macro = ""

.if oracle_mode == "single"
    GROVER_ORACLE({target_state}, ["{qubit_prefix}_{i}" for i in 0..n_qubits-1])
.elif oracle_mode == "multi"
    .for state in target_states
        GROVER_ORACLE({state}, ["{qubit_prefix}_{i}" for i in 0..n_qubits-1])
    .endfor
.elif oracle_mode == "function"
    {oracle_macro}(["{qubit_prefix}_{i}" for i in 0..n_qubits-1])
.else
    .set failed = oracle_mode_is_single_or_multi_or_function
.endif
