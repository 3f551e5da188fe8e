"""Systems of models: running them, scoring them, keeping them, and asking them (docs/systems.md)."""
