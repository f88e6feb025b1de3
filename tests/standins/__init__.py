"""Stand-ins for the agent CLIs, written from their documented event formats, and tests that drive them."""
