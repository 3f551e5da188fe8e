"""A pool of engines in Ray actors (`engine.kind: ray`).

From outside import `identity` (which needs no Ray) and `pool`, and leave the rest. It imports the files that stand
beside this package in `infra.engines` (its actors open their engines by `local`), `experts`, `data` and `swarm`.
"""
