"""Pebble games: values on ancillas that are computed, undone and computed again."""
