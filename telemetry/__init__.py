"""What a run tells OpenTelemetry, where a process has configured it. Needs the extra `otel`."""

# Fails where this folder is imported under a name of its own: that would make second copies of every class.
from .. import __version__ as __version__
