"""The `swarm data` commands."""
