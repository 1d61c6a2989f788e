"""A page that shows a lattice surgery program in space and time, and drawings of single slabs."""
