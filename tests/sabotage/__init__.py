"""Ways to be called done without having done it, and what comes of each."""
