"""The Prefect flows, one file for each: the order of the tasks, retries and limits.

`searches` is the table of all searches, for everybody who asks what an algorithm does; `evaluation_groups` is what the
flows share. Flows import `tasks` and `infra`; nothing below imports them but by the names in the table.
"""
