"""Who rates answers from outside: services, and models that are not the engine's (`data/outside.py`)."""
