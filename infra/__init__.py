"""Everything that touches a disk, a database, a device or a network, in rooms; only `settings.py` stands beside them.

The rooms have an order, and import downwards in it without circles (docs/architecture.md names and orders them). May
import `experts`, `data`, `swarm`; never `tasks`, `flows` or `cli`.
"""
