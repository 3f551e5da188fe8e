"""The records: what happened, in a database.

To be imported from outside: `store` (`Records`, the only way to the database), `values` (what it returns), `damage`
(`DamagedRecords`) and `request_texts` (`GroupRequests`, `RequestJson`). Tables, migrations and transactions stay
inside. It imports `infra.files`, `experts.files` and `swarm`.
"""
