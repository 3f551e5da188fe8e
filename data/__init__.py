"""Objectives: loading, prompts, parsing, scoring; generators of data sets."""
