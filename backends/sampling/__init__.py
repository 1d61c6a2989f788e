"""Logical error rates: Stim samples, a decoder predicts, and mistakes are counted.

`decoders` is the table of decoders, `batch` what one worker does, `workers` and `cluster` who they
are, `run` hands batches to them, `rates` says what the counts mean, `records` keeps them in a file,
`plot` draws them.
"""
