"""Rewriting by rules: `tables` compiles them, `matching` finds them, `sweep` applies them."""
