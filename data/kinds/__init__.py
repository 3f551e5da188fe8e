"""The kinds of objective: one file a kind, each a `TaskConfig` subclass.

To be imported from outside: `registry` (every kind, built-in and installed) and the base classes in `base` and `rated`.
A kind is added in `registry.py`, or by an installed package (docs/plugins.md).
"""
