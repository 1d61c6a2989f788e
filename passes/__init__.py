"""Transformations: one file per pass, IR in, IR out; larger ones have a folder of parts."""
