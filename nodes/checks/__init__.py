"""What verify runs: commands, expected outputs, scope."""
