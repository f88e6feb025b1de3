"""`python -m waypost` is `waypost`."""

from .cli.main import main

main()
