"""The `swarm experts` commands."""
