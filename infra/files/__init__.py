"""Files on this machine: a run's folder, its log, locks, and where task results are kept."""
