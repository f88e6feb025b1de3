"""The process between Waypost and a worker: it starts one, watches it, and records how it ended.

It runs with the standard library alone and nothing of Waypost outside this folder, so that it starts fast and nothing
of the workspace can get into it. Modules that cost milliseconds to import (`re`, `typing`, `subprocess`) stay out.
"""
