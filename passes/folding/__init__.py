"""What `fold` is made of: Pauli frames, and rotations merged through what commutes with them."""
