"""The `swarm` command: arguments in, text or JSON out.

A file a command (`experts` and `data` have folders of them), offered by `main.py` and started by `process.py`; what
they share is in the rooms `terminal`, `runs` and `machine`. What differs from algorithm to algorithm is asked of
`flows.searches.SEARCHES`.
"""
