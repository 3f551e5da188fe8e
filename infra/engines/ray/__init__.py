"""A pool of engines on the machines of a Ray cluster."""
