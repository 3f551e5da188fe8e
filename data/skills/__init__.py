"""Seeded generators of small skills that a small model can learn."""
