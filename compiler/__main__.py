"""`python -m qwasmc` is the command line."""

from qwasmc.cli import main

main()
