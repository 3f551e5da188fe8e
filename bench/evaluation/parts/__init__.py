"""The parts of `bench.evaluation.comparison`."""
