; Quantum Fourier transform of prefix_0, prefix_1, ...; the first one is the most significant.

.version 0.1
.include "../../qft.qwasm"

.param n_qubits = 4
.param qubit_prefix = "q"

QFT(["{qubit_prefix}_{n_qubits-1-i}" for i in 0..n_qubits-1])
