"""Deployments: searches at a Prefect server, registered, scheduled, limited, and restarted after a crash.

To be imported from outside: every module, by commands and by the flow that watches data. It imports Prefect's client,
`infra.records`, `infra.files`, `infra.settings`, `experts.files` and `swarm`.
"""
