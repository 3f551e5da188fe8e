"""`python -m cli` is the `swarm` command."""

from cli.process import swarm

swarm()
