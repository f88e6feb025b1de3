"""Runs that work in git worktrees of their own: the branches, the merges, and how the result gets to the user."""
