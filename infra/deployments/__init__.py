"""Searches as deployments of a Prefect server: registered, scheduled, shared out, and restarted after a crash."""
