"""Seeded generators of small skills that a small model can learn.

To be imported from outside: `generate`, and `registry` for the names of the skills. It imports numpy and `swarm` only.
"""
