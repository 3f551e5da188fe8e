"""Serving: answer questions with the best of a run, in a command or as an OpenAI-like endpoint (docs/systems.md).

To be imported from outside: `answering` (`load_best`, `open_answerer`) and `server` (`serve`, `require_key`).
It imports `infra.systems`, `infra.configs`, `infra.scorers`, `infra.engines`, `infra.files`, `infra.settings`, and what
is below infra.
"""
