"""When and where the joint measurements of a program happen."""
