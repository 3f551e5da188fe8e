"""The kinds of objective; `registry.py` is the one place where a kind is added."""
