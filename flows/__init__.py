"""One file per Prefect flow: the order of things, retries, limits."""
