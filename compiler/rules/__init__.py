"""Rewriting rules: what they are (`rule`) and how they are written (`notation`)."""
