"""Input languages: one grammar and one reader per language."""
