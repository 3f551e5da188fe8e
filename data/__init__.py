"""Objectives: loading, prompts, parsing and scoring; generators of data sets.

To be imported from outside: `objective` (load and score an objective), `objective_config`, `requests` (the requests to
engines), `outside` (the requests to scorers), `examples`, `prompts`, `task`, `scores`, `subset`, `dev_split`,
`long_context`, `placeholders`, `fields`, `catalogue`, `summary`, `skills`, `kinds`, `plugins`, `score_functions` and
`user_code`. It imports `swarm` only, and no torch. Nothing but loading reads files.
"""
