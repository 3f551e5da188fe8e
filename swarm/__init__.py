"""The algorithms: pure functions on frozen dataclasses, with `ask` and `tell`.

Everything here may be imported from anywhere. It imports numpy and the standard library only, and reads no file, clock,
environment or random stream: a random draw is a function of a key (`draws.py`).
"""
