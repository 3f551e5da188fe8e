"""Prefect tasks: thin adapters, small values in, small values out."""
