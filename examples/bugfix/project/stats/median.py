"""The middle of a list."""


def median(values):
    """The middle value; the mean of the two middle ones where their number is even."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]
