"""Base models, adapters, materialising recipes, training, export.

Every file may be imported from outside; a name with an underscore may not. `files` (files that are published whole or
not at all) and `tensors` are the lowest. It imports `swarm` alone: no settings, no database; folders come as arguments.
"""
