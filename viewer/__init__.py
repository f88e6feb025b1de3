"""A browser's view of the runs on disk: loopback only, read-only, without a build step and without the internet."""

# Fails where this folder is imported under a name of its own: that would make second copies of every class.
from .. import __version__ as __version__
