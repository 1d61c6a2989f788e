"""The three representations a program passes through: Program, Circuit, Surgery."""
