"""The report of a Model Swarms run."""
