"""Running the verification of a run again, somewhere else: the same files, the same commands, verdict by verdict."""
