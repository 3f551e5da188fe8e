"""The GPUs of this machine: leases by which engines and scoring models of several runs compute in turns.

From outside import `lease` and `leased_engine`. It imports `infra.engines.base`, `experts`, `data` and `swarm`.
"""
