"""Counts what a program does without unrolling its loops and calls."""
