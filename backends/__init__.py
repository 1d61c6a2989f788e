"""Outputs: one file or folder per kind of artifact."""
