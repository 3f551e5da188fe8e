"""The engine of this project (`engine.kind: transformers`): a population's requests packed together on one model.

From outside import `identity` (which loads no model) and `engine`, and leave the rest. It imports the files that stand
beside this package in `infra.engines`, `experts`, `data` and `swarm`, but no other kind of engine.
"""
