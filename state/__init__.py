"""What a run is: pure data, no input or output. Floor 0: imports nothing of Waypost but itself."""

# Fails where this folder is imported under a name of its own: that would make second copies of every class.
from .. import __version__ as __version__
