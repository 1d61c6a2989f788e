"""What `cancel` is made of: Clifford gates as runs of commuting items, and rules on them."""
