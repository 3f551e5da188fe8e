"""One run that this process drives: what it needs is read and checked, and it is opened and ended."""
