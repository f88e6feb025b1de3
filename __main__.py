"""`python -m waypost` is `waypost`."""

from .entry import main

main()
