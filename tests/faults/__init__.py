"""Experiments that break processes, disks and bytes, and look for anything lost, doubled or made up."""
