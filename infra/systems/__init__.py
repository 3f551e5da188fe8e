"""Systems of models: run a system, evaluate it, save and load it, and ask it a question (docs/systems.md).

To be imported from outside: `group` (systems as an evaluation group), `executor` (`run_systems`, `Savings`), `artefact`
(a system's folder), `free_question` (a question of a user), `nodes`, `contributions`, `names` and `system_file`.
It imports `infra.evaluation`, `infra.configs`, `infra.records`, and what is below infra.
"""
