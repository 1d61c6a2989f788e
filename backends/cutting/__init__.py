"""Circuit cutting: expectation values of a wide circuit from runs of narrow ones.

    Circuit -> Problem -> Plan: pieces, experiments, terms -> counts -> expectation values
             problem    cut                                         knit

A cut gate is a sum of local operations with signs (Mitarai and Fujii, arXiv 1909.07534), a cut
wire a sum of measurements and preparations (Peng et al., arXiv 1904.00102).  What is found and
written is the work of qiskit-addon-cutting, an optional dependency of `cut` alone.
"""
