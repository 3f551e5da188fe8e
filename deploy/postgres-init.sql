-- The records have a database of their own beside Prefect's; their tables are made by whoever opens them first.
CREATE DATABASE records OWNER swarm;
