"""The `swarm experts` commands: one file for each, and `folders`, which finds experts and describes them.

`cli.main` imports the commands; they import `cli.terminal`, `flows.searches`, `experts` and `infra.configs`.
"""
