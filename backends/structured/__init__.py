"""Logical programs as nested statements, for outputs that have no jumps."""
