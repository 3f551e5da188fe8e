"""Iterations as people see them: in the terminal, in Prefect's artifacts, and by other observers."""
