"""A run that ended before it was done."""


class RunUnfinished(Exception):
    """The run ended before it was done and can be resumed; the message says how."""
