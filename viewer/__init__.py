"""A browser's view of the runs on disk: loopback only, read-only, without a build step and without the internet."""
