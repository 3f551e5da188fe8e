"""The engine of this project (`engine.kind: transformers`): a population's requests packed together on one model.

Its words are those of nano-vllm and vLLM:

- sequence: one request answered by one particle. P particles that answer R requests have P·R sequences.
- scheduler: cuts the requests of a call into batches. Batch: what one worker computes alone, some particles × requests.
- shared prefix: what the requests of a prefix group begin with; it is read once a particle.
- prefill: reading prompts, in chunks of the token budget, one prompt after another without padding.
- decode step: the next token of all running sequences of a batch. The decode loop alternates prefill and decode.
- KV cache: the keys and values of sequences of like length; those of a shared prefix are kept beside it.
- model runner: makes prefill and decode forward passes of the resident model; attention knows which tokens see which.
- multi-LoRA: the adapters of all particles of a batch in one pass; the LoRA mapping says whose each token is.

From outside import `identity` (which loads no model) and `engine`, and leave the rest. It imports the files that stand
beside this package in `infra.engines`, `experts`, `data` and `swarm`, but no other kind of engine.
"""
