"""The configuration of a run: one pydantic model for each algorithm, written as YAML and shown by Prefect as a form.

To be imported from outside: `common` (what all runs have), `movement`, `systems`, `paths` and `trackers` (parts of it),
`training` (the training of an expert), `yaml_files` (read and check a file) and `errors`. It imports the configurations
of engines and tasks (`infra.engines.config`, `data`), `infra.files`, and what is below infra.
"""
