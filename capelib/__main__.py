"""`python -m capelib` is the command `cape`."""

from capelib.cli import main

main()
