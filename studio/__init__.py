"""The pipeline on a LangGraph server, as `langgraph dev` and LangGraph Studio use it. Needs the extra `studio`."""

# Fails where this folder is imported under a name of its own: that would make second copies of every class.
from .. import __version__ as __version__
