"""What `synthesise` is made of: words for rotations about Z, with and without measurement."""
