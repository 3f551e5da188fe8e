"""The Prefect tasks: thin adapters that take small values and return small values.

To be imported by flows: one file for each algorithm's iteration (`search`, `heterogeneous`, `evolution`), `evaluation`
(the task that uses an engine), `publish` (the tasks after a search), `artifacts` (what the Prefect UI shows),
`persistence` (how results are kept) and `result_files` (where they are written, and that none is read). Tasks import
`infra` and what is below, never `flows` or `cli`.
"""
