"""Scorers: services, and models other than the engine's, that rate answers (`data/outside.py` has the data types).

To be imported from outside: `open_scorers`. A new kind of scorer is one file here and a line in each function of
`open_scorers`. It imports `data`, `experts`, `swarm`, `infra.engines` (a scorer takes its turn on a GPU) and
`infra.settings`.
"""
