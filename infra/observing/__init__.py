"""Observing: what people and trackers see of a run while it is under way.

To be imported from outside: `observer` (the protocol and its context variable), `views` (an iteration for people),
`watching` (open the observers that a configuration asks for), `clock` and `trackers.registry`. It imports
`infra.configs` (the trackers' names), `infra.records`, `infra.files`, `data.plugins` and `swarm`.
"""
