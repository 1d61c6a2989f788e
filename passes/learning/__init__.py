"""Learning of rewriting rules."""
