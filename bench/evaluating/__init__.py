"""The parts of `bench/evaluation.py`."""
