"""What `resynthesise` is made of: windows as Pauli rotations, and networks that make them."""
