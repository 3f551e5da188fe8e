"""What commands do with runs: drive a run, read what is recorded, evaluate the best of a run.

To be imported by commands: `drive`, `records`, `stored_config`, `best`, `subject`, `single_evaluation` and `example`.
It imports `cli.terminal`, `flows.searches` and `infra`, never a command.
"""
