"""What `lower_gates` knows of Toffolis: pairs, and ANDs that are measured."""
