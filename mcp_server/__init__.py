"""Waypost for agents: the Model Context Protocol over stdio. Needs the extra `mcp`."""

# Fails where this folder is imported under a name of its own: that would make second copies of every class.
from .. import __version__ as __version__
