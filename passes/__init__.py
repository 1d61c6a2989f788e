"""Transformations: one file per pass, IR in, IR out."""
