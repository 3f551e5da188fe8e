"""What generates text: engines hold a base model and answer requests with whole populations of recipes.

From outside import: `base` (the interface), `config`, `resolved`, `kinds` (the table: identities and opening), `local`
(an engine alone on its device), `host` (the one engine of a run), and `gpu` for others that compute on a GPU.
It imports `experts`, `data`, `swarm` and `infra.settings`; nothing else of `infra`.
"""
