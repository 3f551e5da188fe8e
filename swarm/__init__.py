"""The algorithms: pure functions on frozen dataclasses; numpy only."""
