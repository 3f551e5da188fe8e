"""vLLM as an engine (`engine.kind: vllm`), in this process; populations reach it from memory.

From outside import `identity` (which needs no vLLM) and `engine`, and leave the rest. It imports the files that stand
beside this package in `infra.engines`, `experts`, `data` and `swarm`, but no other kind of engine.
"""
