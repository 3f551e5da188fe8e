"""Asking the best of a run: one question, or as an OpenAI-compatible endpoint (docs/systems.md)."""
