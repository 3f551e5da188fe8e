"""The configuration of a run: a pydantic model an algorithm, written as YAML and shown by the Prefect UI as a form."""
