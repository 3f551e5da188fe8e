"""The two kinds of failure that every layer tells apart."""


class InputError(ValueError):
    """Something the user gave is wrong.

    The message is one line: what was wrong (file, field), the value seen, and what to do. The command line
    prints it without a traceback and exits with 2.
    """


class EvaluationError(RuntimeError):
    """An evaluation could not be made (an engine or an external scorer failed). It never becomes a score."""
