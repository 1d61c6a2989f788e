"""Reversible segments: values of scratch qubits, their order, and how they are undone."""
