"""The searches: a folder for each algorithm, with everything that differs from algorithm to algorithm."""
