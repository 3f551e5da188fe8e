"""Deployed searches under disturbances, and what Prefect and the records cost."""
