"""What `reduce_t` is made of: phase polynomials, and fewer terms for their third-order tensor."""
