"""The `swarm data` commands: one file for each, and what they share (`options`, `public`, `rows`).

`cli.main` imports the commands; they import `cli.terminal`, `data`, `infra.downloads` and `infra.configs`.
"""
